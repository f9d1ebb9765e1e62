"""Tables for people: as wide as they need to be in a file, as wide as the window on a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable
from sunmi_ipc.words import heading

from . import collected

_GAP = 2
#: A last column may be folded when it is a text of more than this; a narrower one is left out or kept.
_TEXT = 24
#: Where nothing more can be left out it is folded into this at the least: words are read, halves of words are not.
_NARROW = 10
#: Columns that are never folded.
_WHOLE = ("url", "file", "path")
#: No line starts with the one or ends with the other.
_CLOSING, _OPENING = "，。：；？！、）」』》…,.:;?!)]", "（「『《(["
_PIECE = re.compile(
    rf"\s+|[{re.escape(_OPENING)}]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)[{re.escape(_CLOSING)}]*"
    rf"|[{re.escape(_OPENING + _CLOSING)}]+"
)


def width(text: str) -> int:
    """Columns that *text* takes on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fold(text: str, columns: int) -> list[str]:
    """*text* in lines of at most *columns*; Chinese, which takes two each, breaks anywhere but at stops."""
    lines: list[str] = []
    line, used = "", 0
    for piece in _PIECE.findall(text):
        if line and used + width(piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line, used = "", 0
        if line or not piece.isspace():
            line, used = line + piece, used + width(piece)
        if used > columns > 2 and width(line.rstrip()) > columns:  # a word longer than a line
            *full, line = _cut(line, columns)
            lines += full
            used = width(line)
    return [*lines, line]


def _cut(line: str, columns: int) -> list[str]:
    """*line*, which is a word longer than a line, in pieces of *columns*; blanks at its end stay there."""
    pieces, start, used = [], 0, 0
    word = line.rstrip()
    for i, c in enumerate(word):
        wide = width(c)
        if used + wide > columns:
            pieces.append(word[start:i])
            start, used = i, 0
        used += wide
    return [*pieces, line[start:]]


def columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells padded to *widths*, a line of a table."""
    padded = [cell + " " * max(0, w - width(cell)) for cell, w in zip(cells, widths, strict=True)]
    return (" " * _GAP).join(padded).rstrip()


def clip(text: str, columns: int) -> str:
    """*text*, cut to *columns* with an ellipsis."""
    if width(text) <= columns:
        return text
    end = next(i for i in range(columns, -1, -1) if width(text[:i]) < columns)
    return text[:end] + "…"


def window() -> int:
    """Columns of the terminal on stdout; 0 where there is none, and nothing is to be fitted."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def fitting(names: Sequence[str], widths: Sequence[int], least: Sequence[str], room: int) -> list[str]:
    """Those of *names* that fit into *room* columns side by side, the *least* important left out first."""
    taken = dict(zip(names, widths, strict=True))
    for name in least:
        if sum(taken.values()) + _GAP * (len(taken) - 1) <= room or not room:
            break
        taken.pop(name, None)
    return list(taken)


def _named(column: str) -> str:
    """A column's name in words; a command's own heading is a word already."""
    return tr(heading(column))


def left_out(every: Sequence[str], shown: Sequence[str]) -> None:
    """Say on stderr which columns there was no room for."""
    if missing := [_named(name) for name in every if name not in shown]:
        text = tr("No room for: {names}; see --json.", names=tr(", ").join(missing))
        lines = fold(text, shutil.get_terminal_size().columns) if sys.stderr.isatty() else [text]
        sys.stderr.write("\n".join(lines) + "\n")


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, least: Sequence[str] = ()) -> None:
    """Rows under column headings, on stdout.

    Args:
        rows: The rows.
        names: The columns, in the order shown.
        least: Columns to leave out, the first of these first, where a terminal is too narrow.

    """
    if mine := collected.current():
        mine.table(rows, names)
        return
    cells = {
        name: [printable(_named(name)).upper(), *(_cell(row.get(name)) for row in rows)] for name in names
    }
    widths = {name: max(map(width, column)) for name, column in cells.items()}
    room, last = window(), names[-1]
    shown, rest = list(names), 0
    if room and sum(widths.values()) + _GAP * (len(names) - 1) > room:
        rest = room - sum(widths[name] + _GAP for name in names[:-1])
        if widths[last] <= _TEXT or last in _WHOLE:  # an address or a path is to be copied, in one piece
            rest = 0
        elif rest < _TEXT:
            shown = fitting(names, [*(widths[n] for n in names[:-1]), _TEXT], least, room)
            rest = room - sum(widths[name] + _GAP for name in shown[:-1]) if shown[-1] == last else 0
            rest = rest if rest >= _NARROW else 0
        if not rest:
            shown = fitting(names, list(widths.values()), least, room)
    for line in zip(*(cells[name] for name in shown), strict=True):
        *head, tail = line
        parts = fold(tail, rest) if rest else [tail]
        for part in parts:
            sys.stdout.write(columns([*head, part], [widths[name] for name in shown]) + "\n")
            head = [""] * len(head)
    left_out(names, shown)


def _cell(value: Any) -> str:
    return "" if value is None else printable(str(value))
