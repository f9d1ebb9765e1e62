"""Opening SQLite files: whole from the first moment, never in each other's way, and harmless to look at."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import sunmi_ipc
from sunmi_ipc import database
from sunmi_ipc.atomic import open_own
from sunmi_ipc.database import Schema, connect
from sunmi_ipc.lock import try_lock

SCHEMA = Schema(version=2, create="CREATE TABLE thing (n INTEGER PRIMARY KEY)", tables=("thing",))
COMING = """
import sys
from sunmi_ipc.database import Schema, connect, transaction
schema = Schema(version=2, create="CREATE TABLE thing (n INTEGER PRIMARY KEY)", tables=("thing",))
sys.stdin.readline()
for round in range(int(sys.argv[2])):
    connection = connect(sys.argv[1], schema, check=True)
    with transaction(connection):
        connection.execute("INSERT INTO thing DEFAULT VALUES")
    connection.close()
print("done", flush=True)
"""
HOLDING = """
import sys
from sunmi_ipc.database import Schema, connect
from sunmi_ipc.lock import try_lock
schema = Schema(version=2, create="CREATE TABLE thing (n INTEGER PRIMARY KEY)", tables=("thing",))
one, two = connect(sys.argv[1], schema, check=True), connect(sys.argv[1], schema)
print("open", flush=True)
for line in sys.stdin:
    one.execute("INSERT INTO thing VALUES (?)", (int(line),))
    print("written", flush=True)
"""


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )


def count(path: Path) -> int:
    with closing(connect(path, SCHEMA, access="read")) as reading:
        return int(reading.execute("SELECT count(*) FROM thing").fetchone()[0])


def test_nothing_but_sqlite_opens_a_database() -> None:
    """One module opens them; a second descriptor anywhere would drop the process's locks."""
    found = []
    for file in Path(sunmi_ipc.__path__[0]).rglob("*.py"):
        if file.name != "database.py" and re.search(r"\bsqlite3\.connect\(", file.read_text("utf-8")):
            found.append(file.name)
    assert found == []


def test_many_processes_at_once_come_to_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    coming = [run(COMING, path, 5) for _ in range(6)]
    for one in coming:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in coming]
    assert [out for out, _ in said] == ["done\n"] * 6, said
    assert count(path) == 30
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_many_threads_open_and_close(tmp_path: Path) -> None:
    """What closes last takes the log away while others come: they wait, and are not refused."""
    path = tmp_path / "t.sqlite3"

    def one(number: int) -> None:
        with closing(connect(path, SCHEMA, check=True)) as connection:
            connection.execute("INSERT INTO thing VALUES (?)", (number,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(200)))
    assert count(path) == 200


def test_another_process_that_comes_and_goes_takes_no_log_away(tmp_path: Path) -> None:
    path = tmp_path / "held.sqlite3"
    with run(HOLDING, path) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        for number in range(1, 6):
            # Whoever looks, or writes, and is the last of his process to go.
            with closing(connect(path, SCHEMA, check=True)), closing(connect(path, SCHEMA)):
                assert count(path) == number - 1
            holder.stdin.write(f"{number}\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "written\n"
        open_files = (
            [os.readlink(p) for p in Path(f"/proc/{holder.pid}/fd").iterdir()]
            if os.path.isdir("/proc/self/fd")
            else []
        )
        holder.send_signal(signal.SIGKILL)
    assert [name for name in open_files if "deleted" in name] == []
    assert count(path) == 5


def test_looking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with pytest.raises(database.Unusable, match="no such file"):
        connect(path, SCHEMA, access="read")
    assert list(tmp_path.iterdir()) == []
    with run(HOLDING, path) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("1\n")
        holder.stdin.flush()
        assert [holder.stdout.readline(), holder.stdout.readline()] == ["open\n", "written\n"]
        holder.send_signal(signal.SIGKILL)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
    with closing(connect(path, SCHEMA, access="read")) as reading:
        assert reading.execute("SELECT n FROM thing").fetchall() == [(1,)]  # out of the log left behind
        with pytest.raises(sqlite3.OperationalError):
            reading.execute("INSERT INTO thing VALUES (7)")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")} == before


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "deep" / "a.sqlite3", SCHEMA)) as connection:
        connection.execute("INSERT INTO thing VALUES (1)")
        assert [p for p in (tmp_path / "deep").iterdir() if p.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("kind", ["text", "other", "newer", "numbered", "directory", "pipe", "damaged"])
def test_what_is_not_ours_is_refused_untouched(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.sqlite3"
    wanted: type[database.Unusable] = database.Foreign
    if kind == "text":
        path.write_bytes(b"no database, but long enough to look at" * 100)
    elif kind in ("other", "newer", "numbered"):
        with closing(sqlite3.connect(path)) as theirs:
            theirs.execute(f"CREATE TABLE {'thing' if kind == 'newer' else 'photos'} (n)")
            if kind != "other":
                theirs.execute("PRAGMA user_version = 9" if kind == "newer" else "PRAGMA user_version = 2")
        wanted = database.OtherVersion if kind == "newer" else database.Foreign
    elif kind == "directory":
        path.mkdir()
        wanted = database.Unusable
    elif kind == "pipe":
        os.mkfifo(path)
        wanted = database.Unusable
    else:
        with closing(connect(path, SCHEMA)) as made, database.transaction(made):
            made.executemany("INSERT INTO thing VALUES (?)", [(n,) for n in range(5000)])
        content = bytearray(path.read_bytes())
        content[4096 * 2 : 4096 * 4] = b"\x5a" * 8192
        path.write_bytes(content)
        wanted = database.Damaged
    before = path.read_bytes() if path.is_file() else b""
    for access in ("write", "read"):
        with pytest.raises(wanted):
            connect(path, SCHEMA, access=access, check=True, patience=1)  # type: ignore[arg-type]
    assert not path.is_file() or path.read_bytes() == before


def test_an_older_version_is_brought_up_once(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    connect(path, SCHEMA).close()
    newer = Schema(
        version=4,
        create="",
        tables=("thing",),
        migrations={
            2: "ALTER TABLE thing ADD COLUMN a",
            3: lambda c: c.execute("ALTER TABLE thing ADD COLUMN b").close(),
        },
    )
    with ThreadPoolExecutor(4) as pool:
        found = []
        for one in pool.map(lambda _: connect(path, newer), range(4)):
            with closing(one):
                found.append(one.execute("SELECT * FROM thing").description)
    assert [[column[0] for column in columns] for columns in found] == [["n", "a", "b"]] * 4
    with pytest.raises(database.OtherVersion):
        connect(path, SCHEMA)


def test_an_empty_file_that_somebody_laid_there(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite3"
    path.touch(0o600)
    with pytest.raises(database.Unusable, match="empty"):
        connect(path, SCHEMA, access="read")
    connect(path, SCHEMA).close()
    assert count(path) == 0


def test_what_holds_it_is_waited_for_and_named_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite3"
    connect(path, SCHEMA).close()
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(database.Busy):
        connect(path, SCHEMA, patience=0.3)
    timer = threading.Timer(0.5, holder.close)
    timer.start()
    connect(path, SCHEMA, patience=20).close()
    timer.join()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="another user's link needs root")
def test_another_users_link_is_not_followed(tmp_path: Path) -> None:
    connect(tmp_path / "real.sqlite3", SCHEMA).close()
    link = tmp_path / "link.sqlite3"
    link.symlink_to("real.sqlite3")
    assert count(link) == 0  # one's own may be
    os.chown(link, 12345, 12345, follow_symlinks=False)
    with pytest.raises(database.Unusable, match="link"):
        connect(link, SCHEMA)


@pytest.mark.parametrize("kind", ["link", "pipe", "device", "folder"])
def test_what_lies_in_the_place_of_a_file_of_ours_is_not_written_to(tmp_path: Path, kind: str) -> None:
    """The names of locks and letters can be foretold, and somebody may have been there first."""
    mine, path = tmp_path / "mine", tmp_path / "reader.lock"
    mine.write_text("my own")
    if kind == "link":
        path.symlink_to(mine)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")
    else:
        path.mkdir()
    with pytest.raises(OSError):
        open_own(path, os.O_RDWR | os.O_CREAT)
    with pytest.raises(OSError):
        try_lock(path)
    assert mine.read_text() == "my own"
    path.rmdir() if kind == "folder" else path.unlink()
    with try_lock(path), pytest.raises(BlockingIOError):
        try_lock(path)
