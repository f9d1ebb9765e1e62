"""``ipc doctor`` looks at the cameras, too: one as lines, several as a row each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.start import doctor as module
from sunmi_ipc_cli.start.examine import Examined, Finding
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera

Virtual = Callable[..., VirtualCamera]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, vendor: Any) -> Callable[..., Any]:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(camera: VirtualCamera, *args: str) -> Any:
        return CliRunner().invoke(app, ["doctor", "-c", camera.address, *args], prog_name="ipc")

    return run


def checks(done: Any) -> dict[str, Any]:
    (camera,) = json.loads(done.stdout)["cameras"]
    return {check["check"]: check for check in camera["checks"]}


def test_a_camera_that_is_well(doctor: Callable[..., Any], ready: VirtualCamera) -> None:
    found = checks(doctor(ready, "--json"))
    assert set(found) == {
        "activated", "SD card", "door line", "clock", "Wi-Fi", "certificate", "subscriptions", "firmware",
    }  # fmt: skip
    assert [name for name, check in found.items() if check["ok"] is False] == []
    assert found["certificate"]["message"].startswith("valid until 20")
    text = doctor(ready).stdout
    assert "✓ SD card: ready" in text
    assert "· firmware: " in text


def test_what_is_missing_is_said_with_the_next_step(
    doctor: Callable[..., Any], ready: VirtualCamera, factory: VirtualCamera
) -> None:
    ready.insert_card(CardStatus.BLANK)
    ready.state.clock_offset = 7200
    done = doctor(ready, "--json")
    assert done.exit_code == 1
    found = checks(done)
    assert found["SD card"]["ok"] is False
    assert "ipc sdcard format" in found["SD card"]["hint"]
    assert "People flow and faces need the card." in found["SD card"]["hint"]
    assert found["clock"]["ok"] is False
    assert "+7" in found["clock"]["message"]
    new = checks(doctor(factory, "--json"))
    assert new["activated"]["ok"] is False
    assert "ipc activate" in new["activated"]["hint"]
    assert "SD card" not in new  # it cannot be asked yet


def test_what_a_model_does_not_have_is_not_missed(doctor: Callable[..., Any], virtual: Virtual) -> None:
    store = virtual(model="FM010")
    done = doctor(store, "--json")
    assert "door line" not in checks(done)
    store.insert_card(CardStatus.REMOVED)
    card = checks(doctor(store, "--json"))["SD card"]
    assert card["message"] == "removed by software"
    assert card["hint"] == "The card was removed by software: take it out and put it back."


def test_several_are_a_row_each(capsys: pytest.CaptureFixture[str]) -> None:
    well = Examined("FS101D8BS00106", "127.0.0.2", findings=[Finding("activated", True, "yes")])
    ill = Examined(
        "FS101D8BS00107", "127.0.0.3", findings=[Finding("SD card", False, "no card", "Insert one.")]
    )
    module._show_cameras(State(), [well, ill])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "CAMERA"
    assert lines[1].startswith("FS101D8BS00106  yes")
    assert "✗ no card" in lines[2]
    assert lines[3] == "✗ FS101D8BS00107, SD card: no card"
    assert lines[4].strip() == "→ Insert one."


def test_several_without_a_choice(monkeypatch: pytest.MonkeyPatch, vendor: Any, virtual: Virtual) -> None:
    """Nobody has to name one: all that a scan finds are looked at."""
    from sunmi_ipc_cli.start import examine

    from sunmi_ipc.discovery.camera import DiscoveredCamera

    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    cameras = [virtual(), virtual(state="factory")]
    seen = [
        DiscoveredCamera(sn=c.sn, ip=c.address.partition(":")[0], port=c.port, model="FM020") for c in cameras
    ]
    opened = {c.sn: c.address for c in cameras}
    monkeypatch.setattr(
        "sunmi_ipc_cli.target.open_camera",
        lambda state, name, **how: state.settings.connect(opened[name], sn=name),
    )
    found = examine.several(State(), seen)
    assert [camera.sn for camera in found] == [c.sn for c in cameras]
    assert [camera.ok for camera in found] == [True, False]
    assert f"ipc activate {cameras[1].sn}" in found[1].findings[0].hint
