"""People in, out and passing, by hour or day, with the gaps that a camera leaves open."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from .. import csvfile
from ..api.people_flow import PeopleFlow
from ..models import PeopleStatCollection
from ..values import AgeRange
from ..video.timeline import placed

By = Literal["hour", "day"]
WAYS = ("in", "out", "passing")


@dataclass(frozen=True)
class Bin:
    """An hour or a day; a count is None where the camera said nothing of it."""

    start: datetime
    end: datetime
    counts: dict[str, int | None]


@dataclass(frozen=True)
class Counted:
    """A period.

    Attributes:
        bins: Hours or days, in order.
        ages: Those who came in, by gender (``male``, ``female``) and age range.

    """

    start: datetime
    end: datetime
    bins: list[Bin]
    ages: dict[str, dict[str, int]] = field(default_factory=dict)

    def total(self, way: str) -> int:
        """How many went that way."""
        return sum(b.counts[way] or 0 for b in self.bins)

    @property
    def gaps(self) -> int:
        """Hours or days of which the camera says nothing, though they are over."""
        return sum(b.counts["in"] is None for b in self.bins if b.end <= datetime.now().astimezone())

    def csv(self) -> bytes:
        """As a table for spreadsheets: UTF-8 with a mark that Excel needs; a gap is an empty cell."""
        rows: list[dict[str, object]] = [
            {"start": f"{one.start:%Y-%m-%d %H:%M}", "end": f"{one.end:%Y-%m-%d %H:%M}"}
            | {w: "" if one.counts[w] is None else one.counts[w] for w in WAYS}
            for one in self.bins
        ]
        return csvfile.data(rows, ["start", "end", *WAYS])

    def xlsx(self) -> bytes:
        """As a workbook.

        Raises:
            ExtraMissingError: XlsxWriter is not installed.

        """
        from importlib import import_module

        from ..errors import ExtraMissingError

        try:
            writer = import_module("xlsxwriter")
        except ImportError:
            raise ExtraMissingError(
                "this needs the library {library}, which is not installed",
                extra="excel",
                library="XlsxWriter",
            ) from None
        made = io.BytesIO()
        with writer.Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("people")
            sheet.write_row(0, 0, ["start", "end", *WAYS])
            for row, one in enumerate(self.bins, 1):
                sheet.write_string(row, 0, f"{one.start:%Y-%m-%d %H:%M}")
                sheet.write_string(row, 1, f"{one.end:%Y-%m-%d %H:%M}")
                for column, way in enumerate(WAYS, 2):
                    if (value := one.counts[way]) is not None:
                        sheet.write_number(row, column, value)
        return made.getvalue()


def period(name: str, now: datetime | None = None, tz: tzinfo | None = None) -> tuple[datetime, datetime, By]:
    """``today``, ``yesterday``, ``week`` (seven days with today) or ``month`` (thirty) by a shop's midnights."""
    now = (now or datetime.now().astimezone()).astimezone(tz)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first = {"today": 0, "yesterday": 1, "week": 6, "month": 29}[name]
    last = midnight if name == "yesterday" else midnight + timedelta(days=1)
    by: By = "hour" if name in ("today", "yesterday") else "day"
    return placed(midnight - timedelta(days=first), tz), placed(last, tz), by


def before(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The period of the same length just before."""
    return start - (end - start), start


def _bins(start: datetime, end: datetime, by: By, tz: tzinfo | None) -> Iterator[tuple[datetime, datetime]]:
    wall = start.astimezone(tz).replace(tzinfo=None, fold=0)
    step = timedelta(hours=1) if by == "hour" else timedelta(days=1)
    while (begin := placed(wall, tz)) < end:
        wall += step
        close = placed(wall, tz)
        if close > begin:  # an hour that the clocks skip is none
            yield begin, close


def read(
    people_flow: PeopleFlow, start: datetime, end: datetime, by: By, *, tz: tzinfo | None = None
) -> Counted:
    """Ask a camera for a period; bins that have not begun are left out."""
    now = datetime.now().astimezone()
    until = min(end, now)
    asked = {
        "in": people_flow.arrivals(start, until),
        "out": people_flow.leaving(start, until),
        "passing": people_flow.passing(start, until),
    }
    bins = []
    for begin, close in _bins(start, until, by, tz):
        counts = {way: _within(stat, begin, close) for way, stat in asked.items()}
        bins.append(Bin(begin, close, counts))
    ages: dict[str, Counter[str]] = {"male": Counter(), "female": Counter()}
    for unit in asked["in"].stat_list:
        for gender, numbers in (("male", unit.male_num_stat), ("female", unit.female_num_stat)):
            for age, count in zip(AgeRange, numbers, strict=False):
                ages[gender][age.label] += count
    return Counted(start, end, bins, {gender: dict(counts) for gender, counts in ages.items()})


def _within(stat: PeopleStatCollection, start: datetime, end: datetime) -> int | None:
    units = [u for u in stat.stat_list if start <= u.start_time < end]
    return sum(u.total for u in units) if units else None
