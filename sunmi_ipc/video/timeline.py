"""When there is footage: stretches, gaps, and a strip of 24 hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models import VideoRecord

#: Recordings that lie no further apart are one stretch: their times are whole seconds.
TOLERANCE = timedelta(seconds=2)
CELLS = 48
_LEVELS = "·▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Footage without a gap, and how many recordings it is made of."""

    start: datetime
    end: datetime
    clips: int

    @property
    def duration(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


def fixed(moment: datetime, tz: tzinfo | None) -> datetime:
    """An aware time as the clocks of *tz* show it (None: this computer's), with an offset that does not move.

    Python compares and subtracts two times of one ``ZoneInfo`` by their clocks alone: an hour wrong where the
    clocks were changed between them.
    """
    there = moment.astimezone(tz)
    return there.replace(tzinfo=timezone(there.utcoffset() or timedelta()), fold=0)


def placed(wall: datetime, tz: tzinfo | None) -> datetime:
    """A clock's reading as an aware time: the offset is that of its own day. None is this computer's zone.

    A reading that comes twice is the first; one that is skipped lies so far after the change.
    """
    wall = wall.replace(fold=0)
    # Of a skipped reading, naive.astimezone() makes an hour before the change.
    there = wall.replace(tzinfo=tz) if tz is not None else datetime.fromtimestamp(wall.timestamp(), UTC)
    return fixed(there, tz)


def stretches(records: Iterable[VideoRecord]) -> list[Stretch]:
    """Recordings put together where one follows the other, by time."""
    found: list[Stretch] = []
    for record in sorted(records, key=lambda r: r.start_time):
        last = found[-1] if found else None
        if last is not None and record.start_time <= last.end + TOLERANCE:
            found[-1] = Stretch(last.start, max(last.end, record.end_time), last.clips + 1)
        else:
            found.append(Stretch(record.start_time, record.end_time, 1))
    return found


def gaps(footage: Sequence[Stretch], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Where a period has no footage."""
    edges = [start, *(edge for s in footage for edge in (s.start, s.end)), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(a, b) for a, b in pairs if b - a > TOLERANCE]


def strip(footage: Sequence[Stretch], day: datetime, tz: tzinfo | None = None, cells: int = CELLS) -> str:
    """A day as a line of *cells* characters, each as high as there is footage in its part of the day.

    Args:
        footage: From :func:`stretches`.
        day: A time on that day in *tz*.
        tz: Whose midnight; None for this computer's.
        cells: How many characters; 48 for half hours.

    """
    date = day.astimezone(tz).date()
    steps = [datetime.combine(date, time()) + timedelta(hours=24 * i / cells) for i in range(cells + 1)]
    edges = [placed(step, tz) for step in steps]
    # What the clocks skip is no time: its half hours are empty.
    edges = [*accumulate(reversed(edges), min)][::-1]
    line = ""
    for begin, end in pairwise(edges):
        whole = (end - begin).total_seconds()
        there = sum(max(0.0, (min(s.end, end) - max(s.start, begin)).total_seconds()) for s in footage)
        share = there / whole if whole > 0 else 0.0
        line += _LEVELS[0] if share <= 0 else _LEVELS[max(1, min(8, round(share * 8)))]
    return line


def days(start: datetime, end: datetime, tz: tzinfo | None = None) -> list[datetime]:
    """The midnights of the days that a period touches."""
    day = start.astimezone(tz).date()
    found = []
    while (midnight := placed(datetime.combine(day, time()), tz)) < end:
        found.append(midnight)
        day += timedelta(days=1)
    return found
