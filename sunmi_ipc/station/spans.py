"""When a camera surely could count, and when it surely could not: the record that tells a gap from a zero.

Between two looks that both found the card normal, the camera is taken to have counted; beside a look that found
none, it is taken not to have. Where nobody looked, nothing is known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from .store import Row, Store

ABLE, CARD = "able", "card"
Span = tuple[float, float]


class Spans:
    """The record, per camera; kept in the store. Thread-safe.

    Args:
        store: Where it is kept.
        join: Two looks further apart than so many seconds prove nothing of the time between.

    """

    def __init__(self, store: Store, *, join: float) -> None:
        self._store, self._join = store, join
        self._lock = threading.Lock()
        self._last: dict[str, tuple[str, float, float]] = {}  # state, start, newest look
        self._changed: set[str] = set()
        for sn, state, start, end in store.read("SELECT sn, state, start, max(end) FROM spans GROUP BY sn"):
            self._last[sn] = state, start, end

    def look(self, sn: str, state: str, at: float | None = None) -> None:
        """A look found the camera in *state*: ``able``, ``card``, or empty where nothing can be said."""
        at = time.time() if at is None else at
        with self._lock:
            old, start, last = self._last.get(sn, ("", 0.0, 0.0))
            near = 0 <= at - last <= self._join
            if not state:
                self._write(sn)
                self._last.pop(sn, None)
                return
            if near and old == state:
                self._last[sn] = state, start, at
                self._changed.add(sn)
                return
            if near and old == CARD:  # how long it took until the card was back is not known
                self._last[sn] = CARD, start, at
                self._changed.add(sn)
            self._write(sn)
            begin = last if near and state == CARD else at
            self._last[sn] = state, begin, at
            self._changed.add(sn)

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            rows = [row for sn in self._changed if (row := self._row(sn))]
            self._changed.clear()
        if rows:
            self._store.later(*rows)

    def _write(self, sn: str) -> None:
        if sn in self._changed:
            self._changed.discard(sn)
            if row := self._row(sn):
                self._store.later(row)

    def _row(self, sn: str) -> Row | None:
        if sn not in self._last:
            return None
        state, start, end = self._last[sn]
        return (
            "INSERT INTO spans VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET end = max(end, excluded.end)",
            (sn, state, start, end),
        )

    def within(self, sn: str, start: float, end: float) -> dict[str, list[Span]]:
        """What is known of a period: spans by state, cut to the period, in order."""
        self.flush()
        found: dict[str, list[Span]] = {ABLE: [], CARD: []}
        for state, first, last in self._store.read(
            "SELECT state, start, end FROM spans WHERE sn = ? AND start < ? AND end > ? ORDER BY start",
            (sn, end, start),
        ):
            if last > first:
                found.setdefault(state, []).append((max(first, start), min(last, end)))
        return found


def total(spans: Iterable[Span]) -> float:
    """Seconds in *spans*, overlaps once."""
    return sum(last - first for first, last in merged(spans))


def merged(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, those that touch joined."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        elif last > first:
            found.append((first, last))
    return found


def without(period: Span, spans: Iterable[Span]) -> Iterator[Span]:
    """What of *period* is in none of *spans*."""
    at, end = period
    for first, last in merged(spans):
        if first > at:
            yield at, min(first, end)
        at = max(at, last)
        if at >= end:
            return
    if at < end:
        yield at, end
