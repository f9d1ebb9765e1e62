"""Charts in the terminal: bars that fit the window, gaps left open, parts hatched; hours of many days as a map."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sunmi_ipc.i18n import tr

from ..state import State
from .output import say
from .tables import width, window

_MOST, _LEAST, _MOST_BARS = 40, 8, 62
_WHOLE, _PART, _GAP = "█", "▒", "–"
_SHADES = "·░▒▓█"
_HOURS = 24
#: Columns from which on an hour of a map gets two signs.
_MAP_ROOM = 72


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: *count* None is a gap, where nothing is known; *part*: the period holds only part of it."""

    label: str
    count: int | None
    part: bool = False
    remark: str = ""


def bars(state: State, title: str, every: Sequence[Bar]) -> None:
    """Bars under a title, with a line on what is hatched or left open; too many are put together."""
    step = max(1, -(-len(every) // _MOST_BARS))
    if step > 1:
        say(state, "{title}, {count} to a bar", title=tr(title), count=step)
        every = [_together(every[at : at + step]) for at in range(0, len(every), step)]
    else:
        say(state, title)
    most = max((bar.count or 0 for bar in every), default=0)
    widest = max((width(bar.label) for bar in every), default=0)
    columns = window() or 80
    room = max(_LEAST, min(_MOST, columns - widest - len(str(most)) - 6))
    for bar in every:
        pad = " " * (widest - width(bar.label))
        if bar.count is None:
            _line(state, f"  {bar.label}{pad}  {_GAP}")
            continue
        full = (_PART if bar.part else _WHOLE) * (round(room * bar.count / most) if most else 0)
        remark = f"  ({bar.remark})" if bar.remark else ""
        _line(state, f"  {bar.label}{pad}  {full}{' ' if full else ''}{bar.count}{remark}")
    if any(bar.part for bar in every):
        say(state, "  ▒ only part of this time is in the period")
    if any(bar.count is None for bar in every):
        say(state, "  – no figures for this time, which is not zero")


def _together(some: Sequence[Bar]) -> Bar:
    known = [bar.count for bar in some if bar.count is not None]
    return Bar(some[0].label, sum(known) if known else None, any(bar.part for bar in some))


def day_map(state: State, title: str, days: Mapping[date, Sequence[int | None]]) -> None:
    """Hours over many days: a line a day, a sign an hour, darker where there were more; the day's sum behind."""
    say(state, title)
    most = max((count for hours in days.values() for count in hours if count), default=0)
    wide = 1 if 0 < window() < _MAP_ROOM else 2
    _line(
        state, "  " + " " * 12 + "".join(f"{hour:02}{'':4}" for hour in range(0, _HOURS, 6 // wide)).rstrip()
    )
    for day, hours in days.items():
        signs = "".join(_shade(count, most) * wide for count in hours)
        known = [count for count in hours if count is not None]
        total = str(sum(known)) if known else _GAP
        _line(state, f"  {day:%Y-%m-%d}  {signs}  {total}")
    say(state, "  {shades} from none to {most} an hour; blank: no figures", shades=_SHADES, most=most)


def _shade(count: int | None, most: int) -> str:
    if count is None:
        return " "
    if not count or not most:
        return _SHADES[0]
    return _SHADES[min(len(_SHADES) - 1, 1 + int((len(_SHADES) - 1) * (count - 1) / most))]


def _line(state: State, text: str) -> None:
    """A line of a chart, which is never folded; nothing with ``-q``."""
    if not state.quiet:
        stream = sys.stderr if state.json else sys.stdout
        stream.write(text.rstrip() + "\n")
