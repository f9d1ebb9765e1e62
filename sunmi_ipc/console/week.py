"""Detection as a grid of days and hours, and back into what a camera can be told.

A camera has one period for all its days: a mask of weekdays, a start and a stop (a stop before the start is the
next day's). So the grid is days by hours, and what is dragged is one rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time

from ..api.detection import Detection
from ..models import MotionDetectConfig
from ..values import Weekdays

DAYS = (
    Weekdays.MONDAY, Weekdays.TUESDAY, Weekdays.WEDNESDAY, Weekdays.THURSDAY, Weekdays.FRIDAY,
    Weekdays.SATURDAY, Weekdays.SUNDAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Week:
    """When a camera watches.

    Attributes:
        days: Indices of the days, Monday 0.
        start: First hour, 0 to 23.
        stop: Hour after the last, 1 to 24; not after *start*: the next day's.

    """

    days: frozenset[int]
    start: int = 0
    stop: int = 24

    @classmethod
    def of(cls, config: MotionDetectConfig) -> Week:
        """From what a camera says; minutes are widened to the hour. What it does not tell is left empty."""
        told = config.weekday or Weekdays(0)
        if told & Weekdays.ALWAYS:
            return cls(frozenset(range(7)))
        days = frozenset(i for i, day in enumerate(DAYS) if told & day)
        start, stop = config.start_time or time(0), config.stop_time or time.max
        hour = 24 if stop == time.max else stop.hour + bool(stop.minute)
        return cls(days, start.hour, hour or 24)

    @property
    def always(self) -> bool:
        """Whether it is the whole week."""
        return len(self.days) == 7 and self.start == 0 and self.stop == 24

    def holds(self, day: int, hour: int) -> bool:
        """Whether it watches in this hour."""
        if self.start < self.stop:
            return day in self.days and self.start <= hour < self.stop
        return (day in self.days and hour >= self.start) or ((day - 1) % 7 in self.days and hour < self.stop)

    def dragged(self, day: int, hour: int, to_day: int, to_hour: int) -> Week:
        """The rectangle that somebody has drawn from one cell to another."""
        first, last = sorted((day, to_day))
        start, stop = sorted((hour, to_hour))
        return Week(frozenset(range(first, last + 1)), start, stop + 1)

    def toggled(self, day: int) -> Week:
        """With one day more, or less; one day is always left."""
        days = self.days ^ {day}
        return replace(self, days=days) if days else self

    def set(self, detection: Detection) -> MotionDetectConfig:
        """Tell the camera; sensitivities stay. Returns: what was set."""
        if self.always:
            return detection.update(weekday=Weekdays.ALWAYS, start_time=time(0), stop_time=time.max)
        mask = Weekdays(0)
        for day in self.days:
            mask |= DAYS[day]
        stop = time.max if self.stop == 24 else time(self.stop)
        return detection.update(weekday=mask, start_time=time(self.start), stop_time=stop)
