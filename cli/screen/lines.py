"""Text as wide as the terminal: broken at blanks, never inside a command that is to be copied."""

from __future__ import annotations

import re
import shutil
from typing import TextIO

from .tables import width

#: What stays in one piece: a quotation ('ipc doctor'), a command to the end of its line, numbers in a row, an address.
_WHOLE = re.compile(
    r"(?<![A-Za-z0-9])'[^']*'(?![A-Za-z0-9])|(?:(?<=: )|(?<=：)|(?<=→ )|^)(?:sudo |uv |pipx? |ipc |(?:& )?(?:\x22[^\x22]*\x22|\S+) -m pip )\S.*$|(?<![\w:-])\d+(?: \d+)+(?![\w:-])|(?<!\S)\S+://[^\s\u2e80-\uffef]+"
)
_CLOSING, _OPENING = "，。：；？！、）」』》…,.:;?!)]", "（「『《(["
_PIECE = re.compile(
    rf"\s+|[{re.escape(_OPENING)}]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)[{re.escape(_CLOSING)}]*"
    rf"|[{re.escape(_OPENING + _CLOSING)}]+"
)
#: Narrower than this nothing is broken at blanks.
LEAST = 20


def _pieces(text: str) -> list[str]:
    """*text* in pieces that stay whole, blanks apart; a stop stays with what it ends."""
    made: list[str] = []
    at = 0
    for whole in _WHOLE.finditer(text):
        made += _PIECE.findall(text[at : whole.start()])
        end = whole.end()
        while end < len(text) and text[end] in _CLOSING:
            end += 1
        piece = text[whole.start() : end]
        if made and not made[-1].isspace() and made[-1][-1:] in _OPENING:
            piece = made.pop() + piece
        made.append(piece)
        at = end
    return made + _PIECE.findall(text[at:])


def wrapped(text: str, columns: int) -> str:
    """*text* in lines of at most *columns*, what follows a line's indent under its first word.

    Args:
        text: One or more lines.
        columns: The terminal's width; 0, or less than would be of use: as it is.

    """
    if columns < LEAST:
        return text
    return "\n".join(_line(line, columns) for line in text.split("\n"))


def _line(line: str, columns: int) -> str:
    if width(line) <= columns:
        return line
    indent = re.match(r" *(?:[-→✓✗] )?", line)
    hang = " " * width(indent[0] if indent else "")
    lines = [line[: len(hang)]]
    for piece in _pieces(line[len(hang) :]):
        fresh = lines[-1] == "" or lines[-1] == hang or (len(lines) == 1 and lines[-1] == line[: len(hang)])
        if piece.isspace():
            lines[-1] += "" if fresh else piece
        elif fresh or width(lines[-1]) + width(piece) <= columns:
            lines[-1] += piece
        else:
            lines[-1] = lines[-1].rstrip()
            lines.append(hang + piece)
    return "\n".join(part.rstrip() for part in lines)


def fitted(text: str, stream: TextIO) -> str:
    """*text* for *stream*: wrapped on a terminal, as it is everywhere else."""
    return wrapped(text, shutil.get_terminal_size().columns) if stream.isatty() else text


def amount(size: float) -> str:
    """Bytes with a unit, as 1.41 MB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
