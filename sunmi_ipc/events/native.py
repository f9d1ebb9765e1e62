"""A camera's events under asyncio. See ``camera.events.stream``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from .consumer import StoredEvent
from .model import Event
from .stream import EventStream

T = TypeVar("T")
#: Seconds of one look: so long a reading thread may outlive who waited for it.
_LOOK_S = 0.5


class AsyncEventStream:
    """A camera's events as they come; an asynchronous context manager, made by ``camera.events.stream``.

    It is an :class:`~sunmi_ipc.events.EventStream` in threads of its own: what is subscribed, kept, signed for and
    given up is the same; the camera is called in the event loop.

    Attributes:
        inner: That stream: its spool, receiver and subscription.

    """

    inner: EventStream

    def __init__(self, inner: EventStream) -> None:
        self.inner = inner
        # One thread: a read that nobody waits for any longer is over before the next begins.
        self._reader: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        entering = asyncio.ensure_future(asyncio.to_thread(self.inner.__enter__))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            # The thread goes on: what it opens and subscribes to must be ended behind it.
            with contextlib.suppress(Exception):
                await entering
                await asyncio.to_thread(self.inner.__exit__)
            raise
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="event-stream")
        return self

    async def __aexit__(self, *_: object) -> None:
        closing = asyncio.ensure_future(asyncio.to_thread(self.inner.__exit__))
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing  # a subscription that is left would be posted to for ever
            raise
        finally:
            reader, self._reader = self._reader, None
            if reader is not None:
                reader.shutdown(wait=False)

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        """Events as they come, without end; see :meth:`stored`."""
        async with contextlib.aclosing(self.stored()) as found:
            async for stored in found:
                yield stored.event

    async def stored(self, timeout: float | None = None) -> AsyncGenerator[StoredEvent, None]:
        """Events with when and whence they came, as they come.

        Each is acknowledged when the next is asked for: one that a loop was left at comes again.

        Args:
            timeout: End when none has come for so many seconds; None: never.

        """
        consumer = self.inner.consumer
        await self._read(consumer.rewind)
        loop = asyncio.get_running_loop()
        while True:
            until = None if timeout is None else loop.time() + timeout
            page: list[StoredEvent] = []
            while not page:
                left = _LOOK_S if until is None else min(_LOOK_S, until - loop.time())
                if left <= 0 or not self.inner.spool.is_open:
                    return
                page = await self._read(lambda left=left: consumer.read(timeout=left))  # type: ignore[misc]
            for stored in page:
                yield stored
                await self._read(lambda stored=stored: consumer.ack(stored))  # type: ignore[misc]

    async def _read(self, function: Callable[[], T]) -> T:
        if self._reader is None:
            raise RuntimeError("the stream is not entered: use 'async with'")
        return await asyncio.get_running_loop().run_in_executor(self._reader, function)


__all__ = ["AsyncEventStream"]
