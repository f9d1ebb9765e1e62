"""The live picture and playbacks, through PyAV (extra ``video``): frames, and recording without re-encoding."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..deadline import Deadline
from ..errors import StreamError, StreamShortError, SunmiIpcError
from ..i18n import later
from .address import RtspAddress
from .giants import NO_GIANTS, no_giants
from .libraries import library
from .mux import MediaFile, holds
from .relay import Relay
from .rtsp import BUSY, refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Without two seconds of counting frames before the first is given.
_OPTIONS = {"fpsprobesize": "0", **NO_GIANTS}
#: Over TCP, as Wi-Fi loses packets; over UDP where a camera gives it in no other way.
_TRANSPORTS = ({"rtsp_transport": "tcp"}, {"rtsp_transport": "udp", "buffer_size": "4194304"})
_UNSUPPORTED_TRANSPORT = 461
#: Before a second try: a video service that is starting, or letting go of the viewer before us.
_PAUSE_S = 1.0
#: A stream's next key frame comes within this, whatever its settings.
_KEY_FRAME_S = 60.0


@dataclass(slots=True)
class Source:
    """A stream that is open. Who reads it tells of each picture with :meth:`alive`, or it is taken for broken.

    Attributes:
        container: PyAV's.

    """

    container: Any
    _relay: Relay

    def alive(self) -> None:
        """A picture came: the next has its time from now."""
        self._relay.alive()

    def rest(self) -> None:
        """No picture is waited for, until the next :meth:`alive`."""
        self._relay.rest()

    @property
    def failure(self) -> SunmiIpcError | None:
        """Why the stream was cut off, where it was: to PyAV that may look like its end."""
        return self._relay.failure


@contextlib.contextmanager
def opened(
    address: RtspAddress, *, timeout: float = 10.0, options: Mapping[str, str] | None = None
) -> Iterator[Source]:
    """The stream, for PyAV, over one RTSP connection; broken and ended streams raise our errors.

    Args:
        address: Of the live picture or a playback.
        timeout: Seconds for all of the opening, and then without a picture.
        options: More of FFmpeg's.

    Raises:
        StreamRefusedError: User or password is wrong, or there is no such stream.
        StreamError: Nothing answers in time, or the stream breaks off.

    """
    av = library("av")
    relay, container = _opened(av, address, timeout, dict(options or {}))
    try:
        try:
            yield Source(container, relay)
        finally:
            with contextlib.suppress(av.FFmpegError):
                container.close()
            relay.close()
    except av.FFmpegError as error:
        raise relay.failure or _broken(av, error, address) from None


def _opened(av: Any, address: RtspAddress, timeout: float, options: dict[str, str]) -> tuple[Relay, Any]:
    transports, again = iter(_TRANSPORTS), True
    transport = next(transports)
    while True:
        relay = Relay(address, timeout=timeout)
        try:
            with contextlib.ExitStack() as undo:
                undo.enter_context(relay)
                # Its own timeouts are for what the relay cannot see.
                container = av.open(
                    relay.url, options=_OPTIONS | transport | options, timeout=(timeout + 5, timeout + 5)
                )
                undo.pop_all()
            return relay, container
        except av.FFmpegError as error:
            if relay.status == _UNSUPPORTED_TRANSPORT and (other := next(transports, None)) is not None:
                transport = other
                continue
            if again and (relay.status in BUSY or (relay.failure is None and not relay.status)):
                again = False
                time.sleep(_PAUSE_S)
                continue
            if relay.failure is not None:
                raise relay.failure from None
            if relay.status:
                raise refused(address, relay.status) from None
            raise _broken(av, error, address) from None


def _broken(av: Any, error: Any, address: RtspAddress) -> StreamError:
    """What FFmpeg's error means: its own text may hold the address."""
    reasons = (
        ("ExitError", later("nothing came in time")),
        ("EOFError", later("the camera ended it")),
        ("InvalidDataError", later("what comes is no video that is known here")),
        ("ConnectionResetError", later("the connection broke")),
        ("BrokenPipeError", later("the connection broke")),
        ("TimeoutError", later("nothing came in time")),
        ("ProtocolNotFoundError", later("it comes in a way that is not known here")),
    )
    name = type(error).__name__
    kinds = [(reason, getattr(av.error, kind, ())) for kind, reason in reasons]
    reason = next((reason for reason, kind in kinds if kind and isinstance(error, kind)), "")
    return StreamError(
        "the stream cannot be read: {reason}",
        hint="Try again; if the camera was just started, in a minute.",
        camera=urlsplit(address.bare).hostname,
        reason=reason or f"FFmpeg says {name.removesuffix('Error')}",
    )


def _pictures(address: RtspAddress, timeout: float) -> Iterator[Any]:
    """The stream's decoded frames, until it ends."""
    with opened(address, timeout=timeout) as source:
        if not source.container.streams.video:
            raise _no_picture(address)
        no_giants(source.container.streams.video[0])
        source.container.streams.video[0].thread_type = "AUTO"
        for frame in source.container.decode(video=0):
            source.rest()
            yield frame
            source.alive()
        if source.failure is not None:
            raise source.failure


def _no_picture(address: RtspAddress) -> StreamError:
    return StreamError("the stream has no picture", camera=urlsplit(address.bare).hostname)


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
    on_left_out: Callable[[str], None] | None = None,
) -> float:
    """Record a stream into an MP4 or MKV file without re-encoding; returns the seconds that it holds.

    The file gets its name when it is whole. Where the stream breaks off or the program is interrupted, it
    is whole with what came before.

    Args:
        address: Of the live picture or a playback.
        path: The file; one that is there is replaced. By its name it is MP4, or MKV (``.mkv``), which holds
            every kind of sound.
        seconds: How long.
        timeout: Seconds without a picture after which the stream is taken for broken.
        on_progress: Called with the seconds so far.
        on_left_out: Called with the name of a sound's codec that the file cannot hold.

    Raises:
        ExtraMissingError: PyAV is not installed.
        DiskError: The file cannot be written.
        StreamShortError: It ended before its time; what came is in the file.
        StreamRefusedError, StreamError: see :func:`opened`; nothing came.

    """
    with opened(address, timeout=timeout) as source:
        streams = [s for s in source.container.streams if holds(path, s)]
        if not any(s.type == "video" for s in streams):
            raise _no_picture(address)
        if on_left_out is not None:
            for stream in source.container.streams.audio:
                if not holds(path, stream):
                    on_left_out(stream.codec_context.name)
        with MediaFile(path, streams) as file:
            try:
                _record(source, file, streams, seconds, timeout, on_progress or (lambda done: None))
                if source.failure is not None and file.seconds < seconds:
                    raise source.failure
                if file.seconds < seconds:
                    raise StreamError("the stream ended", camera=urlsplit(address.bare).hostname)
            except BaseException as error:
                if not file.seconds:
                    raise
                file.finish()
                reason = _reason(error, source)
                if reason is None:
                    raise
                short = StreamShortError(
                    "the stream ended after {got:.1f} of {wanted:g} s: {reason}",
                    hint="What came is in the file.",
                    camera=urlsplit(address.bare).hostname,
                    got=file.seconds,
                    wanted=seconds,
                    reason=reason,
                )
                short.got, short.wanted = file.seconds, seconds
                raise short from None
        return file.seconds


def _reason(error: BaseException, source: Source) -> SunmiIpcError | str | None:
    """Why a stream broke off, in words; None where it is not the stream's affair."""
    if source.failure is not None:
        return source.failure
    if isinstance(error, StreamError):
        return error
    return later("the connection broke") if isinstance(error, library("av").FFmpegError) else None


def _record(
    source: Source,
    file: MediaFile,
    streams: list[Any],
    seconds: float,
    timeout: float,
    on_progress: Callable[[float], None],
) -> None:
    numbers = {stream.index: number for number, stream in enumerate(streams)}
    first = Deadline(_KEY_FRAME_S)
    until: Deadline | None = None
    untimed: list[Any] = []
    for packet in source.container.demux(streams):
        if not packet.size:
            return  # the end
        picture = packet.stream.type == "video"
        if picture:
            source.alive()
        if until is None:
            # Players show nothing before a key frame.
            if not (picture and packet.is_keyframe):
                if first.passed:
                    raise StreamError("no key frame came within {seconds:.3g} s", seconds=_KEY_FRAME_S)
                continue
            until = Deadline(seconds + timeout)
        if packet.dts is None and packet.pts is None:
            untimed.append(packet)  # its time follows from the next one's
            continue
        for place, earlier in enumerate(untimed):
            _timed(earlier, packet, len(untimed) - place)
            file.add(earlier, numbers[earlier.stream.index])
        untimed.clear()
        file.add(packet, numbers[packet.stream.index])
        on_progress(file.seconds)
        if file.seconds >= seconds or until.passed:
            return


def _timed(packet: Any, after: Any, places: int) -> None:
    """Give a packet without any time one, so many pictures before the next."""
    rate = packet.stream.average_rate or packet.stream.guessed_rate or 25
    moment = (after.dts if after.dts is not None else after.pts) * after.time_base - Fraction(places) / rate
    packet.dts = packet.pts = round(moment / packet.time_base)
