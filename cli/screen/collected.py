"""What a command would print, kept instead: how one command's results on several cameras come into one table.

The functions of :mod:`.output` and :mod:`.tables` ask :func:`current` and hand over what they were given;
whatever is written to standard output directly is caught by :class:`Router`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Collected:
    """One camera's part."""

    camera: str
    document: Any = None
    record: list[tuple[str, str]] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def table(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
        """Keep a table's rows."""
        self.rows += rows
        self.columns += [name for name in names if name not in self.columns]


_current: ContextVar[Collected | None] = ContextVar("sunmi_ipc_collected", default=None)
#: Questions are asked one after the other.
asking = threading.Lock()


def current() -> Collected | None:
    """Where this thread's results go; None where they are printed."""
    return _current.get()


def begin(camera: str) -> Collected:
    """Collect what the rest of this context prints."""
    mine = Collected(camera)
    _current.set(mine)
    return mine


class Router:
    """Standard output for threads that collect: their writing is kept, everybody else's goes through."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or keep."""
        mine = _current.get()
        if mine is None:
            return int(self._stream.write(text))
        mine.lines += text.splitlines()
        return len(text)

    def isatty(self) -> bool:
        """A table's width is not one camera's to judge."""
        return _current.get() is None and bool(self._stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
