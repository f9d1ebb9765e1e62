"""One meaning each: the interface that is looked at, network and Wi-Fi, several cameras where one is meant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app, load
from sunmi_ipc_cli.scan import _COLUMNS
from typer.testing import CliRunner

from sunmi_ipc import words
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera


@pytest.fixture(autouse=True)
def configured(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "line",
    ["scan", "info", "info -c FS101D8BS00001", "sdcard status -c all", "activate FS101D8BS00001 --yes", "identify", "doctor",
     "fleet init SITE", "fleet plan SITE", "fleet add SITE", "watch --once", "serve init STATION", "dump -o DUMP --yes"],
)  # fmt: skip
def test_an_interface_means_where_cameras_are_looked_for(line: str, first: bool, tmp_path: Path) -> None:
    (tmp_path / "SITE.toml").write_text('[[cameras]]\nsn = "FS101D8BS00001"\n')
    files = {
        "SITE": "new.toml" if "init" in line else "SITE.toml",
        "STATION": "station.toml",
        "DUMP": "dump.json",
    }
    args = [str(tmp_path / files[word]) if word in files else word for word in line.split()]
    place = ["--interface", "nope0"]
    done = CliRunner().invoke(app, [*place, *args] if first else [*args, *place])
    assert done.exit_code != 0, done.output
    assert "nope0" in done.output


def test_network_is_ip_settings_and_wifi_what_is_joined() -> None:
    assert "network" not in {label.lower() for label in words.LABELS.values()}
    assert words.label("ssid") == "network name"
    assert "connection" in _COLUMNS
    assert "network" not in _COLUMNS
    assert "IP" in load("network").help
    assert "Wi-Fi" not in load("network").help
    assert "join" in load("wifi").help


@pytest.fixture
def two(virtual: Any, monkeypatch: pytest.MonkeyPatch) -> list[VirtualCamera]:
    cameras = [virtual(), virtual()]
    found = [
        DiscoveredCamera(c.sn, c.ip, c.port, model="FM020", name=f"Till {n}") for n, c in enumerate(cameras)
    ]
    monkeypatch.setattr(Settings, "discover", lambda self, **options: iter(found))
    return cameras


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("line", ["info", "sdcard status", "image name", "wifi show"])
def test_several_are_a_question_or_an_error(
    terminal: bool, as_json: bool, line: str, two: list[VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc_cli.target.is_terminal", lambda: terminal)
    done = CliRunner().invoke(app, [*line.split(), *(["--json"] if as_json else [])], input="2\n")
    if terminal and not as_json:
        assert done.exit_code == 0, done.output
        assert "Which one?" in done.stderr
        assert all(camera.sn in done.stdout for camera in two)  # the list to choose from
        assert not two[0].state.counts
        assert two[1].state.counts
        return
    assert done.exit_code == 2
    assert "Which one?" not in done.output
    said = json.loads(done.stdout)["error"]["message"] if as_json else done.stderr
    assert all(camera.sn in said for camera in two)
    assert re.search(r"-c\b", done.stderr)
    assert not any(camera.state.counts for camera in two)


def test_a_choice_that_is_none(two: list[VirtualCamera], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sunmi_ipc_cli.target.is_terminal", lambda: True)
    done = CliRunner().invoke(app, ["info"], input="3\n")
    assert done.exit_code == 2
    assert "there is no such camera" in done.stderr
    assert not any(camera.state.counts for camera in two)
