"""A moment by which something is over: made once, handed down to everything that waits on the way."""

from __future__ import annotations

import math
import socket
import time


class Deadline:
    """So many seconds from now. ``math.inf`` is for ever.

    A timeout of each step lets many small steps take any time; a deadline is for all of them together.

    Args:
        seconds: From now.

    """

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds: float = seconds
        self._end = time.monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """Seconds that are left, not below 0, and not above *most*: the timeout of the next step."""
        return max(0.0, min(self._end - time.monotonic(), most))

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Raise TimeoutError where it is over."""
        if self.passed:
            raise TimeoutError("the deadline has passed")

    def bound(self, sock: socket.socket) -> None:
        """Let the next operation of *sock* take what is left. Raises TimeoutError where nothing is."""
        self.check()
        left = self.left()
        sock.settimeout(None if math.isinf(left) else max(left, 0.001))
