"""Small changes of a site file, captured settings, and what a plan tells beside its own cameras."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.fleet import edit
from sunmi_ipc.fleet.draft import draft, sheet
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.sitefile import load

from .conftest import Shop
from .test_commands import Ipc, ipc  # noqa: F401

Make = Callable[..., Shop]
FOUND = [
    DiscoveredCamera("FS101D8BS00106", "10.0.0.5", model="FM020", mac="02:53:4D:00:00:01", name="=门口"),
    DiscoveredCamera("SS101D8BS00115", "10.0.0.6", model="FM010", name=""),
]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_new_sheet_opens_in_a_spreadsheet_and_is_read_again(tmp_path: Path, lang: str) -> None:
    path = tmp_path / "shop.csv"
    sheet(path, FOUND, lang)  # type: ignore[arg-type]
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    head = raw.decode("utf-8-sig").splitlines()[0]
    assert head.startswith("序列号,名称,Wi-Fi 名称" if lang == "zh" else "sn,name,wifi_ssid")
    assert ",'=门口," in raw.decode("utf-8-sig")
    first, second = load(path).slots
    assert (first.sn, first.wanted.name, second.wanted.name) == ("FS101D8BS00106", "=门口", None)
    assert (first.address, first.mac) == ("", "")  # those columns are for the eye


TOML = "# mine\n[defaults]\nled = true\n\n[[cameras]]\nsn = 'fs101d8bs00001'  # FS101D8BS00001 at the door\nname = \"Door\"\n"


def test_cameras_are_added_and_replaced_without_a_word_changed(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(TOML, "utf-8")
    edit.add(load(path), FOUND)
    assert path.read_text("utf-8").startswith(TOML)
    assert [slot.sn for slot in load(path).slots] == ["FS101D8BS00001", "FS101D8BS00106", "SS101D8BS00115"]
    assert load(path).slots[1].wanted.name == "=门口"
    assert edit.replace(load(path), "FS101D8BS00001", "FS101D8BS00002") == 6
    assert "sn = 'FS101D8BS00002'  # FS101D8BS00001 at the door" in path.read_text("utf-8")
    assert edit.replace(load(path), "FS101D8BS99999", "FS101D8BS00003") == 0
    inline = tmp_path / "inline.toml"
    inline.write_text('cameras = [{ sn = "FS101D8BS00001" }]\n', "utf-8")
    with pytest.raises(ConfigError, match="cannot be changed"):
        edit.add(load(inline), FOUND)
    assert inline.read_text("utf-8") == 'cameras = [{ sn = "FS101D8BS00001" }]\n'
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inline.toml", "site.toml"]


@pytest.mark.parametrize("head", ["sn;name;ir", "名称,序列号,夜视"])
def test_rows_are_added_to_a_sheet_in_its_own_columns(tmp_path: Path, head: str) -> None:
    path = tmp_path / "shop.csv"
    row = "FS101D8BS00001;Door;auto" if ";" in head else "Door,FS101D8BS00001,auto"
    path.write_bytes(f"{head}\r\n{row}\r\n".encode("utf-8-sig"))
    edit.add(load(path), FOUND)
    assert [(s.sn, s.wanted.name) for s in load(path).slots] == [
        ("FS101D8BS00001", "Door"), ("FS101D8BS00106", "=门口"), ("SS101D8BS00115", None),
    ]  # fmt: skip
    assert edit.replace(load(path), "FS101D8BS00001", "FS101D8BS00002") == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert load(path).slots[0].wanted.name == "Door"


def test_captured_settings_are_a_site_file_that_wants_nothing(shop: Make) -> None:
    from sunmi_ipc.fleet.capture import capture_all

    here = shop(2, state="ready")
    with here.settings.connect(here.cameras[0].address) as camera:
        camera.image.set_name('Tür "1"')
        camera.people_flow.set_door_line(300, 700, 1600, 700)
        camera.faces.create_group("VIP", 100, "guests")
        camera.events.subscribe("face_recog_event", callback="http://192.168.1.5:8080/e")
    found = [DiscoveredCamera(c.sn, c.ip, c.port, model="FM020") for c in here.cameras]
    captured, missing = capture_all(found, here.settings)
    assert missing == {}
    assert captured[here.cameras[0].sn]["door_line"] == [300, 700, 1600, 700]
    here.site.write_text(draft(found, "x", "", captured), "utf-8")
    outcomes = here.run(apply=False)
    assert all(outcome.ok for outcome in outcomes.values()), [o.differences for o in outcomes.values()]
    text = here.site.read_text("utf-8")
    assert "password" not in "".join(line for line in text.splitlines() if not line.startswith("#"))


@pytest.mark.slow
def test_the_commands(shop: Make, ipc: Ipc) -> None:  # noqa: F811
    here = shop(2, state="ready")
    first, second = here.cameras
    here.write(f'[[cameras]]\nsn = "{first.sn}"\nled = false\n', entries=False)
    told = json.loads(ipc(here, "plan", "--json").stdout)
    assert second.sn in [one["sn"] for one in told["not_in_file"]]
    assert first.sn not in [one["sn"] for one in told["not_in_file"]]
    added = json.loads(ipc(here, "add", "--json", "--sn", second.sn.lower()).stdout)
    assert added["added"] == [second.sn]
    assert [slot.sn for slot in load(here.site).slots] == [first.sn, second.sn]
    assert json.loads(ipc(here, "add", "--json", "--sn", second.sn).stdout)["added"] == []
    done = json.loads(ipc(here, "replace", second.sn, "FS101D8BS00001", "--json").stdout)
    assert done["line"]
    assert [slot.sn for slot in load(here.site).slots] == [first.sn, "FS101D8BS00001"]
    ipc(here, "replace", "FS101D8BS77777", "FS101D8BS00002", code=2)
    ipc(here, "replace", first.sn, "FS101D8BS00001", code=2)


@pytest.mark.slow
def test_the_certificates_of_a_whole_site_are_accepted_at_once(
    shop: Make, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc_cli.main import app
    from typer.testing import CliRunner

    from sunmi_ipc.link.trust import KnownCameras

    here = shop(3, state="ready")
    here.write("")
    config = tmp_path_factory.mktemp("config")
    environment = here.vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": str(config)}
    environment.pop("SUNMI_IPC_CA")
    pins = KnownCameras(config / "known_cameras.json")
    for camera in here.cameras[:2]:
        pins.replace(camera.sn, b"another certificate")
    line = ["--json", "trust", "accept", "--all-of", str(here.site)]
    asked = CliRunner().invoke(app, line, env=environment)
    assert asked.exit_code == 2  # nobody to ask
    done = CliRunner().invoke(app, [*line, "--yes"], env=environment)
    told = json.loads(done.stdout)
    assert told["accepted"] == sorted(camera.sn for camera in here.cameras[:2])
    assert pins.known(here.cameras[2].sn) is None  # one that was never seen is pinned at its first contact
    assert json.loads(CliRunner().invoke(app, [*line, "--yes"], env=environment).stdout)["accepted"] == []


def test_an_any_entry_goes_over_to_the_new_camera(shop: Make, ipc: Ipc) -> None:  # noqa: F811
    here = shop(1, state="ready")
    here.write('[[cameras]]\nany = "FM020"\n', entries=False)
    with Journal(here.journal) as journal:
        journal.bind("any:FM020#1", "FS101D8BS00001")
    done = json.loads(ipc(here, "replace", "FS101D8BS00001", "FS101D8BS00002", "--json").stdout)
    assert (done["entry"], done["line"]) == ("any:FM020#1", None)
    with Journal(here.journal, write=False) as journal:
        assert journal.bindings() == {"any:FM020#1": "FS101D8BS00002"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_service_managers_signal_says_how_far_it_came(shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    here = shop(2, state="ready")
    here.cameras[1].restart(60)
    here.write("[defaults]\nled = false\n")
    environment = os.environ | here.vendor.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
    running = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "fleet", "apply", "--yes", str(here.site)],
        env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    first = running.stderr.readline()
    assert "[1/2]" in first
    time.sleep(0.2)
    running.send_signal(signal.SIGTERM)
    _, told = running.communicate(timeout=20)
    assert "1 of 2 cameras were done" in told
    assert running.returncode == 128 + signal.SIGTERM


def test_what_is_the_same_of_many_cameras_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    from sunmi_ipc_cli.fleet.view import print_outcomes

    from sunmi_ipc.fleet.outcome import Outcome, Standing
    from sunmi_ipc.fleet.settings import Difference

    def outcome(number: int, led: str = "off") -> Outcome:
        sn = f"FS101D8BS{number:05}"
        return Outcome(
            sn, sn=sn, address=f"10.0.0.{number}", standing=Standing.DIFFERS,
            differences=[Difference("name", "name", f"SUNMI_{number}", f"Cam {sn}"), Difference("led", "switch", "on", led)],
        )  # fmt: skip

    print_outcomes([*(outcome(n) for n in range(1, 41)), outcome(41, "auto")])
    lines = capsys.readouterr().out.splitlines()
    assert sum("led" in line for line in lines) == 2
    assert (
        sum("FS101D8BS" in line for line in lines) == 42
    )  # a row each, and the one name that is shown alone
    assert any("40" in line and "these" in line for line in lines)
    assert any("Cam {sn}" in line for line in lines)
    assert any("SUNMI_41 → Cam FS101D8BS00041" in line for line in lines)
