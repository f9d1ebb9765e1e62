"""H.264 packets into fragmented MP4 that browsers play: repackaged, not decoded."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import Any, NamedTuple

from ...errors import StreamError, SunmiIpcError
from ...video.giants import MAX_PIXELS, NO_GIANTS
from ...video.libraries import library
from .boxes import codecs_of, holds_key_frame

#: A fragment a picture: nothing waits for the next key frame.
_OPTIONS = {"movflags": "frag_every_frame+empty_moov+default_base_moof+skip_trailer", "flush_packets": "1"}
#: What is taken for the time between two pictures until the stream tells.
_GUESS = Fraction(1, 15)
_SPS, _PPS = 7, 8


#: What people call a codec that browsers do not play from fragments.
_NAMES = {"hevc": "H.265", "mjpeg": "Motion JPEG", "mpeg4": "MPEG-4"}


class UnsupportedStream(Exception):
    """The stream is none that browsers play from fragments (H.265, MJPEG): pictures have to do.

    Args:
        codec: FFmpeg's name for what it is; empty where it has no picture at all.

    """

    @property
    def why(self) -> SunmiIpcError:
        """What is wrong, in words."""
        codec = str(self.args[0]) if self.args else ""
        if not codec:
            return StreamError("the stream has no picture")
        return StreamError(
            "the camera's video is of a kind that browsers do not play ({codec})",
            codec=_NAMES.get(codec, codec),
        )


class Fragment(NamedTuple):
    """A piece of the stream: its bytes, and whether a decoder can start with it."""

    data: bytes
    key: bool


class _Sink:
    """Takes what the muxer writes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        made = b"".join(self.parts)
        self.parts.clear()
        return made


class Packager:
    """Repackages the packets of one stream, from its first key frame on.

    Args:
        video: PyAV's stream of pictures.
        audio: PyAV's stream of sound; taken where it is AAC, else left out.

    Attributes:
        init: The initialisation segment; empty until the first key frame.
        codecs: What browsers call it; see :func:`~sunmi_ipc.station.live.boxes.codecs_of`.

    Raises:
        UnsupportedStream: It is not H.264.

    """

    init: bytes
    codecs: str

    def __init__(self, video: Any, audio: Any = None) -> None:
        # Of a codec that FFmpeg does not know there is no context.
        codec = video.codec_context.name if video.codec_context is not None else "?"
        if codec != "h264":
            raise UnsupportedStream(codec)
        self.init, self.codecs = b"", ""
        self._video, self._audio = video, audio
        if audio is not None and (audio.codec_context is None or audio.codec_context.name != "aac"):
            self._audio = None
        self._sink = _Sink()
        self._file: Any = None
        self._copies: dict[int, Any] = {}
        self._last: dict[int, int] = {}
        self._base: Fraction | None = None  # the stream's time that is our zero
        self._form: bytes = b""

    def add(self, packet: Any) -> Fragment | None:
        """Add a packet; returns the fragment that became whole by it, if one did: the picture before.

        Raises:
            UnsupportedStream: There are no parameter sets: nothing could show it.
            StreamError: The picture has another form from here on: the stream has to be opened anew.

        """
        if not packet.size or packet.stream.index not in self._indices():
            return None
        if packet.is_keyframe and packet.stream.index == self._video.index:
            self._look_at_form(bytes(packet))
        if self._file is None:
            if packet.stream.index != self._video.index or not packet.is_keyframe:
                return None
            self._begin(bytes(packet))
        index = packet.stream.index
        if not self._place(packet, index):
            return None
        packet.stream = self._copies[index]
        self._file.mux(packet)
        if not self.init:
            self.init = self._sink.take()
            self.codecs = codecs_of(self.init)
            if not self.codecs:
                raise UnsupportedStream("h264")
            return None
        data = self._sink.take()
        return Fragment(data, holds_key_frame(data)) if data else None

    def close(self) -> None:
        """Let the muxer go. What it still holds is a live picture nobody waits for."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _look_at_form(self, picture: bytes) -> None:
        """Size and profile are told once, at the beginning: players go by it, whatever comes later."""
        form = parameter_sets(picture, (_SPS,))
        if form and self._form and form != self._form:
            raise StreamError("the camera's picture has another size or kind from now on")
        self._form = form or self._form

    def _indices(self) -> set[int]:
        return {s.index for s in (self._video, self._audio) if s is not None}

    def _begin(self, picture: bytes) -> None:
        self._file = library("av").open(self._sink, "w", format="mp4", options=_OPTIONS)
        for stream in (self._video, self._audio):
            if stream is None:
                continue
            copy = (
                self._file.add_stream_from_template(stream)
                if hasattr(self._file, "add_stream_from_template")
                else self._file.add_stream(template=stream)  # PyAV 13
            )
            if stream is self._video and not stream.codec_context.extradata:
                copy.codec_context.extradata = parameter_sets(picture)  # the description had none
            if stream is self._video and not copy.codec_context.width:
                # It did not begin with a key frame: nothing has told the size before.
                copy.codec_context.width, copy.codec_context.height = size_of(
                    copy.codec_context.extradata or b"", picture
                )
            self._copies[stream.index] = copy

    def _place(self, packet: Any, index: int) -> bool:
        """Give the packet its time in our file; whether it can be had.

        An RTSP server gives no time to the first packets, as no report has come yet (every server); a clock
        that is set back gives one from the past. A muxer takes neither.
        """
        base = packet.time_base
        step = int(_GUESS / base)
        if packet.duration:
            step = packet.duration
        stamp = packet.dts if packet.dts is not None else packet.pts
        last = self._last.get(index)
        if stamp is None:
            dts = 0 if last is None else last + step
        else:
            if self._base is None:
                # This one comes a step after the first, which had no time of its own.
                self._base = stamp * base - (0 if last is None else (last + step) * base)
            dts = round((stamp * base - self._base) / base)
            if last is not None and dts <= last:
                dts = last + 1
        if dts < 0:
            return False  # sound from before the first picture
        lead = packet.pts - packet.dts if packet.dts is not None and packet.pts is not None else 0
        packet.dts, packet.pts = dts, dts + max(lead, 0)
        self._last[index] = dts
        return True


def size_of(sets: bytes, picture: bytes) -> tuple[int, int]:
    """Width and height of a key frame, by its own parameter sets or those that were told before.

    Raises:
        UnsupportedStream: It does not tell any, or is too large.

    """
    av = library("av")
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count, decoder.options = 1, NO_GIANTS
    if sets:
        decoder.extradata = sets
    with contextlib.suppress(av.FFmpegError):  # the head is enough
        decoder.decode(av.Packet(picture))
    if not decoder.width or decoder.width * decoder.height > MAX_PIXELS:
        raise UnsupportedStream("h264")
    return decoder.width, decoder.height


def parameter_sets(picture: bytes, kinds: tuple[int, ...] = (_SPS, _PPS)) -> bytes:
    """The parameter sets (SPS, PPS) among a key frame's units, each behind a start code; empty for none."""
    found = []
    at = picture.find(b"\0\0\1")
    while at >= 0:
        end = picture.find(b"\0\0\1", at + 3)
        unit = picture[at + 3 : end if end >= 0 else len(picture)].rstrip(b"\0")
        if unit and unit[0] & 31 in kinds:
            found.append(b"\0\0\0\1" + unit)
        at = end
    return b"".join(found)
