"""One thread that writes, many that wait: group commit.

Whoever appends while a commit is on its way to the disk joins the next one, so that one flush
serves them all. Each commit is one SQL statement for all its events, because every statement
hands Python's lock to the other threads and has to win it back.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SpoolError, SunmiIpcError
from .store import connect, translate

_log = logging.getLogger("sunmi_ipc")
_BATCH = 2000  # rows a commit takes at most: bounds its memory and its time
_RETRY_S = 0.5
_IGNORING_REPEATS = """
INSERT OR IGNORE INTO events (sn, type, event_id, received, source, verified, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
       json_extract(value, '$[6]')
FROM json_each(?) ORDER BY key
"""
_REPEATS = """
SELECT json_group_array(row.key) FROM json_each(?) AS row JOIN events
ON events.sn = json_extract(row.value, '$[0]') AND events.type = json_extract(row.value, '$[1]')
AND events.event_id = json_extract(row.value, '$[2]') WHERE events.seq <= ?
"""


class Row(NamedTuple):
    """An event as it is stored."""

    sn: str
    type: str
    event_id: str
    received: int
    source: str
    verified: int
    body: str


class _Batch:
    """What one commit writes, and those who wait for it."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.actions: list[Callable[[sqlite3.Connection], None]] = []
        self.done = threading.Event()
        self.error: SunmiIpcError | None = None
        self.repeats: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def wanted(self) -> bool:
        return bool(self.rows or self.statements or self.actions)

    def wait(self) -> None:
        self.done.wait()
        if self.error is not None:
            # Each waiter raises its own: one exception in many threads would mix their tracebacks.
            raise copy(self.error)


class Writer:
    """Owns the writing connection.

    Args:
        path: The database.
        committed: Called after every commit.
        tidy: Called with the connection and the rows written since, after commits and when idle.

    """

    def __init__(
        self, path: Path, committed: Callable[[], None], tidy: Callable[[sqlite3.Connection, int], None]
    ) -> None:
        self._path, self._committed, self._tidy = path, committed, tidy
        self._connection = connect(path, check=True)
        self._condition = threading.Condition()
        self._batches = [_Batch()]
        self._acks: dict[str, tuple[int, int]] = {}
        self._open = True
        self.commits = 0
        self._thread = threading.Thread(target=self._run, name="event-spool", daemon=True)
        self._thread.start()

    def append(self, row: Row) -> bool:
        """Write *row* and wait until it is on the disk; False for a repeat.

        Raises:
            SpoolFull: No room. SpoolError: it cannot be written otherwise, or the spool is closed.

        """
        key = row[:3]
        with self._condition:
            batch = self._last()
            repeated = key in batch.rows
            if not repeated:
                batch.rows[key] = row
            self._condition.notify()
        batch.wait()
        return not repeated and key not in batch.repeats

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        """Carry out *statement* with the next commit and wait for it; raises as :meth:`append`."""
        with self._condition:
            batch = self._last()
            batch.statements.append((statement, values))
            self._condition.notify()
        batch.wait()

    def run(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Call *action* after the next commit, outside a transaction, and wait; raises as :meth:`append`."""
        with self._condition:
            batch = self._last()
            batch.actions.append(action)
            self._condition.notify()
        batch.wait()

    def ack(self, consumer: str, seq: int) -> None:
        """Move a cursor with the next commit. Not waited for: an acknowledgement lost is a delivery more."""
        with self._condition:
            self._check_open()
            self._keep_ack(consumer, seq, time.time_ns() // 1000)
            self._condition.notify()

    def close(self) -> None:
        """Write what is waiting, then close."""
        with self._condition:
            self._open = False
            self._condition.notify()
        self._thread.join()

    def _check_open(self) -> None:
        if not self._open:
            raise SpoolError("the event spool {path} is closed", path=str(self._path))

    def _last(self) -> _Batch:
        self._check_open()
        batch = self._batches[-1]
        if len(batch.rows) + len(batch.statements) >= _BATCH:
            self._batches.append(batch := _Batch())
        return batch

    def _keep_ack(self, consumer: str, seq: int, seen: int) -> None:
        old = self._acks.get(consumer, (0, 0))
        self._acks[consumer] = (max(seq, old[0]), max(seen, old[1]))

    def _waiting(self) -> bool:
        return self._batches[0].wanted or bool(self._acks)

    def _run(self) -> None:
        written, pause = 0, 0.0
        while True:
            with self._condition:
                if pause:
                    # Only acknowledgements are left over: a full disk must not make this loop spin.
                    self._condition.wait_for(lambda: not self._open or self._batches[0].wanted, pause)
                self._condition.wait_for(lambda: not self._open or self._waiting(), 1.0)
                if not self._open and not self._waiting():
                    break
                batch = self._batches.pop(0)
                if not self._batches:
                    self._batches.append(_Batch())
                acks, self._acks = self._acks, {}
            pause = 0.0
            if batch.wanted or acks:
                try:
                    self._commit(batch, acks)
                    for action in batch.actions:
                        action(self._connection)
                    written += len(batch.rows)
                except Exception as error:  # whatever it is: those who wait are told, and the thread goes on
                    batch.error = translate(error, self._path)
                    pause = self._failed(acks)
                batch.done.set()
                self._committed()
                if pause and not self._open:
                    break
            written = self._tidied(written)
        self._connection.close()

    def _failed(self, acks: dict[str, tuple[int, int]]) -> float:
        try:
            self._connection.rollback()
        except sqlite3.Error as error:
            _log.warning("event spool: %s", error)
        with self._condition:
            for name, (seq, seen) in acks.items():
                self._keep_ack(name, seq, seen)
        return _RETRY_S

    def _tidied(self, written: int) -> int:
        try:
            self._tidy(self._connection, written)
        except Exception as error:
            _log.warning("event spool: old events could not be dropped: %s", error)
            self._failed({})
        return 0

    def _commit(self, batch: _Batch, acks: dict[str, tuple[int, int]]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if batch.rows:
            rows = json.dumps(list(batch.rows.values()), ensure_ascii=False)
            before = execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
            inserted = execute(_IGNORING_REPEATS, (rows,)).rowcount
            if inserted < len(batch.rows):
                keys = list(batch.rows)
                found = execute(_REPEATS, (rows, before[0] if before else 0)).fetchone()[0]
                batch.repeats = frozenset(keys[i] for i in json.loads(found))
        for statement, values in batch.statements:
            execute(statement, values)
        for name, (seq, seen) in acks.items():
            execute(
                "UPDATE consumers SET cursor = max(cursor, ?), seen = max(seen, ?) WHERE name = ?",
                (seq, seen, name),
            )
        execute("COMMIT")
        self.commits += 1
