"""Places for requests under asyncio: so many at once, and nobody takes those of the others.

Whoever holds the fewest comes first, however many wait of somebody else; where all are taken, the oldest request that is
still unfinished, of whoever holds the most, gives way. (The threaded receiver does the same with its connections.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator

#: A request that is younger does not give way: a camera's body takes a moment.
UNFINISHED_S = 1.0
_LOOK_S = 0.25


class NoPlaceError(Exception):
    """There was no place in time."""


class Places:
    """So many places.

    Args:
        most: How many.

    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._reading: dict[asyncio.Timeout, tuple[str, float]] = {}  # in the order in which they began

    @contextlib.asynccontextmanager
    async def place(self, source: str, patience: float) -> AsyncIterator[None]:
        """A place for a request of *source*, within *patience* seconds; raises NoPlaceError."""
        await self._take(source, patience)
        try:
            yield
        finally:
            self._give_back(source)

    @contextlib.asynccontextmanager
    async def reading(self, source: str, seconds: float) -> AsyncIterator[None]:
        """The time that a body may take; TimeoutError where it is over, or the place is needed."""
        async with asyncio.timeout(seconds) as span:
            self._reading[span] = source, asyncio.get_running_loop().time()
            try:
                yield
            finally:
                del self._reading[span]

    async def _take(self, source: str, patience: float) -> None:
        if self._held.total() < self._most and not self._waiting:
            self._held[source] += 1
            return
        queue = self._waiting.setdefault(source, deque())
        loop = asyncio.get_running_loop()
        turn, end = loop.create_future(), loop.time() + patience
        queue.append(turn)
        try:
            if len(queue) > self._most:
                raise NoPlaceError
            while not turn.done():
                self._make_room(source)
                await asyncio.wait([turn], timeout=max(0.0, min(_LOOK_S, end - loop.time())))
                if not turn.done() and loop.time() >= end:
                    raise NoPlaceError
        except BaseException:
            if turn.done():
                self._give_back(source)
            raise
        finally:
            with contextlib.suppress(ValueError):
                queue.remove(turn)
            if not queue and self._waiting.get(source) is queue:
                del self._waiting[source]

    def _give_back(self, source: str) -> None:
        self._held[source] -= 1
        if not self._held[source]:
            del self._held[source]
        while self._waiting and self._held.total() < self._most:
            first = min(self._waiting, key=lambda one: self._held[one])
            queue = self._waiting[first]
            turn = queue.popleft()
            if not queue:
                del self._waiting[first]
            if not turn.done():
                turn.set_result(None)
                self._held[first] += 1

    def _make_room(self, source: str) -> None:
        now = asyncio.get_running_loop().time()
        most, number = max(self._held.items(), key=lambda item: item[1], default=("", 0))
        if self._held.total() < self._most or number <= self._held[source] + 1:
            return
        for span, (owner, began) in self._reading.items():
            if owner == most and began <= now - UNFINISHED_S and (span.when() or 0.0) > now:
                span.reschedule(now)
                return


__all__ = ["NoPlaceError", "Places"]
