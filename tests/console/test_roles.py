"""Roles hold for every endpoint there is: tried as each role, at a virtual camera that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.console.desk import Desk, Guarded
from sunmi_ipc.console.roles import ACTIONS, ForbiddenError, Role, needed, require
from sunmi_ipc.console.state import Console
from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.protocol.spec import Endpoint, registry
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .conftest import Audit, session, settings_of

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
        # Faces are personal data: who only looks at pictures and counts does not see them.
        personal = endpoint.group == "faces" or endpoint.key in (
            "people_flow.visitors_page",
            "people_flow.visits",
        )
        if endpoint.safe:
            assert needed(endpoint) is (Role.TUNE if personal else Role.VIEW), endpoint.key
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


# -- what is no call to a camera ----------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_action_as_every_role(action: str, role: Role, audit: Audit, vendor: Vendor) -> None:
    console = Console(Desk(settings_of(vendor), audit), audit)
    secret, who = console.sessions.enter(console.sessions.code(role), origin="127.0.0.9")
    try:
        if role >= ACTIONS[action]:
            console.act(who, action, sn="SN", details={"site": "x"})
        else:
            with pytest.raises(ForbiddenError):
                console.act(who, action, sn="SN")
        assert [(e["action"], e["who"], e["origin"], e["result"]) for e in audit.entries] == [
            (action, f"console:{who.id}:{role.name.lower()}", "127.0.0.9",
             "ok" if role >= ACTIONS[action] else "ForbiddenError")
        ]  # fmt: skip
        # One that has ended may nothing at all.
        console.sessions.end(who.id)
        with pytest.raises(ForbiddenError):
            console.act(who, action)
        assert console.sessions.get(secret) is None
    finally:
        console.close()


def test_pages_do_nothing_beyond_calls_and_these_actions() -> None:
    """What a page starts, ends or forgets by itself stands behind an action of the table, in its own function."""
    import ast
    from pathlib import Path

    import sunmi_ipc.console

    acting = {("rollout", "start"), ("rollout", "stop"), ("wall", "listen"), ("wall", "leave"),
              ("console", "invitation"), ("sessions", "end"), ("trusting", "accept"), ("trusting", "forget")}  # fmt: skip
    found = set()
    for path in sorted((Path(sunmi_ipc.console.__file__).parent / "pages").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
            own = ast.unparse(function)
            for node in ast.walk(function):
                if not isinstance(node, ast.Attribute):
                    continue
                key = (ast.unparse(node.value).rpartition(".")[2], node.attr)
                if key in acting:
                    found.add(key)
                    assert ".act(" in own, f"{path.name}: {function.name} does {key} unasked"
    assert found == acting
