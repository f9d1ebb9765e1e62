"""Counts and alerts on their way to the broker: from disk, in order, each until the broker has taken it.

Triggers put what changes into the table ``outbox``, whether the broker is there or not; a row goes when the
broker has acknowledged it for somebody. So an outage of days is caught up, and memory holds one batch. A message
that the broker does not take waits by itself, longer each time, and the others go on. What nobody has subscribed to
waits, too, topic by topic (:mod:`.unheard`); events that nobody heard come in here from the spool.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from ..broker import contract
from ..broker.connection import LOST, BrokerError, Connection, Sent
from ..broker.contract import Alert, Counts, Payload
from .unheard import Unheard
from .verdict import Reason

if TYPE_CHECKING:
    from .file import BrokerTable
    from .store import Row, Store

_log = logging.getLogger("sunmi_ipc")
_BATCH = 100
_ACKNOWLEDGE_S = 30.0
#: A message that the broker does not take is tried again after so long, at most.
_LONGEST_S = 300.0
#: After so many messages of one kind that were not taken, and none that was, all of that kind waits.
_BREAKS = 3
_MARK = "broker since"
#: Where all that waits is for topics that nobody hears, it is not looked through again before.
_REST_S = 10.0


class Events(Protocol):
    """Where the events are that nobody heard."""

    def payload(self, number: int) -> Payload | None:
        """An event by its number; None where it is no longer kept."""

    def oldest(self) -> int:
        """The number of the oldest that is kept; 0: none."""


class Outbox:
    """Sends what waits; for one thread.

    Args:
        store: The station's.
        site: Its name.
        table: ``[broker]`` of the station file.

    Attributes:
        sent: How many messages the broker has taken for somebody.
        problem: Why the last one was not taken; empty since one was.
        unheard: What nobody has subscribed to.
        refused: Why the broker takes nothing of a kind, by kind.
        events: Where events come from that nobody heard.

    """

    def __init__(self, store: Store, site: str, table: BrokerTable) -> None:
        self._store, self._site, self._table = store, site, table
        self._size = _BATCH
        self.sent: int = 0
        self.problem: str = ""
        self.unheard: Unheard = Unheard()
        self.events: Events | None = None
        self.refused: dict[str, str] = {}
        self._breaks: Counter[str] = Counter()
        self._rest_until, self._newest = 0.0, -1

    def begin(self) -> None:
        """At the first time, what is there already goes out, too, as far back as the file says."""
        if self._store.read("SELECT 1 FROM notices WHERE key = ?", (_MARK,)):
            return
        since = time.time() - self._table.backfill
        self._store.write(
            (
                "INSERT OR IGNORE INTO outbox (kind, sn, ref) SELECT 'counts', sn, start FROM counts WHERE start >= ?"
                " ORDER BY start",
                (int(since),),
            ),
            (
                "INSERT OR IGNORE INTO outbox (kind, sn, ref) SELECT 'alerts', sn, id FROM reasons"
                " WHERE until IS NULL OR until >= ? ORDER BY id",
                (since,),
            ),
            ("INSERT OR REPLACE INTO notices (key, body) VALUES (?, ?)", (_MARK, str(int(time.time())))),
        )

    def backlog(self) -> int:
        """How many messages wait."""
        return int(self._store.read("SELECT count(*) FROM outbox")[0][0])

    def send(self, connection: Connection) -> bool:
        """Send a batch and wait for the broker; whether more may wait.

        Raises:
            BrokerError: There is no connection.

        """
        rows = self._due()
        on_their_way: list[tuple[int, str, str, int, Sent]] = []
        over: list[Row] = []
        asked: set[tuple[str, str]] = set()
        for number, kind, sn, ref, tries in rows:
            payload = self._payload(number, kind, sn, ref)
            if payload is None:
                over.append(_gone(number))
                continue
            if self.unheard.asks(kind, sn):
                if (kind, sn) in asked:
                    continue
                asked.add((kind, sn))
            topic = contract.topic(kind, self._site, sn=sn, prefix=self._table.prefix)
            schema = contract.MESSAGES[kind].schema
            try:
                sent = connection.publish(topic, payload.encode(), schema=schema)
            except BrokerError:
                if not on_their_way:
                    raise
                break
            on_their_way.append((number, kind, sn, tries, sent))
        lost = 0
        until = time.monotonic() + _ACKNOWLEDGE_S
        for number, kind, sn, tries, sent in on_their_way:
            while not sent.done and time.monotonic() < until:
                try:
                    sent.wait(0.2)
                except BrokerError:
                    continue
            if sent.done and not sent.problem:
                self.refused.pop(kind, None)
                self._breaks[kind] = 0
            if sent.done and sent.unheard and self._table.hold:
                over += self._hold(kind, sn)
                until = time.monotonic() + _ACKNOWLEDGE_S
            elif sent.done and not sent.problem:
                self.unheard.heard(kind, sn)
                over.append(_gone(number))
                self.sent += 1
                self.problem = ""
                until = time.monotonic() + _ACKNOWLEDGE_S
            elif sent.done and sent.problem != LOST:
                self._say(sent.problem)
                over.append(_later(number, tries))
                over += self._refused(kind, sent.problem)
            else:
                lost += 1
                if len(on_their_way) == 1:  # the connection breaks with this one
                    self._say(LOST)
                    over.append(_later(number, tries))
                    over += self._refused(kind, LOST)
        # One of a batch may be what breaks the connection: the next batch is smaller, down to one.
        self._size = max(1, self._size // 4) if lost else min(_BATCH, self._size * 2)
        if over:
            self._store.write(*over)
        return len(rows) > 0 and not lost

    def _refused(self, kind: str, problem: str) -> list[Row]:
        """The broker did not take a message of this kind; where it has taken none of late, all of the kind waits.

        Some brokers end the connection of whoever may not write to a topic: message by message, a shop with many
        would never be online.
        """
        self._breaks[kind] += 1
        if self._breaks[kind] < _BREAKS:
            return []
        self.refused[kind] = problem
        later = time.time() + _LONGEST_S
        return [("UPDATE outbox SET due = ? WHERE kind = ? AND due <= ?", (later, kind, later))]

    def _due(self) -> list[tuple[Any, ...]]:
        """What may be sent now: nothing for topics that nobody heard a moment ago."""
        waiting = self.unheard.waiting()
        newest = int(self._store.read("SELECT coalesce(max(id), 0) FROM outbox")[0][0]) if waiting else -1
        if waiting and newest == self._newest and time.monotonic() < self._rest_until:
            return []
        marks = ", ".join("?" * len(waiting))
        rows = self._store.read(
            f"SELECT id, kind, sn, ref, tries FROM outbox WHERE (due <= ? OR due > ?) AND kind || ' ' || sn NOT IN ({marks})"  # noqa: S608 - marks
            " ORDER BY id LIMIT ?",
            # Later than any pause: the clock was set back meanwhile.
            (
                (now := time.time()),
                now + 2 * _LONGEST_S,
                *(f"{kind} {sn}" for kind, sn in waiting),
                self._size,
            ),
        )
        if waiting and not rows:
            self._newest, self._rest_until = newest, time.monotonic() + _REST_S
        return rows

    def _hold(self, kind: str, sn: str) -> list[Row]:
        """Nobody hears this topic: it waits; what is too old to wait, as rows to delete."""
        if kind not in self.unheard.kinds:
            _log.warning("broker: nobody has subscribed to %s: they wait", kind)
        self.unheard.told(kind, sn)
        if kind == "counts":
            oldest = int(time.time() - self._table.backfill)
            return [("DELETE FROM outbox WHERE kind = 'counts' AND sn = ? AND ref < ?", (sn, oldest))]
        if kind == "events" and self.events is not None:
            return [
                (
                    "DELETE FROM outbox WHERE kind = 'events' AND sn = ? AND ref < ?",
                    (sn, self.events.oldest()),
                )
            ]
        return []

    def set_aside(self, events: Iterable[tuple[str, int]]) -> None:
        """Keep events that nobody heard, by serial number and number in the spool; on the disk on return."""
        self._store.write(
            *(
                ("INSERT OR IGNORE INTO outbox (kind, sn, ref) VALUES ('events', ?, ?)", (sn, number))
                for sn, number in events
            )
        )

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("broker: a message was not taken: %s", problem)
        self.problem = problem

    def _payload(self, number: int, kind: str, sn: str, ref: int) -> Payload | None:
        if kind == "counts":
            return self._counts(number, sn, ref) if self._table.counts else None
        if kind == "events":
            return self.events.payload(ref) if self.events is not None else None
        return self._alert(number, sn, ref)

    def _counts(self, number: int, sn: str, start: int) -> Counts | None:
        rows = self._store.read(
            "SELECT seconds, arrivals, leaving, passing, covered, state, people FROM counts WHERE sn = ? AND start = ?",
            (sn, start),
        )
        if not rows:
            return None
        seconds, arrivals, leaving, passing, covered, state, people = rows[0]
        gap = state == "gap"
        return Counts(
            key=contract.counts_key(self._site, sn, start),
            revision=number,
            sn=sn,
            start=start,
            end=start + seconds,
            arrivals=None if gap else arrivals,
            leaving=None if gap else leaving,
            passing=None if gap else passing,
            completeness=min(1.0, covered / seconds),
            people=_people(people),
        )

    def _alert(self, number: int, sn: str, ref: int) -> Alert | None:
        rows = self._store.read(
            "SELECT code, level, since, until, details FROM reasons WHERE id = ? AND sn = ?", (ref, sn)
        )
        if not rows or rows[0][1] not in ("warning", "unknown", "bad"):
            return None
        code, level, since, until, details = rows[0]
        found = json.loads(details)
        reason = Reason(code, since, found)
        return Alert(
            key=contract.alert_key(self._site, sn, code, since),
            revision=number,
            sn=sn or None,
            code=code,
            level=level,
            state="open" if until is None else "closed",
            opened=since,
            closed=until,
            text=reason.text("en")[:500],
            hint=reason.hint("en")[:500],
            details=found if len(details) < 4000 else {},
        )


def _people(text: str) -> Any:
    """People by gender and age, as far as they are what they should be."""
    found = json.loads(text)
    return {
        gender: tuple(max(0, int(n)) for n in numbers[:8])
        for gender, numbers in found.items()
        if gender in ("male", "female") and isinstance(numbers, list)
    }


def _gone(number: int) -> Row:
    return ("DELETE FROM outbox WHERE id = ?", (number,))


def _later(number: int, tries: int) -> Row:
    pause = min(_LONGEST_S, 5.0 * 2 ** min(tries, 10))
    return ("UPDATE outbox SET tries = tries + 1, due = ? WHERE id = ?", (time.time() + pause, number))


#: What a station without a broker has no use for.
FORGET: tuple[Row, ...] = (
    ("DELETE FROM outbox", ()),
    ("DELETE FROM notices WHERE key = ?", (_MARK,)),
)
