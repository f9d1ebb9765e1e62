"""Downloads as people and scripts see them: bars, rows, what is safe, what is joined."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sunmi_ipc.i18n import tr

from ..screen.output import note, progress_wanted, waiting
from ..state import State
from .recordings import length

if TYPE_CHECKING:
    from rich.progress import TaskID

    from sunmi_ipc.video.download import Clip


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
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            from ..screen.progress import progress

            self._bars = progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
            # The sizes of files to come are not known: the whole is counted in files.
            self._all = progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TimeRemainingColumn(),
            )
            self._total = self._all.add_task(tr("recordings"), total=count)

    def __enter__(self) -> Self:
        if self._bars is not None:
            from rich.console import Group
            from rich.live import Live

            from ..screen.progress import above

            self._live = Live(
                Group(self._bars, self._all),
                console=self._bars.console,
                transient=True,
                refresh_per_second=8,
                redirect_stdout=above(),
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


def row(one: Clip) -> dict[str, Any]:
    """A recording for JSON."""
    made: dict[str, Any] = {
        "file": str(one.path),
        "start_time": int(one.record.start_time.timestamp()),
        "end_time": int(one.record.end_time.timestamp()),
        "bytes": one.size,
        "status": one.status,
    }
    return made | ({"error": one.error.message} if one.error else {})


def say_complete(state: State, clips: list[Clip], count: int) -> None:
    """Say how many are safe, where not all came."""
    whole = sum(one.status != "lost" for one in clips)
    note(
        state,
        "{done} of {count} recordings are complete and kept; the same command goes on from there.",
        done=whole,
        count=count,
    )


def merge_clips(state: State, clips: list[Clip], path: Path) -> float:
    """Join what came into one file; returns its seconds."""
    from sunmi_ipc.video.mux import merge

    files = [one.path for one in clips if one.status != "lost"]
    if not files:
        return 0.0
    with waiting(state, "Joining {count} recordings …", count=len(files)) as text:
        seconds = merge(
            files,
            path,
            on_file=lambda done: text(tr("Joining: {done} of {count}", done=done, count=len(files))),
        )
    if not state.json:
        note(state, "{path}: {length}", path=str(path), length=length(timedelta(seconds=seconds)))
    return seconds
