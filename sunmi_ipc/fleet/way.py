"""The way to a shop's cameras, where a broker and a station are in between: closed for one, it is closed for all."""

from __future__ import annotations

import threading
import time

from ..errors import AccessDenied, OutcomeUnknown, ShopUnreachable


class Way:
    """Whether the cameras of a run are to be reached at all; thread-safe.

    A broker or a station that restarts is waited for, once for all cameras. One that does not come back in time, or
    that does not let us in, ends the run: each camera that is not done is told why, instead of waiting by itself.

    Args:
        patience: So many seconds it may be closed.

    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._closed_since: float | None = None
        #: Why the run ended; None where it did not, or not by this.
        self.error: ShopUnreachable | None = None

    def open(self) -> None:
        """Somebody was reached."""
        self._closed_since = None

    def closed(self, error: ShopUnreachable, began: float) -> None:
        """A call that began at *began* (``time.monotonic()``) did not get through."""
        now, unknown = time.monotonic(), isinstance(error, OutcomeUnknown)
        # What became of a call is asked for again and again before it counts as not known; any other is one attempt.
        when = began if unknown else now
        with self._lock:
            since = self._closed_since
            self._closed_since = since = when if since is None else min(since, when)
            # What became of one call is that call's own matter: it says nothing of the next.
            if isinstance(error, AccessDenied) or (now - since >= self._patience and not unknown):
                self.error = self.error or error

    def check(self) -> None:
        """Raises :class:`ShopUnreachable` where the run is over."""
        if self.error is not None:
            raise self.error
