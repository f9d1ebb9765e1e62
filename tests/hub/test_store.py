"""The hub's database: one truth for each key, whatever comes twice, late or at once."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy

from sunmi_ipc.broker import contract
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.hub import migrations, rows, tables, views
from sunmi_ipc.hub.store import REFUSED_KINDS, Away, Batch, Refusal, Store, Unstorable, open_url
from sunmi_ipc.hub.zones import offsets

NOW = 1_795_600_000.0
SN = "FS101D8BS00106"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        made = Store(open_url(str(tmp_path / "hub.db")))
    else:
        url = request.getfixturevalue("server").url
        engine = sqlalchemy.create_engine(open_url(url), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
            connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
        engine.dispose()
        made = Store(open_url(url))
    assert made.migrate() == 0
    yield made
    made.close()


def message(topic: str, payload: contract.Payload) -> tuple[str, dict[str, Any]]:
    return rows.row(contract.read(f"{contract.PREFIX}/{topic}", payload.encode()), NOW)


def station(
    site: str = "shop-1", state: str = "online", revision: int = 1000, **more: Any
) -> tuple[str, dict[str, Any]]:
    said = contract.StationState(state=state, revision=revision, since=NOW, name=f"Shop {site}", **more)  # type: ignore[arg-type]
    return message(f"{site}/station", said)


def counts(
    site: str = "shop-1",
    start: int = 1_795_600_800,
    revision: int = 1,
    arrivals: int | None = 5,
    completeness: float = 1.0,
) -> tuple[str, dict[str, Any]]:
    said = contract.Counts(
        key=contract.counts_key(site, SN, start), revision=revision, sn=SN, start=start, end=start + 900,
        arrivals=arrivals, leaving=arrivals, passing=arrivals, completeness=completeness,
    )  # fmt: skip
    return message(f"{site}/cameras/{SN}/counts", said)


def alert(state: str, revision: int) -> tuple[str, dict[str, Any]]:
    said = contract.Alert(
        key=contract.alert_key("shop-1", SN, "card-none", NOW), revision=revision, sn=SN, code="card-none",
        level="bad", state=state, opened=NOW, text="no SD card",  # type: ignore[arg-type]
    )  # fmt: skip
    return message("shop-1/alerts", said)


def state(verdict: str = "bad", firmware: str = "2.1.9", revision: int = 5000) -> tuple[str, dict[str, Any]]:
    said = contract.CameraState(
        verdict=verdict, revision=revision, time=NOW, model="FM020", firmware=firmware
    )  # type: ignore[arg-type]
    return message(f"shop-1/cameras/{SN}/state", said)


def write(store: Store, *made: tuple[str, dict[str, Any]]) -> None:
    batch = Batch()
    for table, row in made:
        batch.add(table, row)
    store.write(batch)


def test_the_steps_lead_to_the_tables(store: Store) -> None:
    inspector = sqlalchemy.inspect(store._engine)
    assert set(tables.metadata.tables) <= set(inspector.get_table_names())
    assert set(views.names()) == set(inspector.get_view_names())
    for name, table in tables.metadata.tables.items():
        found = {column["name"]: column for column in inspector.get_columns(name)}
        assert list(found) == [column.name for column in table.columns], name
        for column in table.columns:
            assert found[column.name]["nullable"] == bool(column.nullable), (name, column.name)
            kind = str(found[column.name]["type"]).split()[0].replace("REAL", "DOUBLE")
            assert kind == str(column.type).split()[0], (name, column.name)
        assert set(inspector.get_pk_constraint(name)["constrained_columns"]) == {
            c.name for c in table.primary_key
        }


def test_a_shop_or_a_camera_that_is_taken_back_is_gone(store: Store) -> None:
    """An empty message takes back what a broker keeps; what happened there stays."""
    write(store, station(), station("shop-2"), state(), alert("open", 1), counts(), counts("shop-2"))
    batch = Batch()
    for topic in (f"shop-2/cameras/{SN}/counts", "shop-2/alerts"):
        assert rows.gone(f"{contract.PREFIX}/{topic}", contract.PREFIX) is None  # nothing that is retained
    batch.add(*state(revision=6000))
    batch.lose(*rows.gone(f"{contract.PREFIX}/shop-1/cameras/{SN}/state", contract.PREFIX) or ())
    store.write(batch)
    assert store.read("SELECT * FROM verdicts_now") == []
    assert len(store.read("SELECT * FROM alerts_open")) == 1
    batch = Batch()
    batch.add(*state(revision=7000))
    batch.lose(*rows.gone(f"{contract.PREFIX}/shop-1/station", contract.PREFIX) or ())
    store.write(batch)
    assert [row["site"] for row in store.read("SELECT * FROM shops_now")] == ["shop-2"]
    assert store.read("SELECT * FROM verdicts_now") == store.read("SELECT * FROM alerts_open") == []
    assert store.sizes()["counts"] == 2
    # Who comes back under the name is there again, though its clock goes by an older one.
    write(store, station(revision=900), state(revision=10))
    assert len(store.read("SELECT * FROM shops_now")) == 2
    assert len(store.read("SELECT * FROM verdicts_now")) == 1


def test_a_database_of_the_version_before_gets_its_views(store: Store) -> None:
    write(store, station(timezone="Asia/Shanghai"), counts(start=int(time.time()) // 900 * 900, arrivals=7))
    with store._engine.begin() as connection:
        for name in reversed(views.names()):
            connection.execute(sqlalchemy.text(f"DROP VIEW {name}"))
        connection.execute(sqlalchemy.text("DELETE FROM hub_schema WHERE version > 1"))
    assert store.migrate() == 1
    (today,) = store.read("SELECT * FROM people_today")
    assert (today["arrivals"], today["gaps"], today["completeness"]) == (7, 0, 1.0)
    assert store.read("SELECT site, day, arrivals FROM people_per_day") == [
        {name: today[name] for name in ("site", "day", "arrivals")}
    ]


def test_a_second_start_changes_nothing_and_a_newer_database_is_refused(store: Store) -> None:
    write(store, counts())
    assert store.migrate() == migrations.VERSION
    assert store.sizes()["counts"] == 1
    with store._engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO hub_schema (version, time) VALUES (99, 0)"))
    with pytest.raises(ConfigError, match="version 99"):
        store.migrate()


def test_a_repeat_is_the_same_row_and_the_higher_revision_wins(store: Store) -> None:
    write(store, counts(arrivals=None, completeness=0.0))
    write(store, counts(arrivals=None, completeness=0.0))
    write(
        store, counts(revision=2, arrivals=7), counts(revision=1, arrivals=3), counts(revision=2, arrivals=7)
    )
    write(store, counts(revision=1, arrivals=3))
    assert [(row["revision"], row["arrivals"]) for row in store.read("SELECT * FROM counts")] == [(2, 7)]


def test_the_last_will_is_newer_than_its_own_connection_and_older_than_the_next(store: Store) -> None:
    def offline() -> int:
        return int(store.read("SELECT offline FROM sites")[0]["offline"])

    write(store, station(revision=1000))
    write(store, station(state="offline", revision=1000))
    assert offline() == 1
    write(store, station(revision=1000))  # the first once more, late
    assert offline() == 1
    write(store, station(revision=2000))
    write(store, station(state="offline", revision=1000))
    assert offline() == 0
    write(store, station(state="offline", revision=3000), station(revision=3000))
    assert offline() == 1


def test_a_clock_that_was_wrong_once_does_not_silence_a_shop(store: Store) -> None:
    write(store, station(revision=4_000_000_000_000, timezone="Asia/Shanghai"))
    write(store, station(revision=int(NOW * 1000), state="offline"))
    assert store.read("SELECT offline FROM sites")[0]["offline"] == 1


def test_a_row_that_no_database_takes_is_the_messages_fault(store: Store) -> None:
    table, row = counts()
    with pytest.raises(Unstorable):
        write(store, (table, row | {"arrivals": 2**70}))
    assert store.sizes()["counts"] == 0


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "x" * 300_000, "\U0001f600", "'; DROP TABLE counts; --"])
def test_odd_text_is_stored_or_the_messages_fault(store: Store, odd: str) -> None:
    table, row = counts()
    try:
        write(store, (table, row | {"key": odd, "people": odd}))
    except Unstorable:
        assert store.sizes()["counts"] == 0
    else:
        assert store.sizes()["counts"] == 1


def test_a_table_that_is_missing_is_the_databases_fault(store: Store) -> None:
    """A message must not be thrown away for it."""
    with store._engine.begin() as connection:
        for name in reversed(views.names()):
            connection.execute(sqlalchemy.text(f"DROP VIEW {name}"))
        connection.execute(sqlalchemy.text("DROP TABLE counts"))
    with pytest.raises(Away, match="counts"):
        write(store, counts())


def test_refused_messages_are_counted_and_bounded(store: Store) -> None:
    one = Refusal("shop-1", "not JSON", "sunmi-ipc/v1/shop-1/alerts", 3, "{{{")
    store.write(Batch(refused=[one, one]))
    store.write(Batch(refused=[one]))
    store.write(
        Batch(refused=[Refusal(f"s{n}", "not JSON", "t", 1, "x") for n in range(REFUSED_KINDS + 200)])
    )
    found = {(row["site"], row["reason"]): row["number"] for row in store.read("SELECT * FROM refused")}
    assert found["shop-1", "not JSON"] == 3
    assert len(found) <= REFUSED_KINDS + 1
    assert sum(found.values()) == REFUSED_KINDS + 203


def test_hubs_at_once_end_with_the_same_rows(store: Store) -> None:
    problems: list[Exception] = []

    def work(turn: int) -> None:
        for number in range(20):
            made = [
                counts(start=1_795_600_800 + 900 * n, revision=number, arrivals=number) for n in range(10)
            ]
            for _ in range(50):
                try:
                    write(store, *(made if turn % 2 else made[::-1]))
                    break
                except Away as error:  # a lock that was waited for too long: the hub does the same
                    problems.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(row["revision"], row["arrivals"]) for row in store.read("SELECT * FROM counts")} == {(19, 19)}
    assert len(problems) < 5


def test_the_views(store: Store) -> None:
    midnight = 1_795_536_000  # in Shanghai, 16:00 UTC the day before
    write(
        store,
        station(timezone="Asia/Shanghai"),
        station("shop-2", timezone="Nowhere/At_All"),
        *(counts(start=midnight + 900 * n, arrivals=n) for n in range(8)),
        counts(start=midnight - 900, arrivals=100),
        counts(start=midnight + 900 * 8, arrivals=None, completeness=0.0),
        counts("shop-2", start=midnight, arrivals=3),
        state(),
        alert("open", 1),
    )
    days = {(row["site"], str(row["day"])): row for row in store.read("SELECT * FROM people_per_day")}
    assert set(days) == {("shop-1", "2026-11-25"), ("shop-1", "2026-11-24"), ("shop-2", "2026-11-24")}
    today = days["shop-1", "2026-11-25"]
    assert (today["arrivals"], today["gaps"], today["cameras"], today["shop"]) == (28, 1, 1, "Shop shop-1")
    assert today["completeness"] == pytest.approx(8 / 9)
    hours = [
        (str(row["hour"])[:13].replace("T", " "), row["arrivals"])
        for row in store.read("SELECT * FROM people_per_hour WHERE site = 'shop-1' ORDER BY hour")
    ]
    assert hours == [
        ("2026-11-24 23", 100),
        ("2026-11-25 00", 6),
        ("2026-11-25 01", 22),
        ("2026-11-25 02", None),
    ]
    assert [row["arrivals"] for row in store.read("SELECT * FROM people_per_shop ORDER BY site")] == [128, 3]
    (verdict,) = store.read("SELECT * FROM verdicts_now")
    assert (verdict["verdict"], verdict["firmware"], verdict["shop"]) == ("bad", "2.1.9", "Shop shop-1")
    assert [row["code"] for row in store.read("SELECT * FROM alerts_open")] == ["card-none"]
    assert [(row["firmware"], row["cameras"]) for row in store.read("SELECT * FROM cameras_by_firmware")] == [
        ("2.1.9", 1)
    ]
    (shop,) = store.read("SELECT * FROM shops_now WHERE site = 'shop-1'")
    assert (shop["state"], shop["bad"], shop["alerts"]) == ("online", 1, 1)
    write(store, alert("closed", 2), station(state="offline", revision=2000))
    assert store.read("SELECT * FROM alerts_open") == []
    assert store.read("SELECT verdict, last_verdict FROM verdicts_now") == [
        {"verdict": "unknown", "last_verdict": "bad"}
    ]


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
)
def test_offsets_are_the_zones(zone: str) -> None:
    from datetime import datetime

    spans = offsets(zone)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    for at in range(1_577_900_000, 2_366_000_000, 7_777_777):
        (offset,) = [offset for start, end, offset in spans if start <= at < end]
        assert datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset().total_seconds() == offset  # type: ignore[union-attr]


@pytest.mark.parametrize("zone", ["", "Nowhere/At_All", "../../etc/passwd", "/etc/passwd", "Asia", "x" * 500])
def test_what_is_no_zone_has_no_offsets(zone: str) -> None:
    assert offsets(zone) == ()


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u@h/d",
        "postgresql+asyncpg://h/d",
        "http://x",
        "://",
        "postgresql://h:port/d",
        "postgresql://h:99999/d",
        "postgresql://h:0/d",
        "postgresql://[",
        "postgresql://[]/d",
        "postgresql://u:p@[::1/d",
        "postgresql://u:p@two words/d",
        "postgresql:u:p@h/d",
    ],
)
def test_other_databases_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        open_url(text)


@pytest.mark.parametrize(
    "host", ["[::1]", "localhost", "db.shop_1.example", "10.0.0.1", "数据库.example", ""]
)
def test_hosts_as_they_are(host: str) -> None:
    assert open_url(f"postgresql://u@{host}/d").host == (host.strip("[]") or None)


@pytest.mark.parametrize("query", ["foo=1", "sslmode=bogus", "keepalives=MARKED-WORD"])
def test_an_option_that_is_none_is_told_at_once_and_not_waited_for(query: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError, match=r"cannot be used: .*(invalid|must be an integer)"):
        Store(open_url(f"postgresql://u@127.0.0.1:9/d?{query}")).migrate()


def test_another_programs_file_is_not_touched(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(Away, match="another program") as told:
        Store(open_url(str(path))).migrate()
    assert told.value.hopeless
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [512, 0.5, -4096])
def test_a_file_that_lost_its_end_is_told_at_once_and_not_waited_for(tmp_path: Path, kept: float) -> None:
    from sunmi_ipc_cli.main import app
    from typer.testing import CliRunner

    path = tmp_path / "hub.db"
    whole = Store(open_url(str(path)))
    whole.migrate()
    whole.close()
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if 0 < kept < 1 else int(kept)])
    before = path.read_bytes()
    done = CliRunner().invoke(app, ["hub", "--broker", "mqtt://127.0.0.1:9", "--database", str(path)])
    assert done.exit_code == 2
    assert "cannot be used" in done.stderr
    assert "in its place" in " ".join(done.stderr.split())
    assert path.read_bytes() == before


def test_no_password_is_shown() -> None:
    store = Store(open_url("postgresql://hub@127.0.0.1:9/x", password="MARKED-SECRET"))
    assert "MARKED-SECRET" not in store.place
    with pytest.raises(Away) as caught:
        store.migrate()
    assert "MARKED-SECRET" not in str(caught.value)
    for query in ("password=MARKED-SECRET", "sslpassword=MARKED-SECRET"):
        url = open_url(f"postgresql://hub@127.0.0.1:9/x?{query}")
        assert "MARKED-SECRET" not in Store(url).place
    assert open_url("postgresql://hub@h/x?password=MARKED-SECRET").password == "MARKED-SECRET"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:MARKED@h/d",
        "postgresql://u:MARKED/x@h/d",
        "postgresql://u:MARKED#x@h/d",
        "postgresql://u:MARKED?x@h/d",
        "postgresql://u:MARKED@[::1/d",
        "postgresql:u:MARKED@h/d",
        "postgresql://u@h/d?sslmode=require&password=MARKED",
    ],
)
def test_a_typed_password_is_wiped_wherever_it_stands(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    from sunmi_ipc_cli.argv import given_url

    monkeypatch.setattr("sys.argv", ["ipc", "hub", "--database", text])
    assert given_url(text) == text
    assert "MARKED" not in " ".join(sys.argv)


@pytest.mark.parametrize("text", ["postgresql://u@h:5432/d", "mqtts://hub@[::1]:8883", "/srv/hub.db"])
def test_what_holds_no_password_stays(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    from sunmi_ipc_cli.argv import given_url

    monkeypatch.setattr("sys.argv", ["ipc", "hub", "--database", text])
    assert given_url(text) == text
    assert text in sys.argv
