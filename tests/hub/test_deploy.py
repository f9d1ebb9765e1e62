"""What ships for many shops: the broker's configuration, the unit, the dashboard; and the page that uses them."""

from __future__ import annotations

import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from sunmi_ipc.broker import contract
from sunmi_ipc.hub.store import Store, open_url

from .servers import MOSQUITTO, Mosquitto, Postgres, eventually
from .test_store import alert, counts, state, station, write

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "sunmi-ipc-shops.json").read_text("utf-8"))
UNIT = DEPLOY / "systemd" / "sunmi-ipc-hub@.service"
SN = "FS101D8BS00106"
#: What Grafana puts in the place of its macros.
MACROS = (
    (r"\$__unixEpochFilter\((\w+)\)", r"\1 >= {from} AND \1 <= {to}"),
    (r"\$__unixEpochFrom\(\)", "{from}"),
    (r"\$__unixEpochTo\(\)", "{to}"),
    (r"\$__timeFrom\(\)", "to_timestamp({from})"),
    (r"\$__timeTo\(\)", "to_timestamp({to})"),
)


def asked(query: str, sites: str, *, begin: int = 1_795_132_800, end: int = 1_796_083_200) -> str:
    """A query of the dashboard as Grafana sends it: the macros of a time, and the chosen shops."""
    for pattern, text in MACROS:
        query = re.sub(pattern, text.replace("{from}", str(begin)).replace("{to}", str(end)), query)
    query = query.replace("${site:sqlstring}", sites)
    assert "$" not in query
    return query


def every_shop() -> str:
    """What Grafana puts in where all shops are chosen: this, as it stands, and no list of names that may be empty."""
    (variable,) = (v for v in BOARD["templating"]["list"] if v["name"] == "site")
    assert variable["includeAll"]
    return str(variable["allValue"])


def queries() -> list[tuple[str, str]]:
    """Each query of the dashboard, with its panel's title."""
    made = [(panel["title"], target["rawSql"]) for panel in BOARD["panels"] for target in panel["targets"]]
    return made + [(v["label"], v["query"]) for v in BOARD["templating"]["list"] if v["type"] == "query"]


@pytest.fixture
def clean(server: Postgres) -> Iterator[Store]:
    """A database with nothing but the hub's tables."""
    engine = sqlalchemy.create_engine(open_url(server.url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    engine.dispose()
    made = Store(open_url(server.url))
    made.migrate()
    yield made
    made.close()


@pytest.mark.database
def test_every_query_of_the_dashboard_answers(clean: Store) -> None:
    store = clean
    write(
        store,
        station(timezone="Asia/Shanghai"),
        *(counts(arrivals=n, start=1_795_536_000 + 900 * n) for n in range(9)),
    )
    write(store, counts(start=int(time.time()) // 900 * 900), station("shop-2", state="offline"))
    write(store, state(), alert("open", 1))
    store.beat(
        {"name": "one", "host": "h", "pid": 1, "version": "1", "started": time.time(), "seen": time.time(),
         "stored": 1, "refused": 0, "waits": 0, "p50_ms": 1.0, "p99_ms": 2.0}
    )  # fmt: skip
    assert len(queries()) == 16
    empty = set()
    for (title, text), sites in itertools.product(queries(), (every_shop(), "'shop-1','shop-2'")):
        query = asked(text, sites)
        found = store.read(query)
        if not found or found == [{"p99_ms": None}]:
            empty.add(title)
    assert empty == {"Messages that were not understood"}


@pytest.mark.database
def test_the_dashboard_of_an_empty_database_says_that_there_is_no_data(clean: Store) -> None:
    """Neither an error nor a zero that looks like a shop in which nobody was."""
    for title, text in queries():
        found = clean.read(asked(text, every_shop()))
        assert all(value is None for row in found for value in row.values()), title
    for panel in BOARD["panels"]:
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data", panel["title"]


@pytest.mark.database
@pytest.mark.slow
def test_the_dashboard_of_a_week_does_not_read_a_year(clean: Store) -> None:
    now = int(time.time()) // 900 * 900
    noon = 43_200 - now % 86_400  # it is noon in the shops: just after midnight nobody was there today
    with clean._engine.begin() as connection:
        for statement in (
            "INSERT INTO sites SELECT 'shop-' || i, 1, 0, 1, 'Shop', 'Etc/Noon', '', '1', 2, 1 FROM generate_series(1, 5) i",
            f"INSERT INTO zones VALUES ('Etc/Noon', 0, 4000000000, {noon})",
            f"INSERT INTO counts SELECT i || '/' || t, 1, 'shop-' || (i % 5 + 1), 'SN' || i, t, t + 900, 1, 2, 3, 1.0, '{{}}', t"
            f" FROM generate_series({now - 365 * 86_400}, {now - 900}, 900) t, generate_series(1, 10) i",
            "ANALYZE",
        ):
            connection.execute(sqlalchemy.text(statement.replace(":", "\\:")))
    for (title, text), sites in itertools.product(queries(), (every_shop(), "'shop-1','shop-2'")):
        query = asked(text, sites, begin=now - 7 * 86_400, end=now)
        plan = "\n".join(str(*row.values()) for row in clean.read(f"EXPLAIN {query}"))
        assert "Seq Scan on counts" not in plan, (title, plan)
    (people,) = clean.read(asked(dict(queries())["People today"], every_shop()))
    assert people["arrivals"] > 0


@pytest.mark.database
def test_what_the_page_says_of_a_new_name_carries_the_people_over(clean: Store) -> None:
    page = (ROOT / "docs" / "many-shops.md").read_text("utf-8")
    (block,) = (
        text for text in re.findall(r"^```sql\n(.*?)^```", page, re.M | re.S) if "UPDATE counts" in text
    )
    write(
        clean,
        *(counts("shop-0017", start=900 * n, arrivals=n) for n in range(1, 5)),
        *(counts("shop-0099", start=900 * n, arrivals=n + 100, revision=9) for n in range(4, 7)),
    )
    with clean._engine.begin() as connection:
        connection.execute(sqlalchemy.text(block))
    found = clean.read("SELECT key, site, arrivals FROM counts ORDER BY starts")
    assert [row["arrivals"] for row in found] == [1, 2, 3, 104, 105, 106]
    assert {row["site"] for row in found} == {"shop-0099"}
    assert [row["key"] for row in found] == [
        contract.counts_key("shop-0099", SN, 900 * n) for n in range(1, 7)
    ]


def test_the_dashboards_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_unit_is_one_and_is_closed(tmp_path: Path) -> None:
    unit = tmp_path / "sunmi-ipc-hub@1.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/sunmi-ipc/bin/ipc", sys.executable), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert unit.name not in done.stderr, done.stderr
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    level = re.search(r"exposure level for .*: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) < 2.0


def test_the_units_variables_are_the_commands() -> None:
    from sunmi_ipc_cli.main import load

    known = {p.envvar for p in load("hub").params if p.envvar}
    page = (ROOT / "docs" / "many-shops.md").read_text("utf-8")
    assert known <= set(re.findall(r"SUNMI_IPC_\w+", page))


# -- the access list


def person(broker: Mosquitto, name: str) -> Any:
    """Somebody with a name and a password, connected."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
    client.username_pw_set(name, "secret")
    client.user_data_set(threading.Event())
    client.on_connect = client.on_subscribe = lambda c, ready, *_: ready.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert client.user_data_get().wait(20), name
    return client


def may_say(broker: Mosquitto, name: str, topic: str) -> bool:
    """Whether the broker takes it. (Mosquitto refuses, and ends the connection.)"""
    client, answers = person(broker, name), queue.SimpleQueue[int]()
    client.on_publish = lambda c, u, mid, reason, p: answers.put(reason.value)
    client.publish(topic, b"{}", qos=1)
    answer = answers.get(timeout=20)
    client.disconnect()
    client.loop_stop()
    return answer < 0x80


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    passwords = tmp_path / "passwords"
    passwords.write_text("".join(f"{name}:secret\n" for name in ("shop-1", "shop-2", "hub", "office")))
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    more = f"allow_anonymous false\npassword_file {passwords}\nacl_file {DEPLOY / 'mosquitto' / 'acl'}\n"
    with Mosquitto(tmp_path / "broker", more) as started:
        yield started


@pytest.mark.broker
def test_each_may_say_and_hear_what_the_contract_gives_him(guarded: Mosquitto) -> None:
    names, sites = ("shop-1", "shop-2", "hub", "office"), ("shop-1", "shop-2")
    got: dict[str, list[str]] = {name: [] for name in names}
    listeners = {name: person(guarded, name) for name in names}
    for name, client in listeners.items():
        client.on_message = lambda c, u, message, name=name: got[name].append(message.topic)
        client.user_data_get().clear()
        client.subscribe("#", qos=1)
        assert client.user_data_get().wait(20)
    said = {
        (name, message.name, site)
        for name in names
        for site in sites
        for message in contract.MESSAGES.values()
        if may_say(guarded, name, contract.topic(message.name, site, sn=SN, client=f"client-{name}"))
    }
    assert eventually(lambda: len(got["hub"]) == 12 and len(got["office"]) == 8)
    for client in listeners.values():
        client.disconnect()
        client.loop_stop()
    kinds = contract.MESSAGES.values()
    ours = {m.name for m in kinds if m.direction is contract.Direction.FROM_STATION}
    # A station speaks for its own shop; the office asks; a hub says nothing.
    assert said == {(site, kind, site) for site in sites for kind in ours} | {
        ("office", "calls", s) for s in sites
    }

    def heard(name: str) -> set[tuple[str, str]]:
        found = (contract.parse_topic(topic) for topic in got[name])
        return {(message.name, site) for message, site, _, _ in found}

    # A station hears what it is asked, and who speaks in its name; a hub what is stored; the office the answers, and how everything is.
    assert heard("shop-1") == {("calls", "shop-1"), ("station", "shop-1")}
    assert heard("hub") == {(message.name, site) for message in kinds if message.stored for site in sites}
    states = ("station", "availability", "state", "replies")
    assert heard("office") == {(kind, site) for kind in states for site in sites}


# -- the page


def _blocks() -> list[str]:
    page = (ROOT / "docs" / "many-shops.md").read_text("utf-8")
    return re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.skipif(
    MOSQUITTO is None or shutil.which("openssl") is None, reason="mosquitto and openssl are needed"
)
def test_the_page_runs_as_it_is_written(tmp_path: Path) -> None:
    """In a network of its own, where the ports are free and nothing leaves; root's Mosquitto stays root's."""
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("a network of its own needs root")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    tools = tmp_path / "tools"
    tools.mkdir()
    wrapper = tools / "mosquitto"
    wrapper.write_text(
        f'#!/bin/sh\n(cat "$2"; echo; echo user root; echo pid_file $PWD/mosquitto.pid) > root.conf\nexec {MOSQUITTO} -c root.conf $3\n'
    )
    wrapper.chmod(0o755)
    script = "\n".join(
        [
            "set -m; ip link set lo up",
            f"export PATH={tools}:{Path(sys.executable).parent}:$PATH PYTHONPATH={ROOT}",
            "trap 'kill $(jobs -p) $(cat mosquitto.pid 2>/dev/null) 2>/dev/null' EXIT",
            *_blocks(),
        ]
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SUNMI_IPC_", "PG"))}
    done = subprocess.run(
        ["unshare", "--net", "bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path, env=environment | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path / "config")},
        capture_output=True, text=True, timeout=480,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{\n  "database"') :])
    assert told["rows"]["sites"] == 2
    assert told["rows"]["cameras"] == 20
    assert told["rows"]["counts"] > 100
    assert told["refused"] == []
    assert [hub["running"] for hub in told["hubs"]] == [True]
