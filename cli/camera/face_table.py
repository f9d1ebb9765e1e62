"""Faces for people to read: ages in years, times of this computer, no addresses of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import TYPE_CHECKING

from ..screen import words
from ..screen.output import say, table
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.models import FaceRecord

_COLUMNS = ("faceid", "group_name", "age", "gender", "arrive_count", "arrive_time")
#: Columns of a file: all but the address of a picture, which ends soon.
CSV = _COLUMNS


def faces(state: State, records: Iterable[FaceRecord], tz: tzinfo | None = None) -> None:
    """A table of faces; ``--json`` keeps the camera's own fields and is printed elsewhere."""
    rows = [words.cells(record, tz=tz) for record in records]
    if not rows:
        say(state, "nothing found")
    elif not state.quiet:
        table(rows, _COLUMNS, least=("arrive_count", "gender", "age"))
