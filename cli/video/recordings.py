"""What recordings there are, as a table and as a strip of each day."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ..screen.output import say, table
from ..screen.tables import window
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.models import VideoRecord
    from sunmi_ipc.video.timeline import Stretch

#: Columns of a day's date, before its strip.
_LABEL = 12


def show_footage(
    state: State,
    found: Sequence[VideoRecord],
    footage: Sequence[Stretch],
    gaps: Sequence[tuple[datetime, datetime]],
    start: datetime,
    end: datetime,
    where: tzinfo | None,
    *,
    each: bool,
) -> None:
    """Recordings for people: stretches or, with *each*, every one; then the days."""
    from sunmi_ipc.video import timeline

    if not found:
        say(state, "There is no recording in this period.")
        return

    def shown(moment: datetime) -> str:
        return f"{moment.astimezone(where):%Y-%m-%d %H:%M:%S}"

    if each:
        table(
            [
                {
                    "start": shown(r.start_time),
                    "end": shown(r.end_time),
                    "duration": length(r.end_time - r.start_time),
                    "url": r.url,
                }
                for r in found
            ],
            ["start", "end", "duration", "url"],
            least=("end", "duration"),
        )
    else:
        after = {a: b - a for a, b in gaps}
        table(
            [
                {
                    "start": shown(s.start),
                    "end": shown(s.end),
                    "duration": length(s.duration),
                    "recordings": s.clips,
                    "gap after": length(after[s.end]) if s.end in after else "",
                }
                for s in footage
            ],
            ["start", "end", "duration", "recordings", "gap after"],
            least=("recordings", "end"),
        )
    cells = timeline.CELLS if (window() or 80) >= _LABEL + timeline.CELLS else timeline.CELLS // 2
    hours = "".join(f"{hour:02}".ljust(cells // 8) for hour in range(0, 24, 3))
    sys.stdout.write("\n" + " " * _LABEL + hours.rstrip() + "\n")
    for day in timeline.days(start, end, where):
        sys.stdout.write(f"{day:%Y-%m-%d}  {timeline.strip(footage, day, where, cells)}\n")
    say(
        state,
        "{length} in {count} recordings, {gaps} gaps",
        length=length(sum((s.duration for s in footage), timedelta())),
        count=len(found),
        gaps=len(gaps),
    )


def length(span: timedelta) -> str:
    """A length of time as h:mm:ss."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
