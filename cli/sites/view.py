"""A roll-out for people: a bar of shops and one of cameras on a terminal, a line a shop elsewhere."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from sunmi_ipc.i18n import tr

from ..screen.output import progress_wanted
from ..state import State
from .common import what

if TYPE_CHECKING:
    from sunmi_ipc.fleet.outcome import Outcome
    from sunmi_ipc.fleet.sites import ShopResult


class View:
    """Shows a run over shops; use it as a context manager."""

    def __init__(self, state: State, shops: int, cameras: int) -> None:
        self._state, self._shops, self._cameras = state, shops, cameras
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._bar: Any = None
        self._tasks: list[Any] = []
        self._done, self._bad = 0, 0

    def __enter__(self) -> Self:
        if progress_wanted(self._state):
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

            from ..screen.progress import progress

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[remark]}", markup=False),
            )
            self._bar = self._stack.enter_context(progress(*columns))
            self._tasks = [
                self._bar.add_task(tr("shops"), total=self._shops, remark=""),
                self._bar.add_task(tr("cameras"), total=self._cameras, remark=""),
            ]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back."""
        self._stack.close()

    def camera(self, outcome: Outcome) -> None:
        """A camera is done."""
        if self._bar is not None:
            self._bar.advance(self._tasks[1])

    def shop(self, result: ShopResult) -> None:
        """A shop is done."""
        with self._lock:
            self._done += 1
            self._bad += str(result.verdict) in ("failed", "stopped")
            if self._bar is not None:
                remark = tr("{count} failed", count=self._bad) if self._bad else ""
                self._bar.update(self._tasks[0], completed=self._done, remark=remark)
            elif not self._state.quiet:
                line = f"[{self._done}/{self._shops}] {result.shop.id}  {tr(str(result.verdict))}  {result.seconds:.1f} s"
                sys.stderr.write(f"{line}  {what(result)}".rstrip() + "\n")
                sys.stderr.flush()
