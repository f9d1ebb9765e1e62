"""Opening hours and days of a shop, in its own time zone; days of 23 and 25 hours included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"\s*(\d{1,2}):([0-5]\d)\s*-\s*(\d{1,2}):([0-5]\d)\s*")
_DAY_MINUTES = 1440
Spans = tuple[tuple[int, int], ...]


def _spans(text: str) -> Spans:
    """``09:00-12:00, 14:00-02:00`` as minutes; an end at or before the start is on the next day."""
    if text.strip().lower() in ("closed", ""):
        return ()
    found = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError(text)
        first, last = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if first >= _DAY_MINUTES or last > _DAY_MINUTES:
            raise ValueError(text)
        found.append((first, last if last > first else last + _DAY_MINUTES))
    return tuple(sorted(found))


def _days(text: str) -> list[int]:
    """``mon``, ``mon-fri``, ``sat,sun`` as numbers from 0."""
    found: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(text)
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        found += [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]
    return found


def _clock(minutes: int) -> str:
    minutes = minutes - _DAY_MINUTES if minutes > _DAY_MINUTES else minutes
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a shop is open: minutes of each weekday, Monday first; all day where nothing was said."""

    week: tuple[Spans, ...] = (((0, _DAY_MINUTES),),) * 7

    @classmethod
    def parse(cls, value: Any) -> Hours:
        """From ``09:00-22:00``, or from texts by day (``mon-fri``); days that are not named are closed.

        Raises:
            ValueError: It is neither.

        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls((_spans(value),) * 7) if value.strip() else cls()
        if isinstance(value, Mapping) and value:
            week: list[Spans] = [()] * 7
            for days, text in value.items():
                if not isinstance(text, str):
                    raise ValueError(days)
                for day in _days(str(days)):
                    week[day] = _spans(text)
            return cls(tuple(week))
        raise ValueError("hours")

    def __str__(self) -> str:
        """As people write them: ``09:00-22:00``, or by day."""
        said = [
            ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in spans) or "closed"
            for spans in self.week
        ]
        if len({*said}) == 1:
            return said[0]
        return "; ".join(f"{day} {text}" for day, text in zip(DAYS, said, strict=True))

    def on(self, day: date, zone: tzinfo | None) -> list[tuple[float, float]]:
        """The opening times that begin on *day*, Unix seconds."""
        return [
            (moment(day, first, zone), moment(day, last, zone)) for first, last in self.week[day.weekday()]
        ]

    def open_at(self, when: float, zone: tzinfo | None) -> bool:
        """Whether the shop is open at *when* (Unix seconds)."""
        return self.open_s(when, when + 1, zone) > 0

    def open_s(self, start: float, end: float, zone: tzinfo | None) -> float:
        """How many seconds of a period the shop is open."""
        return sum(
            max(0.0, min(end, last) - max(start, first)) for first, last in self.within(start, end, zone)
        )

    def within(self, start: float, end: float, zone: tzinfo | None) -> Iterator[tuple[float, float]]:
        """The opening times that touch a period, Unix seconds."""
        day = datetime.fromtimestamp(start, zone).date() - timedelta(days=1)
        while moment(day, 0, zone) < end:
            for first, last in self.on(day, zone):
                if last > start and first < end:
                    yield first, last
            day += timedelta(days=1)


def moment(day: date, minutes: int, zone: tzinfo | None) -> float:
    """The minute of a day in a zone, Unix seconds. Minutes count on the wall clock, 1440 is the next midnight."""
    days, minutes = divmod(minutes, _DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60))
    if zone is None:
        return wall.timestamp()
    # A wall time that the clock skips is the moment at which it is skipped to, as for "09:00" on any other day.
    return wall.replace(tzinfo=zone).astimezone(UTC).timestamp()


def day_bounds(day: date, zone: tzinfo | None) -> tuple[float, float]:
    """Midnight to midnight, Unix seconds: 23, 24 or 25 hours."""
    return moment(day, 0, zone), moment(day, _DAY_MINUTES, zone)
