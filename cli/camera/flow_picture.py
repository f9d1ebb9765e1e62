"""A camera's people flow as a picture file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from ..screen.pictures import bar_picture, map_picture
from . import counts

if TYPE_CHECKING:
    from sunmi_ipc.models import PeopleStatCollection

    from ..state import State


def draw_flow(
    state: State,
    path: Path,
    stat: PeopleStatCollection,
    period: tuple[datetime, datetime],
    tz: tzinfo | None,
    by: str,
    *,
    title: Callable[[], str],
) -> None:
    """Draw the figures of a period: bars by hour, day, age or gender, or a map of many days' hours."""
    span = period[1] - period[0]
    if by in ("age", "gender"):
        made = counts.by_gender(stat) if by == "gender" else counts.by_age(stat)
        bar_picture(state, path, list(made), {"people": list(made.values())}, title=title)
        return
    unit = by or ("hour" if span <= timedelta(hours=24) else "day")
    found = counts.buckets(stat, *period, tz, by=unit)
    if unit == "hour" and span > timedelta(days=7):
        map_picture(state, path, counts.by_day_and_hour(found), title=title)
        return
    one_day = span <= timedelta(hours=24)
    form = "%Y-%m-%d" if unit == "day" else "%H:%M" if one_day else "%m-%d %H:%M"
    bar_picture(
        state,
        path,
        [format(bucket.begin, form) for bucket in found],
        {"people": [bucket.count for bucket in found]},
        title=title,
        parts=[place for place, bucket in enumerate(found) if bucket.part and bucket.count is not None],
    )
