"""What was done to which camera: written before and after each step, so that an end at any moment is known."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from ..errors import ConfigError
from ..lock import try_lock

_VERSION = 1
_SCHEMA = """
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
CREATE INDEX step_by_camera ON step (key, step);
CREATE TABLE camera (
  key TEXT PRIMARY KEY,
  sn TEXT NOT NULL,
  updated REAL NOT NULL,
  outcome TEXT NOT NULL                   -- JSON of the last run's outcome
);
CREATE TABLE binding (key TEXT PRIMARY KEY, sn TEXT NOT NULL UNIQUE)
"""

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


class Journal:
    """The record of a site, an SQLite file. Thread-safe; one writing process at a time.

    Args:
        path: The file, made where there is none; None keeps it in memory.
        write: Take the lock that keeps a second ``apply`` out.

    Raises:
        ConfigError: It cannot be used, or another process is at work on it.

    """

    def __init__(self, path: str | os.PathLike[str] | None, *, write: bool = True) -> None:
        self.path = Path(":memory:" if path is None else path)
        self._lock = threading.Lock()
        self._guard: IO[bytes] | None = _lock_file(self.path) if write and path is not None else None
        try:
            self._connection = _connect(self.path)
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

    @contextlib.contextmanager
    def _writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock:
            # A killed process loses no commit either way; a dead battery may lose the last NORMAL ones.
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise _unusable(self.path, str(error)) from None

    def begin(self, key: str, sn: str, step: str, setting: str = "", **detail: Any) -> int:
        """Record that a step is about to be carried out. Returns: its number."""
        with self._writing(durable=step in DURABLE) as db:
            cursor = db.execute(
                "INSERT INTO step (key, sn, step, setting, state, began, detail) VALUES (?, ?, ?, ?, 'begun', ?, ?)",
                (key, sn, step, setting, time.time(), json.dumps(detail, ensure_ascii=False)),
            )
        return int(cursor.lastrowid or 0)

    def end(self, number: int, state: str = "done", **detail: Any) -> None:
        """Record how a step ended; *detail* is added to what it has."""
        with self._writing() as db:
            db.execute(
                "UPDATE step SET state = ?, ended = ?, detail = json_patch(detail, ?) WHERE id = ?",
                (state, time.time(), json.dumps(detail, ensure_ascii=False), number),
            )

    def add(self, number: int, **detail: Any) -> None:
        """Add to a step's detail while it is under way."""
        with self._writing() as db:
            db.execute(
                "UPDATE step SET detail = json_patch(detail, ?) WHERE id = ?",
                (json.dumps(detail, ensure_ascii=False), number),
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
        with self._lock:
            rows = self._connection.execute(query, values).fetchall()
        return [
            StepRecord(**dict(zip(_COLUMNS, row[:-1], strict=True)), detail=json.loads(row[-1]))
            for row in rows
        ]

    def activations(self) -> tuple[int, float]:
        """Activations that were carried out or may have been, and when the last began (Unix seconds; 0 = never)."""
        with self._lock:
            count, last = self._connection.execute(
                "SELECT COUNT(*) FILTER (WHERE state IN ('begun', 'done')), COALESCE(MAX(began), 0)"
                " FROM step WHERE step = 'activate' AND json_extract(detail, '$.already') IS NULL"
            ).fetchone()
        return int(count), float(last)

    def keep(self, key: str, sn: str, outcome: Mapping[str, Any]) -> None:
        """Record what became of a camera in this run."""
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO camera VALUES (?, ?, ?, ?)",
                (key, sn, time.time(), json.dumps(outcome, ensure_ascii=False)),
            )

    def outcomes(self) -> dict[str, tuple[float, dict[str, Any]]]:
        """By camera: when it was last worked on (Unix seconds), and what became of it."""
        with self._lock:
            rows = self._connection.execute("SELECT key, updated, outcome FROM camera").fetchall()
        return {key: (updated, json.loads(outcome)) for key, updated, outcome in rows}

    def bind(self, key: str, sn: str) -> None:
        """Keep which camera an "any" entry has got, so that the next run gives it the same."""
        with self._writing(durable=True) as db:
            db.execute("INSERT OR REPLACE INTO binding VALUES (?, ?)", (key, sn))

    def bindings(self) -> dict[str, str]:
        """Serial numbers by "any" entry."""
        with self._lock:
            return dict(self._connection.execute("SELECT key, sn FROM binding").fetchall())


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the journal {path} cannot be used: {reason}",
        hint="Check that its folder is on a local disk and yours to write, or name another with --journal.",
        path=str(path),
        reason=reason,
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        if path.name != ":memory:":
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA};PRAGMA user_version = {_VERSION};COMMIT")
            version = _VERSION
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise _unusable(path, getattr(error, "strerror", None) or str(error)) from None
    if version != _VERSION:
        connection.close()
        raise ConfigError(
            "the journal {path} is of version {version}; this program knows version {known}",
            hint="Update sunmi-ipc, or name another journal with --journal.",
            path=str(path),
            version=version,
            known=_VERSION,
        )
    return connection


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
