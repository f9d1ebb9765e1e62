"""The spool on a rough day: clocks that jump, others that look, rows that cannot be written, version 1."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import SpoolError
from sunmi_ipc.events import Retention, Spool
from sunmi_ipc.events.letters import DeadLetters, Letter
from sunmi_ipc.events.model import Event, of

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
DAY = 86400


def event(number: int | str, kind: str = "x", **fields: Any) -> Event:
    return of({"event_type": kind, "sn": "FS1", "event_id": str(number), **fields})


def ahead(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    wall, wall_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: wall() + days * DAY)
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + int(days * DAY * 1e9))


READING = """
import sys
from sunmi_ipc.events import Spool
with Spool(sys.argv[1], retention=None) as spool:
    reader = spool.consumer("till")
    print("open", flush=True)
    sys.stdin.readline()
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )


def test_a_reader_in_another_process_lives_by_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager = Retention(max_age_s=0, faces_age_s=0, min_age_s=0, abandoned_s=0)
    with Spool(tmp_path, retention=eager) as spool:
        with python(READING, tmp_path) as reading:
            assert reading.stdout is not None
            assert reading.stdin is not None
            assert reading.stdout.readline() == "open\n"
            spool.append(event(1))
            ahead(monkeypatch, 400)
            spool.clean()
            assert spool.counts()["kept"] == 1
            reading.stdin.write("\n")
        spool.clean()
        assert spool.counts()["kept"] == 0


@pytest.mark.parametrize("days", [31, 400, -400])
def test_a_reader_that_is_away_does_not_age_by_a_jump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    with Spool(tmp_path) as spool:
        spool.consumer("till").close()
        spool.append(event(1))
    ahead(monkeypatch, days)
    with Spool(tmp_path) as spool:
        spool.clean()
        assert [s.event.event_id for s in spool.consumer("till").read(timeout=0)] == ["1"]


def test_time_away_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, passed = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: counted() + passed[0])
    keep = Retention(max_age_s=0, abandoned_s=30 * DAY)
    with Spool(tmp_path, retention=keep) as spool:
        spool.consumer("gone").close()
        spool.append(event(1))
        for day in range(1, 32):
            passed[0] = day * DAY
            spool._writer.run(lambda connection: spool._cleaner(connection, 0))
            if day == 29:
                assert spool.counts()["kept"] == 1
        assert spool.counts()["kept"] == 0


def test_for_a_day_after_a_jump_nothing_goes_by_its_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, passed = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: counted() + passed[0])
    with Spool(tmp_path) as spool:
        spool.append(event(1))  # nobody has read it, and nobody is registered

        def tidy(seconds: float) -> int:
            passed[0] += seconds
            spool._writer.run(lambda connection: spool._cleaner(connection, 0))
            return int(spool.counts()["kept"])

        assert tidy(20) == 1
        with monkeypatch.context() as wrong:
            ahead(wrong, 60)
            assert tidy(20) == 1
            assert tidy(20) == 1
        assert tidy(20) == 1  # put right
        ahead(monkeypatch, 60)
        assert tidy(20) == 1
        assert tidy(2 * DAY) == 0  # it is true, then


def test_faces_are_kept_by_a_shorter_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool(tmp_path) as spool:
        spool.append(event(1, "face_recog_event", faceid="7"))
        spool.append(event(2, "dynamic_detect_event", detect_type=1))
        spool.append(
            event(3, "of_a_later_firmware", faceid="8"), {"event_type": "of_a_later_firmware", "faceid": "8"}
        )
        ahead(monkeypatch, 8)
        spool.clean()
        assert [s.event.event_id for s in spool.replay(EPOCH)] == ["2"]
        assert spool.counts()["dropped_faces_by_age"] == 2


def test_a_row_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        limit = "CREATE TRIGGER odd BEFORE INSERT ON events WHEN NEW.event_id LIKE '%3' BEGIN SELECT raise(ABORT, 'odd'); END"
        spool._writer.execute(limit, ())

        def one(number: int) -> str:
            try:
                return str(spool.append(event(number)))
            except SpoolError as error:
                return error.message

        with ThreadPoolExecutor(20) as pool:
            said = list(pool.map(one, range(200)))
        failed = [n for n, text in enumerate(said) if text != "True"]
        assert failed == [n for n in range(200) if n % 10 == 3]
        assert spool.counts()["kept"] == 180


LISTENING = """
import sys
from sunmi_ipc.events import Spool
from sunmi_ipc.events.model import of
with Spool(sys.argv[1]) as spool:
    reader = spool.consumer("till", alone=True)
    for line in sys.stdin:
        spool.append(of({"event_type": "x", "sn": "FS1", "event_id": line.strip()}))
        print("kept", flush=True)
"""


def test_looking_beside_it_loses_nothing(tmp_path: Path) -> None:
    with python(LISTENING, tmp_path) as listening:
        assert listening.stdin is not None
        assert listening.stdout is not None
        for number in range(6):
            listening.stdin.write(f"{number}\n")
            listening.stdin.flush()
            assert listening.stdout.readline() == "kept\n"
            with Spool(tmp_path, retention=None, writable=False) as looking:
                assert looking.counts()["kept"] == number + 1
                assert len(list(looking.replay(EPOCH))) == number + 1
            with Spool(tmp_path, retention=None):
                pass
        listening.send_signal(signal.SIGKILL)
    with Spool(tmp_path, writable=False) as looking:
        assert looking.counts()["kept"] == 6


def test_who_looks_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SpoolError):
        Spool(tmp_path / "none", writable=False)
    assert not (tmp_path / "none").exists()
    Spool(tmp_path).close()
    with Spool(tmp_path, writable=False) as looking:
        for change in (
            lambda: looking.append(event(1)),
            lambda: looking.consumer("c"),
            lambda: looking.forget("c"),
            looking.flush,
        ):
            with pytest.raises(SpoolError, match="for reading"):
                change()


def test_a_spool_of_version_1_goes_on(tmp_path: Path) -> None:
    body = {"event_type": "face_recog_event", "sn": "FS1", "event_id": "1", "faceid": "7"}
    with closing(sqlite3.connect(tmp_path / "events.sqlite3", isolation_level=None)) as old:
        old.executescript(
            """
            CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, sn TEXT NOT NULL, type TEXT NOT NULL,
              event_id TEXT NOT NULL, received INTEGER NOT NULL, source TEXT NOT NULL, verified INTEGER NOT NULL,
              body TEXT NOT NULL);
            CREATE UNIQUE INDEX events_once ON events (sn, type, event_id);
            CREATE INDEX events_received ON events (received);
            CREATE TABLE consumers (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, seen INTEGER NOT NULL,
              lost INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE given_up (consumer TEXT NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL,
              PRIMARY KEY (consumer, seq)) WITHOUT ROWID;
            CREATE TABLE pictures (seq INTEGER NOT NULL, link TEXT NOT NULL, status TEXT NOT NULL,
              path TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (seq, link)) WITHOUT ROWID;
            CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            PRAGMA user_version = 1;
            """
        )
        now = time.time_ns() // 1000
        old.execute(
            "INSERT INTO events (sn, type, event_id, received, source, verified, body) VALUES (?, ?, ?, ?, '', 1, ?)",
            ("FS1", "face_recog_event", "1", now, json.dumps(body)),
        )
        old.execute("INSERT INTO consumers VALUES ('till', 0, ?, 0)", (now,))
    with Spool(tmp_path) as spool:
        assert not spool.append(of(body), body, verified=True)
        assert spool.append(of(body), body | {"faceid": "8"}, verified=True)
        assert [s.fields["faceid"] for s in spool.consumer("till").read()] == ["7", "8"]


def test_letters_are_whole_lines_whatever_happens(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    assert letters.counts() == {}
    assert letters.remove(lambda one: True) == 0
    body = json.dumps({"event_type": "x", "sn": "FS1", "event_id": "1", "deep": "\u2028\n"})

    def one(number: int) -> None:
        letters.add(Letter("web" if number % 2 else "mqtt", "HTTP 400", 1.5, number, 10**15, "", True, body))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert letters.counts() == {"web": 20, "mqtt": 20}
    with letters.path.open("a") as file:
        file.write('{"half a line')
    assert len(letters.read("web")) == 20
    assert letters.path.stat().st_mode & 0o077 == 0
    assert letters.remove(lambda one: one.sink == "web") == 20
    assert letters.counts() == {"mqtt": 20}
    assert letters.remove(lambda one: True) == 20
    assert not letters.path.exists()


def test_a_persons_request(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        for number, face in enumerate(("anna", "bert", "anna")):
            spool.append(event(number, "face_recog_event", faceid=face, group_name="VIP-" + face))
        spool.append(event(9, "dynamic_detect_event", detect_type=1))
        spool.consumer("till")
        spool.note_folder(str(tmp_path / "pictures"))
        spool.note_picture(1, "pic_url", "saved", path="FS1/a.jpg")
        spool.give_up("web", 1, "HTTP 400")
        spool.give_up("web", 2, "HTTP 400")
        number, files = spool.purge_faces(faceid="anna")
        assert number == 2
        assert files == [str(tmp_path / "pictures/FS1/a.jpg")]
        assert [s.event.event_id for s in spool.replay(EPOCH)] == ["1", "9"]
        assert [letter.seq for letter in spool.letters.read()] == [2]
        # Not only out of sight: what was there is overwritten.
        content = b"".join(p.read_bytes() for p in tmp_path.iterdir() if p.is_file())
        assert b"VIP-anna" not in content
        assert b"VIP-bert" in content
        assert spool.purge_faces()[0] == 1
        assert [s.event.event_id for s in spool.replay(EPOCH)] == ["9"]
        assert spool.append(event(10))


def test_a_jump_between_two_runs_is_doubted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> int:
        with Spool(tmp_path) as spool:
            spool._writer.run(lambda connection: spool._cleaner(connection, 10_000))
            return int(spool.counts()["kept"])

    with Spool(tmp_path) as spool:
        spool.append(event(1))
    assert run() == 1
    for _ in range(3):  # started again and again while it is wrong
        with monkeypatch.context() as wrong:
            ahead(wrong, 60)
            assert run() == 1
    assert run() == 1


def test_what_came_while_the_clock_was_behind_is_no_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Spool(tmp_path) as spool:
        spool.append(event(1))
        with monkeypatch.context() as behind:
            ahead(behind, -40)
            spool.append(event(2, "face_recog_event", faceid="7"))
            spool.append(event(3))
        spool.append(event(4))
        spool.clean()
        assert spool.counts()["kept"] == 4
        with monkeypatch.context() as later:
            ahead(later, 8)
            spool.clean()
            assert [s.event.event_id for s in spool.replay(EPOCH)] == ["1", "3", "4"]
            ahead(later, 31)
            spool.clean()
            assert spool.counts()["kept"] == 0


def test_looked_for_in_any_spelling(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.append(
            of({"event_type": "face_recog_event", "sn": "FS101D8BS00106", "event_id": "1", "faceid": "7"})
        )
        assert len(list(spool.replay(EPOCH, sn=" fs101d8bs00106"))) == 1
        assert spool.purge_faces(sn="ｆｓ101d8bs00106")[0] == 1
