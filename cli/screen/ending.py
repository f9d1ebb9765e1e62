"""Ctrl-C and SIGTERM while many cameras are worked on: calls under way end, what was done is said."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from ..state import Exit, State
from .output import note


@contextmanager
def interruptible(
    state: State, stop: threading.Event, close: Callable[[], None], ended: list[int]
) -> Iterator[None]:
    """The first Ctrl-C, or a service manager's SIGTERM, lets the calls under way end; the second does not wait.

    Args:
        state: How the command was called.
        stop: Is set.
        close: Gives the terminal back.
        ended: Gets the signals' numbers.

    """

    def handle(number: int, frame: Any) -> None:
        ended.append(number)
        if stop.is_set():
            # No farewells: threads are in the middle of calls, and the journal is made for this.
            close()
            os._exit(Exit.INTERRUPTED)
        stop.set()
        note(state, "Ending the calls under way … (Ctrl-C again: at once)")

    kinds = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {kind: signal.signal(kind, handle) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def leave(ended: list[int]) -> None:
    """End as the signal wants: raises KeyboardInterrupt, or typer.Exit for another than Ctrl-C."""
    if ended and ended[0] != signal.SIGINT:
        raise typer.Exit(128 + ended[0])
    raise KeyboardInterrupt
