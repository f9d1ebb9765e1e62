"""Reading the spool: stored events, consumers with cursors, replay."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from ..errors import BadEvent
from .decoding import content
from .model import Event, RawEvent
from .store import connect, translate

T = TypeVar("T")
_PAGE_BYTES = 4 << 20
_POLL_S = 0.5  # how soon events that another process has written are seen
_ALIVE_S = 60.0
_COLUMNS = "seq, received, source, verified, body, sn, type, event_id"
#: Makes the typed event of stored fields.
Typed = Callable[[Mapping[str, Any]], Event]


class Shelf(Protocol):
    """What a consumer needs of the spool that it reads."""

    is_open: bool

    def news(self) -> int:
        """A number that changes when something was written."""

    def wait_for_news(self, seen: int, timeout: float) -> None:
        """Wait until :meth:`news` is no longer *seen*, at most *timeout* seconds."""

    def wake(self) -> None:
        """Make everyone who waits for news look again."""

    def acknowledge(self, consumer: str, seq: int) -> None:
        """Move a consumer's cursor forward."""

    def left(self, consumer: Consumer) -> None:
        """Know *consumer* no longer: it was closed."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the spool keeps it.

    Args:
        seq: Its place in the spool, ascending in the order of arrival.
        received: When it came, by this computer's clock, UTC.
        source: The address that it came from.
        verified: Whether its signature was checked.
        event: The event.
        fields: The event's fields as they came.

    """

    seq: int
    received: datetime
    source: str
    verified: bool
    event: Event
    fields: dict[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """The same wherever and however often this event is delivered, and no other event's.

        A camera may count from 1 again after a restart, so it has a digest of what the event says besides.
        """
        event = self.event
        said = f"{event.sn}/{event.event_type}/{event.event_id}/{content(self.fields)[:16]}"
        return said if self.verified else f"{said}/unsigned"

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON: the spool's columns and, under the wire's names, the event's fields."""
        data = self.event.as_dict(reveal=True)
        if isinstance(self.event, RawEvent):
            data |= {k: v for k, v in data.pop("fields").items() if k not in data}
        return data | {
            "seq": self.seq,
            "received": self.received.isoformat(),
            "source": self.source,
            "verified": self.verified,
            "idempotency_key": self.key,
        }

    def as_json(self) -> str:
        """:meth:`as_dict` on one line."""
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))


def stored_event(row: tuple[int, int, str, int, str, str, str, str], typed: Typed) -> StoredEvent:
    """The event of a row of the spool; one that no longer can be typed comes as it is."""
    seq, received, source, verified, body, sn, kind, event_id = row
    fields = json.loads(body)
    try:
        event = typed(fields)
    except BadEvent:
        # Written by another version or dialect that took it: no reason to stand still at it.
        event = RawEvent.model_construct(sn=sn, event_type=kind, event_id=event_id, fields=fields)
    return StoredEvent(
        seq, datetime.fromtimestamp(received / 1e6, UTC), source, bool(verified), event, fields
    )


class Reader:
    """A reading connection. Each page is one short query, so that it never holds up the log's reuse."""

    def __init__(self, path: Path, typed: Typed) -> None:
        self._path, self._connection, self._lock = path, connect(path, access="read"), threading.Lock()
        self._typed = typed

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.call(lambda connection: connection.execute(sql, values).fetchall())

    def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What *function* finds on the connection."""
        with self._lock:
            try:
                return function(self._connection)
            except (sqlite3.Error, OverflowError) as error:
                raise translate(error, self._path) from None

    def page(self, condition: str, values: tuple[Any, ...], limit: int) -> list[StoredEvent]:
        """Up to *limit* events in order, fewer where they are large."""
        sql = f"SELECT {_COLUMNS} FROM events WHERE {condition} ORDER BY seq LIMIT ?"  # noqa: S608 - ours

        def take(connection: sqlite3.Connection) -> list[StoredEvent]:
            found: list[StoredEvent] = []
            size = 0
            with contextlib.closing(connection.execute(sql, (*values, limit))) as cursor:
                for row in cursor:
                    found.append(stored_event(row, self._typed))
                    size += len(row[4])
                    if size > _PAGE_BYTES:
                        break
            return found

        return self.call(take)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


class Consumer:
    """A named reader whose place survives; made by :meth:`Spool.consumer`.

    Reading and acknowledging are apart: what was read and not acknowledged comes again after a
    restart or :meth:`rewind`. One thread reads; any may acknowledge.
    """

    def __init__(
        self, spool: Shelf, name: str, reader: Reader, cursor: int, guards: Sequence[IO[bytes]] = ()
    ) -> None:
        self.name = name
        self._spool, self._reader = spool, reader
        self._cursor = self._position = cursor
        self._guards = guards
        self._open = True
        self._alive = time.monotonic()

    @property
    def cursor(self) -> int:
        """The ``seq`` up to which everything is acknowledged."""
        return self._cursor

    def read(self, limit: int = 100, timeout: float | None = None) -> list[StoredEvent]:
        """The next events.

        Args:
            limit: How many at most.
            timeout: Seconds to wait for the first; None waits until one comes.

        Returns: none where the time ran out, or the consumer or its spool was closed.

        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._open and self._spool.is_open:
            news = self._spool.news()
            page = self._reader.page("seq > ?", (self._position,), limit)
            if page:
                self._position = page[-1].seq
                return page
            left = _POLL_S if deadline is None else min(_POLL_S, deadline - time.monotonic())
            if left <= 0:
                break
            if time.monotonic() - self._alive > _ALIVE_S:
                self.ack(self._cursor)  # waiting is a sign of life, too
            self._spool.wait_for_news(news, left)
        return []

    def __iter__(self) -> Iterator[StoredEvent]:
        """Events as they come, until the consumer or its spool is closed."""
        while page := self.read():
            yield from page

    def ack(self, upto: StoredEvent | int) -> None:
        """Acknowledge everything up to and including *upto*. It is on the disk a commit later."""
        seq = upto if isinstance(upto, int) else upto.seq
        self._cursor = max(self._cursor, seq)
        self._alive = time.monotonic()
        self._spool.acknowledge(self.name, self._cursor)

    def rewind(self) -> None:
        """Read again from the first event that is not acknowledged."""
        self._position = self._cursor

    def backlog(self) -> int:
        """How many events are not acknowledged."""
        return int(self._reader.rows("SELECT count(*) FROM events WHERE seq > ?", (self._cursor,))[0][0])

    def stop(self) -> None:
        """Make a :meth:`read` that waits return, and every later one return nothing."""
        self._open = False
        self._spool.wake()

    def close(self) -> None:
        """Stop reading; the cursor stays."""
        self.stop()
        self._reader.close()
        for guard in self._guards:
            guard.close()
        self._spool.left(self)
