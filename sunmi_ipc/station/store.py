"""The station's memory: one SQLite file with counts, verdicts, mutes and the audit.

Write-ahead log; tables have a version, and older files are brought up to date when they are opened. A
full or damaged disk never stops the watching: what cannot be written is told by :attr:`Store.problem`, and
what must not be lost (:meth:`Store.later`) waits in memory, bounded, until it can be written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

from .. import database
from ..errors import ConfigError
from .schema import SCHEMA

_log = logging.getLogger("sunmi_ipc")
FILE = "station.sqlite3"
#: Rows that wait for a disk that takes nothing: a day of verdicts and counts of a large shop.
_WAITING = 50_000
_RETRY_S = 5.0
Row = tuple[str, Sequence[Any]]
#: A row's own fault, which no waiting mends: a number or a text that no database takes, or a key that is there.
_ITS_OWN = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    ValueError,
    TypeError,
)


class StoreError(ConfigError):
    """The station's database cannot be used."""


class Store:
    """The database. Thread-safe; many processes may read it, one station writes it.

    Args:
        path: The file; made where there is none, for this user alone.
        read_only: Never write: for looking at a running station's data.

    Raises:
        StoreError: It is not ours, of a later version, or cannot be opened.

    """

    path: Path
    read_only: bool

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path, self.read_only = Path(path), read_only
        #: Why the last writing failed; empty since one succeeded.
        self.problem: str = ""
        self._lock = threading.RLock()
        self._waiting: deque[Row] = deque()
        self._retry = 0.0
        #: Whether there is no connection: ours to open again (after damage), or closed for good.
        self._lost = self._closed = False
        #: Rows that had to be dropped: too many waited, or no database takes them.
        self.dropped: int = 0
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return database.connect(
                self.path, SCHEMA, access="read" if self.read_only else "write", check=not self.read_only
            )
        except database.OtherVersion as error:
            raise StoreError(
                "the station's database {path} is of version {version}; this program knows up to {known}",
                hint="Update sunmi-ipc.",
                path=str(self.path),
                version=error.version,
                known=error.known,
            ) from None
        except database.Damaged:
            if self.read_only:
                raise self._unusable("it is damaged") from None
        except database.Unusable as error:
            raise self._unusable(str(error)) from None
        return self._begin_anew()

    def _begin_anew(self) -> sqlite3.Connection:
        """Watching goes on with a new file; the damaged one is kept for whoever can read it."""
        aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
        # The log goes first: beside the new file it would be taken for the new file's, also after a power cut.
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(OSError):
                os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
        _log.error("the station's database was damaged; it is kept as %s, and a new one was begun", aside)
        try:
            return database.connect(self.path, SCHEMA)
        except database.Unusable as error:
            raise self._unusable(str(error)) from None

    def _unusable(self, reason: str) -> StoreError:
        return StoreError(
            "the station's database {path} cannot be used: {reason}",
            hint="Check that its folder is on a local disk and yours to write.",
            path=str(self.path),
            reason=reason,
        )

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; what waits to be written is not among them. Raises StoreError."""
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                self._failed(error)
                raise self._error(error) from None

    def write(self, *rows: Row) -> None:
        """Carry out statements as one transaction, on the disk when this returns.

        Raises:
            StoreError: They could not be written; none was.

        """
        with self._lock:
            try:
                self._commit([*rows])
            except sqlite3.Error as error:
                self._failed(error)
                raise self._error(error) from None
            self._drain()

    def write_new(self, sql: str, values: Sequence[Any]) -> None:
        """As :meth:`write` one statement; raises sqlite3.IntegrityError where there is such a row already."""
        with self._lock:
            try:
                self._commit([(sql, values)])
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                self._failed(error)
                raise self._error(error) from None

    def later(self, *rows: Row) -> bool:
        """As :meth:`write`, but never raises: what cannot be written now waits and is tried again.

        Returns: whether it is on the disk.
        """
        with self._lock:
            if self._waiting:
                self._wait(rows)
                self._drain()
                return not self._waiting
            try:
                self._commit([*rows])
            except _ITS_OWN:
                self._wait(rows)
                self._retry = 0.0
                self._drain()
                return not self._waiting
            except sqlite3.Error as error:
                self._failed(error)
                self._wait(rows)
                return False
            return True

    def tidy(self, rows: Iterable[Row] = ()) -> None:
        """Try what waits, then carry out *rows* (such as deletions by age); never raises."""
        with self._lock:
            self._look_for_file()
            self._retry = 0.0
            self._drain()
            try:
                self._commit([*rows])
            except (sqlite3.Error, *_ITS_OWN) as error:
                self._failed(error)

    @property
    def waiting(self) -> int:
        """How many rows wait to be written."""
        return len(self._waiting)

    def size(self) -> int:
        """Bytes on the disk."""
        total = 0
        for suffix in ("", "-wal"):
            with contextlib.suppress(OSError):
                total += os.stat(f"{self.path}{suffix}").st_size
        return total

    def close(self) -> None:
        """Write what waits, and close."""
        with self._lock:
            self._retry = 0.0
            self._drain()
            self._closed = True
            self._db.close()

    def _wait(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if len(self._waiting) >= _WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(row)

    def _drain(self) -> None:
        if not self._waiting or time.monotonic() < self._retry:
            return
        try:
            self._write_waiting(len(self._waiting))
        except sqlite3.Error as error:
            self._failed(error)

    def _write_waiting(self, number: int) -> None:
        """Write the first so many that wait; one that can never be written is found by halves, and given up alone."""
        try:
            self._commit(list(islice(self._waiting, number)))
        except _ITS_OWN as error:
            if number > 1:
                self._write_waiting(number // 2)
                self._write_waiting(number - number // 2)
                return
            self.dropped += 1
            # Not the error's text, which may quote what could not be stored.
            _log.error("the station's database does not take a row: %s", type(error).__name__)
        for _ in range(number):
            self._waiting.popleft()

    def _commit(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if self._lost and not self._closed:
            self._again(self._open)
        if self._lost or self._closed:
            raise sqlite3.OperationalError("it could not be opened again")
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in rows:
                db.execute(sql, values)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise
        if self.problem:
            _log.warning("the station's database takes writes again")
            self.problem = ""

    def _failed(self, error: Exception) -> None:
        self._retry = time.monotonic() + _RETRY_S
        reason = str(database.why(error))
        if reason != self.problem:
            _log.error("the station's database %s: %s", self.path, reason)
        self.problem = reason
        if self.read_only:
            return
        if isinstance(database.why(error), database.Damaged):
            self._again(self._open)
        elif isinstance(database.why(error), database.Foreign):  # it was ours a moment ago
            self._again(self._begin_anew)

    def _again(self, opened: Callable[[], sqlite3.Connection]) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self._lost = True
        try:
            self._db = opened()
            self._lost = False
        except (StoreError, sqlite3.Error) as failed:
            _log.error("%s", failed)

    def _look_for_file(self) -> None:
        """Where somebody has deleted the file, what is written would go nowhere: another is begun."""
        if self.read_only or os.path.exists(self.path):
            return
        _log.error("the station's database %s was deleted; a new one was begun", self.path)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(f"{self.path}{suffix}")
        self._again(self._open)

    def _error(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            "the station's database {path} cannot be used: {reason}",
            hint="Free space on that disk; watching goes on meanwhile.",
            path=str(self.path),
            reason=str(database.why(error)),
        )
