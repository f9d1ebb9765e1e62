"""What was done to which camera: written before and after each step, so that an end at any moment is known."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from .. import database
from ..errors import ConfigError
from ..lock import try_lock

_TABLES = """
CREATE TABLE step (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,                      -- the camera, as the site file calls it
  sn TEXT NOT NULL,
  step TEXT NOT NULL,
  setting TEXT NOT NULL,
  state TEXT NOT NULL,                    -- begun, done, failed, undone (proved not carried out)
  began REAL NOT NULL,                    -- Unix seconds by this computer's clock
  ended REAL,
  detail TEXT NOT NULL                    -- JSON, no secrets
);
CREATE INDEX step_by_camera ON step (sn, step);
CREATE TABLE camera (
  key TEXT PRIMARY KEY,
  sn TEXT NOT NULL,
  updated REAL NOT NULL,
  outcome TEXT NOT NULL                   -- JSON of the last run's outcome
);
CREATE TABLE binding (key TEXT PRIMARY KEY, sn TEXT NOT NULL UNIQUE)
"""
_SCHEMA = database.Schema(version=1, create=_TABLES, tables=("step", "camera", "binding"), durable=False)

_COLUMNS = ("id", "key", "sn", "step", "setting", "state", "began", "ended")
#: Steps that may not be repeated blindly: their records are on the disk before the call is made.
DURABLE = frozenset({"activate", "format"})


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step: ``state`` is ``begun`` (its end is not known), ``done``, ``failed`` or ``undone``; times are Unix seconds."""

    id: int
    key: str
    sn: str
    step: str
    setting: str
    state: str
    began: float
    ended: float | None
    detail: Mapping[str, Any]


@dataclass(slots=True)
class _Entry:
    """One row on its way to the disk."""

    sql: str
    values: tuple[Any, ...] = field(repr=False)
    durable: bool
    written: bool = False
    number: int = 0
    error: str = ""


class Journal:
    """The record of a site, an SQLite file. Thread-safe; one writing process at a time.

    Args:
        path: The file, made where there is none; None keeps it in memory.
        write: Take the lock that keeps a second ``apply`` out.

    Raises:
        ConfigError: It cannot be used, or another process is at work on it.

    """

    def __init__(self, path: str | os.PathLike[str] | None, *, write: bool = True) -> None:
        self.path: Path = Path(":memory:" if path is None else path)
        self._lock = threading.Lock()
        self._queue: deque[_Entry] = deque()
        self._durable: bool | None = None
        self._guard: IO[bytes] | None = _lock_file(self.path) if write and path is not None else None
        try:
            self._connection = _connect(self.path, write=write)
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others in."""
        with self._lock:
            self._connection.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def _write(self, sql: str, values: tuple[Any, ...], *, durable: bool = False) -> int:
        """Write one row, on the disk when this returns. Returns: its number.

        Whoever comes first writes for all who wait: 64 cameras cost one transaction, not 64.
        """
        entry = _Entry(sql, values, durable)
        self._queue.append(entry)
        with self._lock:
            if not entry.written:
                batch = [self._queue.popleft() for _ in range(len(self._queue))]
                try:
                    self._commit(batch)
                finally:
                    for one in batch:
                        if (
                            not one.written
                        ):  # Ctrl-C, of all moments, now: nobody may take his row for written
                            one.written, one.error = True, one.error or "interrupted"
        if entry.error:
            raise _unusable(self.path, entry.error)
        return entry.number

    def _commit(self, batch: list[_Entry]) -> None:
        """Write *batch* in one transaction; where that fails, row by row: each learns its own fate."""
        try:
            self._carry_out(batch)
        except Exception as error:  # whatever it is: nobody may take his row for written
            if len(batch) == 1 or isinstance(database.why(error), database.NoRoom | database.Busy):
                for entry in batch:
                    entry.written, entry.error = True, database.reason(error)
            else:
                for entry in batch:
                    self._commit([entry])

    def _carry_out(self, batch: list[_Entry]) -> None:
        db = self._connection
        # A killed process loses no commit either way; a dead battery may lose the last NORMAL ones.
        durable = any(entry.durable for entry in batch)
        if durable is not self._durable:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        with database.transaction(db):
            for entry in batch:
                entry.number = db.execute(entry.sql, entry.values).lastrowid or 0
        for entry in batch:
            entry.written = True

    def _fetch(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise _unusable(self.path, str(error)) from None

    def begin(self, key: str, sn: str, step: str, setting: str = "", **detail: Any) -> int:
        """Record that a step is about to be carried out. Returns: its number."""
        return self._write(
            "INSERT INTO step (key, sn, step, setting, state, began, detail) VALUES (?, ?, ?, ?, 'begun', ?, ?)",
            (key, sn, step, setting, time.time(), json.dumps(detail)),
            durable=step in DURABLE,
        )

    def end(self, number: int, state: str = "done", **detail: Any) -> None:
        """Record how a step ended; *detail* is added to what it has."""
        self._write(
            "UPDATE step SET state = ?, ended = ?, detail = json_patch(detail, ?) WHERE id = ?",
            (state, time.time(), json.dumps(detail), number),
        )

    def add(self, number: int, **detail: Any) -> None:
        """Add to a step's detail while it is under way."""
        self._write(
            "UPDATE step SET detail = json_patch(detail, ?) WHERE id = ?",
            (json.dumps(detail), number),
        )

    def last(self, sn: str, step: str) -> StepRecord | None:
        """The latest record of a step on the camera of serial number *sn*."""
        rows = self._read("WHERE sn = ? AND step = ? ORDER BY id DESC LIMIT 1", sn, step)
        return rows[0] if rows else None

    def steps(self, key: str | None = None) -> list[StepRecord]:
        """Every record in order, of one camera or of all."""
        return self._read("ORDER BY id") if key is None else self._read("WHERE key = ? ORDER BY id", key)

    def _read(self, where: str, *values: str) -> list[StepRecord]:
        query = f"SELECT {', '.join(_COLUMNS)}, detail FROM step {where}"  # noqa: S608 - no text from outside
        return [
            StepRecord(**dict(zip(_COLUMNS, row[:-1], strict=True)), detail=json.loads(row[-1]))
            for row in self._fetch(query, *values)
        ]

    def activations(self) -> tuple[int, float]:
        """Activations that were carried out or may have been, and when the last began (Unix seconds; 0 = never)."""
        ((count, last),) = self._fetch(
            "SELECT COUNT(*) FILTER (WHERE state IN ('begun', 'done')), COALESCE(MAX(began), 0)"
            " FROM step WHERE step = 'activate' AND json_extract(detail, '$.already') IS NULL"
        )
        return int(count), float(last)

    def keep(self, key: str, sn: str, outcome: Mapping[str, Any]) -> None:
        """Record what became of a camera in this run."""
        self._write(
            "INSERT OR REPLACE INTO camera VALUES (?, ?, ?, ?)",
            (key, sn, time.time(), json.dumps(outcome)),
        )

    def outcomes(self) -> dict[str, tuple[float, dict[str, Any]]]:
        """By camera: when it was last worked on (Unix seconds), and what became of it."""
        rows = self._fetch("SELECT key, updated, outcome FROM camera")
        return {key: (updated, json.loads(outcome)) for key, updated, outcome in rows}

    def bind(self, key: str, sn: str) -> None:
        """Keep which camera an "any" entry has got, so that the next run gives it the same."""
        self._write("INSERT OR REPLACE INTO binding VALUES (?, ?)", (key, sn), durable=True)

    def bindings(self) -> dict[str, str]:
        """Serial numbers by "any" entry."""
        return dict(self._fetch("SELECT key, sn FROM binding"))

    def release(self, sn: str) -> str | None:
        """Let an "any" entry take another camera than *sn*. Returns: the entry; None where there is none."""
        keys = [key for key, bound in self.bindings().items() if bound == sn]
        for key in keys:
            self._write("DELETE FROM binding WHERE key = ?", (key,), durable=True)
            self._write("DELETE FROM camera WHERE key = ?", (key,))
        return keys[0] if keys else None


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the journal {path} cannot be used: {reason}",
        hint="Check that its folder is on a local disk and yours to write, or name another with --journal.",
        path=str(path),
        reason=reason,
    )


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    try:
        return database.connect(path, _SCHEMA, check=write)
    except database.OtherVersion as error:
        raise ConfigError(
            "the journal {path} is of version {version}; this program knows version {known}",
            hint="Update sunmi-ipc, or name another journal with --journal.",
            path=str(path),
            version=error.version,
            known=error.known,
        ) from None
    except database.Unusable as error:
        raise _unusable(path, str(error)) from None


def _lock_file(path: Path) -> IO[bytes]:
    """A lock that goes with the process, however it ends."""
    try:
        return try_lock(path.with_name(path.name + ".lock"))
    except BlockingIOError:
        raise ConfigError(
            "another process is at work on {path}",
            hint="Wait until it is done, or end it; its work is not lost.",
            path=str(path),
        ) from None
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None
