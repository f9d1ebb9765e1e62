"""A station that comes before the first hub: what nobody has subscribed to yet is not lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.events.model import of
from sunmi_ipc.hub.hub import Hub
from sunmi_ipc.hub.store import Store, open_url
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import unheard
from sunmi_ipc.station.metrics import Metrics

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]
EVENTS = 'enabled = true\nlisten = "127.0.0.1:0"'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again after a second instead of two minutes."""
    monkeypatch.setattr(unheard, "FIRST_S", 0.3)
    monkeypatch.setattr(unheard, "LONGEST_S", 1.0)
    monkeypatch.setattr("sunmi_ipc.station.bridge._TICK_S", 0.2)
    monkeypatch.setattr("sunmi_ipc.station.bridge_outbox._REST_S", 0.5)


def say(station: Any, sn: str, first: int, count: int) -> None:
    """Counts, events, and an alert that has ended."""
    now = int(time.time()) // 900 * 900
    for number in range(first, first + count):
        station.store.write(
            (
                "INSERT OR REPLACE INTO counts VALUES (?, ?, 900, ?, 1, 2, 900, 'counted', ?, '{}')",
                (sn, now - 900 * (number + 1), number, now),
            )
        )
        event = {
            "event_type": "dynamic_detect_event", "sn": sn, "event_id": str(number), "detect_type": 1,
            "report_time": now,
        }  # fmt: skip
        station.intake.spool.append(of(event), event)
    station.watch.tell(station.watch.judge.update("", {"disk": {"megabytes": 1, "path": "/"}}, ["disk"]))
    station.watch.tell(station.watch.judge.update("", {}, ["disk"]))


def test_a_hub_that_comes_later_misses_nothing(
    connected: Any, virtual: Virtual, kit: Any, mosquitto: Any, tmp_path: Path
) -> None:
    cameras = [virtual(), virtual()]
    station, bridge = connected(cameras, events=EVENTS)
    for camera in cameras:
        say(station, camera.sn, 0, 150)  # more than one batch
    unheard_kinds = {"counts", "events", "alerts"}
    assert kit.eventually(lambda: {*bridge.figures()["unheard"]} == unheard_kinds), bridge.figures()
    assert kit.eventually(lambda: bridge.outbox.backlog() >= 600), bridge.figures()
    for _ in range(3):
        bridge._health()
    (told,) = [r for r in station.status().reasons if r.code == "broker-unheard"]
    assert "alerts, counts, events" in told.text("en")
    assert "ipc hub" in told.hint("en")
    text = Metrics(station).text().decode()
    assert 'sunmi_ipc_broker_unheard{kind="counts",site="shop-0017"} 1.0' in text
    assert 'sunmi_ipc_broker_connected{site="shop-0017"} 1.0' in text
    # Nobody listens for a while; what comes meanwhile waits, too.
    for camera in cameras:
        say(station, camera.sn, 150, 5)
    time.sleep(2.0)
    store = Store(open_url(str(tmp_path / "hub.db")))
    with Hub(mosquitto.broker("watcher"), store):
        assert kit.eventually(lambda: bridge.outbox.backlog() == 0, 60), bridge.figures()
        assert kit.eventually(
            lambda: store.sizes()["counts"] == 310 and store.sizes()["events"] == 310, 30
        ), store.sizes()
        assert {row["number"] for row in store.read("SELECT arrivals AS number FROM counts")} == {*range(155)}
        assert store.read("SELECT DISTINCT state FROM alerts WHERE code = 'disk'") == [{"state": "closed"}]
        assert store.read("SELECT * FROM refused") == []
        assert bridge.figures()["unheard"] == []
        bridge._health()
        bridge._health()
        assert kit.eventually(lambda: not [r for r in station.status().reasons if r.code == "broker-unheard"])
        say(station, cameras[0].sn, 155, 1)  # from now on at once
        assert kit.eventually(lambda: store.sizes()["events"] == 311, 10)
    store.close()


def test_where_the_file_says_so_it_is_let_go(connected: Any, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    station, bridge = connected([camera], events=EVENTS, broker="hold = false")
    say(station, camera.sn, 0, 20)
    assert kit.eventually(lambda: bridge.outbox.backlog() == 0)
    assert kit.eventually(lambda: bridge.outbox.sent >= 20)
    assert bridge.figures()["unheard"] == []


def test_what_waits_is_bounded(connected: Any, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    station, bridge = connected([camera], broker='backfill = "1h"')
    now = int(time.time()) // 900 * 900
    station.store.write(
        *(
            (
                "INSERT OR REPLACE INTO counts VALUES (?, ?, 900, 1, 1, 2, 900, 'counted', ?, '{}')",
                (camera.sn, now - 900 * n, now),
            )
            for n in range(1, 200)
        )
    )
    assert kit.eventually(lambda: bridge.outbox.backlog() <= 5), bridge.figures()
    assert bridge.outbox.backlog() >= 3
