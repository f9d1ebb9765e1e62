"""Canvases into H.264 (or MJPEG) through PyAV: into a file, or into RTP packets."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Self, cast

import av

from .canvas import Canvas

_H264 = ("libx264", "libopenh264")
_OPTIONS = {
    # One thread: the same input, the same bytes, on any machine.
    "libx264": {"preset": "ultrafast", "tune": "zerolatency", "threads": "1", "forced-idr": "1"},
    # RTP carries JPEG with the standard tables alone (RFC 2435).
    "mjpeg": {"huffman": "default", "threads": "1", "qmin": "4", "qmax": "4"},
}


@cache
def encoder_name(wanted: str = "") -> str:
    """The encoder for ``h264``, ``mjpeg`` or empty: H.264 where this PyAV was built with it."""
    if wanted != "mjpeg":
        for name in _H264:
            try:
                av.codec.Codec(name, "w")
            except av.codec.codec.UnknownCodecError:
                continue
            return name
    return "mjpeg"


class Encoder:
    """Encodes one picture after the other into a container.

    Args:
        target: A path, or an object with ``write``.
        container: PyAV's name of the format: ``mp4``, ``rtp``.
        width, height: Of the canvases, pixels.
        fps: Frames a second.
        codec: ``h264``, ``mjpeg``, or empty.
        quality: Constant rate factor of H.264; less is better and larger.

    """

    def __init__(
        self,
        target: Any,
        container: str,
        *,
        width: int,
        height: int,
        fps: int,
        codec: str = "",
        quality: int = 26,
        options: dict[str, str] | None = None,
        first: int = 0,
    ) -> None:
        name = encoder_name(codec)
        self.codec = "mjpeg" if name == "mjpeg" else "h264"
        self._container: Any = av.open(target, "w", format=container, options=options or {})
        tuning = _OPTIONS.get(name, {}) | {"crf": str(quality), "g": str(fps * 2)}
        stream = cast("av.VideoStream", self._container.add_stream(name, rate=fps, options=tuning))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if name == "mjpeg" else "yuv420p"
        self._stream = stream
        self._count = first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, canvas: Canvas, *, key: bool = False) -> None:
        """Encode the next picture; *key* makes it one that a decoder can start with."""
        frame = frame_of(canvas)
        frame.pts, self._count = self._count, self._count + 1
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Write what is left, and the end."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()


def frame_of(canvas: Canvas) -> Any:
    """*canvas* as PyAV's frame."""
    return av.VideoFrame.from_ndarray(canvas.array(), format="yuv420p")


def write_file(path: Path, kind: str, pictures: Any, **settings: Any) -> None:
    """Encode an iterable of canvases into an ``mp4`` or ``flv`` that can be played while it is being loaded."""
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    with Encoder(str(path), kind, options=options, **settings) as encoder:
        for canvas in pictures:
            encoder.add(canvas)


@cache
def parameter_sets(width: int, height: int, fps: int, codec: str) -> tuple[bytes, ...]:
    """What a decoder needs to know before the first picture: H.264's SPS and PPS; empty for MJPEG."""
    name = encoder_name(codec)
    if name == "mjpeg":
        return ()
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, fps)
    context.options = _OPTIONS.get(name, {}) | {"flags": "+global_header"}
    context.open()
    units = re.split(rb"\x00\x00\x00?\x01", context.extradata or b"")
    return tuple(unit for unit in units if unit and unit[0] & 31 in (7, 8))
