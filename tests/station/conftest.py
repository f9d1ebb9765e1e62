"""Stations on virtual cameras."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.fleet import sitefile
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station import Station, load

FILE = """\
[station]
site = "shop-0017"
name = "Nanjing Road"
timezone = "Asia/Shanghai"
cameras = "{cameras}"
data = "data"

[watch]
interval = {interval}
discover = 0.5
{watch}

[counts]
enabled = false

[events]
enabled = false
{more}
"""


@pytest.fixture
def settings(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Credentials of the virtual cameras' vendor."""
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUNMI_IPC_INTERFACE", "lo")
    return Settings.load()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a station file for these cameras, and their site file."""

    def make(
        cameras: list[VirtualCamera], *, watch: str = "", more: str = "", interval: float = 0.4, **keys: str
    ) -> Path:
        site = "\n".join(
            f'[[cameras]]\nsn = "{c.sn}"\naddress = "{c.address}"\n{keys.get(c.sn, "")}' for c in cameras
        )
        (tmp_path / "site.toml").write_text(site, "utf-8")
        path = tmp_path / "station.toml"
        text = FILE.format(cameras="site.toml", watch=watch, more=more, interval=interval)
        # Tables that a test gives replace those of the frame.
        for table in ("[counts]", "[events]"):
            if table in more:
                text = text.replace(f"{table}\nenabled = false\n", "", 1)
        path.write_text(text, "utf-8")
        return path

    return make


@pytest.fixture
def station(write: Callable[..., Path], settings: Settings) -> Iterator[Callable[..., Station]]:
    """Start a station on these cameras."""
    running: list[Station] = []

    def start(cameras: list[VirtualCamera], **options: Any) -> Station:
        made = Station(load(write(cameras, **options)), settings).start()
        running.append(made)
        return made

    yield start
    for one in running:
        one.close()


def wait_for(condition: Callable[[], Any], timeout: float = 15.0) -> Any:
    """Wait until *condition* is true; what it is in the end."""
    end = time.monotonic() + timeout
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


class Kit:
    """What tests of this folder share."""

    wait_for = staticmethod(wait_for)
    sitefile = sitefile

    @staticmethod
    def codes(station: Station, sn: str) -> set[str]:
        return {reason.code for reason in station.camera_status(sn).reasons}


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit
