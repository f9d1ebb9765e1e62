"""The station's memory: full, locked and damaged disks; older and newer files."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import database
from sunmi_ipc.station import Audit, Store, StoreError


def put(store: Store, n: int) -> bool:
    return store.later(("INSERT INTO mutes VALUES (?, 1, '', '')", (f"S{n}",)))


def test_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "s.sqlite3"
    with Store(path) as store:
        assert put(store, 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Store(path, read_only=True) as store:
        assert store.read("SELECT sn FROM mutes") == [("S1",)]
        with pytest.raises(StoreError):
            store.write(("DELETE FROM mutes", ()))


def test_a_locked_database_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with Store(path) as store:
        store._db.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert not put(store, 1)
        assert "locked" in store.problem
        assert not put(store, 2)
        other.execute("ROLLBACK")
        other.close()
        store.tidy()
        assert (store.problem, store.waiting) == ("", 0)
        assert store.read("SELECT count(*) FROM mutes") == [(2,)]


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        (pages,) = store._db.execute("PRAGMA page_count").fetchone()
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        n = 0
        while put(store, n) and n < 5000:
            n += 1
        assert store.waiting == 1
        assert "full" in store.problem
        with pytest.raises(StoreError, match="Free space"):
            store.write(*[("INSERT INTO mutes VALUES (?, 1, '', '')", (f"X{i}" * 50,)) for i in range(500)])
        store._db.execute("PRAGMA max_page_count = 100000")
        store.tidy()
        assert store.waiting == 0
        assert store.read("SELECT count(*) FROM mutes WHERE sn LIKE 'S%'") == [(n + 1,)]


@pytest.mark.parametrize("poison", [2**70, "\ud800", object(), None])
@pytest.mark.parametrize("full", [False, True])
def test_a_row_that_no_database_takes_is_given_up_alone(tmp_path: Path, poison: Any, full: bool) -> None:
    path = tmp_path / "s.sqlite3"
    with Store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store._db.execute("PRAGMA busy_timeout = 20")
        if full:
            other.execute("BEGIN IMMEDIATE")
            assert not put(store, 1)
        bad = ("INSERT INTO mutes VALUES ('X', ?, '', '')", (poison,))
        rows = [("INSERT INTO mutes VALUES (?, 1, '', '')", (name,)) for name in "ABCDE"]
        assert store.later(*rows[:2], bad, *rows[2:]) is not full
        if full:
            other.execute("ROLLBACK")
            store.tidy()
        assert put(store, 2)
        assert (store.waiting, store.dropped, store.problem) == (0, 1, "")
        assert store.read("SELECT sn FROM mutes WHERE length(sn) = 1 ORDER BY sn") == [*zip("ABCDE")]


def test_where_it_cannot_be_opened_again_nothing_is_lost_and_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        assert put(store, 0)

        def full(*_: Any, **__: Any) -> Any:
            raise database.NoRoom("database or disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(database, "connect", full)
            store._failed(database_error("database disk image is malformed", sqlite3.SQLITE_CORRUPT))
            assert not put(store, 1)
            assert not put(store, 2)
            assert store.problem
        store.tidy()
        assert (store.waiting, store.dropped, store.problem) == (0, 0, "")
        assert {sn for (sn,) in store.read("SELECT sn FROM mutes")} >= {"S1", "S2"}


def database_error(text: str, code: int) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = code
    return error


def test_a_damaged_file_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with Store(path) as store:
        for n in range(300):
            put(store, n)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with Store(path) as store:
        assert store.read("SELECT count(*) FROM mutes") == [(0,)]
        assert put(store, 1)
    (aside,) = [
        p for p in tmp_path.iterdir() if ".damaged-" in p.name and p.suffix != ".x" and "-wal" not in p.name
    ]
    assert aside.read_bytes() == bytes(data)


def test_another_programs_database(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        Store(path)


def test_a_later_version(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    Store(path).close()
    with closing(sqlite3.connect(path)) as later, later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(path)


KILLED = """
import os, sys
from sunmi_ipc.station import Store
store = Store(sys.argv[1])
for n in range(200):
    assert store.later(("INSERT INTO mutes VALUES (?, 1, '', '')", (f"S{n}",)))
    print(n, flush=True)
    if n == 150:
        os.kill(os.getpid(), 9)
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, timeout=60
    )
    told = len(done.stdout.split())
    with Store(path) as store:
        assert store.read("SELECT count(*) FROM mutes") == [(told,)]
    assert told == 151


def test_the_audit_holds_no_secret(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        audit = Audit(store)
        details: dict[str, Any] = {
            "ssid": "Shop",
            "password": "hunter2hunter2",
            "pic": b"\xff\xd8" * 100,
            "long": "x" * 5000,
        }
        audit.record("wifi.set", who="kim", origin="127.0.0.1", sn="FS1", details=details)
        for n in range(5):
            audit.record("image.set_ir", who="kim", origin="cli", sn="FS2", details={"mode": n})
        (entry,) = audit.entries(sn="FS1")
        assert entry.details["password"] == "***"
        assert entry.details["pic"] == "<200 bytes>"
        assert len(entry.details["long"]) == 501
        newest = audit.entries(limit=2)
        assert [e.details["mode"] for e in newest] == [4, 3]
        assert [e.details["mode"] for e in audit.entries(sn="FS2", limit=2, before=newest[-1].id)] == [2, 1]
    assert b"hunter2" not in (tmp_path / "s.sqlite3").read_bytes()
