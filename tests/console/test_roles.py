"""Roles hold for every endpoint there is: tried as each role, at a virtual camera that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.console.desk import Desk, Guarded
from sunmi_ipc.console.roles import ForbiddenError, Role, needed, require
from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.protocol.spec import Endpoint, registry
from sunmi_ipc.simulator import VirtualCamera

from .conftest import Audit, session

ENDPOINTS = sorted(registry().items())


def test_reading_is_for_all_and_what_destroys_for_few() -> None:
    table = registry()
    assert needed(table["device/getInfo"]) is Role.VIEW
    assert needed(table["config/setZoom"]) is Role.TUNE
    assert needed(table["peopleFlow/setDoorLine"]) is Role.TUNE
    for path in ("device/activate", "config/formatMemoryCard", "face/deleteFaces", "face/clearGroup",
                 "config/setWifiConf", "config/setIpConf", "hook/add"):  # fmt: skip
        assert needed(table[path]) is Role.ADMIN, path
    assert needed("config/reboot") is Role.ADMIN  # nobody knows what it does
    for endpoint in table.values():
        assert needed(endpoint) is Role.VIEW or not endpoint.safe
        assert needed(endpoint) is Role.ADMIN or not endpoint.destroys


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "endpoint"), ENDPOINTS)
def test_every_call_as_every_role(path: str, endpoint: Endpoint[..., Any], role: Role, audit: Audit) -> None:
    asked: list[str] = []

    class Asked:
        def call(self, endpoint: Any, values: Any = None, **more: Any) -> str:
            asked.append(endpoint.path)
            return "done"

    guarded = Guarded(Asked(), "SN", session(role), audit)  # type: ignore[arg-type]
    if role >= needed(endpoint):
        assert guarded.call(endpoint, {}) == "done"
        assert asked == [path]
    else:
        with pytest.raises(ForbiddenError):
            guarded.call(endpoint, {})
        assert asked == []
    # What changes something, and what was refused, is written down.
    written = [e["action"] for e in audit.entries]
    looked = role >= needed(endpoint) and needed(endpoint) is Role.VIEW
    assert written == ([] if looked else [endpoint.key])


def test_a_camera_is_guarded_through_its_groups(
    ready: VirtualCamera, desk: Callable[..., Desk], audit: Audit
) -> None:
    one = desk(ready)
    looker: Camera = one.camera(ready.sn, session(Role.VIEW))
    assert looker.device.info().sn == ready.sn
    assert looker.lens.show().max_zoom == 500
    for refused in (
        lambda: looker.lens.set_zoom(100),
        lambda: looker.lens.zoom("+10"),
        lambda: looker.people_flow.set_door_line(100, 100, 900, 100),
        lambda: looker.device.activate(ready.sn),
        lambda: looker.sdcard.format(),
        lambda: looker.call("config/setLed", {"led_switch": 0}),
    ):
        with pytest.raises(ForbiddenError):
            refused()
    assert "config/setZoom" not in ready.state.counts
    assert "config/setLed" not in ready.state.counts
    tuner = one.camera(ready.sn, session(Role.TUNE))
    tuner.lens.set_zoom(100)
    with pytest.raises(ForbiddenError):
        tuner.sdcard.format()
    one.camera(ready.sn, session(Role.ADMIN)).sdcard.format()
    assert ready.state.counts["config/formatMemoryCard"] == 1
    done = [(e["action"], e["who"], e["origin"], e["result"]) for e in audit.entries]
    assert ("lens.set_zoom", "console:abcd:tune", "127.0.0.9", "ok") in done
    assert ("sdcard.format", "console:abcd:tune", "127.0.0.9", "ForbiddenError") in done
    assert ("sdcard.format", "console:abcd:admin", "127.0.0.9", "ok") in done


def test_a_session_that_has_ended_may_nothing(ready: VirtualCamera, desk: Callable[..., Desk]) -> None:
    who = session(Role.ADMIN)
    camera = desk(ready).camera(ready.sn, who)
    assert camera.device.info().sn == ready.sn
    who.ended = True
    with pytest.raises(ForbiddenError):
        camera.device.info()


def test_a_refused_call_is_written_with_its_code_and_no_secret(
    ready: VirtualCamera, desk: Callable[..., Desk], audit: Audit
) -> None:
    ready.fail("code", 100, path="config/setWifiConf")
    with pytest.raises(SunmiIpcError):
        desk(ready).camera(ready.sn, session(Role.ADMIN)).wifi.set("Shop-WiFi", "hunter2-hunter2")
    assert audit.entries[-1]["result"].endswith(" 100")
    assert "hunter2" not in repr(audit.entries)


def test_require() -> None:
    require(Role.TUNE, Role.TUNE)
    with pytest.raises(ForbiddenError) as caught:
        require(Role.VIEW, Role.TUNE)
    assert "tune" in caught.value.message
    assert Role.named("view") is Role.VIEW
