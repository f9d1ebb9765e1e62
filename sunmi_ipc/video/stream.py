"""The live picture and playbacks, through PyAV (extra ``video``): frames, and recording without re-encoding."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import StreamError
from .address import RtspAddress
from .describe import describe
from .libraries import library
from .mux import Mp4

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: What an MP4 file can hold of the sound that cameras have; else the sound is left out.
_SOUND = {"aac", "mp3", "opus", "ac3"}
#: Over TCP, as Wi-Fi loses packets; without two seconds of counting frames before the first is given.
_OPTIONS = {"rtsp_transport": "tcp", "fpsprobesize": "0"}


@contextlib.contextmanager
def opened(address: RtspAddress, *, timeout: float = 10.0) -> Iterator[Any]:
    """The stream as a PyAV container, over TCP; broken and ended streams raise our errors.

    Raises:
        StreamRefusedError: User or password is wrong, or there is no such stream.
        StreamError: Nothing answers within *timeout* seconds, or the stream breaks off.

    """
    av = library("av")
    describe(address, timeout=timeout)  # its errors are clear; PyAV's hold the password
    host = urlsplit(address.bare).hostname
    try:
        container = av.open(address.reveal(), options=_OPTIONS, timeout=(timeout, timeout))
    except av.FFmpegError as error:
        raise _broken(error, host) from None
    try:
        with container:
            yield container
    except av.FFmpegError as error:
        raise _broken(error, host) from None


def _broken(error: Any, host: str | None) -> StreamError:
    return StreamError(
        "the stream cannot be read: {reason}",
        hint="Try again; if the camera was just started, in a minute.",
        camera=host,
        reason=type(error).__name__.removesuffix("Error"),
    )


def _pictures(address: RtspAddress, timeout: float) -> Iterator[Any]:
    """The stream's decoded frames; raises StreamError at its end."""
    with opened(address, timeout=timeout) as container:
        if not container.streams.video:
            raise StreamError("the stream has no picture", camera=urlsplit(address.bare).hostname)
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


def frames(
    address: RtspAddress, *, every: float = 0.0, timeout: float = 10.0
) -> Generator[NDArray[np.uint8]]:
    """The frames of a stream as arrays, height x width x 3, RGB.

    Args:
        address: Of the live picture or a playback.
        every: Seconds between two frames; 0 for all of them. Frames between are read and dropped.
        timeout: Seconds without a frame after which the stream is taken for broken.

    Raises:
        ExtraMissingError: PyAV or numpy is not installed.
        StreamRefusedError, StreamError: see :func:`opened`.

    """
    library("numpy")
    due = 0.0
    for frame in _pictures(address, timeout):
        now = time.monotonic()
        if now >= due:
            due = max(due + every, now) if due else now + every
            yield frame.to_ndarray(format="rgb24")


def still(address: RtspAddress, *, timeout: float = 10.0) -> bytes:
    """One frame of a stream as JPEG."""
    import io

    library("PIL.Image")
    for frame in _pictures(address, timeout):
        data = io.BytesIO()
        frame.to_image().save(data, "JPEG", quality=92)
        return data.getvalue()
    raise StreamError("the stream ended before its first picture", camera=urlsplit(address.bare).hostname)


def record(
    address: RtspAddress,
    path: Path,
    seconds: float,
    *,
    timeout: float = 10.0,
    on_progress: Callable[[float], None] | None = None,
) -> float:
    """Record a stream into an MP4 file without re-encoding; returns the seconds that it holds.

    The file gets its name when it is whole. Where the stream breaks off or the program is interrupted, it
    is whole with what came before.

    Args:
        address: Of the live picture or a playback.
        path: The file; one that is there is replaced.
        seconds: How long.
        timeout: Seconds without data after which the stream is taken for broken.
        on_progress: Called with the seconds so far.

    Raises:
        ExtraMissingError: PyAV is not installed.
        DiskError: The file cannot be written.
        StreamRefusedError, StreamError: see :func:`opened`; what came before is in the file.

    """
    host = urlsplit(address.bare).hostname
    with opened(address, timeout=timeout) as source:
        streams = [s for s in source.streams if s.type == "video" or s.codec_context.name in _SOUND]
        numbers = {stream.index: number for number, stream in enumerate(streams)}
        until = time.monotonic() + seconds + timeout
        with Mp4(path, streams) as file:
            try:
                for packet in source.demux(streams):
                    if packet.dts is None or (not file.seconds and not _opens(packet)):
                        continue
                    file.add(packet, numbers[packet.stream.index])
                    if on_progress is not None:
                        on_progress(file.seconds)
                    if file.seconds >= seconds or time.monotonic() > until:
                        break
                else:
                    raise StreamError(
                        "the stream ended after {seconds:.1f} s", camera=host, seconds=file.seconds
                    )
            except BaseException:
                if file.seconds:
                    file.finish()
                raise
        return file.seconds


def _opens(packet: Any) -> bool:
    """Whether a recording can begin here: players show nothing before a key frame."""
    return packet.stream.type == "video" and bool(packet.is_keyframe)
