"""Brokers are told how cameras are, and of their people today."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sunmi_ipc.redact import Secret
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station, Store, StoreError, load
from sunmi_ipc.station.delivering import open_sink
from sunmi_ipc.station.telling import Telling
from sunmi_ipc.values import CardStatus

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]


class Told:
    """Keeps the newest of everything."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str], Any] = {}
        self.calls = 0

    def people(self, sn: str, counts: Mapping[str, int]) -> None:
        self._keep(sn, "people", dict(counts))

    def state(self, sn: str, values: Mapping[str, str]) -> None:
        self._keep(sn, "state", dict(values))

    def availability(self, sn: str, online: bool) -> None:
        self._keep(sn, "status", online)

    def _keep(self, sn: str, topic: str, value: Any) -> None:
        self.newest[sn, topic] = value
        self.calls += 1


def telling(running: Station, told: Told) -> Telling:
    return Telling(
        running.loaded,
        store=running.store,
        roster=running.roster,
        watch=running.watch,
        scheduler=running.scheduler,
        takers=[told],
    )


def test_verdict_card_firmware_and_whether_it_answers(station: Start, virtual: Virtual, kit: Any) -> None:
    camera, told = virtual(), Told()
    running = station([camera])
    telling(running, told).start()
    sn = camera.sn
    assert kit.wait_for(lambda: told.newest.get((sn, "status")))
    state = told.newest[sn, "state"]
    assert (state["verdict"], state["card"], state["model"]) == ("ok", "normal", "FM020")
    assert state["firmware"] == camera.state.firmware
    camera.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: told.newest[sn, "state"]["verdict"] == "bad")
    assert told.newest[sn, "state"]["card"] == "none"
    assert told.newest[sn, "status"] is True  # it answers
    camera.insert_card(CardStatus.NORMAL)
    assert kit.wait_for(lambda: told.newest[sn, "state"]["verdict"] == "ok")


def test_what_has_not_changed_is_not_told_again(station: Start, virtual: Virtual, kit: Any) -> None:
    camera, told = virtual(), Told()
    running = station([camera])
    made = telling(running, told)
    assert kit.wait_for(lambda: running.status().verdict == "ok")
    made.round()
    before = told.calls
    made.round()
    assert (before, told.calls) == (2, 2)


def test_people_since_the_shops_own_midnight(station: Start, virtual: Virtual) -> None:
    running = station([virtual()])
    made, sn, zone = telling(running, Told()), "FS101D8BS00001", ZoneInfo("Asia/Shanghai")
    now = datetime(2026, 3, 4, 0, 40, tzinfo=zone)
    assert made.people_today(sn, now.timestamp()) is None
    row = "INSERT INTO counts VALUES (?, ?, 900, ?, ?, ?, 900, 'counted', 0, ?)"
    midnight = int(now.replace(minute=0).timestamp())
    ages = json.dumps({"male": [0, 0, 1, 2, 0, 0, 0, 0], "female": [1] + [0] * 7})
    running.store.write((row, (sn, midnight - 900, 50, 50, 50, "{}")), (row, (sn, midnight, 4, 3, 9, ages)))
    assert made.people_today(sn, now.timestamp()) == {
        "total": 4, "male": 3, "female": 1, "passing": 9, "leaving": 3,
    }  # fmt: skip
    # A day later the count begins anew, and is no gap.
    assert made.people_today(sn, now.timestamp() + 86_400) == dict.fromkeys(
        ("total", "male", "female", "passing", "leaving"), 0
    )


def test_two_shops_on_one_broker_have_topics_of_their_own() -> None:
    pytest.importorskip("paho.mqtt.client")
    for url, wanted in (
        ("mqtt://127.0.0.1:1", "sunmi-ipc/shop-1"),
        ("mqtt://127.0.0.1:1/homes/a%20shop/", "homes/a shop"),
    ):
        sink = open_sink(Secret(url), site="shop-1")
        assert sink._prefix == wanted
        sink.close()


@pytest.mark.broker
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
def test_through_a_real_broker(
    write: Any, settings: Any, virtual: Virtual, kit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    got: dict[str, str] = {}
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda c, u, m: got.__setitem__(m.topic, m.payload.decode())
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    try:
        assert kit.wait_for(client.is_connected)
        camera = virtual()
        monkeypatch.setenv("SINK_URL", f"mqtt://127.0.0.1:{port}")
        counts = '[counts]\nwindow = "1m"\nsettle = 0\nbackfill = "1h"\npause = 0\n'
        events = '[events]\nlisten = "127.0.0.1:0"\nsinks = ["env:SINK_URL"]\n'
        with Station(load(write([camera], more=counts + events)), settings) as running:
            top = f"sunmi-ipc/shop-0017/{camera.sn}"
            assert kit.wait_for(lambda: got.get(f"{top}/status") == "online")
            assert kit.wait_for(lambda: f"{top}/people" in got)
            people = json.loads(got[f"{top}/people"])
            assert people["total"] >= 0
            assert json.loads(got[f"{top}/state"])["verdict"] == "ok"
            entity = json.loads(got[f"homeassistant/sensor/sunmi_ipc_{camera.sn}/people_leaving/config"])
            assert entity["state_topic"] == f"{top}/people"
            camera.restart(4)
            assert kit.wait_for(lambda: got[f"{top}/status"] == "offline")
            assert kit.wait_for(lambda: got[f"{top}/status"] == "online")
            running.status()
        assert kit.wait_for(lambda: got["sunmi-ipc/shop-0017/status"] == "offline")
    finally:
        client.disconnect()
        client.loop_stop()
        broker.terminate()
        broker.wait(10)


def test_a_store_that_fails_does_not_end_the_telling(
    station: Start, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, told = station([virtual()], more='[counts]\nwindow = "15m"\nbackfill = "1h"\n'), Told()
    assert kit.wait_for(lambda: running.status().verdict == "ok")

    def fails(self: Store, *_: Any) -> Any:
        raise StoreError("the station's database {path} cannot be used: {reason}", path="x", reason="damaged")

    monkeypatch.setattr(Store, "read", fails)
    assert telling(running, told).round() > 0
    assert {topic for _, topic in told.newest} == {"state", "status"}
    assert running.status().verdict == "ok"
