"""Packets into an MP4 or MKV file without re-encoding: recording a stream, joining recordings."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from ..atomic import passes_through
from ..errors import ReplyError
from .giants import NO_GIANTS
from .libraries import library
from .partial import cannot_write, open_own

_WITHOUT = "The recordings themselves are complete: join the others without it."

#: What a recording may be. FFmpeg goes by the content, and a playlist in its place would name other files.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,flv"


#: What an MP4 file can hold of the sound that cameras have; MKV holds any.
_MP4_SOUND = frozenset({"aac", "mp3", "opus", "ac3"})


#: Samples spelt out, as MKV holds them.
_PLAIN = "pcm_s16le"


def container_of(path: Path) -> str:
    """What kind of file a name asks for: ``matroska`` for .mkv, else ``mp4``."""
    return "matroska" if path.suffix.lower() == ".mkv" else "mp4"


def holds(path: Path, stream: Any) -> bool:
    """Whether a file of this name can hold a stream (of PyAV) as it is."""
    if stream.type == "video":
        return True
    return stream.type == "audio" and (
        container_of(path) == "matroska" or stream.codec_context.name in _MP4_SOUND
    )


class MediaFile:
    """An MP4 or MKV file, by its name, under a temporary one until it is whole.

    Args:
        path: Its name in the end; a file of that name is replaced.
        templates: Streams (of PyAV) whose format it takes over.

    Raises:
        DiskError: It cannot be written.

    """

    path: Path

    def __init__(self, path: Path, templates: Sequence[Any]) -> None:
        self._av = library("av")
        self.path, self._temporary = path, path.with_name(path.name + ".part")
        #: Seconds of the picture that are in it.
        self.seconds: float = 0.0
        try:
            if passes_through(
                path
            ):  # which a file must not take the place of, and which cannot be gone back in
                raise OSError(errno.ESPIPE, "it is a pipe or a device", str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not by its name: that could be a link that somebody laid.
            self._raw = os.fdopen(open_own(self._temporary), "w+b")
            self._raw.truncate()
            self._file = self._av.open(self._raw, "w", format=container_of(path))
        except (self._av.FFmpegError, OSError) as error:
            raise cannot_write(path, error) from None
        self._streams = [_like(self._file, template) for template in templates]
        self._spelt_out = {
            number
            for number, (ours, theirs) in enumerate(zip(self._streams, templates, strict=True))
            if ours.type == "audio" and ours.codec_context.name == _PLAIN != theirs.codec_context.name
        }
        self._kinds = [template.type for template in templates]
        self._last: list[Fraction | None] = [None for _ in templates]  # in the file's time
        self._start = Fraction(0)  # of the part being added, in the file's time
        self._first: Fraction | None = None  # of that part, in its own time
        self._end = Fraction(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.finish()
        elif self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._raw.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def next_part(self) -> None:
        """What is added from now on has a time of its own, and follows what is there."""
        self._start, self._first = self._end, None

    def add(self, packet: Any, number: int) -> None:
        """Add a packet of the stream with this *number* among the templates; its time is moved to fit."""
        stream, base = self._streams[number], packet.time_base
        if packet.dts is None:  # as the first ones of a stream over RTSP
            packet.dts = packet.pts
        begin = packet.dts * base
        if self._first is None:
            self._first = begin
        shift = round((self._start - self._first) / base)
        packet.pts, packet.dts = (None if t is None else t + shift for t in (packet.pts, packet.dts))
        last = self._last[number]
        # A muxer takes no packet from before the one before it, as clocks that are set back produce.
        if last is not None and packet.dts * base <= last:
            lift = int((last - packet.dts * base) / base) + 1
            packet.dts += lift
            packet.pts = None if packet.pts is None else packet.pts + lift
        self._last[number] = packet.dts * base
        end = (packet.dts + (packet.duration or 0)) * base
        self._end = max(self._end, end)
        if self._kinds[number] == "video":
            self.seconds = float(max(Fraction(self.seconds), end))
        try:
            if number in self._spelt_out:
                for frame in packet.decode():
                    self._file.mux(stream.encode(frame))
                return
            packet.stream = stream
            self._file.mux(packet)
        except (self._av.FFmpegError, OSError) as error:
            raise cannot_write(self.path, error) from None

    def finish(self) -> None:
        """Close it, bring it to the disk and give it its name."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            os.replace(self._temporary, self.path)
        except (self._av.FFmpegError, OSError) as error:
            raise cannot_write(self.path, error) from None


def _like(file: Any, template: Any) -> Any:
    try:
        if hasattr(file, "add_stream_from_template"):
            return file.add_stream_from_template(template)
        return file.add_stream(template=template)  # PyAV 13
    except ValueError:
        if template.type != "audio":
            raise
        # MKV holds no telephone's PCM (G.711): its samples, spelt out, are the same sound.
        return file.add_stream(_PLAIN, rate=template.rate, layout=template.layout.name)


def merge(files: Sequence[Path], path: Path, *, on_file: Callable[[int], None] | None = None) -> float:
    """Join recordings into one MP4 file, in the order given, without re-encoding; returns its seconds.

    Time that was not recorded is not in it: one recording follows the other.

    Args:
        files: At least one, all of one format.
        path: The new file; one that is there is replaced.
        on_file: Called with the number of files that are in.

    Raises:
        ReplyError: A file is no video, or of another format than the first.
        DiskError: The file cannot be written.
        ExtraMissingError: PyAV is not installed.

    """
    av = library("av")
    joined: MediaFile | None = None
    first: list[tuple[Any, ...]] = []
    with contextlib.ExitStack() as stack:
        for count, name in enumerate(files, 1):
            try:
                source = av.open(str(name), options={"format_whitelist": _FORMATS, **NO_GIANTS})
            except (av.FFmpegError, OSError):
                raise ReplyError(
                    "{path} is no video and cannot be joined", hint=_WITHOUT, path=str(name)
                ) from None
            with source:
                streams = [s for s in source.streams if holds(path, s)]
                formats = [_format(s) for s in streams]
                if joined is None:
                    first = formats
                    joined = stack.enter_context(MediaFile(path, streams))
                elif formats != first:
                    raise ReplyError(
                        "{path} is of another format than the first and cannot be joined",
                        hint=_WITHOUT,
                        path=str(name),
                    )
                joined.next_part()
                numbers = {stream.index: number for number, stream in enumerate(streams)}
                try:
                    for packet in source.demux(streams):
                        if packet.dts is not None or packet.pts is not None:
                            joined.add(packet, numbers[packet.stream.index])
                except av.FFmpegError:
                    raise ReplyError(
                        "{path} is damaged and cannot be joined", hint=_WITHOUT, path=str(name)
                    ) from None
            if on_file is not None:
                on_file(count)
    assert joined is not None
    return joined.seconds


def _format(stream: Any) -> tuple[Any, ...]:
    codec = stream.codec_context
    size = (codec.width, codec.height) if stream.type == "video" else (codec.sample_rate,)
    return (stream.type, codec.name, *size, bytes(codec.extradata or b""))
