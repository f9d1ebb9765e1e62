"""The folder that pictures are saved in: how much of the disk it may take, and for how long.

Saving pictures must never keep an event from being received: a part of the disk stays free, each camera has
its share, and what is old goes. Only files that have the form of ours are ever removed.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ..atomic import clean_parts
from ..lock import try_lock

_log = logging.getLogger("sunmi_ipc")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FILE = re.compile(r"(\d{6})_\d{3}-[A-Za-z0-9_-]+\.(?:json|jpg|png|mp4|bin)")
_SHARES = 4  # a single camera has a quarter of the budget
_LOW_WATER = 0.9
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Allowance:
    """What saved pictures may take.

    Args:
        budget: Bytes for all cameras; each has an equal share, a quarter at most. Where a camera's share is
            used up, its own oldest pictures go.
        reserve: Bytes of the disk that stay free; where there are fewer, nothing is saved. Default: a twentieth
            of the disk, at least 64 MiB and at most 1 GiB.
        age_s: Seconds that pictures are kept: people are on them.

    """

    budget: int = 4 << 30
    reserve: int | None = None
    age_s: float = 7 * 86400


class Album:
    """Keeps a folder within its allowance; thread-safe."""

    directory: Path

    def __init__(
        self, directory: Path, allowance: Allowance, believes_clock: Callable[[], bool] = lambda: True
    ) -> None:
        self.directory, self._allow = directory, allowance
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._believes_clock = believes_clock
        self._full = False
        self._guard = self._alone()
        self._started = False

    def _alone(self) -> IO[bytes] | None:
        """A lock that says that nobody else saves here: then what is half written is nobody's any more."""
        with contextlib.suppress(OSError):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return try_lock(self.directory / ".pictures.lock")
        return None

    def close(self) -> None:
        """Let go of the folder."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def refusal(self) -> str:
        """Why nothing may be saved now, in words; empty where there is room."""
        try:
            disk = shutil.disk_usage(self.directory)
        except OSError:
            return ""  # the writing itself will say
        reserve = self._allow.reserve
        if reserve is None:
            reserve = min(1 << 30, max(64 * _MIB, disk.total // 20))
        full = disk.free < reserve
        if full != self._full:
            self._full = full
            if full:
                _log.error(
                    "events: pictures are not saved any more: the disk has less than %d MiB free, which are kept for events",
                    reserve // _MIB,
                )
            else:
                _log.warning("events: pictures are saved again")
        return "the disk is nearly full" if full else ""

    def add(self, path: Path) -> None:
        """Count a file that was saved; the camera's oldest go where its share is used up."""
        with contextlib.suppress(OSError, ValueError):
            camera = path.relative_to(self.directory).parts[0]
            size = path.stat().st_size
            with self._lock:
                self._used[camera] += size
                if self._used[camera] <= self._share():
                    return
            self._shrink(camera, path)

    def _share(self) -> int:
        return self._allow.budget // max(_SHARES, len(self._used))

    def tidy(self) -> None:
        """Count what is there, and remove what is too old, or was left half written."""
        if not self._started:
            self._started = True
            for folder in self._folders():
                clean_parts(folder, older_s=0.0 if self._guard is not None else 3600.0)
        used: Counter[str] = Counter()
        limit, by_age = time.time() - self._allow.age_s, self._believes_clock()
        for camera, day, file in self._files():
            with contextlib.suppress(OSError):
                if by_age and _saved_at(day, file.name) < limit:
                    file.unlink()
                else:
                    used[camera] += file.stat().st_size
        with self._lock:
            self._used = used
        for camera in [c for c, size in used.items() if size > self._share()]:
            self._shrink(camera, None)
        for folder in self._folders():
            with contextlib.suppress(OSError):
                folder.rmdir()  # only where it is empty

    def _shrink(self, camera: str, spare: Path | None) -> None:
        """Remove a camera's oldest files, until it has some room in its share."""
        gone = 0
        for _, _, file in self._files(camera):
            with self._lock:
                if self._used[camera] <= self._share() * _LOW_WATER:
                    break
            if spare is not None and file.stem == spare.stem:
                continue
            with contextlib.suppress(OSError):
                size = file.stat().st_size
                file.unlink()
                gone += 1
                with self._lock:
                    self._used[camera] -= size
        if gone:
            _log.info("events: %d of the oldest files of %s removed: its share is used up", gone, camera)

    def _folders(self, camera: str = "") -> Iterator[Path]:
        """The folders of days, in order."""
        with contextlib.suppress(OSError):
            cameras = [self.directory / camera] if camera else sorted(self.directory.iterdir())
            for one in cameras:
                if one.is_dir() and not one.is_symlink():
                    with contextlib.suppress(OSError):
                        yield from sorted(
                            day
                            for day in one.iterdir()
                            if _DAY.fullmatch(day.name) and day.is_dir() and not day.is_symlink()
                        )

    def _files(self, camera: str = "") -> Iterator[tuple[str, str, Path]]:
        """Files of ours, by camera, oldest first: camera, day, path."""
        for folder in self._folders(camera):
            with contextlib.suppress(OSError):
                for file in sorted(folder.iterdir()):
                    if _FILE.fullmatch(file.name) and not file.is_symlink():
                        yield folder.parent.name, folder.name, file


def _saved_at(day: str, name: str) -> float:
    """When a file was saved, Unix seconds, by its name: times of files change when they are copied."""
    try:
        return datetime.strptime(day + name[:6], "%Y-%m-%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return float("inf")
