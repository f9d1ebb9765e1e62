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

from .. import database
from ..errors import SpoolError, SunmiIpcError
from .store import connect, translate

_log = logging.getLogger("sunmi_ipc")
_BATCH = 2000  # rows a commit takes at most: bounds its time
_BATCH_BYTES = 8 << 20  # and its memory: a body may have a megabyte
_RETRY_S = 0.5
#: Where several come at a time, a commit waits this long for more: it costs for one what it costs for fifty.
_GATHER_S = 0.003
#: Rows whose signed envelope came before, and unsigned copies of what came signed, are repeats as well.
_IGNORING_REPEATS = """
INSERT OR IGNORE INTO events (sn, type, event_id, content, received, source, verified, face, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'),
       json_extract(value, '$[4]'), json_extract(value, '$[7]'), json_extract(value, '$[9]')
FROM json_each(?1) AS row
WHERE NOT EXISTS (SELECT 1 FROM seals WHERE seal = json_extract(row.value, '$[8]'))
AND (json_extract(row.value, '$[4]') OR NOT EXISTS (
  SELECT 1 FROM events WHERE sn = json_extract(row.value, '$[0]') AND type = json_extract(row.value, '$[1]')
  AND event_id = json_extract(row.value, '$[2]') AND content = json_extract(row.value, '$[3]') AND verified = 1))
ORDER BY row.key
"""
_SEALS = """
INSERT OR IGNORE INTO seals SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
"""
_NEW = """
SELECT json_group_array(row.key) FROM json_each(?) AS row JOIN events
ON events.sn = json_extract(row.value, '$[0]') AND events.type = json_extract(row.value, '$[1]')
AND events.event_id = json_extract(row.value, '$[2]') AND events.content = json_extract(row.value, '$[3]')
AND events.verified = json_extract(row.value, '$[4]') WHERE events.seq > ?
"""

#: What makes a row itself: sn, type, event_id, content, verified.
Key = tuple[str, str, str, str, int]


class Row(NamedTuple):
    """An event as it is stored; the first five are its key."""

    sn: str
    type: str
    event_id: str
    content: str
    verified: int
    received: int
    source: str
    face: int
    seal: str | None
    body: str

    @property
    def key(self) -> Key:
        """What makes it itself."""
        return self[:5]


class _Batch:
    """What one commit writes, and those who wait for it."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.seals: dict[str, Key] = {}
        self.bytes = 0
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.actions: list[Callable[[sqlite3.Connection], None]] = []
        self.done = threading.Event()
        self.error: SunmiIpcError | None = None
        #: Of those that failed by themselves, by key or by their place among the statements or actions.
        self.errors: dict[object, SunmiIpcError] = {}
        self.repeats: frozenset[Key] = frozenset()

    @property
    def wanted(self) -> bool:
        return bool(self.rows or self.statements or self.actions)

    def wait(self, part: object) -> None:
        self.done.wait()
        error = self.error or self.errors.get(part)
        if error is not None:
            # Each waiter raises its own: one exception in many threads would mix their tracebacks.
            raise copy(error)


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
        self.commits: int = 0
        #: Why the last write failed; None where it did not.
        self.problem: SpoolError | None = None
        self._thread = threading.Thread(target=self._run, name="event-spool", daemon=True)
        self._thread.start()

    def append(self, row: Row) -> bool:
        """Write *row* and wait until it is on the disk; False for a repeat.

        Raises:
            SpoolFull: No room. SpoolError: it cannot be written otherwise, or the spool is closed.

        """
        key = row.key
        with self._condition:
            batch = self._last(len(row.body))
            first = key if key in batch.rows else batch.seals.get(row.seal or "")
            repeated = first is not None
            if not repeated:
                batch.rows[key] = row
                batch.bytes += len(row.body)
                if row.seal is not None:
                    batch.seals[row.seal] = key
            self._condition.notify()
        batch.wait(first or key)
        return not repeated and key not in batch.repeats

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        """Carry out *statement* with the next commit and wait for it; raises as :meth:`append`."""
        with self._condition:
            batch = self._last(0)
            batch.statements.append((statement, values))
            part = ("statement", len(batch.statements) - 1)
            self._condition.notify()
        batch.wait(part)

    def run(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Call *action* after the next commit, outside a transaction, and wait; raises as :meth:`append`."""
        with self._condition:
            batch = self._last(0)
            batch.actions.append(action)
            part = ("action", len(batch.actions) - 1)
            self._condition.notify()
        batch.wait(part)

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

    def _last(self, size: int) -> _Batch:
        self._check_open()
        batch = self._batches[-1]
        if len(batch.rows) + len(batch.statements) >= _BATCH or (
            batch.bytes and batch.bytes + size > _BATCH_BYTES
        ):
            self._batches.append(batch := _Batch())
        return batch

    def _keep_ack(self, consumer: str, seq: int, seen: int) -> None:
        old = self._acks.get(consumer, (0, 0))
        self._acks[consumer] = (max(seq, old[0]), max(seen, old[1]))

    def _waiting(self) -> bool:
        return self._batches[0].wanted or bool(self._acks)

    def _run(self) -> None:
        written, pause, together = 0, 0.0, False
        while True:
            with self._condition:
                if pause:
                    # Only acknowledgements are left over: a full disk must not make this loop spin.
                    self._condition.wait_for(lambda: not self._open or self._batches[0].wanted, pause)
                self._condition.wait_for(lambda: not self._open or self._waiting(), 1.0)
                if not self._open and not self._waiting():
                    break
                gather = together and self._open and len(self._batches) == 1
            if gather:
                time.sleep(_GATHER_S)
            with self._condition:
                batch = self._batches.pop(0)
                if not self._batches:
                    self._batches.append(_Batch())
                acks, self._acks = self._acks, {}
            pause, together = 0.0, len(batch.rows) > 1
            if batch.wanted or acks:
                try:
                    self._write(batch, acks)
                    self.problem = None
                    written += len(batch.rows)
                except Exception as error:  # whatever it is: those who wait are told, and the thread goes on
                    batch.error = self.problem = translate(error, self._path)
                    pause = self._failed(acks)
                else:
                    self._act(batch)
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

    def _write(self, batch: _Batch, acks: dict[str, tuple[int, int]]) -> None:
        """Commit all of *batch*, or what of it can be; raises where nothing can."""
        try:
            self._commit(batch, acks)
            return
        except Exception as error:
            single = len(batch.rows) + len(batch.statements) <= 1
            if single or isinstance(database.why(error), database.NoRoom | database.Busy | database.Damaged):
                raise
            _log.info(
                "event spool: a batch failed, its rows are tried one by one: %s", database.reason(error)
            )
            self._failed({})
        repeats: set[Key] = set()
        parts: list[tuple[object, _Batch]] = [(key, _part(row=row)) for key, row in batch.rows.items()]
        parts += [(("statement", n), _part(statement=one)) for n, one in enumerate(batch.statements)]
        for name, part in parts:
            try:
                self._commit(part, {})
                repeats |= part.repeats
            except Exception as error:
                batch.errors[name] = translate(error, self._path)
                self._failed({})
        batch.repeats = frozenset(repeats)
        self._commit(_Batch(), acks)

    def _act(self, batch: _Batch) -> None:
        for number, action in enumerate(batch.actions):
            try:
                action(self._connection)
            except Exception as error:
                batch.errors["action", number] = translate(error, self._path)
                self._failed({})

    def _commit(self, batch: _Batch, acks: dict[str, tuple[int, int]]) -> None:
        execute = self._connection.execute
        with database.transaction(self._connection):
            if batch.rows:
                self._insert(batch)
            for statement, values in batch.statements:
                execute(statement, values)
            for name, (seq, seen) in acks.items():
                execute(
                    "UPDATE consumers SET cursor = max(cursor, ?), seen = max(seen, ?), idle = 0 WHERE name = ?",
                    (seq, seen, name),
                )
        self.commits += 1

    def _insert(self, batch: _Batch) -> None:
        execute = self._connection.execute
        rows = json.dumps(list(batch.rows.values()), ensure_ascii=False)
        before = execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        inserted = execute(_IGNORING_REPEATS, (rows,)).rowcount
        if inserted < len(batch.rows):
            keys = list(batch.rows)
            new = json.loads(execute(_NEW, (rows, before[0] if before else 0)).fetchone()[0])
            batch.repeats = frozenset(keys) - {keys[i] for i in new}
        seals = [(row.seal, row.received) for row in batch.rows.values() if row.seal is not None]
        if seals:
            execute(_SEALS, (json.dumps(seals),))


def _part(*, row: Row | None = None, statement: tuple[str, tuple[Any, ...]] | None = None) -> _Batch:
    part = _Batch()
    if row is not None:
        part.rows[row.key] = row
    if statement is not None:
        part.statements.append(statement)
    return part
