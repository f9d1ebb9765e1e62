"""Messages on their way to one receiver: a thread of its own, so that a slow one holds up nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from ..errors import SunmiIpcError
from .channels import Channel, Message, failed

_log = logging.getLogger("sunmi_ipc")
#: A channel that fails is tried again after these pauses, the last goes on.
RETRY_S = (10.0, 30.0, 120.0, 600.0)
#: Nobody may take longer over a message: a receiver that drips its answer is given up.
LONGEST_S = 75.0
#: Messages that wait for a receiver who is away; the oldest of more are dropped.
_WAITING = 20
#: After so many attempts it may be the message: where the next one arrives and this one fails again, it is given up.
SUSPECT = 3
#: Attempts of one channel that were given up and have not ended yet.
_STUCK = 3


class _Attempt(threading.Thread):
    """One sending, which may hang."""

    def __init__(self, channel: Channel, message: Message) -> None:
        super().__init__(name=f"alert {channel.name}", daemon=True)
        self._channel, self._message = channel, message
        self.error: SunmiIpcError | None = None

    def run(self) -> None:
        try:
            self._channel.send(self._message)
        except SunmiIpcError as error:
            self.error = error
        except Exception as error:  # whatever a plugin raises is its own trouble
            self.error = failed(self._channel.name, type(error).__name__)


def send_within(channel: Channel, message: Message, seconds: float = LONGEST_S) -> None:
    """Send a message, and wait so long at most.

    Raises:
        ConnectionFailed: It did not arrive, or nobody knows.

    """
    if error := _sent(_Attempt(channel, message), channel, seconds):
        raise error


def _sent(attempt: _Attempt, channel: Channel, seconds: float) -> SunmiIpcError | None:
    attempt.start()
    attempt.join(seconds)
    if attempt.is_alive():
        return failed(channel.name, f"no answer within {seconds:.0f} s")
    return attempt.error


class Outbox:
    """Sends messages to one channel, in order, until they arrive; from its making until :meth:`close`.

    A message that the channel does not take, while it takes the next one, is given up alone. What says how everything is (``still``, ``well`` and nothing left) takes the place of what still waits.

    Args:
        channel: Where to.
        told: Called with ``sent`` or ``failed`` after each attempt.

    """

    def __init__(self, channel: Channel, told: Callable[[str], None]) -> None:
        self.channel = channel
        self._told = told
        self._waiting: deque[Message] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._stuck: list[_Attempt] = []
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Send it when its turn comes."""
        with self._changed:
            if message.kind == "still" or message.data.get("all_well"):
                self._waiting.clear()
            while len(self._waiting) >= _WAITING:
                self._waiting.popleft()
            self._waiting.append(message)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Messages that have not arrived yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Send no more; one under way has a moment to end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(2.0)
        self.channel.close()

    def _run(self) -> None:
        failures, of_this, last = 0, 0, None
        while (message := self._next()) is not None:
            of_this, last = (of_this if message is last else 0) + 1, message
            error = self._try(message)
            self._told("failed" if error else "sent")
            if error is None:
                failures = 0
                self._done(message)
                continue
            if of_this >= SUSPECT and self._takes_others(message):
                failures = 0
                continue
            with self._changed:
                _log.warning("alerts: %s: %s", self.channel.name, error)
                pause = RETRY_S[min(failures, len(RETRY_S) - 1)]
                failures += 1
                newest, end = self._waiting[-1] if self._waiting else None, time.monotonic() + pause
                # A newer message tries at once: a receiver that is back must not wait for the pause.
                while not self._closing and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                    if self._waiting and self._waiting[-1] is not newest:
                        break

    def _done(self, message: Message) -> None:
        with self._changed:
            if message in self._waiting:
                self._waiting.remove(message)

    def _takes_others(self, message: Message) -> bool:
        """Whether it is not the channel that fails but *message*: the next one arrives, and it does not. It is given up."""
        with self._changed:
            after = next((m for m in self._waiting if m is not message), None)
        if after is None or self._closing or self._try(after) is not None:
            return False
        self._told("sent")
        self._done(after)
        # The channel may have come back just now.
        error = self._try(message)
        self._told("failed" if error else "sent")
        if error is not None:
            _log.error("alerts: %s: given up: %s (%s)", self.channel.name, message.title, error)
        self._done(message)
        return True

    def _next(self) -> Message | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return None if self._closing else self._waiting[0]

    def _try(self, message: Message) -> SunmiIpcError | None:
        self._stuck = [attempt for attempt in self._stuck if attempt.is_alive()]
        if len(self._stuck) >= _STUCK:
            return failed(self.channel.name, "its earlier answers have not ended yet")
        attempt = _Attempt(self.channel, message)
        error = _sent(attempt, self.channel, LONGEST_S)
        if attempt.is_alive():
            self._stuck.append(attempt)
        return error
