"""A clock that may be wrong: how long something has been, without asking it."""

from __future__ import annotations

import time

#: A step of the clock that no adjustment of a right one makes.
_JUMP_S = 600.0
#: How long a clock that has jumped forward is not believed: by then somebody has put it right.
_DOUBT_S = 86400.0


class Clock:
    """Tells whether what the computer's clock says may be used to throw something away.

    A computer without a battery, a wrong time server, a hand at the settings: the clock jumps forward by a
    month, and everything looks old. For a day after such a jump nothing is dropped for its age.
    """

    def __init__(self) -> None:
        self._wall, self._counted = time.time(), time.monotonic()
        self._doubted_until = 0.0

    def look(self) -> float:
        """Compare the clock with the seconds that went by; returns those, since the last look."""
        wall, counted = time.time(), time.monotonic()
        passed = counted - self._counted
        if wall - self._wall - passed > _JUMP_S:
            self._doubted_until = counted + _DOUBT_S
        elif self._wall + passed - wall > _JUMP_S:
            self._doubted_until = 0.0  # put back: what it said meanwhile is in the future now, and not old
        self._wall, self._counted = wall, counted
        return passed

    @property
    def is_believed(self) -> bool:
        """Whether what is old by the clock may go."""
        return time.monotonic() >= self._doubted_until
