"""Which camera, and which cameras: serial numbers as pasted, MACs, last four digits, all, a site file."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli import many, target
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.naming import cleaned, mac_digits
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.discovery import DiscoveredCamera, memory
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import Vendor, VirtualCamera

Make = Callable[..., VirtualCamera]


@pytest.fixture(autouse=True)
def configured(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)


def ipc(*args: str, code: int = 0, text: str = "") -> Any:
    done = CliRunner().invoke(app, list(args), input=text)
    assert done.exit_code == code, (args, done.output)
    return done


def seen(camera: VirtualCamera, **changes: str) -> DiscoveredCamera:
    return DiscoveredCamera(
        camera.sn,
        camera.ip,
        camera.port,
        model="FM020",
        **{"name": "Door", "mac": camera.state.mac} | changes,
    )  # type: ignore[arg-type]


def test_what_people_paste() -> None:
    for text in (" FS101D8BS00106", "FS101 D8BS 00106\n", "'FS101D8BS00106'", "fs101d8bs00106 "):
        assert cleaned(text).upper() == "FS101D8BS00106"
    assert cleaned(" Front door ") == "Front door"
    for text in ("02:53:4D:AB:cd:01", "02-53-4d-ab-cd-01", "02534DABCD01", "0253.4dab.cd01"):
        assert mac_digits(text) == "02534DABCD01"
    assert mac_digits("SUNMI_CD01") == mac_digits("cd01") == "CD01"
    for text in ("Door", "192.168.1.20", "FS101D8BS00106", "02:53:4D:AB:CD", "cd0", "::1", ""):
        assert mac_digits(text) == ""


def test_a_mac_or_its_last_four_digits(virtual: Make) -> None:
    camera, other = virtual(), virtual()
    mac = camera.state.mac
    memory.remember([seen(camera), seen(other, mac="02:00:00:00:00:01")], config_dir())
    state = State()
    for name in (
        mac,
        mac.lower().replace(":", "-"),
        mac[-5:].replace(":", ""),
        f"SUNMI_{mac[-5:].replace(':', '')}",
    ):
        assert target._of_mac(state, name) == camera.sn, name
    assert target._of_mac(state, other.sn[-4:]) in (other.sn, camera.sn)
    assert target._of_mac(state, "Door") == ""


def test_the_last_four_digits_of_two(virtual: Make) -> None:
    one, two = virtual(), virtual()
    memory.remember([seen(one, mac="02:00:00:00:AB:CD"), seen(two, mac="02:11:00:00:AB:CD")], config_dir())
    done = ipc("info", "-c", "abcd", code=2)
    assert one.sn in done.stderr
    assert two.sn in done.stderr
    memory.remember([seen(one, mac="02:00:00:00:AB:CD", name="abcd")], config_dir())
    assert target._of_mac(State(), "abcd") == ""  # somebody called it so


def test_several_as_one_list_and_one_table(virtual: Make) -> None:
    cameras = [virtual(), virtual(), virtual()]
    names = [word for camera in cameras for word in ("-c", camera.address)]
    listed = json.loads(ipc("info", *names, "--json").stdout)
    assert [entry["sn"] for entry in listed] == [camera.sn for camera in cameras]
    assert [entry["camera"] for entry in listed] == [camera.address for camera in cameras]
    lines = ipc("info", *names).stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("CAMERA")
    assert all(camera.sn in line for camera, line in zip(cameras, lines[1:], strict=True))
    # A list of each, in one table; what is said, likewise.
    groups = ipc("face", "group", "list", *names).stdout.splitlines()
    assert len(groups) == 1 + 2 * len(cameras)
    ipc("image", "led", "off", *names)
    assert all(camera.state.documents["led"] == {"led_switch": 0} for camera in cameras)
    # The same camera twice is once.
    assert len(json.loads(ipc("info", *names, *names, "--json").stdout)) == 3


def test_some_fail(virtual: Make) -> None:
    good, bad = virtual(), virtual(state="factory")
    done = ipc("info", "-c", good.address, "-c", bad.address, "-c", "127.0.0.1:1", "--json", code=7)
    first, second, third = json.loads(done.stdout)
    assert first["sn"] == good.sn
    assert second["error"]["type"]
    assert third["error"]["type"] == "ConnectionFailed"
    assert "2 of 3 cameras failed" in done.stderr
    shown = ipc("info", "-c", good.address, "-c", "127.0.0.1:1", code=7)
    assert good.sn in shown.stdout
    assert "127.0.0.1:1" in shown.stderr


def test_a_wrong_line_is_refused_once(virtual: Make) -> None:
    names = ["-c", virtual().address, "-c", virtual().address]
    done = ipc("image", "ir", "dim", *names, code=2)
    assert done.stderr.count("error") == 1
    assert ipc("image", "nonsense", *names, code=2).stderr.count("No such command") == 1
    assert "Usage" in ipc("image", "ir", "--help", *names).output
    alone = ipc("fleet", "plan", *names, code=2)
    assert "takes one camera" in alone.stderr
    assert "ipc video live takes one camera" in ipc("video", "live", *names, code=2).stderr


def test_all(virtual: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [virtual(), virtual()]
    monkeypatch.setattr(many, "_discovered", lambda state: [seen(camera) for camera in cameras])
    listed = json.loads(ipc("sdcard", "status", "-c", "all", "--json").stdout)
    assert {entry["camera"] for entry in listed} == {camera.sn for camera in cameras}
    monkeypatch.setenv("SUNMI_IPC_CAMERA", "all")
    assert len(json.loads(ipc("image", "name", "--json").stdout)) == 2
    monkeypatch.setattr(many, "_discovered", lambda state: [])
    assert ipc("info", "-c", "all", code=3)


def test_a_site_file(virtual: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cameras = [virtual(), virtual()]
    monkeypatch.setattr(many, "_discovered", lambda state: [seen(camera) for camera in cameras])
    site = tmp_path / "my site.toml"
    site.write_text(
        "".join(f'[[cameras]]\nsn = "{c.sn}"\n' for c in cameras) + '[[cameras]]\nany = "FM020"\n'
    )
    done = ipc("image", "name", "-c", f"@{site}", "--json")
    assert [entry["camera"] for entry in json.loads(done.stdout)] == [camera.sn for camera in cameras]
    assert "1 entry has no camera yet" in done.stderr
    assert ipc("info", "-c", f"@{tmp_path / 'none.toml'}", code=2)


def test_each_is_asked_for_by_name(virtual: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [virtual(), virtual()]
    names = [word for camera in cameras for word in ("-c", camera.address)]
    refused = ipc("sdcard", "format", *names, code=2)
    assert "--yes" in refused.stderr
    assert not any("config/formatMemoryCard" in camera.state.counts for camera in cameras)
    asked: list[str] = []
    together = threading.Semaphore(1)

    def answer(question: str, **options: Any) -> bool:
        assert together.acquire(blocking=False)  # one question at a time
        asked.append(question)
        together.release()
        return cameras[0].address in question

    monkeypatch.setattr("sunmi_ipc_cli.screen.output.is_terminal", lambda: True)
    monkeypatch.setattr("sunmi_ipc_cli.target.is_terminal", lambda: True)
    monkeypatch.setattr("sunmi_ipc_cli.screen.output.agreed", answer)
    ipc("sdcard", "format", *names, code=7)
    assert len(asked) == 2
    assert "config/formatMemoryCard" in cameras[0].state.counts
    assert "config/formatMemoryCard" not in cameras[1].state.counts


def test_activate_takes_the_camera_of_c_and_looks_before_it_asks(
    virtual: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = virtual()
    done = ipc("activate", active.sn, "-c", active.address)  # nobody is asked: nothing is lost
    assert "activated already" in done.stdout
    assert "device/activate" not in active.state.counts
    new = virtual(state="ready")
    new.state.activated = False
    memory.remember([seen(new)], config_dir())
    monkeypatch.setattr(target, "serial_number_at", lambda state, host: new.sn)
    monkeypatch.setattr("sunmi_ipc_cli.camera.activate.serial_number_at", lambda state, host: new.sn)
    assert "--yes" in ipc("activate", "-c", new.address, code=2).stderr
    assert "device/activate" not in new.state.counts
    assert json.loads(ipc("activate", "-c", new.address, "--yes", "--json").stdout) == {
        "sn": new.sn, "activated": True, "already": False,
    }  # fmt: skip
    gone = ipc("activate", new.sn, "-c", "127.0.0.1:1", code=3)
    assert "Go on?" not in gone.output


@pytest.mark.parametrize("switch", [0, 1])
def test_identify_blinks_and_restores(switch: int, ready: VirtualCamera) -> None:
    ready.state.documents["led"] = {"led_switch": switch}
    done = json.loads(ipc("identify", "--for", "1s", "-c", ready.address, "--json").stdout)
    assert done["blinks"] >= 2
    assert done["led_switch"] == switch
    assert ready.state.documents["led"] == {"led_switch": switch}
    assert ready.state.counts["config/setLed"] == done["blinks"] + 1


@pytest.mark.parametrize("proof", ["pin", "ca", ""])
@pytest.mark.parametrize("same_mac", [True, False])
def test_of_all_cameras_one_that_two_claim_is_judged(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, proof: str, same_mac: bool
) -> None:
    """Whoever answers first under a serial number is not asked for that, under 'all' and where none is named."""
    from sunmi_ipc.discovery.sightings import Roll
    from sunmi_ipc.settings import Settings

    if proof != "ca":
        monkeypatch.delenv("SUNMI_IPC_CA")
    seed = secrets.randbits(64)
    with (
        Vendor() as other,
        VirtualCamera(vendor, state="ready", udp=True, seed=seed, people=0) as camera,
        VirtualCamera(other, state="ready", udp=True, seed=seed, people=0, port=camera.port) as impostor,
    ):
        assert camera.sn == impostor.sn
        if proof == "pin":
            with Settings.load().connect(camera.address, sn=camera.sn) as client:
                client.device.info()

        def discover(self: Settings, report: Any, **options: Any) -> Any:
            roll, mac = Roll(), camera.state.mac if same_mac else "02:00:00:00:00:01"
            first = roll.enter(replace(seen(impostor, mac=mac), addresses=(impostor.ip,)))
            roll.enter(replace(seen(camera), addresses=(camera.ip,)))
            report.cameras[:] = roll.cameras
            return iter([first])

        before = camera.state.counts.get("device/getInfo", 0)
        with monkeypatch.context() as patched:
            patched.setattr(Settings, "discover", discover)
            patched.setattr("sunmi_ipc.discovery.scan.discover", discover)
            if same_mac:  # of two others a person chooses
                done = CliRunner().invoke(app, ["info", "--json"])
                assert done.exit_code == (0 if proof else 2), done.output
            done = CliRunner().invoke(app, ["info", "-c", "all", "--json"])
        assert done.exit_code == (0 if proof else 2), done.output
        assert (camera.state.counts.get("device/getInfo", 0) > before) is bool(proof)
        assert impostor.state.counts == {}
