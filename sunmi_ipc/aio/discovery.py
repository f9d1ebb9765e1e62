"""Discovery under asyncio: the searches of :mod:`sunmi_ipc.discovery`, in a thread, as asynchronous iterators."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from ..discovery import scan
from ..discovery.tracker import Change, Tracker
from .steps import each
from .threads import in_thread

if TYPE_CHECKING:
    from ..discovery import DiscoveredCamera, ScanReport

P = ParamSpec("P")
T = TypeVar("T")


def _iterated(search: Callable[P, Iterator[T]], words: str) -> Callable[P, AsyncGenerator[T, None]]:
    """The twin of *search*, with its arguments."""

    @wraps(search)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        found = each(lambda: search(*args, **kwargs))
        try:
            async for camera in found:
                yield camera
        finally:
            await found.aclose()

    twin.__doc__, twin.__module__ = words, __name__
    return twin


def _awaited(search: Callable[P, T], words: str) -> Callable[P, Coroutine[Any, Any, T]]:
    """The twin of *search*, with its arguments."""

    @wraps(search)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> T:
        return await in_thread(lambda: search(*args, **kwargs))

    twin.__doc__, twin.__module__ = words, __name__
    return twin


discover = _iterated(
    scan.discover,
    """Yield cameras as they answer; the arguments and errors of :func:`sunmi_ipc.discover`.

    ::

        async for found in discover(expect=2):
            print(found.sn, found.ip)

    Whoever leaves early does not wait: the search ends behind it, in its thread.
    """,
)
find = _awaited(
    scan.find,
    """The camera of a serial number; the arguments and errors of :func:`sunmi_ipc.find`.

    ``approve`` is called in the thread that searches.
    """,
)


class AsyncTracker:
    """Ask every *interval* seconds, and tell what changes: :class:`sunmi_ipc.discovery.Tracker` under asyncio.

    An iteration begins with the cameras that are there already, and ends when the tracker is closed::

        async with AsyncTracker() as tracker:
            async for change in tracker:
                print(change.kind, change.camera.sn)

    Args:
        interval: Seconds between rounds, from 0.1.
        missed: Rounds without an answer that make a camera offline, from 1.
        interfaces: As for :func:`discover`; looked up anew at each round.
        targets: Addresses and blocks to ask one by one beside.
        on_change: Called with each :class:`~sunmi_ipc.discovery.Change`, in the event loop.

    Raises:
        ParameterError: A bound is not kept, or a target is none. Entering raises it for an interface that does
            not exist.

    """

    report: ScanReport

    def __init__(
        self,
        *,
        interval: float = 5.0,
        missed: int = 3,
        interfaces: Sequence[str] | None = None,
        targets: Sequence[str] = (),
        on_change: Callable[[Change], None] | None = None,
    ) -> None:
        self._tracker = Tracker(
            interval=interval, missed=missed, interfaces=interfaces, targets=targets, on_change=self._heard
        )
        #: Rejected packets and notes.
        self.report = self._tracker.report
        self._on_change = on_change
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[deque[Change], asyncio.Event]] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await in_thread(self._tracker.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End; iterations end too."""
        self._closed = True
        for _, news in self._waiting:
            news.set()
        await in_thread(self._tracker.close)

    @property
    def cameras(self) -> list[DiscoveredCamera]:
        """The cameras that are online."""
        return self._tracker.cameras

    async def __aiter__(self) -> AsyncGenerator[Change, None]:
        """Yield changes until the tracker is closed, those that are online first."""
        changes = self._tracker.follow()
        news = asyncio.Event()
        entry = (changes, news)
        self._waiting.append(entry)
        try:
            while True:
                while changes:
                    yield changes.popleft()
                if self._closed:
                    return
                news.clear()
                if not changes:
                    await news.wait()
        finally:
            self._waiting.remove(entry)
            self._tracker.unfollow(changes)

    def _heard(self, change: Change) -> None:
        """Called in the tracker's thread; the change stands in every deque already."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._tell, change)
        except RuntimeError:
            return  # the loop is closed

    def _tell(self, change: Change) -> None:
        for _, news in self._waiting:
            news.set()
        if self._on_change is not None:
            self._on_change(change)


__all__ = ["AsyncTracker", "discover", "find"]
