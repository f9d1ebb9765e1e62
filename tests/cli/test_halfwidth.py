"""What a hurried person types: full-width digits and marks, quotes and commas that came along, and one of a thing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sunmi_ipc_cli.main import app, load
from sunmi_ipc_cli.naming import cleaned
from sunmi_ipc_cli.screen.halfwidth import halved
from typer.testing import CliRunner

from sunmi_ipc.i18n import translate
from sunmi_ipc.simulator import VirtualCamera


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("２０：００", "20:00"), ("192。168．1。20", "192.168.1.20"), ("mon，tue、wed", "mon,tue,wed"), ("“400”", "400"),
     ("400,", "400"), ("－２ｈ", "-2h"), ("　50%　", "50%"), ("昨天　１４：００", "昨天 14:00"), ("ＡＵＴＯ", "AUTO"), ("上周", "上周")],
)  # fmt: skip
def test_what_was_meant(typed: str, meant: str) -> None:
    assert halved(typed) == meant


@pytest.fixture
def ipc(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0, camera: str = "") -> Any:
        done = CliRunner().invoke(app, [*args, "-c", camera or ready.address, "--json"])
        assert done.exit_code == code, (args, done.output)
        return json.loads(done.stdout)

    return run


def test_commands_take_it(ipc: Any, ready: VirtualCamera) -> None:
    asked = ["detection", "set", "--from", "０８：００", "--to", "２０：００", "--days", "mon，tue"]
    made = ipc(*asked)
    assert (made["start_time"], made["stop_time"]) == (480, 1200)
    assert ipc("lens", "zoom", "５０")["zoom"] == 50
    ipc("doorline", "set", "400,", "800,", "1500，", "８００")
    line = ipc("doorline", "show")
    assert [line[k] for k in ("start_x", "start_y", "end_x", "end_y")] == [400, 800, 1500, 800]
    ipc("image", "ir", "“auto”")
    assert ipc("flow", "arrivals", "--from", "昨天　０９：００", "--to", "１０：００")["total"] >= 0
    assert ipc("info", camera=ready.address.replace(".", "。").replace(":", "："))["sn"] == ready.sn


def test_names_and_passwords_stay_as_typed(ipc: Any, ready: VirtualCamera) -> None:
    ipc("image", "name", "收银台，１号")
    assert ready.state.name == "收银台，１号"
    fixed = {p.name for p in load("wifi").commands["set"].params if "meant" in repr(p.process_value)}
    assert "timeout" in fixed
    assert not fixed & {"ssid", "password"}


def test_which_camera_is_read_likewise() -> None:
    assert cleaned("ＦＳ１０１Ｄ８ＢＳ００１０６") == "FS101D8BS00106"
    assert cleaned("“FS101D8BS00106”，") == "FS101D8BS00106"
    assert cleaned("192。168。1。20：8443") == "192.168.1.20:8443"
    assert cleaned("02：53：4D：AB：CD：01") == "02:53:4D:AB:CD:01"
    assert cleaned("收银台，１号") == "收银台，１号"


def test_an_address_that_is_none_is_repeated() -> None:
    done = CliRunner().invoke(app, ["info", "-c", "10.0.0.1:99999"])
    assert done.exit_code == 2
    assert "-c 10.0.0.1:99999: not an address" in done.stderr


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("{count} shops", {"count": 1}, "1 shop"),
        ("{count} shops", {"count": 2}, "2 shops"),
        ("{count} entries have no camera yet", {"count": 1}, "1 entry has no camera yet"),
        ("{count} people ({parts})", {"count": 1, "parts": "x"}, "1 person (x)"),
        ("{count} virtual cameras are ready", {"count": 1}, "1 virtual camera is ready"),
        ("{name}: {count} calls, {bytes} bytes", {"name": "x", "count": 1, "bytes": 2}, "x: 1 call, 2 bytes"),
        ("{done} of {count} cameras", {"done": 0, "count": 1}, "0 of 1 camera"),
        ("{done} of {count} cameras", {"done": 1, "count": 2}, "1 of 2 cameras"),
    ],
)
def test_one_of_a_thing(template: str, values: dict[str, Any], said: str) -> None:
    assert translate(template, "en", values) == said
