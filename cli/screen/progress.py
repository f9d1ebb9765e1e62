"""Progress displays: on the terminal's error stream, never in the way of what standard output carries."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def console() -> Any:
    """The terminal that progress is drawn on."""
    from rich.console import Console

    return Console(stderr=True)


def above() -> bool:
    """Whether rows that are printed meanwhile belong above the display: both are on the terminal.

    Else they go where standard output goes, a file or a pipe, and the display must not take them.
    """
    return sys.stdout.isatty()


def progress(*columns: ProgressColumn) -> Progress:
    """A display that vanishes when it is done."""
    from rich.progress import Progress

    return Progress(*columns, console=console(), transient=True, redirect_stdout=above())


def spinner() -> Any:
    """A moving mark that the terminal's encoding has."""
    from rich.progress import SpinnerColumn

    return SpinnerColumn("dots" if "utf" in (sys.stderr.encoding or "").lower() else "line")
