"""Who we are at the broker by certificate: a real Mosquitto that wants one, and takes its name for the user's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.broker import channel as channels
from sunmi_ipc.broker.connection import Broker, BrokerError, Connection
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.hub.hub import Hub
from sunmi_ipc.hub.store import Store, open_url
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.bridge import Bridge

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]


def broker(certified: Any, name: str, key: str = "") -> Broker:
    folder = certified.folder
    return Broker.of(
        certified.url,
        ca=certified.ca,
        certificate=str(folder / f"{name}.pem"),
        key=str(folder / f"{key or name}.key"),
    )


@pytest.fixture
def shop(
    station_file: Any, settings: Any, certified: Any, key: Any, virtual: Virtual, kit: Any
) -> Iterator[tuple[VirtualCamera, Bridge]]:
    """A station that has a certificate and no password."""
    camera, folder = virtual(), certified.folder
    path = station_file(
        [camera], url=certified.url, ca=certified.ca, keys=key("hq"),
        broker=f'certificate = "{folder}/shop-0017.pem"\nkey = "{folder}/shop-0017.key"',
    )  # fmt: skip
    lines = path.read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("user =", "password ="))]
    path.write_text("\n".join(kept), "utf-8")
    with Station(load(path), settings) as station, Bridge(station) as bridge:
        assert kit.eventually(lambda: bridge.connection.connected), bridge.connection.problem
        yield camera, bridge


def test_a_station_a_caller_and_a_hub_prove_who_they_are(
    shop: tuple[VirtualCamera, Bridge], certified: Any, keystore: Any, tmp_path: Path, kit: Any
) -> None:
    camera, bridge = shop
    with channels.Channel(broker(certified, "hq"), keystore.load("hq")) as channel:
        assert channel.site("shop-0017").camera(camera.sn).device.info().sn == camera.sn
    assert bridge.gate.counts["done"] == 1
    store = Store(open_url(str(tmp_path / "hub.db")))
    with Hub(broker(certified, "watcher"), store):
        assert kit.eventually(lambda: store.sizes()["cameras"] == 1)
    store.close()
    # The ACL goes by the name in the certificate: who may watch may not call, and who is not in it may nothing.
    with (
        channels.Channel(broker(certified, "watcher"), keystore.load("hq")) as channel,
        pytest.raises(BrokerError, match="does not let the call through"),
    ):
        channel.site("shop-0017").camera(camera.sn).device.info()
    assert bridge.gate.counts["done"] == 1


def test_a_command_takes_its_certificate_from_the_environment(
    shop: tuple[VirtualCamera, Bridge], certified: Any, keystore: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, _ = shop
    for name, value in {
        "SUNMI_IPC_VIA": certified.url,
        "SUNMI_IPC_VIA_CA": certified.ca,
        "SUNMI_IPC_VIA_CERTIFICATE": f"{certified.folder}/hq.pem",
        "SUNMI_IPC_VIA_CERTIFICATE_KEY": f"{certified.folder}/hq.key",
        "SUNMI_IPC_KEY": str(keystore.list()[0].file),
    }.items():
        monkeypatch.setenv(name, value)
    try:
        done = CliRunner().invoke(app, ["--json", "--site", "shop-0017", "-c", camera.sn, "info"])
    finally:
        channels.close_shared()
    assert json.loads(done.stdout)["sn"] == camera.sn, done.output


def test_without_a_right_certificate_nobody_gets_in(certified: Any, kit: Any, tmp_path: Path) -> None:
    for one in (
        Broker.of(certified.url, ca=certified.ca),  # none
        Broker.of(certified.url, user="hq", password="a-password", ca=certified.ca),
    ):
        with Connection(one, backoff=(0.1, 0.2)) as connection:
            assert not connection.wait(1.0)
            assert kit.eventually(lambda c=connection: c.problem)
            told = connection.absent()
            assert "certificate" in told.hint
    with pytest.raises(ConfigError, match="cannot be used"):  # another's key
        broker(certified, "hq", key="watcher").context()
    with pytest.raises(ConfigError, match=r"hq\.pem cannot be used"):
        Broker.of(certified.url, certificate=str(tmp_path / "hq.pem")).context()
