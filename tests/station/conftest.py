"""Stations on virtual cameras."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.fleet import sitefile
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station import Station, load
from tests.patience import eventually

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


class Kit:
    """What tests of this folder share."""

    wait_for = staticmethod(eventually)
    sitefile = sitefile

    @staticmethod
    def codes(station: Station, sn: str) -> set[str]:
        return {reason.code for reason in station.camera_status(sn).reasons}


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


TOKENS = {"view": "token-of-the-viewers", "tune": "token-of-the-tuners", "admin": "token-of-the-admins"}


class Client:
    """Asks a station's port, over a real socket."""

    def __init__(self, base: str) -> None:
        self.base = base

    def __call__(
        self,
        method: str,
        path: str,
        *,
        role: str = "",
        body: Any = None,
        data: bytes | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        head = {k.replace("_", "-"): v for k, v in headers.items()}
        if role:
            head["Authorization"] = f"Bearer {TOKENS.get(role, role)}"
        if body is not None:
            data, head = json.dumps(body).encode(), head | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                raw, status, got = answer.read(), answer.status, dict(answer.headers)
        except urllib.error.HTTPError as error:
            raw, status, got = error.read(), error.code, dict(error.headers)
            error.close()
        kind = {k.lower(): v for k, v in got.items()}.get("content-type", "")
        return status, {k.lower(): v for k, v in got.items()}, json.loads(raw) if "json" in kind else raw


@pytest.fixture
def serve(
    station: Callable[..., Station], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Station, Client]]]:
    """Start a station on these cameras, with its port; tokens of every role."""
    from sunmi_ipc.station.http import HttpServer

    running: list[HttpServer] = []
    tokens = ""
    for role, secret in TOKENS.items():
        monkeypatch.setenv(f"TOKEN_{role.upper()}", secret)
        tokens += f'[tokens.{role}]\nrole = "{role}"\nsecret = "env:TOKEN_{role.upper()}"\n'

    def start(
        cameras: list[VirtualCamera], *, more: str = "", http: str = "", **options: Any
    ) -> tuple[Station, Client]:
        table = f'[http]\nlisten = "127.0.0.1:0"\n{http}\n'
        made = station(cameras, more=f"{table}{tokens}{more}", **options)
        server = HttpServer(made)
        running.append(server)
        return made, Client(server.start())

    yield start
    for server in running:
        server.close()
