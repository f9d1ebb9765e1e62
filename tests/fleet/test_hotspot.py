"""Cameras on their own access points, with a NetworkManager that is played by a script."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.fleet import hotspot
from sunmi_ipc.fleet.hotspot import NetworkManager, tail_of
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.sitefile import load

from .conftest import Shop

Make = Callable[..., Shop]
NMCLI = """\
#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$*" in
  *"RUNNING general") echo running ;;
  *"DEVICE,TYPE device status") printf 'lo:loopback\\nwlan0:wifi\\n' ;;
  *"UUID,TYPE,DEVICE connection show --active") printf 'cable:802-3-ethernet:eth0\\nhome-uuid:802-11-wireless:wlan0\\n' ;;
  *"SSID,SIGNAL device wifi list"*) cat "$FAKE_SSIDS" ;;
  *"NAME connection show") echo Home ;;
  *"wifi connect SUNMI_DEAD"*) echo "Error: no network with SSID" >&2; exit 10 ;;
  *"wifi connect SUNMI_F00D"*) sleep 8 ;;
esac
"""
BACK = "--wait 30 connection up uuid home-uuid"


class Fake:
    """The script, what it was asked, and the access points that it sees."""

    def __init__(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        script = folder / "bin" / "nmcli"
        script.write_text(NMCLI)
        script.chmod(0o755)
        self.log, self.ssids = folder / "nmcli.log", folder / "ssids"
        self.log.touch()
        self.env = {
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "FAKE_LOG": str(self.log),
            "FAKE_SSIDS": str(self.ssids),
        }

    def sees(self, *names: str) -> None:
        self.ssids.write_text("".join(f"{name}:{50 + i}\n" for i, name in enumerate(names)))

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()

    def until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        end = time.monotonic() + 15
        while not condition(self.calls()):
            assert time.monotonic() < end, self.calls()
            time.sleep(0.02)
        return self.calls()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake(tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def start(here: Shop, fake: Fake) -> subprocess.Popen[str]:
    environment = dict(os.environ) | here.vendor.environment() | fake.env
    return subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "fleet", "apply", str(here.site), "-y", "--via-hotspots",
         "--allow-inline-secrets"],
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def ssid_of(camera: Any) -> str:
    return f"SUNMI_{camera.state.mac.replace(':', '')[-4:]}"


WIFI = '[defaults]\nwifi = { ssid = "Shop-WiFi", password = "welcome-2020" }\n'


def test_each_access_point_in_turn_and_back_home(shop: Make, fake: Fake) -> None:
    here = shop(2)
    here.write(WIFI)
    foreign = here.cameras.pop()
    text = here.site.read_text().rpartition("[[cameras]]")[0]
    here.site.write_text(text)
    mine = here.cameras[0]
    fake.sees("Shop\\:WiFi", ssid_of(mine), "SUNMI_DEAD", ssid_of(foreign))
    process = start(here, fake)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert mine.state.on_wifi
    assert mine.state.activated
    assert mine.state.counts["config/setWifiConfWithoutAuth"] == 1  # the run that follows knows it is told
    assert foreign.state.counts == {}
    assert "is not in the site file" in err
    assert "no network with SSID" in err
    calls = fake.calls()
    joined = [c.split()[-3] for c in calls if " wifi connect " in c]
    assert sorted(joined) == sorted([ssid_of(mine), "SUNMI_DEAD", ssid_of(foreign)])
    assert joined[0] == ssid_of(foreign)  # the strongest first
    assert calls[-1] == BACK
    assert f"connection delete id {ssid_of(mine)}" in calls
    assert "welcome-2020" not in out + err + fake.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_home_again_however_it_ends(shop: Make, fake: Fake, number: signal.Signals) -> None:
    here = shop(1)
    here.write(WIFI)
    fake.sees("SUNMI_F00D")
    process = start(here, fake)
    fake.until(lambda calls: any("connect SUNMI_F00D" in c for c in calls))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    calls = fake.until(lambda calls: calls[-1] == BACK)
    assert calls.count(BACK) == 1
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number], err
    assert here.cameras[0].state.counts == {}


def test_nothing_in_reach_leaves_the_network_alone(fake: Fake) -> None:
    fake.sees("Shop")
    assert NetworkManager.available()
    with NetworkManager() as network:
        assert (network.device, network.original) == ("wlan0", "home-uuid")
        assert network.hotspots() == []
    assert BACK not in fake.calls()


def test_an_error_inside_is_no_reason_to_stay_away(fake: Fake) -> None:
    with pytest.raises(ConfigError, match="no network"), NetworkManager() as network:
        network.join("SUNMI_DEAD")
    assert fake.calls()[-1] == BACK


def test_without_nmcli_and_terminal_it_says_what_it_needs(shop: Make, tmp_path: Path) -> None:
    here = shop(1)
    here.write(WIFI)
    empty = tmp_path / "empty"
    empty.mkdir()
    process = subprocess.run(
        [sys.executable, "-m", "sunmi_ipc_cli", "fleet", "apply", str(here.site), "-y", "--via-hotspots",
         "--allow-inline-secrets"],
        env=dict(os.environ) | here.vendor.environment() | {"PATH": str(empty), "PYTHONPATH": str(Path(__file__).parents[2])},
        text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60,
    )  # fmt: skip
    assert process.returncode == 2
    assert "nmcli" in process.stderr
    assert here.cameras[0].state.counts == {}
    Journal(here.journal).close()  # and the lock is free again


def test_guided_it_takes_whichever_camera_this_computer_has_joined(
    shop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = shop(1)
    (camera,) = here.cameras
    monkeypatch.setattr(hotspot, "ACCESS_POINT", camera.ip)
    here.write(WIFI)
    loaded = load(here.site, inline_secrets=True)
    with Journal(here.journal) as journal:
        (visit,) = hotspot.provision(
            loaded, here.settings.connect, journal, [""], lambda ssid: None, interfaces=["lo"]
        )
    assert (visit.sn, visit.error) == (camera.sn, None)
    assert camera.state.ssid == "Shop-WiFi"


def test_guided_on_a_terminal(shop: Make, tmp_path: Path) -> None:
    """Without nmcli a person joins the networks; "q" and Enter here, and the run goes on."""
    here = shop(1, state="ready")
    here.write("[defaults]\nled = false\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "fleet", "apply", str(here.site), "-y", "--via-hotspots"],
        env=dict(os.environ) | here.vendor.environment() | {"PATH": str(empty), "TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    said = ""
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        for word, answer in (("all cameras are done", b"q\n"), ("press Enter", b"\n")):
            while word not in said:
                said += terminal.read(4096).decode()
            terminal.write(answer)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, (said, out)
    assert "SUNMI_XXXX" in said
    assert here.cameras[0].state.documents["led"] == {"led_switch": 0}


def test_names_of_access_points() -> None:
    assert tail_of("SUNMI_ab12") == "AB12"
    assert tail_of("SUNMI_ab123") == tail_of("Shop") == ""
