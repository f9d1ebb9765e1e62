"""Progress of downloads: every file under way, and all of them."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sunmi_ipc.i18n import tr

from .output import progress_wanted
from .state import State

if TYPE_CHECKING:
    from rich.progress import TaskID


class DownloadProgress:
    """Bars on a terminal, nothing elsewhere. Its calls come from several threads.

    Args:
        state: How the command was called.
        count: Files in all.

    """

    def __init__(self, state: State, count: int) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._bars: Any = None
        if progress_wanted(state):
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            console = Console(stderr=True)
            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            # The sizes of files to come are not known: the whole is counted in files.
            self._all = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            self._total = self._all.add_task(tr("recordings"), total=count)

    def __enter__(self) -> Self:
        if self._bars is not None:
            from rich.console import Group
            from rich.live import Live

            self._live = Live(
                Group(self._bars, self._all), console=self._bars.console, transient=True, refresh_per_second=8
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._live.stop()

    def update(self, name: str, done: int, total: int | None) -> None:
        """So many bytes of a file are there."""
        if self._bars is None:
            return
        with self._lock:
            task = self._tasks.get(name)
            if task is None:
                task = self._tasks[name] = self._bars.add_task(name, total=total, completed=done)
        self._bars.update(task, completed=done, total=total)

    def done(self, name: str) -> None:
        """A file is complete."""
        if self._bars is None:
            return
        with self._lock:
            task = self._tasks.pop(name, None)
        if task is not None:
            self._bars.remove_task(task)
        self._all.advance(self._total)
