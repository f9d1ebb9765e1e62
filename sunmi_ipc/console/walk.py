"""The test walk: somebody walks through the door, and what the camera counts is seen as it happens.

Cameras tell counts by asking; which granularity they take is not known, so that whole totals since midnight are
compared with those from before the walk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ..api.people_flow import PeopleFlow
from .desk import today

Way = Literal["in", "out", "passing"]


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody was counted: which way, how many, and when (Unix seconds)."""

    way: Way
    count: int
    at: float


@dataclass
class Walk:
    """A test walk; call :meth:`look` every second or two while somebody walks.

    Args:
        people_flow: The camera's.
        now: The time; for tests.

    Attributes:
        seen: How many went each way since it began.
        steps: What was seen, as it happened.

    """

    people_flow: PeopleFlow
    now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    seen: dict[Way, int] = field(default_factory=lambda: {"in": 0, "out": 0, "passing": 0})
    steps: list[Step] = field(default_factory=list)
    _last: dict[Way, int] = field(default_factory=dict)
    _began: datetime | None = None

    def look(self) -> list[Step]:
        """Ask the camera; returns who has been counted since the last look. The first look only notes.

        Raises: what the camera's answers raise; the walk goes on with the next look.
        """
        if self._began is None:
            self._began = today(self.now())[0]
        # From one midnight on, even if the walk goes past the next: totals that only grow.
        start, end = self._began, self.now()
        totals: dict[Way, int] = {
            "in": self.people_flow.arrivals(start, end).total,
            "out": self.people_flow.leaving(start, end).total,
            "passing": self.people_flow.passing(start, end).total,
        }
        if not self._last:
            self._last = totals
            return []
        new = [
            Step(way, totals[way] - self._last[way], time.time())
            for way in totals
            if totals[way] > self._last[way]
        ]
        for step in new:
            self.seen[step.way] += step.count
        self._last = totals
        self.steps += new
        return new

    @property
    def passed(self) -> bool:
        """Whether in and out were each seen."""
        return self.seen["in"] > 0 and self.seen["out"] > 0
