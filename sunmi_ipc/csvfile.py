"""The one writer of CSV: files that open in a spreadsheet with the right characters, and are safe to open.

A camera's name, a face group, a network: anybody can have chosen it, and a spreadsheet takes a text that
begins with ``=`` for a formula. Every text is guarded here; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from .atomic import passes_through, whole
from .untrusted import clean

__all__ = ["STDOUT", "Rows", "guard", "plain", "unguard", "write"]

STDOUT = "-"
"""Standard output instead of a file."""

# What begins a formula, full-width and small letters of a Chinese keyboard too, behind blanks that are seen and
# such as are not. Also behind whatever another country's
# spreadsheet takes for the end of a cell: it looks for semicolons or tabs, and not at our quotes.
_FORMULA = re.compile(
    r"(^|[;\t\r\n|])([ \x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u180e\u200b-\u200d\u2060]*)(?=[=+@\uff1d\uff0b\uff20\uff0d\ufe62\ufe63\ufe66\ufe6b-])"
)
_CELL = re.compile(r"^[\t\r\n]")
# Ends a line for a spreadsheet, and is not put into quotes by all of our Pythons: a name would go on as another row.
_LONE_CR = re.compile(r"\r(?!\n)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def guard(value: Any) -> Any:
    """*value* as a cell: numbers as they are, a text with an apostrophe where it would be taken for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = str(value)
        if text.isascii() and text.isalnum():
            return text
        # Line breaks and tabs may stand in a cell; what steers a terminal, and half an emoji, may not.
        text = "".join(
            part if part in "\t\r\n" else clean(part, None) for part in re.split(r"([\t\r\n])", text)
        )
        if _NUMBER.fullmatch(text):
            return text
        return _FORMULA.sub(r"\1\2'", text) if not _CELL.match(text) else "'" + _FORMULA.sub(r"\1\2'", text)
    return value


def unguard(text: str) -> str:
    """What :func:`guard` made a cell of, where it begins with its apostrophe."""
    return text[1:] if text[:1] == "'" and guard(text[1:]) == text else text


def _cell(value: Any) -> Any:
    cell = guard(value)
    return _LONE_CR.sub("\n", cell) if isinstance(cell, str) and "\r" in cell else cell


class Rows:
    """Writes rows as they come; use :func:`write` where all are there.

    Args:
        stream: Takes text, or bytes where it has none.
        names: The columns, in order.
        title: The heading of a column; default: its name.

    """

    def __init__(
        self, stream: IO[str], names: Sequence[str], *, title: Mapping[str, str] | None = None
    ) -> None:
        self._stream, self._names = stream, list(names)
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow([_cell((title or {}).get(name, name)) for name in self._names])

    @classmethod
    def to_stdout(cls, names: Sequence[str]) -> Self:
        """To standard output, line by line."""
        return cls(_Stdout(), names)  # type: ignore[arg-type]

    def add(self, row: Mapping[str, Any]) -> None:
        """Write one row; a list is written as its members with blanks between, what is missing as nothing."""
        cells = (row.get(name) for name in self._names)
        self._writer.writerow(
            [_cell(" ".join(map(str, cell)) if isinstance(cell, list | tuple) else cell) for cell in cells]
        )
        self._stream.flush()


def plain(stream: IO[str], separator: str) -> Callable[[Iterable[Any]], object]:
    """Writes rows as lists, without headings: to go on with a file that has some."""
    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    return lambda cells: writer.writerow([_cell(cell) for cell in cells])


class _Stdout:
    """Standard output as UTF-8, whatever the code page of this computer is."""

    def __init__(self) -> None:
        self._begun = False

    def write(self, text: str) -> int:
        if not self._begun:
            self._begun = True
            # A mark makes spreadsheets read UTF-8; a program at the other end of a pipe wants none.
            text = ("\ufeff" if _is_file() else "") + text
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None or sys.stdout.isatty():
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            buffer.write(text.encode())
        return len(text)

    def flush(self) -> None:
        sys.stdout.flush()


def _is_file() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


def write(
    path: str | os.PathLike[str],
    rows: Iterable[Mapping[str, Any]],
    names: Sequence[str],
    *,
    title: Mapping[str, str] | None = None,
) -> None:
    """Write a CSV file, whole or not at all, in UTF-8 with a mark; ``-`` is standard output.

    Args:
        path: Where to.
        rows: By column name; what has no column is left out.
        names: The columns, in order.
        title: The heading of a column; default: its name.

    Raises:
        OSError: It cannot be written; its ``filename`` is *path*.

    """
    if str(path) == STDOUT:
        _fill(_Stdout(), rows, names, title)
        return
    try:
        with _opened(Path(path)) as file:
            file.write(data(rows, names, title=title))
    except OSError as error:
        error.filename = str(path)
        raise


def data(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], *, title: Mapping[str, str] | None = None
) -> bytes:
    """The same as bytes, for who sends it elsewhere."""
    made = io.StringIO(newline="")
    _fill(made, rows, names, title)
    return made.getvalue().encode("utf-8-sig")


def _fill(
    stream: Any, rows: Iterable[Mapping[str, Any]], names: Sequence[str], title: Mapping[str, str] | None
) -> None:
    writer = Rows(stream, names, title=title)
    for row in rows:
        writer.add(row)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if os.path.exists(path) else 0o666 & ~_umask()
    except OSError:
        mode = 0o644
    # Through a link to where it leads: the link stays one. /dev/stdout is none that resolves.
    with whole(path if passes_through(path) else path.resolve(), mode=mode) as file:
        yield file


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
