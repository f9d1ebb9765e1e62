"""What the spool keeps, and what it may drop."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..database import transaction
from .clock import Clock
from .store import used_bytes

_log = logging.getLogger("sunmi_ipc")
_CHUNK = 1000  # rows dropped in one transaction: the cameras wait no longer than this takes
_EVERY_S = 10.0
_EVERY_ROWS = 5000
_LOW_WATER = 0.9
_CLOCK_S = 60.0  # how often the clock is written down
_COUNT_S = 600.0  # how often the seconds that consumers are away are written down
_SEALS_EVERY_S = 3600.0
_SEALS_AGE_S = 400 * 86400.0  # an overheard event may be sent again a year later
_SEALS_MOST = 1_000_000  # some 60 MB


@dataclass(frozen=True, slots=True)
class Retention:
    """What the spool keeps.

    What a live consumer has not acknowledged is kept whatever the ages and ``max_bytes`` say. Only
    ``hard_bytes`` drops it, oldest first, and counts it as lost. For a day after the computer's clock has
    jumped forward nothing goes by its age.

    Args:
        max_age_s: Seconds that an event is kept, by the time it was received; 30 days.
        faces_age_s: The same for an event that is about a face: personal data; 7 days.
        max_bytes: Size of the database above which the oldest events go; 1 GiB.
        hard_bytes: Size that is never exceeded by much; 8 GiB.
        min_age_s: Seconds that an acknowledged event is kept whatever ``max_bytes`` says, so that a
            repeat is recognised; 10 minutes.
        abandoned_s: Seconds without a sign of life after which a consumer no longer counts, unless some
            process has it open; 30 days. Counted while the spool is in use, not read off a clock.

    """

    max_age_s: float = 30 * 86400
    faces_age_s: float = 7 * 86400
    max_bytes: int = 1 << 30
    hard_bytes: int = 8 << 30
    min_age_s: float = 600
    abandoned_s: float = 30 * 86400


class Cleaner:
    """Applies a :class:`Retention`; runs in the writer's thread.

    *held* tells of a consumer's name whether it is open, here or in another process: then it lives, whatever
    any clock says.
    """

    retention: Retention | None

    def __init__(self, retention: Retention | None, held: Callable[[str], bool]) -> None:
        self.retention, self._held = retention, held
        self._rows = 0
        self._next = self._seals_next = self._clock_next = 0.0
        self._clock: Clock | None = None
        self._passed = 0.0

    def __call__(self, connection: sqlite3.Connection, written: int) -> None:
        """Drop what may go, now and then."""
        self._rows += written
        now = time.monotonic()
        if self.retention is None or (now < self._next and self._rows < _EVERY_ROWS):
            return
        self._rows, self._next = 0, now + _EVERY_S
        if self._clock is None:
            kept = dict(
                connection.execute("SELECT name, value FROM counters WHERE name IN ('clock', 'doubt')")
            )
            self._clock = Clock(kept.get("clock", 0), kept.get("doubt", 0))
        self._passed += self._clock.look()
        clock = self._clock
        if now >= self._clock_next:
            self._clock_next = now + _CLOCK_S
            connection.execute(
                "INSERT OR REPLACE INTO counters VALUES ('clock', ?), ('doubt', ?)",
                (int(clock.last), int(clock.doubt)),
            )
        self.clean(connection, self.retention, by_age=clock.is_believed)

    @property
    def believes_clock(self) -> bool:
        """Whether what is old by the computer's clock may go."""
        return self._clock is None or self._clock.is_believed

    def clean(self, connection: sqlite3.Connection, keep: Retention, *, by_age: bool = True) -> None:
        """Drop what may go; *by_age*: also what is old by the computer's clock."""
        now = time.time()
        limit = self._acknowledged(connection, keep)
        if by_age:
            for counter, age, condition in (
                ("dropped_by_age", keep.max_age_s, "1"),
                ("dropped_faces_by_age", min(keep.faces_age_s, keep.max_age_s), "face"),
            ):
                before = int((now - age) * 1e6)
                upto = min(limit, _first_young(connection, before, now) - 1)
                while self._drop(connection, counter, upto, before, condition=condition) == _CHUNK:
                    pass
            self._drop_seals(connection, now)
        settled = int((now - keep.min_age_s) * 1e6)
        self._shrink(connection, "dropped_by_size", keep.max_bytes, limit, settled)
        self._shrink(connection, "dropped_by_hard_limit", keep.hard_bytes, 1 << 62, 1 << 62)

    def _acknowledged(self, connection: sqlite3.Connection, keep: Retention) -> int:
        """Up to where all consumers have acknowledged that are open or were not long ago."""
        execute = connection.execute
        consumers = execute("SELECT name, cursor, idle FROM consumers").fetchall()
        held = {name for name, _, _ in consumers if self._held(name)}
        if self._passed >= _COUNT_S and consumers:
            names = json.dumps(sorted(held))
            execute(
                "UPDATE consumers SET idle = iif(name IN (SELECT value FROM json_each(?)), 0, idle + ?)",
                (names, self._passed),
            )
            self._passed = 0.0
        live = [cursor for name, cursor, idle in consumers if name in held or idle < keep.abandoned_s]
        return min(live, default=1 << 62)

    def _drop_seals(self, connection: sqlite3.Connection, now: float) -> None:
        if time.monotonic() < self._seals_next:
            return
        self._seals_next = time.monotonic() + _SEALS_EVERY_S
        connection.execute("DELETE FROM seals WHERE received < ?", (int((now - _SEALS_AGE_S) * 1e6),))
        (number,) = connection.execute("SELECT count(*) FROM seals").fetchone()
        if number > _SEALS_MOST:
            connection.execute(
                "DELETE FROM seals WHERE seal IN (SELECT seal FROM seals ORDER BY received LIMIT ?)",
                (number - _SEALS_MOST,),
            )

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
        self,
        connection: sqlite3.Connection,
        counter: str,
        limit: int,
        before: int,
        most: int = _CHUNK,
        condition: str = "1",
    ) -> int:
        """Drop the *most* oldest up to *limit* that were received before *before*; how many."""
        where = f"seq <= ? AND received < ? AND {condition}"
        execute = connection.execute
        with transaction(connection):
            last, number = execute(
                f"SELECT max(seq), count(*) FROM (SELECT seq FROM events WHERE {where} ORDER BY seq LIMIT ?)",  # noqa: S608 - ours
                (limit, before, most),
            ).fetchone()
            if number:
                remove(connection, where, (last, before))
                execute(
                    "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                    (counter, number),
                )
        if number and counter == "dropped_by_hard_limit":
            _log.warning("event spool: %d events dropped by the hard size limit", number)
        return int(number)


def _first_young(connection: sqlite3.Connection, before: int, now: float) -> int:
    """The first event in the order of arrival that is young by a time that may be right.

    What arrived after it is no older, whatever it says: the clock was behind for a while.
    """
    # By the order of arrival and not by the index: the first rows are the old ones, so this ends soon.
    found = connection.execute(
        "SELECT seq FROM events WHERE +received >= ? AND +received <= ? ORDER BY seq LIMIT 1",
        (before, int((now + 60) * 1e6)),
    ).fetchone()
    return (1 << 62) if found is None else int(found[0])


def remove(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> int:
    """Remove the events of *where*, and what is kept about them; within a transaction. Returns: how many."""
    execute = connection.execute
    # "cursor < seq" counts what was not acknowledged.
    execute(
        f"UPDATE consumers SET lost = lost + (SELECT count(*) FROM events WHERE {where} AND seq > consumers.cursor)",  # noqa: S608 - ours
        values,
    )
    for table in ("pictures", "given_up"):
        execute(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM events WHERE {where})", values)  # noqa: S608 - ours
    return execute(f"DELETE FROM events WHERE {where}", values).rowcount  # noqa: S608 - ours
