"""Hubs between a real Mosquitto and a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sunmi_ipc.broker import contract
from sunmi_ipc.broker.connection import Broker
from sunmi_ipc.hub.hub import Hub, HubRefused
from sunmi_ipc.hub.status import status
from sunmi_ipc.hub.store import Away, Store, open_url
from sunmi_ipc.simulator.sites import VirtualSites, opened

from .exact import HubProcess, compare, rough
from .servers import Mosquitto, Postgres, eventually, hub_command

pytestmark = pytest.mark.broker
SN = "FS101D8BS00106"
PREFIX = contract.PREFIX


class Talker:
    """Another client, which may say anything."""

    def __init__(self, broker: Mosquitto, **options: Any) -> None:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion

        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self.reasons: list[int] = []
        self.client.on_publish = lambda c, u, mid, reason, p: self.reasons.append(reason.value)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def talker(broker: Mosquitto) -> Iterator[Talker]:
    made = Talker(broker)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(open_url(str(tmp_path / "hub.db")))
    yield made
    made.close()


@pytest.fixture
def hub(broker: Mosquitto, store: Store) -> Iterator[Callable[..., Hub]]:
    running: list[Hub] = []

    def start(**options: Any) -> Hub:
        made = Hub(Broker.of(broker.url), options.pop("store", store), **{"name": "one"} | options).start()
        running.append(made)
        assert eventually(lambda: made.connected)
        return made

    yield start
    for made in running:
        made.close()


def event(number: int, site: str = "shop-1", **more: Any) -> contract.Event:
    values = {
        "key": contract.event_key(site, SN, "dynamic_detect_event", str(number)), "revision": number, "sn": SN,
        "type": "dynamic_detect_event", "time": 1e9, "received": time.time(), "data": {"n": number},
    }  # fmt: skip
    return contract.Event(**values | more)


def topic(kind: str = "events", site: str = "shop-1") -> str:
    return f"{PREFIX}/{site}/cameras/{SN}/{kind}"


def rows(store: Store, table: str = "events") -> int:
    return int(store.read(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def test_what_shops_say_is_in_the_database(hub: Callable[..., Hub], broker: Mosquitto, store: Store) -> None:
    hub()
    make, connect = opened(Broker.of(broker.url))
    with VirtualSites(
        make, connect, count=5, cameras=4, rate=2000, limit=600, start=1_795_600_000, keep=True
    ) as sites:
        assert eventually(lambda: sites.finished, 30)
        assert eventually(lambda: compare(store, sites.tally.ledger)["lost"] == 0)
        found = compare(store, sites.tally.ledger)
        assert found == {
            "said": found["said"],
            "rows": found["said"],
            "lost": 0,
            "strange": 0,
            "doubled": 0,
            "different": 0,
        }
        assert rows(store, "sites") == 5
        assert rows(store, "cameras") == rows(store, "availability") == 20
        assert {row["state"] for row in store.read("SELECT state FROM shops_now")} == {"online"}
    assert eventually(
        lambda: {row["state"] for row in store.read("SELECT state FROM shops_now")} == {"offline"}
    )


def test_what_is_retained_is_known_to_a_new_hub(
    broker: Mosquitto, talker: Talker, hub: Callable[..., Hub], store: Store
) -> None:
    """A shared subscription alone would never bring it."""
    said = contract.StationState(state="online", revision=5, since=1e9, name="Before")
    talker.say(f"{PREFIX}/shop-1/station", said.encode(), retain=True)
    seen = contract.CameraState(verdict="ok", revision=5, time=1e9)
    talker.say(topic("state"), seen.encode(), retain=True)
    hub()
    assert eventually(lambda: rows(store, "sites") == 1 and rows(store, "cameras") == 1)


def test_one_bad_message_blocks_nothing_and_is_named(
    hub: Callable[..., Hub], talker: Talker, store: Store
) -> None:
    running = hub()
    good = event(1).encode()
    bad: list[tuple[str, bytes]] = [
        (topic(), b""),
        (topic(), b"not JSON"),
        (topic(), b"[" * 100_000),
        (topic(), b"\xff\xfe" * 10),
        (topic(), good.replace(b"shop-1/events", b"shop-2/events")),  # another shop's key
        (topic().replace(SN, "FS101D8BS00999"), good),  # another camera's topic
        (topic(), json.dumps(json.loads(good) | {"time": 1e300}).encode()),
        (topic(), good.replace(b"dynamic_detect_event/1", b"dynamic\\u0000/1")),  # no database takes this key
        (topic("counts"), good),
        (f"{PREFIX}/shop-1/alerts", b"{}"),
    ]
    for place, payload in bad:
        talker.say(place, payload)
    talker.say(topic(), event(2).encode())
    talker.say(topic(), event(3, data={"text": "a\0b\ud800".encode("utf-8", "replace").decode()}).encode())
    assert eventually(lambda: rows(store) >= 2)
    assert eventually(
        lambda: sum(row["number"] for row in store.read("SELECT * FROM refused")) >= len(bad) - 1
    )
    found = status(store)
    assert {row["site"] for row in found["refused"]} == {"shop-1"}
    assert running.stored <= 3
    reasons = " ".join(row["reason"] for row in found["refused"])
    assert "the key is another's" in reasons
    assert "the serial number is another's" in reasons


def test_a_message_that_is_too_long_does_not_come_here(
    hub: Callable[..., Hub], talker: Talker, store: Store
) -> None:
    running = hub()
    talker.say(topic(), b"x" * 3_000_000)
    talker.say(topic(), event(1).encode())
    assert eventually(lambda: rows(store) == 1)
    assert running.connected


def test_nothing_is_acknowledged_while_the_database_is_away(
    hub: Callable[..., Hub], broker: Mosquitto, talker: Talker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()
    write = Store.write

    def maybe(self: Store, batch: Any) -> None:
        if away.is_set():
            raise Away("gone")
        write(self, batch)

    monkeypatch.setattr(Store, "write", maybe)
    running = hub(in_flight=10)
    away.set()
    for number in range(1, 101):
        talker.say(topic(), event(number).encode())
    assert eventually(lambda: running.waits >= 1)
    time.sleep(1)
    assert running._arrivals.qsize() <= 10  # the rest is at the broker
    assert running.problem == "gone"
    assert rows(store) == 0
    away.clear()
    assert eventually(lambda: rows(store) == 100)
    assert running.problem == ""


def test_a_database_that_is_emptied_gets_its_tables_again(
    hub: Callable[..., Hub], talker: Talker, store: Store
) -> None:
    hub()
    talker.say(topic(), event(1).encode())
    assert eventually(lambda: rows(store) == 1)
    with store._engine.begin() as connection:
        for kind in ("view", "table"):
            for (name,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = :kind"), {"kind": kind}
            ).all():
                connection.execute(text(f"DROP {kind} {name}"))
    talker.say(topic(), event(2).encode())

    def back() -> bool:
        try:
            return rows(store) == 1
        except Away:
            return False

    assert eventually(back)


def test_what_is_sent_with_qos_0_neither_breaks_nor_fills_the_hub(
    hub: Callable[..., Hub], talker: Talker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()
    write = Store.write

    def maybe(self: Store, batch: Any) -> None:
        if away.is_set():
            raise Away("gone")
        write(self, batch)

    monkeypatch.setattr(Store, "write", maybe)
    running = hub(in_flight=10)
    talker.client.publish(topic(), event(1).encode(), qos=0).wait_for_publish(10)
    assert eventually(lambda: rows(store) == 1)
    away.set()
    for number in range(2, 300):
        talker.client.publish(topic(), event(number).encode(), qos=0).wait_for_publish(10)
    talker.say(topic(), event(300).encode())
    time.sleep(1)
    assert running._arrivals.qsize() <= 60
    away.clear()
    assert eventually(lambda: store.read("SELECT key FROM events WHERE key LIKE '%/300'") != [])
    assert running.connected


def test_a_flood_does_not_keep_a_hub_from_ending(
    hub: Callable[..., Hub], talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Store.write

    def slowly(self: Store, batch: Any) -> None:
        time.sleep(0.05)
        write(self, batch)

    monkeypatch.setattr(Store, "write", slowly)
    running = hub(in_flight=10)
    over = threading.Event()

    def flood() -> None:
        number = 0
        while not over.is_set():
            talker.client.publish(topic(), event(number := number + 1).encode(), qos=0)
            time.sleep(0.001)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert eventually(lambda: running._arrivals.qsize() > 5)
        began = time.monotonic()
        running.close()
        assert time.monotonic() - began < 8
    finally:
        over.set()
        thread.join()


def test_late_and_repeated_messages_change_nothing(
    hub: Callable[..., Hub], talker: Talker, store: Store
) -> None:
    hub()
    known = contract.Counts(
        key=contract.counts_key("shop-1", SN, 900), revision=3, sn=SN, start=900, end=1800,
        arrivals=7, leaving=7, passing=7, completeness=1.0,
    )  # fmt: skip
    for revision in (3, 1, 2, 3, 1):
        talker.say(
            topic("counts"),
            known.model_copy(update={"revision": revision, "arrivals": 4 + revision}).encode(),
        )
    online = contract.StationState(state="online", revision=50, since=1e9)
    for state, revision in (("online", 50), ("offline", 50), ("online", 60), ("offline", 50), ("online", 50)):
        said = online.model_copy(update={"state": state, "revision": revision})
        talker.say(f"{PREFIX}/shop-1/station", said.encode())
    talker.say(topic(), event(1).encode())
    assert eventually(lambda: rows(store) == 1)
    assert eventually(lambda: rows(store, "sites") == 1)
    assert store.read("SELECT revision, arrivals FROM counts") == [{"revision": 3, "arrivals": 7}]
    assert store.read("SELECT state FROM shops_now") == [{"state": "online"}]


def test_hubs_share_the_work(hub: Callable[..., Hub], talker: Talker, store: Store) -> None:
    one, two = hub(name="one"), hub(name="two")
    for number in range(1, 201):
        talker.say(topic(), event(number).encode())
    assert eventually(lambda: rows(store) == 200)
    assert eventually(lambda: one.stored + two.stored == 200)
    assert min(one.stored, two.stored) > 20


def test_two_hubs_of_one_name_do_not_fight(hub: Callable[..., Hub]) -> None:
    one = hub(name="same")
    hub(name="same")
    with pytest.raises(HubRefused, match="another hub of this name"):
        one.wait(threading.Event())


def test_what_comes_while_a_hub_is_away_waits_for_it(
    hub: Callable[..., Hub], talker: Talker, store: Store
) -> None:
    hub(name="one").close()
    for number in range(1, 51):
        talker.say(topic(), event(number).encode())
    hub(name="one")
    assert eventually(lambda: rows(store) == 50)


def test_the_command(broker: Mosquitto, talker: Talker, tmp_path: Path) -> None:
    """Started before its broker knows anything; says when it is ready; SIGTERM ends it in order; status tells."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "SUNMI_IPC_HUB_DATABASE": str(tmp_path / "hub.db"),
        "THE_BROKER": broker.url.replace("mqtt://", "mqtt://hub:MARKED-SECRET@"),
    }
    command = [sys.executable, "-m", "sunmi_ipc_cli", "--json"]
    process = subprocess.Popen(
        [*command, "hub", "--broker", "env:THE_BROKER", "--name", "cmd"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert (ready["ready"], ready["name"]) == (True, "cmd")
    talker.say(topic(), event(1).encode())
    talker.say(topic(), b"{}")

    def told() -> dict[str, Any]:
        done = subprocess.run(
            [*command, "hub", "status"], capture_output=True, text=True, env=environment, timeout=60
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    assert eventually(lambda: told()["rows"]["events"] == 1 and told()["refused"] != [])
    assert b"MARKED-SECRET" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "MARKED-SECRET" not in out + err + json.dumps(told())
    assert "1 row stored, 1 message refused" in err
    (only,) = told()["hubs"]
    assert (only["name"], only["stored"], only["refused"]) == ("cmd", 1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--broker"),
        (("--broker", "http://x"), 2, "mqtt"),
        (("--broker", "mqtt://127.0.0.1:9", "--database", "mysql://x/y"), 2, "database"),
        (("--broker", "mqtt://127.0.0.1:9", "--name", "a/b"), 2, "topic"),
        (("--broker", "env:NOT_THERE"), 2, "NOT_THERE"),
        (("status", "--database", "nowhere.db"), 3, "nowhere.db"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc_cli.main import app
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["hub", *arguments])
    assert done.exit_code == code, done.output
    assert words in done.output
    assert not Path("nowhere.db").exists()


@pytest.mark.database
def test_the_database_is_stopped_and_started(broker: Mosquitto, talker: Talker, tmp_path: Path) -> None:
    with Postgres(tmp_path / "database") as database:
        hub = HubProcess(broker.url, database.url, "one", tmp_path).start()
        try:
            assert eventually(lambda: '"ready"' in hub.log, 120), hub.log
            database.stop()
            for number in range(1, 201):
                talker.say(topic(), event(number).encode())
            time.sleep(1)
            database.start()
            store = Store(open_url(database.url))
            assert eventually(lambda: rows(store) == 200, 120), hub.log
            store.close()
            assert hub.stop() == 0, hub.log
            assert "the database is back" in hub.log
            assert "Traceback" not in hub.log
        finally:
            hub.kill()


@pytest.mark.database
def test_a_hub_that_starts_before_its_database_waits(broker: Mosquitto, tmp_path: Path) -> None:
    database = Postgres(tmp_path / "database")
    hub = HubProcess(broker.url, database.url, "one", tmp_path).start()
    try:
        assert eventually(lambda: "The database is waited for" in hub.log, 120), hub.log
        with database:
            assert eventually(lambda: '"ready"' in hub.log, 120), hub.log
            assert hub.stop() == 0
    finally:
        hub.kill()


@pytest.mark.database
@pytest.mark.slow
def test_every_row_is_what_was_said_whatever_is_killed(tmp_path: Path) -> None:
    """The small form of ``benchmarks/hub.py exact``."""
    found = rough(tmp_path, messages=8000, kills=4, restarts=2, stops=1, stations=20, rate=2000)
    logs = found.pop("logs")
    assert {
        name: found[name] for name in ("lost", "strange", "doubled", "different", "refused")
    } == dict.fromkeys(("lost", "strange", "doubled", "different", "refused"), 0), (found, logs)
    assert found["said"] == found["rows"] > 7000
    assert found["done"] == {"kill": 4, "restart": 2, "stop": 1}


def test_the_command_of_the_benchmark_is_the_products() -> None:
    assert hub_command("mqtt://h", "d")[1:3] == ["-m", "sunmi_ipc_cli"]
