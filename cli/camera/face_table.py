"""Faces for people to read: ages in years, times of this computer, no addresses of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from ..screen.output import say, table
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.models import FaceRecord

_COLUMNS = ("faceid", "group_name", "age", "gender", "arrive_count", "arrive_time")


def faces(state: State, records: Iterable[FaceRecord], tz: tzinfo | None = None) -> None:
    """A table of faces; ``--json`` keeps the camera's own fields and is printed elsewhere."""
    rows = [_row(record, tz) for record in records]
    if not rows:
        say(state, "nothing found")
    elif not state.quiet:
        table(rows, _COLUMNS, least=("arrive_count", "gender", "age"))


def _row(record: FaceRecord, tz: tzinfo | None) -> dict[str, Any]:
    age = record.age if record.age is not None else record.age_range and record.age_range.label
    return {
        "faceid": record.faceid,
        "group_name": record.group_name,
        "age": age or "",
        "gender": record.gender.name.lower(),
        "arrive_count": record.arrive_count,
        "arrive_time": f"{record.arrive_time.astimezone(tz):%Y-%m-%d %H:%M}" if record.arrive_time else "",
    }
