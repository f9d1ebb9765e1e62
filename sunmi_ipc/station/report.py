"""People by hour or day, from the station's store: gaps are gaps, days are the shop's."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal

from ..protocol.serial import spelt
from ..protocol.spec import Model
from .hours import Hours, day_bounds
from .store import Store

By = Literal["hour", "day"]
Per = Literal["camera", "door", "site"]
#: What covers less of its time is marked.
COMPLETE = 0.995


@dataclass(slots=True)
class Line:
    """People of one camera, door or site within one hour or day.

    Attributes:
        start, end: Unix seconds; a day may have 23 or 25 hours.
        label: The hour or day in the shop's time.
        who: The camera's serial number, the door's name, or the site.
        name: What people call it.
        arrivals, leaving, passing: People; None where nothing is known.
        completeness: The part of the time that was surely counted, 0 to 1.

    """

    start: float
    end: float
    label: str
    who: str
    name: str
    arrivals: int | None = None
    leaving: int | None = None
    passing: int | None = None
    completeness: float = 0.0
    expected_s: float = field(default=0.0, repr=False)
    covered_s: float = field(default=0.0, repr=False)

    @property
    def gap(self) -> bool:
        """Whether some of its time was not counted."""
        return self.completeness < COMPLETE

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        data = asdict(self)
        del data["expected_s"], data["covered_s"]
        return data | {"completeness": round(self.completeness, 4), "gap": self.gap}


@dataclass(frozen=True, slots=True)
class Meta:
    """What a store says of its station."""

    site: str
    name: str
    timezone: str
    hours: Hours
    window: int

    @property
    def zone(self) -> tzinfo | None:
        """The shop's time zone; None for this computer's."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone) if self.timezone else None


def read_meta(store: Store) -> Meta:
    """What the station that writes this store has said of itself."""
    rows = store.read("SELECT body FROM notices WHERE key = 'station'")
    data = json.loads(rows[0][0]) if rows else {}
    week = tuple(tuple((a, b) for a, b in day) for day in data.get("week", []))
    hours = Hours(week) if len(week) == 7 else Hours()
    return Meta(
        data.get("site", ""), data.get("name", ""), data.get("timezone", ""), hours, data.get("window", 900)
    )


def write_meta(store: Store, *, site: str, name: str, timezone: str, hours: Hours, window: int) -> None:
    """Say it, so that reports need no station file."""
    body = {"site": site, "name": name, "timezone": timezone, "week": hours.week, "window": window}
    store.later(("INSERT OR REPLACE INTO notices VALUES ('station', ?)", (json.dumps(body),)))


def buckets(start: float, end: float, by: By, zone: tzinfo | None) -> list[tuple[float, float, str]]:
    """The hours or days of a period in a zone: start, end (Unix seconds) and label.

    An hour that a change of the clock cuts in two, or repeats, is two.
    """
    return list(_days(start, end, zone) if by == "day" else _hours(start, end, zone))


def _days(start: float, end: float, zone: tzinfo | None) -> Iterator[tuple[float, float, str]]:
    day: date = datetime.fromtimestamp(start, zone).date()
    while True:
        first, last = day_bounds(day, zone)
        if first >= end:
            return
        yield first, last, day.isoformat()
        day += timedelta(days=1)


def _hours(start: float, end: float, zone: tzinfo | None) -> Iterator[tuple[float, float, str]]:
    at = start - start % 900
    begun: tuple[float, tuple[Any, ...], str] | None = None
    while at < end:
        local = datetime.fromtimestamp(at, zone).astimezone(zone)
        key = (local.date(), local.hour, local.utcoffset())
        if begun is None or key != begun[1]:
            if begun is not None:
                yield begun[0], at, begun[2]
            begun = at, key, local.isoformat(timespec="minutes")
        at += 900
    if begun is not None:
        yield begun[0], at, begun[2]


def report(
    store: Store,
    start: float,
    end: float,
    *,
    by: By = "hour",
    per: Per = "camera",
    zone: tzinfo | None = None,
    sns: Sequence[str] = (),
    hours: Hours | None = None,
    window: int = 900,
    site: str = "",
    now: float | None = None,
) -> list[Line]:
    """People of a period.

    Args:
        store: The station's.
        start: Unix seconds.
        end: Unix seconds.
        by: ``hour`` or ``day``, of the shop's clock.
        per: One line each ``camera``, ``door`` (cameras of one name) or ``site``.
        zone: The shop's; None for this computer's.
        sns: These cameras alone; default: every one that counts people.
        hours: Only what is within these opening hours.
        window: The station's window, seconds.
        site: What the site is called.
        now: Nothing is expected of what is not over yet; Unix seconds, default: the present.

    """
    spans = buckets(start, end, by, zone)
    if not spans:
        return []
    starts = [first for first, _, _ in spans]
    now = time.time() if now is None else now
    over = now - now % window
    names = _names(store, [spelt(sn) for sn in sns])
    lines: dict[tuple[str, int], Line] = {}
    for sn, name in names.items():
        who, title = {"camera": (sn, name), "door": (name or sn, name), "site": (site, site)}[per]
        for i, (first, last, label) in enumerate(spans):
            line = lines.setdefault((who, i), Line(first, last, label, who, title))
            line.expected_s += _expected(first, min(last, over), hours, zone, window)
        for row in _rows(store, sn, starts[0], spans[-1][1]):
            began, seconds, *people, covered = row
            if hours is not None and not hours.open_at(began + seconds / 2, zone):
                continue
            i = bisect_right(starts, began) - 1
            if i < 0 or began >= spans[i][1]:
                continue
            line = lines[who, i]
            line.covered_s += covered
            if covered or any(people):
                line.arrivals = (line.arrivals or 0) + people[0]
                line.leaving = (line.leaving or 0) + people[1]
                line.passing = (line.passing or 0) + people[2]
    for line in lines.values():
        line.completeness = min(1.0, line.covered_s / line.expected_s) if line.expected_s else 1.0
    # Outside opening hours nothing is expected, and nothing is shown.
    return [line for line in lines.values() if line.expected_s or line.arrivals is not None]


def _expected(start: float, end: float, hours: Hours | None, zone: tzinfo | None, window: int) -> float:
    if hours is None:
        return max(0.0, end - start)
    steps = range(max(0, int((end - start) // window)))
    return sum(window for n in steps if hours.open_at(start + (n + 0.5) * window, zone))


def _names(store: Store, sns: Sequence[str]) -> dict[str, str]:
    """Names of the cameras that count people, or have counted."""
    rows = store.read("SELECT sn, name, model FROM cameras ORDER BY sn")
    counted = {sn for (sn,) in store.read("SELECT DISTINCT sn FROM counts")}
    names = {sn: name for sn, name, model in rows if sn in counted or Model.read(model) is Model.FM020}
    names |= {sn: "" for sn in counted if sn not in names}
    return {sn: names.get(sn, "") for sn in sns} if sns else names


def _rows(store: Store, sn: str, start: float, end: float) -> Iterable[tuple[int, int, int, int, int, int]]:
    return store.read(
        "SELECT start, seconds, arrivals, leaving, passing, covered FROM counts"
        " WHERE sn = ? AND start >= ? AND start < ? ORDER BY start",
        (sn, start, end),
    )


def demographics(store: Store, sn: str, start: float, end: float) -> dict[str, list[int]]:
    """Those who came in by gender and age range, eight numbers each."""
    sums: dict[str, list[int]] = {"male": [0] * 8, "female": [0] * 8}
    for (text,) in store.read(
        "SELECT people FROM counts WHERE sn = ? AND start >= ? AND start < ?", (sn, start, end)
    ):
        for gender, numbers in json.loads(text).items():
            if gender in sums:
                sums[gender] = [a + b for a, b in zip(sums[gender], numbers, strict=False)]
    return sums
