"""The spool: events on the disk before they are acknowledged, kept until they are delivered.

SQLite with a write-ahead log and ``synchronous=FULL``: what :meth:`Spool.append` has returned from
survives ``kill -9`` and a power cut. Several processes may use one spool.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, Self

from ..errors import ParameterError, SpoolError
from ..lock import try_lock
from .adapters import CAMERA, Dialect
from .consumer import Consumer, Reader, StoredEvent
from .model import Event
from .retention import Cleaner, Retention
from .store import FILE, used_bytes
from .writer import Row, Writer

__all__ = ["Retention", "Spool"]

_log = logging.getLogger("sunmi_ipc")
#: The default: see :class:`Retention`.
KEEP = Retention()


class Spool:
    """Events in a folder.

    Args:
        directory: The folder, on a local disk; made for this user alone where it does not exist.
        retention: What to keep; None drops nothing, for a process that only reads.
        dialect: Whose events they are, and how they are read.

    Raises:
        SpoolError: The folder cannot be used, or holds a spool of another version.

    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        retention: Retention | None = KEEP,
        dialect: Dialect = CAMERA,
    ) -> None:
        self.directory, self.dialect = Path(directory), dialect
        self._path = self.directory / FILE
        self._news = threading.Condition()
        self._commits = 0
        self._consumers: list[Consumer] = []
        self._cleaner = Cleaner(retention, self._open_consumers)
        self._writer = Writer(self._path, self.wake, self._cleaner)
        self._reader = Reader(self._path, dialect.event)
        self.is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(
        self,
        event: Event,
        fields: Mapping[str, Any] | None = None,
        *,
        source: str = "",
        verified: bool = False,
    ) -> bool:
        """Store *event*; returns when it is on the disk.

        Args:
            event: The event; one with the same ``key`` that is still kept is the same.
            fields: All its fields as they came; default: those of the model.
            source: The address that it came from.
            verified: Whether its signature was checked.

        Returns: False where it was there already.

        Raises:
            ParameterError: A field that cannot be kept as JSON.
            SpoolFull: The disk is full; nothing was stored.
            SpoolError: The spool cannot be written or is closed.

        """
        data = dict(fields) if fields is not None else event.model_dump(mode="json", exclude_none=True)
        try:
            body = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            body.encode()
        except (TypeError, ValueError, RecursionError):
            raise ParameterError("{name}: a value is not JSON", name="fields") from None
        received = time.time_ns() // 1000
        return self._writer.append(Row(*event.key, received, source, int(verified), body))

    def consumer(
        self, name: str, *, start: Literal["oldest", "now", "anew"] = "oldest", alone: bool = False
    ) -> Consumer:
        """The consumer *name*, where it stopped. While it is open, all that it has not acknowledged is kept.

        Args:
            name: Any name; one consumer of a name should read at a time, else each sees everything.
            start: Where a new one begins: at the oldest event kept, or with the next that comes; ``anew``
                begins there even where there is one.
            alone: Whether to make sure that no other that is *alone* reads under this name, in any process.

        Raises:
            SpoolError: Another reads under this name, or the spool cannot be written or is closed.

        """
        if not name:
            raise ParameterError("{name}: must not be empty", name="consumer")
        guard = self._alone(name) if alone else None
        try:
            newest = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
            self._writer.execute(
                "INSERT INTO consumers (name, cursor, seen) VALUES"  # noqa: S608 - ours
                f" (?, {'0' if start == 'oldest' else newest}, ?) ON CONFLICT (name) DO UPDATE SET"
                f" cursor = {'excluded.cursor' if start == 'anew' else 'cursor'}, seen = max(seen, excluded.seen)",
                (name, time.time_ns() // 1000),
            )
            ((cursor,),) = self._reader.rows("SELECT cursor FROM consumers WHERE name = ?", (name,))
            consumer = Consumer(self, name, self._path, cursor, guard)
        except BaseException:
            if guard is not None:
                guard.close()
            raise
        self._consumers.append(consumer)
        return consumer

    def _alone(self, name: str) -> IO[bytes] | None:
        file = f"reader-{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
        try:
            return try_lock(self.directory / file)
        except BlockingIOError:
            raise SpoolError(
                "another program takes {name}'s events from the spool {path}",
                hint="End it, or name another folder (--spool): each event would go out twice.",
                name=name,
                path=str(self.directory),
            ) from None
        except OSError as error:  # a file system without locks
            _log.warning("event spool: no lock to be had: %s", error.strerror)
            return None

    def _open_consumers(self) -> list[str]:
        return [consumer.name for consumer in list(self._consumers)]

    def forget(self, name: str) -> None:
        """Remove a consumer; what it alone had not acknowledged may then be dropped."""
        self._writer.execute("DELETE FROM consumers WHERE name = ?", (name,))

    def replay(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        sn: str = "",
        event_type: str = "",
    ) -> Iterator[StoredEvent]:
        """Events received from *since* on and before *until*, in the order of arrival.

        Args:
            since: Aware time, by this computer's clock.
            until: Aware time; default: up to the newest.
            sn: Of this camera only.
            event_type: Of this type only.

        Raises:
            ParameterError: A time without a time zone.

        """
        if since.tzinfo is None or (until is not None and until.tzinfo is None):
            raise ParameterError(
                "{name}: the time has no time zone",
                name="since" if since.tzinfo is None else "until",
                hint="Use an aware datetime, e.g. datetime.now().astimezone().",
            )
        first = int(since.timestamp() * 1e6)
        last = (1 << 62) if until is None else int(until.timestamp() * 1e6)
        return self._replay(first, last, sn, event_type)

    def _replay(self, first: int, last: int, sn: str, event_type: str) -> Iterator[StoredEvent]:
        reader, position = Reader(self._path, self.dialect.event), 0
        condition = (
            "seq > ? AND received >= ? AND received < ? AND (? = '' OR sn = ?) AND (? = '' OR type = ?)"
        )
        with contextlib.closing(reader):
            while page := reader.page(
                condition, (position, first, last, sn, sn, event_type, event_type), 500
            ):
                yield from page
                position = page[-1].seq

    def acknowledge(self, consumer: str, seq: int) -> None:
        """Move a consumer's cursor forward to *seq*; written with the next commit."""
        self._writer.ack(consumer, seq)

    def give_up(self, consumer: str, seq: int, reason: str) -> None:
        """Record that *consumer* will never take event *seq*."""
        self._writer.execute("INSERT OR REPLACE INTO given_up VALUES (?, ?, ?)", (consumer, seq, reason))

    def note_picture(self, seq: int, link: str, status: str, *, path: str = "", reason: str = "") -> None:
        """Record what became of an event's picture: ``saved``, ``refused`` or ``lost``."""
        self._writer.execute(
            "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)", (seq, link, status, path, reason)
        )

    def pictures(self, seq: int) -> dict[str, dict[str, str]]:
        """What became of event *seq*'s pictures, by field name: ``status``, ``path``, ``reason``."""
        rows = self._reader.rows("SELECT link, status, path, reason FROM pictures WHERE seq = ?", (seq,))
        return {
            link: {"status": status, "path": path, "reason": reason} for link, status, path, reason in rows
        }

    def counts(self) -> dict[str, Any]:
        """Figures: events kept, bytes, what was dropped and why, and each consumer's backlog and losses."""
        query = self._reader.rows
        ((kept, newest),) = query(
            "SELECT count(*), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) FROM events"
        )
        dropped = dict.fromkeys(("dropped_by_age", "dropped_by_size", "dropped_by_hard_limit"), 0)
        consumers = query(
            "SELECT name, cursor, lost, (SELECT count(*) FROM events WHERE seq > consumers.cursor),"
            " (SELECT count(*) FROM given_up WHERE consumer = consumers.name) FROM consumers"
        )
        return {
            "kept": kept,
            "last_seq": newest,
            "bytes": self._reader.call(used_bytes),
            **(dropped | dict(query("SELECT name, value FROM counters"))),
            "consumers": {
                name: {"cursor": cursor, "lost": lost, "backlog": backlog, "given_up": given_up}
                for name, cursor, lost, backlog, given_up in consumers
            },
        }

    def newest(self) -> dict[str, float]:
        """When each camera's newest event came, Unix seconds, by serial number."""
        rows = self._reader.rows("SELECT sn, max(received) FROM events GROUP BY sn")
        return {sn: received / 1e6 for sn, received in rows}

    def purge(self, *, event_type: str = "", sn: str = "", before: float | None = None) -> int:
        """Delete events for good, delivered or not.

        Args:
            event_type: Of this type only.
            sn: Of this camera only.
            before: Received before this moment, Unix seconds; default: all.

        Returns: how many.

        Raises:
            SpoolError: The spool cannot be written or is closed.

        """
        until = (1 << 62) if before is None else int(before * 1e6)
        gone = 0

        def delete(connection: sqlite3.Connection) -> None:
            nonlocal gone
            which = "received < ? AND (? = '' OR type = ?) AND (? = '' OR sn = ?)"
            values = (until, event_type, event_type, sn, sn)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                f"DELETE FROM pictures WHERE seq IN (SELECT seq FROM events WHERE {which})",  # noqa: S608 - ours
                values,
            )
            gone = connection.execute(f"DELETE FROM events WHERE {which}", values).rowcount  # noqa: S608 - ours
            connection.execute("COMMIT")

        self._writer.run(delete)
        return gone

    def flush(self) -> None:
        """Wait until everything said before, acknowledgements too, is on the disk."""
        self._writer.run(lambda connection: None)

    def clean(self) -> None:
        """Apply the retention now; done anyway every few seconds."""
        if self._cleaner.retention is not None:
            self._writer.run(self._clean)

    def _clean(self, connection: sqlite3.Connection) -> None:
        if self._cleaner.retention is not None:
            self._cleaner.clean(connection, self._cleaner.retention)

    def news(self) -> int:
        """A number that changes when something was written."""
        return self._commits

    def wait_for_news(self, seen: int, timeout: float) -> None:
        """Wait until :meth:`news` is no longer *seen*, at most *timeout* seconds."""
        with self._news:
            self._news.wait_for(lambda: self._commits != seen or not self.is_open, timeout)

    def wake(self) -> None:
        """Make everyone who waits for news look again."""
        with self._news:
            self._commits += 1
            self._news.notify_all()

    def left(self, consumer: Consumer) -> None:
        """Know *consumer* no longer: it was closed."""
        with contextlib.suppress(ValueError):
            self._consumers.remove(consumer)

    def close(self) -> None:
        """Write what is waiting, and close. Readers end."""
        if self.is_open:
            self.is_open = False
            self.wake()
            self._writer.close()
            for consumer in list(self._consumers):
                consumer.close()
            self._reader.close()
