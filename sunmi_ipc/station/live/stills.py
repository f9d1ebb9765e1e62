"""Single pictures for cards and for browsers without video: taken politely, one at a time a camera."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ReplyError, SunmiIpcError
from ...video.giants import NO_GIANTS, no_giants
from ...video.libraries import library

#: Pictures are kept as wide as the largest that pages show.
_WIDEST = 1280


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as JPEG, and when it was taken (Unix seconds)."""

    data: bytes
    at: float


class Stills:
    """The last picture of each camera; a new one is fetched when it is asked for and the last has aged.

    Args:
        keep: Seconds after which a picture is not shown any more, however it fares.
        rest: Seconds after a failure before the camera is asked again.

    """

    def __init__(self, *, keep: float = 600.0, rest: float = 15.0) -> None:
        self._keep, self._rest = keep, rest
        self._lock = threading.Lock()
        self._whole: dict[str, Still] = {}
        self._small: dict[tuple[str, int], Still] = {}
        self._failed: dict[str, float] = {}
        self._busy: dict[str, threading.Lock] = {}

    def get(
        self, key: str, take: Callable[[], bytes], *, age: float = 20.0, width: int = 640
    ) -> Still | None:
        """A picture no older than *age* seconds where one can be had, else the last; None for none.

        Those who ask for one camera together get one picture: the camera is asked once. Who asks meanwhile gets
        the last, where there is one that is not too old to be shown.

        Args:
            key: Which camera.
            take: Takes a picture (JPEG or PNG); may raise this library's errors.
            age: Seconds.
            width: Pixels that it is brought down to; 1280 at most.

        """
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        # Where a camera does not answer, nobody who could be shown its last picture waits for it.
        if not busy.acquire(blocking=not self._shown(self._whole.get(key))):
            last = self._whole.get(key)
            return self._brought_down(key, last, width) if last is not None else None
        try:
            now, last = time.time(), self._whole.get(key)
            if (last is None or now - last.at >= age) and now - self._failed.get(key, 0.0) > self._rest:
                try:
                    data = shrink(take(), _WIDEST)
                except (SunmiIpcError, OSError, ValueError):
                    self._failed[key] = time.time()
                else:
                    self._whole[key] = last = Still(data, now)
                    self._failed.pop(key, None)
            return self._brought_down(key, last, width) if last is not None and self._shown(last) else None
        finally:
            busy.release()

    def _shown(self, still: Still | None) -> bool:
        return still is not None and time.time() - still.at < self._keep

    def _brought_down(self, key: str, whole: Still, width: int) -> Still:
        """As wide as is wished; whoever asks for the same again gets the same."""
        if width >= _WIDEST:
            return whole
        small = self._small.get((key, width))
        if small is None or small.at != whole.at:
            small = self._small[key, width] = Still(shrink(whole.data, width), whole.at)
        return small


def shrink(data: bytes, width: int) -> bytes:
    """A picture as JPEG no wider than *width*; without Pillow as it is."""
    from ...errors import ExtraMissingError
    from ...video.snapshot import Snapshot

    try:
        library("PIL.Image")
    except ExtraMissingError:
        return data
    image = Snapshot(data).image()
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))))
    made = io.BytesIO()
    image.save(made, "JPEG", quality=72)
    return made.getvalue()


def decode(init: bytes, fragment: bytes) -> bytes:
    """The picture of a key frame as JPEG.

    Args:
        init: The stream's initialisation segment.
        fragment: One that begins with a key frame.

    Raises:
        ReplyError: There is none in it, or it has too many pixels.

    """
    av = library("av")
    try:
        with av.open(io.BytesIO(init + fragment), format="mp4", options=NO_GIANTS) as container:
            no_giants(container.streams.video[0])
            for frame in container.decode(video=0):
                made = io.BytesIO()
                frame.to_image().save(made, "JPEG", quality=85)
                return made.getvalue()
    except (av.FFmpegError, ValueError, IndexError):
        pass
    raise ReplyError("the camera's picture is damaged")
