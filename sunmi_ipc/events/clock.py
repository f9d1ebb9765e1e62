"""A clock that may be wrong: how long something has been, without asking it."""

from __future__ import annotations

import time

#: A step of the clock that no adjustment of a right one makes.
_JUMP_S = 600.0
#: The same between two runs: a program may have been off for a night.
_GAP_S = 86400.0
#: How long a clock that has jumped forward is not believed: by then somebody has put it right.
_DOUBT_S = 86400.0


class Clock:
    """Tells whether what the computer's clock says may be used to throw something away.

    A computer without a battery, a wrong time server, a hand at the settings: the clock jumps forward by a
    month, and everything looks old. For a day after such a jump, counted while this runs, nothing is dropped
    for its age; also where the jump was between two runs, and over restarts.

    Args:
        last: What :attr:`last` was at the end of the run before, Unix seconds; 0 for none.
        doubt: What :attr:`doubt` was then.

    """

    def __init__(self, last: float = 0.0, doubt: float = 0.0) -> None:
        self._wall, self._counted = time.time(), time.monotonic()
        #: The newest time that was believed, Unix seconds.
        self.last: float = last
        #: Seconds for which it is not believed yet.
        self.doubt: float = doubt
        if last and self._wall - last > _GAP_S and not doubt:
            self.doubt = _DOUBT_S
        self._trust()

    def look(self) -> float:
        """Compare the clock with the seconds that went by; returns those, since the last look."""
        wall, counted = time.time(), time.monotonic()
        passed = counted - self._counted
        if wall - self._wall - passed > _JUMP_S:
            self.doubt = _DOUBT_S
        else:
            self.doubt = max(0.0, self.doubt - passed)
        if self.last and wall - self.last < _JUMP_S:
            self.doubt = 0.0  # put back: it says again what it said before
        self._wall, self._counted = wall, counted
        self._trust()
        return passed

    def _trust(self) -> None:
        if not self.doubt:
            self.last = max(self.last, self._wall) if self._wall - self.last < _GAP_S else self._wall

    @property
    def is_believed(self) -> bool:
        """Whether what is old by the clock may go."""
        return not self.doubt
