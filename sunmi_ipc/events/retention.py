"""What the spool keeps, and what it may drop."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from .store import used_bytes

_log = logging.getLogger("sunmi_ipc")
_CHUNK = 1000  # rows dropped in one transaction: the cameras wait no longer than this takes
_EVERY_S = 10.0
_EVERY_ROWS = 5000
_LOW_WATER = 0.9


@dataclass(frozen=True, slots=True)
class Retention:
    """What the spool keeps.

    What a live consumer has not acknowledged is kept whatever ``max_age_s`` and ``max_bytes`` say.
    Only ``hard_bytes`` drops it, oldest first, and counts it as lost.

    Args:
        max_age_s: Seconds that an event is kept, by the time it was received; 30 days.
        max_bytes: Size of the database above which the oldest events go; 1 GiB.
        hard_bytes: Size that is never exceeded by much; 8 GiB.
        min_age_s: Seconds that an acknowledged event is kept whatever ``max_bytes`` says, so that a
            repeat is recognised; 10 minutes.
        abandoned_s: Seconds without a sign of life after which a consumer no longer counts, unless it is open
            in this process; 30 days.

    """

    max_age_s: float = 30 * 86400
    max_bytes: int = 1 << 30
    hard_bytes: int = 8 << 30
    min_age_s: float = 600
    abandoned_s: float = 30 * 86400


class Cleaner:
    """Applies a :class:`Retention`; runs in the writer's thread.

    *readers* names the consumers that are open here: those are alive, however far the clock has jumped
    since their last sign of life.
    """

    def __init__(self, retention: Retention | None, readers: Callable[[], list[str]]) -> None:
        self.retention, self._readers = retention, readers
        self._rows = 0
        self._next = 0.0

    def __call__(self, connection: sqlite3.Connection, written: int) -> None:
        """Drop what may go, now and then."""
        self._rows += written
        now = time.monotonic()
        if self.retention is None or (now < self._next and self._rows < _EVERY_ROWS):
            return
        self._rows, self._next = 0, now + _EVERY_S
        self.clean(connection, self.retention)

    def clean(self, connection: sqlite3.Connection, keep: Retention) -> None:
        """Drop what may go."""
        now = time.time()
        live = int((now - keep.abandoned_s) * 1e6)
        (acknowledged,) = connection.execute(
            "SELECT min(cursor) FROM consumers WHERE seen >= ? OR name IN (SELECT value FROM json_each(?))",
            (live, json.dumps(self._readers())),
        ).fetchone()
        limit = (1 << 62) if acknowledged is None else int(acknowledged)
        old = int((now - keep.max_age_s) * 1e6)
        while self._drop(connection, "dropped_by_age", limit, old) == _CHUNK:
            pass
        settled = int((now - keep.min_age_s) * 1e6)
        self._shrink(connection, "dropped_by_size", keep.max_bytes, limit, settled)
        self._shrink(connection, "dropped_by_hard_limit", keep.hard_bytes, 1 << 62, 1 << 62)

    def _shrink(
        self, connection: sqlite3.Connection, counter: str, size: int, limit: int, before: int
    ) -> None:
        used = used_bytes(connection)
        if used <= size:
            return
        while used > size * _LOW_WATER:
            first, last = connection.execute("SELECT min(seq), max(seq) FROM events").fetchone()
            if first is None:
                break
            # About as many as are too many, so that a few large events do not cost a thousand others.
            share = (last - first + 1) * (used - size * _LOW_WATER) / used
            if not self._drop(connection, counter, limit, before, min(_CHUNK, int(share) + 1)):
                break
            used = used_bytes(connection)
        connection.execute("PRAGMA incremental_vacuum").fetchall()

    def _drop(
        self, connection: sqlite3.Connection, counter: str, limit: int, before: int, most: int = _CHUNK
    ) -> int:
        """Drop the *most* oldest up to *limit* that were received before *before*; how many."""
        execute = connection.execute
        execute("BEGIN IMMEDIATE")
        last, number = execute(
            "SELECT max(seq), count(*) FROM (SELECT seq FROM events WHERE seq <= ? AND received < ?"
            " ORDER BY seq LIMIT ?)",
            (limit, before, most),
        ).fetchone()
        if number:
            where = (last, before)
            # "cursor < seq" counts what was not acknowledged: nothing, but for the hard limit.
            execute(
                "UPDATE consumers SET lost = lost + (SELECT count(*) FROM events"
                " WHERE seq <= ? AND received < ? AND seq > consumers.cursor)",
                where,
            )
            execute(
                "DELETE FROM pictures WHERE seq IN (SELECT seq FROM events WHERE seq <= ? AND received < ?)",
                where,
            )
            execute("DELETE FROM given_up WHERE seq <= ?", (last,))
            execute("DELETE FROM events WHERE seq <= ? AND received < ?", where)
            execute(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (counter, number),
            )
        execute("COMMIT")
        if number and counter == "dropped_by_hard_limit":
            _log.warning("event spool: %d events dropped by the hard size limit", number)
        return int(number)
