"""The spool: once and durable, over kill -9, a full disk, and consumers that stop."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import ParameterError, SpoolError, SpoolFull
from sunmi_ipc.events import RawEvent, Retention, Spool
from sunmi_ipc.events.model import Event, of

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def event(number: int, sn: str = "FS1", size: int = 0) -> Event:
    return of({"event_type": "x", "sn": sn, "event_id": str(number), "pad": "p" * size})


def put(spool: Spool, numbers: range, size: int = 0) -> None:
    """Append from several threads, in no particular order."""
    fields = {"event_type": "x", "sn": "FS1", "pad": "p" * size}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: spool.append(event(n), fields | {"event_id": str(n)}), numbers))


def ids(found: Any) -> list[str]:
    return [stored.event.event_id for stored in found]


def test_once(spool: Spool) -> None:
    assert spool.append(event(1), source="10.0.0.9", verified=True)
    assert not spool.append(event(1))
    assert spool.append(event(1, sn="FS2"))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: spool.append(event(n % 50)), range(400)))
    assert sum(answers) == 49
    assert spool.counts()["kept"] == 51


def test_many_appends_share_a_commit(spool: Spool) -> None:
    before = spool._writer.commits
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda n: spool.append(event(n)), range(400)))
    assert spool._writer.commits - before < 200


def test_everything_comes_back_as_it_was(spool: Spool) -> None:
    fields = {
        "event_type": "new_kind",
        "sn": "A",
        "event_id": "9",
        "中": ["文", {"n": None}],
        "nul": "a\0b",
        "n": 10**30,
    }
    spool.append(of(fields), fields)
    (stored,) = spool.consumer("c").read()
    assert isinstance(stored.event, RawEvent)
    assert stored.fields == stored.event.fields == fields
    assert stored.as_dict()["中"] == ["文", {"n": None}]
    assert "\n" not in stored.as_json()
    assert abs((stored.received - datetime.now(UTC)).total_seconds()) < 60


def test_consumers_keep_their_places(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        put(spool, range(10))
        first, second = spool.consumer("one"), spool.consumer("two")
        got = first.read(limit=6)
        first.ack(got[3])
        second.ack(second.read(limit=2)[-1])
        first.rewind()
        assert ids(first.read()) == ids(spool.replay(EPOCH))[4:]
        assert first.backlog() == 6
        spool.flush()
        assert spool.counts()["consumers"]["one"] == {
            "cursor": got[3].seq,
            "lost": 0,
            "backlog": 6,
            "given_up": 0,
        }
    with Spool(tmp_path) as spool:
        assert len(spool.consumer("one").read()) == 6
        assert len(spool.consumer("two").read()) == 8
        assert spool.consumer("late", start="now").read(timeout=0.01) == []
        put(spool, range(10, 12))
        assert len(spool.consumer("late").read()) == 2
        spool.forget("one")
        assert set(spool.counts()["consumers"]) == {"two", "late"}


def test_iteration_waits_and_ends_with_the_spool(spool: Spool) -> None:
    consumer, got = spool.consumer("c"), []

    def consume() -> None:
        for stored in consumer:
            got.append(stored.event.event_id)
            consumer.ack(stored)
            if len(got) == 3:
                seen.set()

    seen = threading.Event()
    thread = threading.Thread(target=consume)
    thread.start()
    put(spool, range(3))
    assert seen.wait(10)
    spool.close()
    thread.join(5)
    assert not thread.is_alive()
    assert sorted(got) == ["0", "1", "2"]


def test_another_process_may_read_and_acknowledge(tmp_path: Path) -> None:
    with Spool(tmp_path) as writing, Spool(tmp_path, retention=None) as reading:
        consumer = reading.consumer("c")
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(consumer.read, 10, 10)
            writing.append(event(1))
            consumer.ack(coming.result()[-1])
        reading.append(event(2))
        assert writing.counts()["kept"] == 2


def test_replay(spool: Spool) -> None:
    put(spool, range(3))
    middle = datetime.now(UTC)
    spool.append(event(3, sn="FS2"))
    assert len(ids(spool.replay(EPOCH))) == 4
    assert ids(spool.replay(middle)) == ["3"]
    assert len(ids(spool.replay(EPOCH, middle))) == 3
    assert ids(spool.replay(EPOCH, sn="FS2", event_type="x")) == ["3"]
    assert ids(spool.replay(EPOCH, event_type="y")) == []
    with pytest.raises(ParameterError):
        spool.replay(datetime(2020, 1, 1))
    with pytest.raises(ParameterError):
        spool.replay(EPOCH, datetime(2020, 1, 1))


@pytest.mark.slow
def test_age_and_size_spare_what_is_not_acknowledged(tmp_path: Path) -> None:
    old = Retention(max_age_s=0, min_age_s=0)
    with Spool(tmp_path, retention=old) as spool:
        slow, quick = spool.consumer("slow"), spool.consumer("quick")
        put(spool, range(3000))
        quick.ack(quick.read(3000)[-1])
        slow.ack(slow.read(100)[-1])
        spool.clean()
        assert len(ids(spool.replay(EPOCH))) == 2900
        assert spool.counts()["dropped_by_age"] == 100
        slow.ack(slow.read(3000)[-1])
        spool.clean()
        assert spool.counts() | {"bytes": 0, "consumers": 0} == {
            "kept": 0,
            "last_seq": 3000,
            "bytes": 0,
            "dropped_by_age": 3000,
            "dropped_faces_by_age": 0,
            "dropped_by_size": 0,
            "dropped_by_hard_limit": 0,
            "consumers": 0,
        }


def test_size_limits(tmp_path: Path) -> None:
    soft = Retention(max_bytes=500_000, hard_bytes=1_200_000, min_age_s=0)
    with Spool(tmp_path, retention=soft) as spool:
        consumer = spool.consumer("c")
        put(spool, range(400), size=1800)
        spool.clean()
        # 800 kB: over the soft limit, but nobody has them yet.
        assert spool.counts()["kept"] == 400
        consumer.ack(consumer.read(100)[-1])
        spool.clean()
        assert (spool.counts()["kept"], spool.counts()["dropped_by_size"]) == (300, 100)
        put(spool, range(400, 1000), size=1800)
        spool.clean()
        counts = spool.counts()
        assert 900_000 < counts["bytes"] < 1_200_000
        assert counts["dropped_by_hard_limit"] == counts["consumers"]["c"]["lost"] > 0
        assert counts["kept"] + 100 + counts["dropped_by_hard_limit"] == 1000
        assert consumer.read(1)[0].event.event_id not in {str(n) for n in range(100)}
        assert (tmp_path / "events.sqlite3").stat().st_size < 2_500_000


def test_an_abandoned_consumer_holds_up_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path, retention=Retention(max_age_s=0, abandoned_s=0)) as spool:
        spool.consumer("gone").close()
        put(spool, range(5))
        spool.clean()
        assert spool.counts()["kept"] == 0


def test_a_clock_that_jumps_costs_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without a battery starts years back, and learns the time from the network."""
    with Spool(tmp_path) as spool:
        true = time.time_ns
        with monkeypatch.context() as early:
            early.setattr(time, "time_ns", lambda: true() - 400 * 86400 * 10**9)
            spool.consumer("webhook")
            put(spool, range(5))
        spool.clean()
        assert spool.counts()["consumers"]["webhook"] == {
            "cursor": 0,
            "lost": 0,
            "backlog": 5,
            "given_up": 0,
        }


def test_coming_back_is_a_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = time.time_ns
    with monkeypatch.context() as early, Spool(tmp_path, retention=None) as spool:
        early.setattr(time, "time_ns", lambda: true() - 400 * 86400 * 10**9)
        spool.consumer("webhook").close()
        put(spool, range(5))
    with Spool(tmp_path, retention=None) as spool:
        spool.consumer("webhook").close()
    with Spool(tmp_path) as spool:
        spool.clean()
        assert spool.counts()["kept"] == 5


@pytest.mark.parametrize("value", ["\ud800", float("nan"), object()])
def test_what_is_not_json_is_refused_and_the_next_is_taken(spool: Spool, value: Any) -> None:
    with pytest.raises(ParameterError, match="fields"):
        spool.append(event(1), {"value": value})
    assert spool.append(event(2))


def test_no_failure_ends_the_writer(spool: Spool) -> None:
    def fail(connection: Any) -> None:
        raise LookupError

    with pytest.raises(SpoolError, match="LookupError"):
        spool._writer.run(fail)
    with pytest.raises(SpoolError, match="OverflowError"):
        spool.give_up("x", 1 << 70, "")
    assert spool.append(event(2))


def test_who_reads_alone_has_the_name_to_himself(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool, Spool(tmp_path) as other:
        mine = spool.consumer("web", alone=True)
        with pytest.raises(SpoolError, match="another program takes web's events") as caught:
            other.consumer("web", alone=True)
        assert "另一个程序" in caught.value.localized("zh")[0]
        other.consumer("exec", alone=True)
        other.consumer("web")  # who only looks may
        mine.close()
        other.consumer("web", alone=True)
    assert [p for p in tmp_path.iterdir() if p.stat().st_mode & 0o077] == []


def test_a_place_may_be_taken_anew(spool: Spool) -> None:
    spool.append(event(1))
    spool.consumer("screen").close()
    spool.append(event(2))
    screen = spool.consumer("screen", start="anew")
    spool.append(event(3))
    assert ids(screen.read()) == ["3"]


def test_recent_events_stay_so_that_repeats_are_recognised(tmp_path: Path) -> None:
    with Spool(tmp_path, retention=Retention(max_bytes=1)) as spool:
        spool.append(event(1))
        spool.clean()
        assert not spool.append(event(1))


def test_picture_and_refusal_records(spool: Spool) -> None:
    spool.append(event(1))
    spool.note_picture(1, "pic_url", "lost", reason="gone")
    spool.note_picture(1, "pic_url", "saved", path="a.jpg")
    assert spool.pictures(1) == {"pic_url": {"status": "saved", "path": "a.jpg", "reason": ""}}
    spool.consumer("web")
    spool.give_up("web", 1, "HTTP 400")
    assert spool.counts()["consumers"]["web"]["given_up"] == 1


def test_only_this_user_reads_it(tmp_path: Path) -> None:
    with Spool(tmp_path / "new") as spool:
        spool.append(event(1))
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
        assert [p for p in (tmp_path / "new").iterdir() if p.stat().st_mode & 0o077] == []


def test_what_cannot_be_a_spool(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "events.sqlite3").write_text("no database, but long enough to look at" * 50)
    (tmp_path / "newer").mkdir()
    with closing(sqlite3.connect(tmp_path / "newer" / "events.sqlite3")) as newer:
        newer.execute("PRAGMA user_version = 99")
    for name in ("file", "bad", "newer"):
        with pytest.raises(SpoolError) as caught:
            Spool(tmp_path / name)
        assert caught.value.localized("zh")[0] != caught.value.message
    spool = Spool(tmp_path / "good")
    consumer = spool.consumer("c")
    with pytest.raises(ParameterError):
        spool.consumer("")
    spool.close()
    spool.close()
    for call in (lambda: spool.append(event(1)), lambda: consumer.ack(1)):
        with pytest.raises(SpoolError):
            call()
    assert consumer.read() == []


APPENDING = """
import itertools, sys, threading
from sunmi_ipc.events import Spool
from sunmi_ipc.events.model import of
spool, numbers = Spool(sys.argv[1]), itertools.count(int(sys.argv[2]))
def run():
    for n in numbers:
        new = spool.append(of({"event_type": "x", "sn": "FS1", "event_id": str(n)}))
        sys.stdout.write(f"{n}\\n" if new else f"-{n}\\n")
        sys.stdout.flush()
for _ in range(8):
    threading.Thread(target=run).start()
"""


@pytest.mark.slow
def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDING, str(tmp_path), str(max(0, len(acknowledged) - 20))],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
        )
        assert process.stdout is not None
        with process:
            acknowledged += [process.stdout.readline().strip() for _ in range(300)]
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.read().split("\n")[:-1]
    told = {n for n in acknowledged if not n.startswith("-")}
    with Spool(tmp_path) as spool:
        kept = ids(spool.replay(EPOCH))
    assert len(kept) == len(set(kept))
    assert told <= set(kept)
    # Written, and killed before it could be said: kept once, too.
    assert len(set(kept) - told) <= 3 * 8


FULL = """
import resource, signal, sys
from sunmi_ipc.errors import SpoolFull
from sunmi_ipc.events import Spool
from sunmi_ipc.events.model import of
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(sys.argv[1])
consumer = spool.consumer("c")
def put(n):
    fields = {"event_type": "x", "sn": "FS1", "event_id": str(n), "pad": "p" * 2000}
    return spool.append(of(fields), fields)
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    release = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
else:
    import pathlib
    filler = pathlib.Path(sys.argv[1], "filler")
    filler.write_bytes(b"x" * 12_500_000)
    release = filler.unlink
stored = refused = 0
for n in range(2000):
    try:
        stored += put(n)
    except SpoolFull as error:
        refused += 1
        assert error.localized("zh")[0] != error.message
        if refused == 5:
            assert spool.counts()["kept"] == stored, (spool.counts(), stored)
            consumer.ack(consumer.read(10)[-1])
            release()
        elif refused > 5:
            raise
    if refused >= 5 and stored > 700:
        break
spool.close()
again = Spool(sys.argv[1])
assert again.counts()["kept"] == stored, (again.counts(), stored)
assert again.counts()["consumers"]["c"]["cursor"] == 10, again.counts()
again.close()
print(stored, refused)
"""


def run_full(directory: Path, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL, str(directory), how],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
    stored, refused = map(int, done.stdout.split())
    assert stored > 700
    assert refused == 5


def test_full_disk(tmp_path: Path) -> None:
    """A file system of 16 MB that fills up and is freed again."""
    mounted = (
        os.geteuid() == 0
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)], capture_output=True
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("a small file system needs root and the right to mount")
    try:
        run_full(tmp_path, "disk")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on file sizes")
def test_full_by_a_limit_on_file_sizes(tmp_path: Path) -> None:
    run_full(tmp_path, "limit")


def test_full_answers_each_waiter_with_its_own_error(spool: Spool) -> None:
    spool._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 20").close())

    def one(number: int) -> Exception | None:
        try:
            spool.append(event(number), {"sn": "FS1", "event_type": "x", "pad": "p" * 5000})
        except SpoolFull as error:
            return error
        return None

    with ThreadPoolExecutor(8) as pool:
        errors = [error for error in pool.map(one, range(100)) if error is not None]
    assert len(errors) > 8
    assert len({id(error) for error in errors}) == len(errors)
    assert spool.counts()["kept"] == 100 - len(errors)
    spool._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").close())
    assert spool.append(event(1000))


def test_waiting_times_out(spool: Spool) -> None:
    began = time.monotonic()
    assert spool.consumer("c").read(timeout=0.05) == []
    assert time.monotonic() - began < 5
