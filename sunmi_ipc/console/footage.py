"""Recordings, clips and joined files for a browser: fetched into a folder of ours, as MP4, bounded in size."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import FileMissingError
from ..video.mux import merge

if TYPE_CHECKING:
    from ..camera import Camera
    from ..models import VideoRecord

#: What is kept for somebody who comes back to it; the oldest goes first.
MAX_BYTES = 4 * 1024**3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}\.mp4")


class Footage:
    """Files of recordings; a context manager that leaves nothing behind.

    Args:
        limit: Bytes that are kept.

    """

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sunmi-ipc-console-", ignore_cleanup_errors=True)
        self._limit, self._lock = limit, threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    @property
    def folder(self) -> Path:
        """Where they are."""
        return Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove all."""
        self._folder.cleanup()

    def path(self, name: str) -> Path:
        """The file called *name*.

        Raises:
            FileMissingError: There is none.

        """
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise FileMissingError("there is no such file any more", hint="Ask for it again.")
        return path

    def one(self, camera: Camera, sn: str, record: VideoRecord) -> str:
        """Fetch a recording; what a browser does not play is repackaged. Returns: its name here."""
        name = f"{sn}_{int(record.start_time.timestamp())}.mp4"
        with self._lock:
            busy = self._busy.setdefault(name, threading.Lock())
        with busy:
            path = self.folder / name
            if not path.is_file():
                self._fetch(camera, [record], path)
        os.utime(path)
        return name

    def joined(
        self,
        camera: Camera,
        sn: str,
        records: list[VideoRecord],
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> str:
        """Fetch recordings and join them into one file; *on_progress* gets the share that is here, 0 to 1."""
        name = f"{sn}_{int(records[0].start_time.timestamp())}_{len(records)}.mp4"
        path = self.folder / name
        with self._lock:
            busy = self._busy.setdefault(name, threading.Lock())
        with busy:  # two who want the same fetch it once
            if not path.is_file():
                self._fetch(camera, records, path, on_progress)
        os.utime(path)
        return name

    def clip(self, camera: Camera, sn: str, start: datetime, end: datetime) -> str:
        """Let the camera cut out a clip and fetch it (4 to 12 s)."""
        name = f"{sn}_clip_{int(start.timestamp())}_{secrets.token_hex(3)}.mp4"
        raw = self.folder / f"{name}.raw"
        try:
            camera.video.clip(start, end, raw)
            merge([raw], self.folder / name)
        finally:
            raw.unlink(missing_ok=True)
        self._bound()
        return name

    def _fetch(
        self,
        camera: Camera,
        records: list[VideoRecord],
        path: Path,
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        # A folder by what is in it: a download that was cut off goes on where it stopped.
        parts = self.folder / f"{path.stem}.parts"
        wanted = {r.start_time for r in records}
        saved = camera.video.download(records[0].start_time, records[-1].end_time, parts, workers=2)
        files = []
        for clip in saved:
            # A neighbour that only touches the period may come with it.
            if clip.status != "lost" and clip.record.start_time in wanted:
                files.append((clip.record.start_time, clip.path))
                on_progress(len(files) / len(wanted) * 0.95)
        merge([file for _, file in sorted(files)], path)
        for _, file in files:
            file.unlink()
        on_progress(1.0)
        self._bound(path)

    def _bound(self, new: Path | None = None) -> None:
        with self._lock:
            files = sorted(self.folder.glob("*.mp4"), key=lambda p: p.stat().st_mtime)
            total = sum(p.stat().st_size for p in files)
            for file in files:
                if total <= self._limit or file == new:
                    break
                total -= file.stat().st_size
                file.unlink(missing_ok=True)
