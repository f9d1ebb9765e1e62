"""How fast: how many cameras at once, how often an activation, how long a wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from ..errors import ProvisionError
from .journal import Journal

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 16.0


class Stopped(Exception):
    """The person wants to stop; no error of a camera."""


def pauses(total: float) -> Iterator[float]:
    """Pauses that double, *total* seconds in all: quick after a broken call, patient with a restart."""
    pause, left = _FIRST_PAUSE_S, total
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def left_of(seconds: float, began: float) -> float:
    """What is left of *seconds* since *began* (Unix seconds); all of them where the clock was set back meanwhile."""
    return min(max(0.0, began + seconds - time.time()), seconds)


class Activations:
    """Lets activations through one by one, at a rate, up to a quota; the journal remembers across runs.

    Args:
        journal: Counts them.
        per_minute: The rate.
        quota: How many this site may use in all; None for no limit.

    """

    def __init__(self, journal: Journal, per_minute: float, quota: int | None) -> None:
        self._journal, self._interval, self._quota = journal, 60.0 / per_minute, quota
        self._lock = threading.Lock()
        self._used, last = journal.activations()
        # The journal has this computer's clock; one that was set back must not hold us up for ever.
        ago = min(max(time.time() - last, 0.0), self._interval)
        self._next = time.monotonic() + self._interval - ago

    def take(self) -> float:
        """Take one. Returns: seconds to wait before it.

        Raises:
            ProvisionError: The quota is used up.

        """
        with self._lock:
            if self._quota is not None and self._used >= self._quota:
                raise ProvisionError(
                    "the quota of {quota} activations is used up",
                    step="activate",
                    hint="Raise activation_quota in the site file, if the vendor's quota allows it.",
                    quota=self._quota,
                )
            self._used += 1
            now = time.monotonic()
            wait = max(0.0, self._next - now)
            self._next = max(self._next, now) + self._interval
            return wait

    def give_back(self) -> None:
        """One was not carried out."""
        with self._lock:
            self._used -= 1
