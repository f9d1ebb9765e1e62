"""The journal: many writers, files that are not ours, disks that are full."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Standing

from .conftest import Shop

Make = Callable[..., Shop]


def test_many_threads_write_and_every_row_is_there_when_the_call_returns(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal, Journal(path, write=False) as reader:
        start = threading.Barrier(16)

        def work(n: int) -> None:
            start.wait()
            for _ in range(10):
                number = journal.begin(f"k{n}", f"s{n}", "activate" if n % 2 else "settings")
                mine = reader.steps(f"k{n}")
                assert (mine[-1].id, mine[-1].state) == (number, "begun")
                journal.end(number, note=n)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
        steps = reader.steps()
    assert len(steps) == 160
    assert {step.state for step in steps} == {"done"}
    assert all(step.key == f"k{step.detail['note']}" for step in steps)


def test_many_come_to_a_new_file_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def work(_: int) -> None:
        start.wait()
        with Journal(tmp_path / "j", write=False) as journal:
            assert journal.steps() == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as theirs, theirs:
        theirs.execute("CREATE TABLE letters (text)")
    theirs.close()
    with pytest.raises(ConfigError, match="another program"):
        Journal(path)
    with closing(sqlite3.connect(path)) as theirs, theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("letters",)]
    theirs.close()
    (tmp_path / "text").write_text("no database at all" * 100)
    with pytest.raises(ConfigError, match="cannot be used"):
        Journal(tmp_path / "text")


def test_a_damaged_journal_is_an_error_of_ours(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal._connection.execute("DROP TABLE step")
        for read in (journal.steps, journal.activations):
            with pytest.raises(ConfigError, match="cannot be used"):
                read()
        with pytest.raises(ConfigError, match="cannot be used"):
            journal.begin("k", "s", "wifi")
        journal.bind("any:FM020#1", "A")  # what is whole goes on
        assert journal.bindings() == {"any:FM020#1": "A"}


def test_a_full_disk_ends_the_run_and_nothing_is_written_unrecorded(
    shop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It once waited for ever for a camera whose outcome could not be kept."""
    here = shop(2)
    for camera in here.cameras:
        camera.state.wired = True
    here.write("[defaults]\nled = false\n")
    opened = Journal.__init__

    def small(self: Journal, *args: object, **options: object) -> None:
        opened(self, *args, **options)  # type: ignore[arg-type]
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._connection.execute(f"PRAGMA max_page_count = {pages}")
        for size in (500, 0):  # to the last row that fits
            with contextlib.suppress(ConfigError):
                while True:
                    self.begin("", "", "", text="x" * size)

    monkeypatch.setattr(Journal, "__init__", small)
    outcomes = here.run()
    assert {outcome.standing for outcome in outcomes.values()} == {Standing.FAILED}
    assert all("full" in outcome.problems[-1].message("en") for outcome in outcomes.values())
    assert here.counts("device/activate", "config/setLed") == [(0, 0)] * 2


def test_a_row_that_cannot_be_written_costs_nobody_elses(tmp_path: Path) -> None:
    """64 cameras share a transaction; each learns what became of its own row, whatever another holds."""
    with Journal(tmp_path / "j") as journal:

        def one(number: int) -> str:
            try:
                journal.begin(f"c{number}", "\ud800" if number % 10 == 3 else f"SN{number}", "wifi")
            except ConfigError as error:
                return str(error)
            return ""

        for _ in range(5):
            with ThreadPoolExecutor(16) as pool:
                said = list(pool.map(one, range(40)))
            assert [n for n, text in enumerate(said) if text] == [3, 13, 23, 33]
        assert all("\ud800" not in text for text in said)
        assert len(journal.steps()) == 36 * 5
        assert all(step.id for step in journal.steps())


def test_one_who_is_interrupted_leaves_nobody_believing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "j") as journal:
        with monkeypatch.context() as patched:

            def interrupt(batch: object) -> None:
                raise KeyboardInterrupt

            patched.setattr(journal, "_carry_out", interrupt)
            with pytest.raises(KeyboardInterrupt):
                journal.begin("a", "SN1", "wifi")
        assert journal.steps() == []
        assert journal.begin("a", "SN1", "wifi")


def test_looking_beside_a_run_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(1, 6):
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == str(number)
            with Journal(path, write=False) as looking:
                assert len(looking.steps()) == number
        process.send_signal(signal.SIGKILL)
    with Journal(path, write=False) as journal:
        assert len(journal.steps()) == 5


WRITING = """
import sys
from sunmi_ipc.fleet.journal import Journal
journal = Journal(sys.argv[1])
for line in sys.stdin:
    print(journal.begin("a", "SN1", "wifi"), flush=True)
"""
