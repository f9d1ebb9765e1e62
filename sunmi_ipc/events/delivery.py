"""Onward delivery, at least once: a consumer, a sink, and patience.

A sink keeps its own place in the spool. It reads no further than it delivers, so a slow one holds
up itself alone, and what was under way when the program ended comes again.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, Protocol, Self

from ..errors import SpoolError, SunmiIpcError
from .consumer import Consumer, StoredEvent
from .spool import Spool
from .workers import Workers

_log = logging.getLogger("sunmi_ipc")


class Again(Exception):
    """The sink could not take it now: it is tried again after *after* seconds or the back-off.

    For ever, with two exceptions. *patience*: for so many seconds in which the sink took nothing at all, such as
    while a web server says 404 because it is being replaced. *suspect*: the sink takes other events, and this
    batch may be why it failed: it is sent in parts, and the one event that does it again is given up.
    """

    after: float | None
    patience: float | None
    suspect: bool

    def __init__(
        self, reason: str, after: float | None = None, *, patience: float | None = None, suspect: bool = False
    ) -> None:
        super().__init__(reason)
        self.after, self.patience, self.suspect = after, patience, suspect


class Rejected(Exception):
    """The sink does not want this event: it is tried a few times, then recorded and passed over."""


class Ended(Exception):
    """Nobody takes anything any more, such as a closed pipe: the delivery ends, its place stays."""


class Stopped(Exception):
    """The delivery was told to end before a batch was through: it comes again."""


class Sink(Protocol):
    """Where events go.

    ``batch`` events at most are given to one ``send``, in order; up to ``parallel`` calls run at once.
    """

    name: str
    batch: int
    parallel: int

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Deliver all of *events*; raises Again, Rejected or Ended.

        A batch that is rejected, or fails by an error of another kind, comes again in two halves, and so on:
        what cannot be taken is given up alone.
        """

    def close(self) -> None:
        """Let go of everything; a ``send`` under way ends soon."""


class InOrder:
    """Acknowledges in order what is finished out of order, and bounds how much is under way."""

    def __init__(self, consumer: Consumer, limit: int) -> None:
        self._consumer, self._limit = consumer, limit
        self._change = threading.Condition()
        self._under_way: dict[int, bool] = {}  # in order; True when done

    def begin(self, seq: int) -> None:
        """*seq* is under way."""
        with self._change:
            self._under_way[seq] = False

    def done(self, seq: int) -> None:
        """*seq* is finished; acknowledge everything up to the first that is not."""
        with self._change:
            self._under_way[seq] = True
            last = None
            for first, finished in list(self._under_way.items()):
                if not finished:
                    break
                del self._under_way[first]
                last = first
            self._change.notify_all()
        if last is not None:
            try:
                self._consumer.ack(last)
            except SpoolError as error:  # closed meanwhile: it comes again
                _log.debug("events: %s", error)

    def wait_for_room(self, timeout: float) -> bool:
        """Whether another may begin, after *timeout* seconds at most."""
        with self._change:
            return self._change.wait_for(lambda: len(self._under_way) < self._limit, timeout)


def resend(
    sink: Sink,
    events: Iterable[StoredEvent],
    *,
    attempts: int = 5,
    pause: float = 1.0,
    delivered: Callable[[StoredEvent], object] = lambda stored: None,
) -> dict[str, int]:
    """Send *events* once more, in order, apart from the sink's own place; returns when all are sent.

    Args:
        sink: The sink; it is not closed.
        events: Such as those of :meth:`Spool.replay`.
        attempts: How often an event that the sink rejects is tried.
        pause: Seconds before it, or a sink that cannot take it now, is tried again.
        delivered: Told of each that was.

    Returns: how many were ``delivered`` and how many ``given_up``.

    """
    counts = {"delivered": 0, "given_up": 0}
    trial = Trial(attempts)

    def give_up(stored: StoredEvent, error: Exception) -> bool:
        _log.error("events: %s gave up event %d: %s", sink.name, stored.seq, reason(error))
        counts["given_up"] += 1
        return True

    def wait(attempt: int, error: Exception) -> bool:
        if attempt == 1:
            _log.warning("events: %s: %s", sink.name, reason(error))
        after = getattr(error, "after", None)
        time.sleep(pause if after is None else min(after, 3600.0))
        return True

    for batch in batched(events, sink.batch):
        try:
            for done in trial.send(sink, batch, give_up, wait):
                counts["delivered"] += len(done)
                for stored in done:
                    delivered(stored)
        except Ended:
            break
    return counts


def reason(error: Exception) -> str:
    """Why, in words. Others than ours may quote a URL or the event: their kind alone."""
    return (
        str(error) if isinstance(error, Again | Rejected | Ended) else f"it failed ({type(error).__name__})"
    )


class Trial:
    """How a batch is tried: again, in parts, or not any more; for one sink, over all its batches."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    def send(
        self,
        sink: Sink,
        events: list[StoredEvent],
        give_up: Callable[[StoredEvent, Exception], bool],
        wait: Callable[[int, Exception], bool],
    ) -> Iterator[list[StoredEvent]]:
        """Send *events*; yields those that were delivered, in order, part by part.

        Args:
            sink: Where to.
            events: What.
            give_up: Records that an event is given up; False: it could not be recorded, so it is tried again.
            wait: Waits before the next attempt, given how many there were; False: stop.

        Raises:
            Ended: Nobody takes anything any more.
            Stopped: *wait* said so; what was not yielded is not done.

        """
        parts, suspected = [events], False
        while parts:
            part, attempt = parts.pop(0), 0
            while part:
                attempt += 1
                try:
                    sink.send(part)
                except Ended:
                    raise
                except Exception as error:
                    if not isinstance(error, Again | Rejected):
                        _log.exception("events: %s failed", sink.name)
                    suspect = not isinstance(error, Again) or error.suspect
                    if (
                        suspect
                        and len(part) > 1
                        and (suspected or attempt > 1 or not isinstance(error, Again))
                    ):
                        suspected = True
                        middle = len(part) // 2
                        parts[:0] = [part[:middle], part[middle:]]
                        if isinstance(error, Again) and not wait(attempt, error):
                            raise Stopped from None
                        break
                    if self._is_hopeless(error, attempt) and all(give_up(stored, error) for stored in part):
                        break
                    if not wait(attempt, error):
                        raise Stopped from None
                else:
                    with self._lock:
                        self._failing_since = None
                    yield part
                    break

    def _is_hopeless(self, error: Exception, attempt: int) -> bool:
        now = time.monotonic()
        with self._lock:
            since = self._failing_since = now if self._failing_since is None else self._failing_since
        if attempt < self._attempts:
            return False
        if not isinstance(error, Again) or error.suspect:
            return True
        return error.patience is not None and now - since >= error.patience


def batched(events: Iterable[StoredEvent], size: int) -> Iterator[list[StoredEvent]]:
    """*events* in lists of up to *size*."""
    rest = iter(events)
    while batch := list(islice(rest, size)):
        yield batch


class Delivery:
    """Delivers a spool's events to a sink, from its making until :meth:`close`.

    Args:
        spool: The spool.
        sink: The sink; closed with the delivery.
        name: The consumer's name; default: the sink's. Another name is another place in the spool.
        attempts: How often an event that the sink rejects is tried.
        backoff: Seconds of the first pause and of the longest; each doubles the one before.
        start: Where to begin, see :meth:`Spool.consumer`.

    Raises:
        SpoolError: Another delivers under this name, in this or another process: each event would go out twice.

    """

    sink: Sink
    name: str

    def __init__(
        self,
        spool: Spool,
        sink: Sink,
        *,
        name: str = "",
        attempts: int = 5,
        backoff: tuple[float, float] = (0.5, 60.0),
        start: Literal["oldest", "now", "anew"] = "oldest",
    ) -> None:
        self.sink, self.name = sink, name or sink.name
        self._spool, self._backoff = spool, backoff
        self._counts = {"delivered": 0, "retried": 0, "given_up": 0}
        self._counting = threading.Lock()
        #: Why the last attempt failed; empty since one succeeded.
        self.problem: str = ""
        #: What stopped it for good, such as a spool that can no longer be read.
        self.broken: SunmiIpcError | None = None
        self._trial = Trial(attempts)
        #: Set when no more is delivered: closed, or the sink has ended.
        self.ended: threading.Event = threading.Event()
        self._consumer = spool.consumer(self.name, start=start, alone=True)
        self._order = InOrder(self._consumer, max(1, sink.parallel))
        self._closed = False
        self._queue: queue.SimpleQueue[list[StoredEvent] | None] = queue.SimpleQueue()
        self._workers = Workers(
            f"events-{self.name}", [self._run, *[self._work] * max(1, sink.parallel)], failed=self._broke
        )
        self._stop = self._workers.stop
        self._workers.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """``delivered`` events, ``retried`` attempts, ``given_up`` events."""
        with self._counting:
            return dict(self._counts)

    def backlog(self) -> int:
        """How many events are not delivered and acknowledged."""
        return self._consumer.backlog()

    def _count(self, name: str, number: int) -> None:
        with self._counting:
            self._counts[name] += number

    def drain(self, timeout: float) -> bool:
        """Wait until everything in the spool is delivered and acknowledged; whether it was in time."""
        deadline = time.monotonic() + timeout
        while self.backlog():
            if self.ended.is_set() or time.monotonic() >= deadline:
                return False
            self._stop.wait(0.02)
        return True

    def close(self, grace: float = 5.0) -> None:
        """Take no more, wait up to *grace* seconds for what is under way, close the sink."""
        if not self._closed:
            self._closed = True
            self._stop.set()
            self._consumer.stop()
            for _ in range(max(1, self.sink.parallel)):
                self._queue.put(None)
            self._workers.join(grace)
            self.sink.close()
            self._workers.join()
            self._consumer.close()
            self.ended.set()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                page = self._consumer.read(limit=max(100, self.sink.batch), timeout=0.5)
                for events in batched(page, self.sink.batch):
                    while not self._order.wait_for_room(0.5):
                        if self._stop.is_set():
                            return
                    if self._stop.is_set():
                        return
                    self._order.begin(events[-1].seq)
                    self._queue.put(events)
        except SunmiIpcError as error:
            self.problem, self.broken = str(error), error
            _log.error("events: %s: %s", self.name, error)
        finally:
            self.ended.set()

    def _broke(self, error: Exception) -> None:
        self.problem = reason(error)
        self.ended.set()

    def _work(self) -> None:
        while (events := self._queue.get()) is not None:
            self._deliver(events)

    def _deliver(self, events: list[StoredEvent]) -> None:
        try:
            for done in self._trial.send(self.sink, events, self._give_up, self._pause):
                self.problem = ""
                self._count("delivered", len(done))
        except Ended as error:
            self.problem = str(error)
            self._stop.set()
            self._consumer.stop()
            self.ended.set()
        except Stopped:
            return
        else:
            self._order.done(events[-1].seq)

    def _give_up(self, stored: StoredEvent, error: Exception) -> bool:
        try:
            self._spool.give_up(self.name, stored.seq, reason(error))
        except SpoolError as problem:  # it cannot be recorded, so it is not passed over
            _log.error("events: %s", problem)
            return False
        self._count("given_up", 1)
        self.problem = ""
        _log.error("events: %s gave up event %d: %s", self.name, stored.seq, reason(error))
        return True

    def _pause(self, attempt: int, error: Exception) -> bool:
        first, longest = self._backoff
        pause = getattr(error, "after", None)
        if pause is None:
            # Jitter: after a server's restart not everybody should come at the same moment.
            pause = min(longest, first * 2 ** min(attempt - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        said, self.problem = self.problem, reason(error)
        self._count("retried", 1)
        level = logging.WARNING if self.problem != said else logging.INFO
        _log.log(level, "events: %s: %s", self.name, self.problem)
        return not self._stop.wait(min(pause, 3600.0))
