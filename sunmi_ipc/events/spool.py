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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal, Self, TypedDict, cast

from ..atomic import clean_parts
from ..database import transaction
from ..errors import ParameterError, SpoolError
from ..lock import try_lock
from ..protocol.serial import spelt
from .adapters import CAMERA, Dialect
from .consumer import Consumer, Reader, StoredEvent
from .decoding import content
from .letters import DeadLetters, Letter
from .model import Event
from .retention import Cleaner, Retention, remove
from .store import FILE, used_bytes
from .writer import Row, Writer

__all__ = ["Retention", "Spool"]

_log = logging.getLogger("sunmi_ipc")
#: How a body is kept; made once, as making an encoder costs more than most events.
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
#: The default: see :class:`Retention`.
KEEP = Retention()


class ConsumerCounts(TypedDict):
    """How far a consumer has come: the last event that it has acknowledged, what it lost, what waits, what it gave up."""

    cursor: int
    lost: int
    backlog: int
    given_up: int


class SpoolCounts(TypedDict):
    """A spool's figures, numbers of events where nothing else is said."""

    kept: int
    #: The newest event's number.
    last_seq: int
    #: Bytes on the disk.
    bytes: int
    dropped_by_age: int
    dropped_faces_by_age: int
    dropped_by_size: int
    dropped_by_hard_limit: int
    consumers: dict[str, ConsumerCounts]


class Spool:
    """Events in a folder.

    Args:
        directory: The folder, on a local disk; made for this user alone where it does not exist.
        retention: What to keep; None drops nothing, for a process that only reads.
        dialect: Whose events they are, and how they are read.
        writable: Whether anything may be written. Without, nothing is made and nothing changes, whatever
            others do with the spool meanwhile.

    Raises:
        SpoolError: The folder cannot be used, or holds a spool of another version.

    """

    directory: Path
    dialect: Dialect

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        retention: Retention | None = KEEP,
        dialect: Dialect = CAMERA,
        writable: bool = True,
    ) -> None:
        self.directory, self.dialect = Path(directory), dialect
        self._path = self.directory / FILE
        self._news = threading.Condition()
        self._commits = 0
        self._consumers: list[Consumer] = []
        #: What sinks gave up for good, to be sent again.
        self.letters: DeadLetters = DeadLetters(self.directory)
        self._cleaner, self._letters_due = Cleaner(retention, self._is_held), 0.0
        self._writes = Writer(self._path, self.wake, self._tidy) if writable else None
        self._reader = Reader(self._path, dialect.event)
        if writable:
            clean_parts(self.directory)
        self.is_open: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _writer(self) -> Writer:
        if self._writes is None:
            raise SpoolError("the event spool {path} was opened for reading", path=str(self._path))
        return self._writes

    def append(
        self,
        event: Event,
        fields: Mapping[str, object] | None = None,
        *,
        source: str = "",
        verified: bool = False,
        seal: str | None = None,
    ) -> bool:
        """Store *event*; returns when it is on the disk.

        A repeat has the same ``key`` and says the same. The same number with another content or time is another
        event: cameras count from 1 again after a restart. An unsigned event is no repeat of a signed one's kind:
        what came signed stands beside an unsigned one of the same number.

        Args:
            event: The event.
            fields: All its fields as they came; default: those of the model.
            source: The address that it came from.
            verified: Whether its signature was checked.
            seal: What makes its signed envelope itself (:attr:`.decoding.Posted.seal`); it counts once, ever.

        Returns: False where it was there already.

        Raises:
            ParameterError: A field that cannot be kept as JSON.
            SpoolFull: The disk is full; nothing was stored.
            SpoolError: The spool cannot be written or is closed.

        """
        data = dict(fields) if fields is not None else event.model_dump(mode="json", exclude_none=True)
        try:
            body = _ENCODE(data)
            body.encode()
        except (TypeError, ValueError, RecursionError):
            raise ParameterError("{name}: a value is not JSON", name="fields") from None
        received = time.time_ns() // 1000
        sn, kind, number = event.key
        return self._writer.append(
            Row(
                sn,
                kind,
                number,
                content(data),
                int(verified),
                received,
                source,
                int(event.is_personal),
                seal,
                body,
            )
        )

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
        guards = self._guards(name, alone=alone)
        try:
            newest = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
            self._writer.execute(
                "INSERT INTO consumers (name, cursor, seen) VALUES"  # noqa: S608 - ours
                f" (?, {'0' if start == 'oldest' else newest}, ?) ON CONFLICT (name) DO UPDATE SET"
                f" cursor = {'excluded.cursor' if start == 'anew' else 'cursor'}, seen = max(seen, excluded.seen),"
                " idle = 0",
                (name, time.time_ns() // 1000),
            )
            ((cursor,),) = self._reader.rows("SELECT cursor FROM consumers WHERE name = ?", (name,))
            reader = Reader(self._path, self.dialect.event)
            consumer = Consumer(self, name, reader, cursor, guards)
        except BaseException:
            for guard in guards:
                guard.close()
            raise
        self._consumers.append(consumer)
        return consumer

    def _guards(self, name: str, *, alone: bool) -> list[IO[bytes]]:
        """Locks that say that *name* is read: one that any reader shares, one for who reads alone."""
        guards: list[IO[bytes]] = []
        try:
            if alone:
                guards.append(_patient_lock(self._lock_file(name)))
            with contextlib.suppress(BlockingIOError):
                guards.append(_patient_lock(self._lock_file(name, "alive"), shared=True))
        except BlockingIOError:
            raise SpoolError(
                "another program takes {name}'s events from the spool {path}",
                hint="End it, or name another folder (--spool): each event would go out twice.",
                name=name,
                path=str(self.directory),
            ) from None
        except OSError as error:  # a file system without locks
            _log.warning("event spool: no lock to be had: %s", error.strerror)
        return guards

    def _lock_file(self, name: str, suffix: str = "lock") -> Path:
        return self.directory / f"reader-{hashlib.sha256(name.encode()).hexdigest()[:16]}.{suffix}"

    def _is_held(self, name: str) -> bool:
        """Whether some program, this or another, has consumer *name* open."""
        if any(consumer.name == name for consumer in list(self._consumers)):
            return True
        path = self._lock_file(name, "alive")
        if not os.path.exists(path):
            return False
        try:
            try_lock(path).close()
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

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
        return self._replay(first, last, spelt(sn), event_type)

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
        """Record that *consumer* will never take event *seq*; it goes to :attr:`letters`, to be sent again.

        Raises:
            SpoolError: It could not be recorded, so it must not be passed over.

        """
        rows = self._reader.rows("SELECT received, source, verified, body FROM events WHERE seq = ?", (seq,))
        try:
            for received, source, verified, body in rows:
                self.letters.add(
                    Letter(consumer, reason, time.time(), seq, received, source, bool(verified), body)
                )
        except OSError as error:
            raise SpoolError(
                "the event spool {path} cannot be used: {reason}",
                hint="Check that the folder is on a local disk and yours to write; else name another folder.",
                path=str(self.letters.path),
                reason=error.strerror or type(error).__name__,
            ) from None
        self._writer.execute("INSERT OR REPLACE INTO given_up VALUES (?, ?, ?)", (consumer, seq, reason))

    def dead_letters(self, consumer: str = "") -> Iterator[tuple[Letter, StoredEvent]]:
        """What sinks gave up, of one consumer or of all, as events that can be sent again."""
        for letter in self.letters.read(consumer):
            with contextlib.suppress(ValueError, RecursionError):  # a line that somebody edited
                yield letter, letter.stored(self.dialect.event)

    def purge_faces(
        self, *, sn: str = "", faceid: str = "", until: datetime | None = None
    ) -> tuple[int, list[str]]:
        """Remove events that are about faces, whoever has yet to read them, and overwrite where they stood.

        Args:
            sn: Of this camera only.
            faceid: About this face only.
            until: Received before this aware time only.

        Returns: how many, and the files that were saved for them (absolute paths; they are the caller's to remove).

        """
        conditions = ["face"]
        values: list[Any] = []
        sn = spelt(sn)
        if sn:
            conditions.append("sn = ?")
            values.append(sn)
        if until is not None:
            conditions.append("received < ?")
            values.append(int(until.timestamp() * 1e6))
        if faceid:
            conditions.append(
                "seq IN (SELECT events.seq FROM events, json_tree(events.body) AS one"
                " WHERE one.key IN ('faceid', 'face_id', 'cloud_faceid') AND one.atom = ?)"
            )
            values.append(faceid)
        where = " AND ".join(conditions)
        files: list[str] = []
        number = 0

        def purge(connection: sqlite3.Connection) -> None:
            nonlocal number
            connection.execute("PRAGMA secure_delete = ON").fetchall()
            try:
                folders = [path for (path,) in connection.execute("SELECT path FROM folders")]
                with transaction(connection):
                    found = connection.execute(
                        f"SELECT path FROM pictures WHERE path <> '' AND seq IN (SELECT seq FROM events WHERE {where})",  # noqa: S608 - ours
                        values,
                    ).fetchall()
                    files.extend(str(Path(folder, path)) for (path,) in found for folder in folders)
                    number = remove(connection, where, tuple(values))
                connection.execute("PRAGMA incremental_vacuum").fetchall()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute("PRAGMA secure_delete = OFF").fetchall()

        self._writer.run(purge)
        self.letters.remove(
            lambda letter: letter.is_about(self.dialect.event, sn=sn, faceid=faceid, until=until)
        )
        return number, files

    def note_folder(self, path: str) -> None:
        """Remember where pictures are saved, so that they can be found when they must go."""
        self._writer.execute("INSERT OR IGNORE INTO folders VALUES (?)", (path,))

    def folders(self) -> list[str]:
        """Where pictures were ever saved."""
        return [path for (path,) in self._reader.rows("SELECT path FROM folders ORDER BY path")]

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

    def counts(self) -> SpoolCounts:
        """Figures: events kept, bytes, what was dropped and why, and each consumer's backlog and losses."""
        query = self._reader.rows
        ((kept, newest),) = query(
            "SELECT count(*), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) FROM events"
        )
        dropped = dict.fromkeys(
            ("dropped_by_age", "dropped_faces_by_age", "dropped_by_size", "dropped_by_hard_limit"), 0
        )
        consumers = query(
            "SELECT name, cursor, lost, (SELECT count(*) FROM events WHERE seq > consumers.cursor),"
            " (SELECT count(*) FROM given_up WHERE consumer = consumers.name) FROM consumers"
        )
        told = {
            "kept": kept,
            "last_seq": newest,
            "bytes": self._reader.call(used_bytes),
            **(dropped | dict(query("SELECT name, value FROM counters WHERE name LIKE 'dropped%'"))),
            "consumers": {
                name: {"cursor": cursor, "lost": lost, "backlog": backlog, "given_up": given_up}
                for name, cursor, lost, backlog, given_up in consumers
            },
        }
        return cast("SpoolCounts", told)

    def newest(self) -> dict[str, float]:
        """When each camera's newest event came, Unix seconds, by serial number."""
        rows = self._reader.rows("SELECT sn, max(received) FROM events GROUP BY sn")
        return {sn: received / 1e6 for sn, received in rows}

    def after(self, seq: int, limit: int = 100) -> list[StoredEvent]:
        """Up to *limit* events after the one of number *seq*, in order; no consumer's place moves."""
        return self._reader.page("seq > ?", (seq,), limit)

    def newest_seq(self) -> int:
        """The number of the newest event that ever was; 0: none."""
        rows = self._reader.rows(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
        )
        return int(rows[0][0])

    def oldest_seq(self) -> int:
        """The number of the oldest event that is kept; 0: none."""
        return int(self._reader.rows("SELECT coalesce(min(seq), 0) FROM events")[0][0])

    @property
    def problem(self) -> SpoolError | None:
        """Why the last write failed; None where it did not, or was made good since."""
        return self._writer.problem if self.is_open else None

    def try_again(self) -> None:
        """Write a little, after a failure: whether there is room again. Never raises."""
        with contextlib.suppress(SpoolError):
            self._writer.execute(
                "INSERT OR REPLACE INTO counters (name, value) VALUES ('tried again', ?)", (int(time.time()),)
            )

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
            self._clean_letters(self._cleaner.retention)

    def _tidy(self, connection: sqlite3.Connection, written: int) -> None:
        self._cleaner(connection, written)
        keep = self._cleaner.retention
        if keep is not None and self._cleaner.believes_clock and time.monotonic() >= self._letters_due:
            self._letters_due = time.monotonic() + 3600
            self._clean_letters(keep)

    def _clean_letters(self, keep: Retention) -> None:
        """What was given up is kept no longer than what was delivered."""
        now, typed = datetime.now(UTC), self.dialect.event
        all_, faces = (now - timedelta(seconds=s) for s in (keep.max_age_s, keep.faces_age_s))
        with contextlib.suppress(OSError):
            self.letters.remove(
                lambda one: (
                    one.received < all_.timestamp() * 1e6
                    or one.is_about(typed, sn="", faceid="", until=faces)
                )
            )

    @property
    def believes_clock(self) -> bool:
        """Whether what is old by the computer's clock may go; not for a day after it has jumped forward."""
        return self._cleaner.believes_clock

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
            if self._writes is not None:
                self._writes.close()
            for consumer in list(self._consumers):
                consumer.close()
            self._reader.close()


def _patient_lock(path: Path, *, shared: bool = False) -> IO[bytes]:
    """:func:`try_lock`; whoever only looks whether it is held lets go at once."""
    deadline = time.monotonic() + 0.5
    while True:
        try:
            return try_lock(path, shared=shared)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
