"""A camera's figures put into the hours and days of a period, with the holes left open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from sunmi_ipc.i18n import tr
from sunmi_ipc.video.timeline import fixed, placed

if TYPE_CHECKING:
    from sunmi_ipc.models import PeopleStatCollection, PeopleStatUnit

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One hour or day: *count* None where no figures came; *missing*: how long of it has none."""

    begin: datetime
    end: datetime
    count: int | None
    part: bool
    missing: timedelta = timedelta()


def hour_marks(start: datetime, end: datetime, tz: tzinfo | None) -> Iterator[tuple[datetime, datetime]]:
    """The hours of the clock that a period touches."""
    begin = fixed(start, tz).replace(minute=0, second=0, microsecond=0)
    while begin < end:
        yield begin, begin + _HOUR
        begin = fixed(begin + _HOUR, tz)


def day_marks(start: datetime, end: datetime, tz: tzinfo | None) -> Iterator[tuple[datetime, datetime]]:
    """The days of the calendar that a period touches; one has 23 or 25 hours where the clocks change."""
    day = fixed(start, tz).date()
    while (begin := placed(datetime.combine(day, time()), tz)) < end:
        day += timedelta(days=1)
        yield begin, placed(datetime.combine(day, time()), tz)


def buckets(
    stat: PeopleStatCollection, start: datetime, end: datetime, tz: tzinfo | None, *, by: str
) -> list[Bucket]:
    """The figures by ``hour`` or ``day``; where a camera counts in longer pieces, by its own pieces.

    Args:
        stat: What the camera answered.
        start: Of the period.
        end: Of the period.
        tz: The zone whose clock decides; None for this computer's.
        by: ``hour`` or ``day``.

    """
    units = sorted(stat.stat_list, key=lambda unit: unit.start_time)
    marks = list((hour_marks if by == "hour" else day_marks)(start, end, tz))
    longest = max((unit.end_time - unit.start_time for unit in units), default=timedelta())
    if marks and longest > (marks[0][1] - marks[0][0]) + _HOUR:
        marks = [(fixed(unit.start_time, tz), fixed(unit.end_time, tz)) for unit in units]
    return [_bucket(units, begin, finish, start, end) for begin, finish in marks]


def _bucket(
    units: Sequence[PeopleStatUnit], begin: datetime, finish: datetime, start: datetime, end: datetime
) -> Bucket:
    inside = [unit for unit in units if begin <= unit.start_time < finish]
    first, last = max(begin, start), min(finish, end)
    covered = sum(
        (max(min(unit.end_time, last) - max(unit.start_time, first), timedelta()) for unit in units),
        timedelta(),
    )
    count = sum(unit.total or 0 for unit in inside) if inside else None
    return Bucket(
        begin, finish, count, first > begin or last < finish, max(last - first - covered, timedelta())
    )


def by_gender(stat: PeopleStatCollection) -> dict[str, int]:
    """People by gender, as far as the camera tells it."""
    made: dict[str, int] = {}
    for row in stat.rows():
        made[row["gender"]] = made.get(row["gender"], 0) + row["count"]
    return made


def by_age(stat: PeopleStatCollection) -> dict[str, int]:
    """People by age range and gender, as far as the camera tells it."""
    made: dict[str, int] = {}
    for row in stat.rows():
        label = f"{row['age']} {tr(row['gender'])}"
        made[label] = made.get(label, 0) + row["count"]
    return made


def by_day_and_hour(found: Sequence[Bucket]) -> dict[date, list[int | None]]:
    """Hours as a table of days, None where there are no figures."""
    made: dict[date, list[int | None]] = {}
    for bucket in found:
        hours = made.setdefault(bucket.begin.date(), [None] * 24)
        if bucket.count is not None:  # an hour that comes twice is the sum of both
            hours[bucket.begin.hour] = (hours[bucket.begin.hour] or 0) + bucket.count
    return made
