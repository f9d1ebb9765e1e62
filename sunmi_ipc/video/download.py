"""Many recordings into a folder: several at a time, resumed, checked, complete or not there."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..codes.device import DeviceCode
from ..errors import (
    ConnectionFailed,
    DeviceError,
    DownloadError,
    FileMissingError,
    NotReadyError,
    ReplyError,
    SunmiIpcError,
    TlsError,
)
from ..link.guard import file_name
from .container import HEAD, no_video, suffix_of
from .fetch import Connection
from .partial import PartialFile, cannot_write

if TYPE_CHECKING:
    from ..link.caller import Link
    from ..models import VideoRecord

#: Files at a time: a small camera has little to spare.
WORKERS = 4
#: How long a camera may be gone: a restart takes up to a minute (S).
PATIENCE_S = 60.0
#: What a recording may be called, by its content; before that is known, ``.mp4``.
_SUFFIXES = (".mp4", ".flv", ".mkv", ".ts", ".avi", ".h264", ".m4v", ".mov")

#: A file's time is its recording's end. Some file systems keep two seconds, in the wrong zone's time at worst.
_GROWN_S = 2.5

#: What a camera may answer for a recording that it has no longer.
_GONE = {DeviceCode.CAM_INFO_VIDEO_NOT_EXIST, DeviceCode.RECORD_NOT_EXIST}

#: Called with a file's name, its bytes so far, and those of the whole (None while not known).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and its file: ``saved`` now, ``kept`` from before, or ``lost`` (``error`` says why)."""

    record: VideoRecord
    path: Path
    status: Literal["saved", "kept", "lost"]
    size: int = 0
    error: SunmiIpcError | None = None


def file_names(records: Iterable[VideoRecord], sn: str, tz: tzinfo | None = None) -> list[str]:
    """A name for each recording: serial number, start with its offset from UTC (an hour comes twice a year).

    The suffix is that of MP4; a file that turns out to be another container gets that one's.

    Args:
        records: In the camera's order.
        sn: The camera's serial number.
        tz: The time zone of the names; None for this computer's.

    """
    seen: Counter[str] = Counter()
    names = []
    for record in records:
        stem = f"{file_name(sn)}_{record.start_time.astimezone(tz):%Y-%m-%d_%H-%M-%S%z}"
        seen[stem] += 1
        again = f"_{seen[stem]}" if seen[stem] > 1 else ""
        names.append(f"{stem}{again}.mp4")
    return names


def download(
    link: Link,
    records: Iterable[VideoRecord],
    folder: Path,
    *,
    sn: str,
    look_again: Callable[[VideoRecord], str],
    workers: int = WORKERS,
    tz: tzinfo | None = None,
    patience: float = PATIENCE_S,
    on_progress: Progress | None = None,
) -> Iterator[Clip]:
    """Download recordings; yields each as it is done. See ``Video.download``.

    Args:
        link: The way to the camera.
        records: What to fetch.
        folder: Where to.
        sn: The camera's serial number, for the names of the files.
        look_again: Where a recording is now, as its link may have expired; empty where it is no longer.
            Raises DeviceError where the card is gone.
        workers: Files at a time.
        tz: Time zone of the names.
        patience: Seconds that the camera may be gone.
        on_progress: Told a file's name, its bytes so far and in all.

    """
    wanted = list(records)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    names = file_names(wanted, sn, tz)
    jobs = [(r, folder / n) for r, n in zip(wanted, names, strict=True)]
    run = _Run(link, jobs, look_again, patience, on_progress)
    yield from run.clips(max(1, min(workers, len(wanted))))


class _Stopped(Exception):
    """The run ends; what is there stays for the next."""


class _Lost(Exception):
    """One file is not to be had."""


class _Run:
    def __init__(
        self,
        link: Link,
        jobs: list[tuple[VideoRecord, Path]],
        look_again: Callable[[VideoRecord], str],
        patience: float,
        on_progress: Progress | None,
    ) -> None:
        self._link, self._look_again, self._patience = link, look_again, patience
        self._report = on_progress or (lambda name, done, total: None)
        self._jobs = iter(jobs)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._done: queue.SimpleQueue[Clip | BaseException | None] = queue.SimpleQueue()
        self._connections: list[Connection] = []
        self._last_seen = time.monotonic()

    def clips(self, workers: int) -> Iterator[Clip]:
        self._connections = [Connection(self._link) for _ in range(workers)]
        threads = [
            threading.Thread(target=self._work, args=(connection,), name="download", daemon=True)
            for connection in self._connections
        ]
        lost: list[Clip] = []
        failure: BaseException | None = None
        try:
            for thread in threads:
                thread.start()
            running = len(threads)
            while running:
                item = self._done.get()
                if item is None:
                    running -= 1
                elif isinstance(item, BaseException):
                    failure = failure or item
                    self._end()
                else:
                    lost += [item] if item.status == "lost" else []
                    yield item
        finally:
            self._end()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if failure is not None:
            raise failure
        if lost:
            raise DownloadError(
                "{count} recordings could not be had, the first is {name}: {reason}",
                camera=self._link.address,
                hint="The others are complete. 'ipc video records' shows what there is.",
                count=len(lost),
                name=lost[0].path.name,
                reason=lost[0].error.message if lost[0].error else "",
            )

    def _end(self) -> None:
        self._stop.set()
        for connection in self._connections:
            connection.abort()

    def _work(self, connection: Connection) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    job = next(self._jobs, None)
                if job is None:
                    break
                clip = self._one(connection, *job)
                if clip is not None:
                    self._done.put(clip)
        except BaseException as error:
            self._done.put(error)
        finally:
            connection.close()
            self._done.put(None)

    def _one(self, connection: Connection, record: VideoRecord, path: Path) -> Clip | None:
        """Download one; None where the run was stopped."""
        if (kept := _kept(record, path)) is not None:
            return kept
        part = PartialFile(path)
        try:
            if not record.url:
                record = record.model_copy(update={"url": self._look_again(record)})
            if not record.url:
                raise FileMissingError("the camera gives no link to this recording")
            size = self._persist(connection, record, part)
            for old in _others(part.final):
                with contextlib.suppress(OSError):
                    old.unlink()
            return Clip(record, part.final, "saved", size)
        except (_Lost, FileMissingError) as error:
            why = error.args[0] if isinstance(error, _Lost) else error
            return Clip(record, path, "lost", error=why)
        except _Stopped:
            return None
        finally:
            part.close()

    def _persist(self, connection: Connection, record: VideoRecord, part: PartialFile) -> int:
        """Transfer until it is whole, over breaks of the connection as long as the camera comes back."""
        pause, url, renewed = 0.25, record.url, False
        size, grew = part.size, time.monotonic()
        while True:
            try:
                return self._transfer(connection, url, part, record)
            except TlsError:
                raise
            except FileMissingError as error:
                failure: SunmiIpcError = error
                if error.status < 500:
                    try:
                        fresh = self._look_again(record)
                    except ConnectionFailed as gone:
                        failure = gone
                    else:
                        if fresh in ("", url) or renewed:
                            raise
                        url, renewed = fresh, True
                        continue
            except DeviceError as error:
                if error.code in _GONE:
                    raise _Lost(error) from None
                if not isinstance(error, NotReadyError):
                    raise
                failure = error
            except ConnectionFailed as error:
                failure = error
            if self._stop.is_set():
                raise _Stopped
            now = time.monotonic()
            if part.size > size:
                size, grew, pause = part.size, now, 0.25
            if now - grew > self._patience:
                # The camera is gone; or it gives others, and breaks off at this one again and again.
                raise failure if now - self._last_seen > self._patience else _Lost(failure)
            self._stop.wait(pause)
            pause = min(pause * 2, 3.0)

    def _transfer(self, connection: Connection, url: str, part: PartialFile, record: VideoRecord) -> int:
        tail = part.tail()
        start = part.size - len(tail)
        try:
            if self._append(connection, url, part, start, tail):
                return _finish(part, record)
        except FileMissingError as error:
            if error.status != 416 or not tail:  # 416: what is there is longer than the file
                raise
        except ReplyError:
            if not tail:
                raise
            # A camera that is bad at parts may be good at wholes.
        part.seek(0)
        self._append(connection, url, part, 0, b"")
        return _finish(part, record)

    def _append(self, connection: Connection, url: str, part: PartialFile, start: int, tail: bytes) -> bool:
        """Fetch from *start* on; whether what was there (*tail*) is what the camera has there."""
        name = part.path.name.removesuffix(".part")
        with connection.get(url, start=start) as body:
            if body.total == 0:
                raise FileMissingError("the camera's file is empty")
            if body.start != start:
                tail = b""
            part_at = body.start
            if not tail:
                part.seek(part_at)
            for piece in body.pieces():
                if part_at == 0 and not suffix_of(bytes(piece[:HEAD])):
                    raise no_video(bytes(piece[:HEAD]))  # before all of it has come
                self._last_seen = time.monotonic()
                if self._stop.is_set():
                    raise _Stopped
                if tail:
                    known = min(len(tail), len(piece))
                    if piece[:known] != tail[:known]:
                        return False
                    part_at, tail, piece = part_at + known, tail[known:], piece[known:]
                    if not piece:
                        continue
                    part.seek(part_at)
                part.write(piece)
                part_at += len(piece)
                self._report(name, part_at, body.total)
            return not tail


def _finish(part: PartialFile, record: VideoRecord) -> int:
    """Give a file that is whole its name, by what it is, and the time at which it ends."""
    head = part.head(HEAD)
    suffix = suffix_of(head)
    if not suffix:
        part.seek(0)
        raise no_video(head)
    part.final = part.final.with_suffix(suffix)
    return part.finish(record.end_time.timestamp())


def _others(final: Path) -> list[Path]:
    """Where a recording may lie besides, as another container."""
    return [final.with_suffix(suffix) for suffix in _SUFFIXES if suffix != final.suffix]


def _kept(record: VideoRecord, path: Path) -> Clip | None:
    """What is there from before; None where nothing is, or the recording has grown since: it was being written."""
    for there in (path, *_others(path)):
        with contextlib.suppress(OSError):
            found = there.stat()
            if found.st_size and found.st_mtime + _GROWN_S > record.end_time.timestamp():
                return Clip(record, there, "kept", found.st_size)
    return None


__all__ = ["PATIENCE_S", "WORKERS", "Clip", "Progress", "download", "file_names"]
