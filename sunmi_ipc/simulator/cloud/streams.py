"""Live pictures and playbacks of the virtual cloud, as FLV that goes on and as HLS: its addresses play.

The extra ``video`` draws and encodes; without it the addresses answer HTTP 503.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..filming import PictureFormat
from ..video import available

#: ``resolution`` 0 is "super", 1 "high": smaller ones here, for several viewers on a small computer.
FORMS = (PictureFormat(1280, 720, 10), PictureFormat(640, 360, 10))
SEGMENT_S = 2
#: Segments that a live list names.
_LISTED = 4
_LIVE = re.compile(r"live/(\w{1,40})/([01])")
_PLAYBACK = re.compile(r"playback/(\w{1,40})/(\d{1,12})-(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Show:
    """One address without its ending: whose picture, how large, from when to when (None: now, for ever)."""

    sn: str
    form: PictureFormat
    start: int | None = None
    end: int | None = None


def show_of(name: str) -> Show | None:
    """What is shown at ``live/SN/RESOLUTION`` or ``playback/SN/START-END``."""
    if match := _LIVE.fullmatch(name):
        return Show(match[1], FORMS[int(match[2])])
    if match := _PLAYBACK.fullmatch(name):
        return Show(match[1], FORMS[1], int(match[2]), int(match[3]))
    return None


def flv(show: Show, write: Callable[[bytes], object], stop: threading.Event) -> None:
    """Send a stream as FLV, in time, until its end or until *write* raises OSError."""
    from ..video.encoder import Encoder

    class Sink(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            write(bytes(data))
            return len(data)

    began, first = time.monotonic(), time.time() if show.start is None else show.start
    form = show.form
    options = {"flvflags": "no_duration_filesize"}
    encoder = Encoder(Sink(), "flv", width=form.width, height=form.height, fps=form.fps, options=options)
    number = 0
    try:
        while not stop.wait(max(0.0, began + number / show.form.fps - time.monotonic())):
            when = first + number / show.form.fps
            if show.end is not None and when >= show.end:
                break
            encoder.add(_picture(show, when), key=number % (2 * show.form.fps) == 0)
            number += 1
    finally:
        encoder.close()


def playlist(show: Show, token: str) -> str:
    """The HLS list of a stream; *token* is the query of its address."""
    first, last = _segments(show)
    if show.start is None:
        first = last - _LISTED
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_S}"]
    lines += [f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    if show.end is not None:
        lines += ["#EXT-X-PLAYLIST-TYPE:VOD"]
    name = "0" if show.form is FORMS[0] else "1"
    if show.start is not None:
        name = f"{show.start}-{show.end}"
    for number in range(first, last):
        lines += [f"#EXTINF:{SEGMENT_S}.0,", f"{name}/{number}.ts{token}"]
    if show.end is not None:
        lines += ["#EXT-X-ENDLIST"]
    return "\n".join(lines) + "\n"


def _segments(show: Show) -> tuple[int, int]:
    """The numbers of the first segment and of the one behind the last."""
    if show.start is None or show.end is None:
        return 0, int(time.time()) // SEGMENT_S
    return show.start // SEGMENT_S, -(-show.end // SEGMENT_S)


def segment(show: Show, number: int) -> bytes | None:
    """One piece of an HLS stream; None where it is not there (yet)."""
    first, last = _segments(show)
    return _segment(show.sn, show.form, number) if first <= number < last else None


@lru_cache(maxsize=64)
def _segment(sn: str, form: PictureFormat, number: int) -> bytes:
    from ..video.encoder import Encoder

    target = io.BytesIO()
    begin = number * SEGMENT_S
    # Times go on from piece to piece; players take no more than 26 hours of them.
    offset = begin % 36_000 * form.fps
    encoder = Encoder(target, "mpegts", width=form.width, height=form.height, fps=form.fps, first=offset)
    for i in range(SEGMENT_S * form.fps):
        encoder.add(_picture(Show(sn, form), begin + i / form.fps), key=i == 0)
    encoder.close()
    return target.getvalue()


@lru_cache(maxsize=4)
def _scene(sn: str, form: PictureFormat) -> Any:
    from ..video.scene import Scene

    return Scene(sn, form.width, form.height)


def _picture(show: Show, when: float) -> Any:
    from ..video.viewpoint import Look

    return _scene(show.sn, show.form).picture(when, Look())


def answer(path: str, query: str) -> tuple[int, str, bytes] | None:
    """Status, content type and body of a list or piece; None for a path that is none of them."""
    token = f"?{query}" if query else ""
    name, dot, ending = path.rpartition(".")
    if not dot or ending not in ("m3u8", "ts"):
        return None
    number = ""
    if ending == "ts":
        name, _, number = name.rpartition("/")
    show = show_of(name)
    if show is None or (ending == "ts" and not re.fullmatch(r"\d{1,12}", number)):
        return 404, "text/plain", b""
    if not available():
        return 503, "text/plain", b"this virtual cloud has no picture without the extra video\n"
    if ending == "m3u8":
        return 200, "application/vnd.apple.mpegurl", playlist(show, token).encode()
    piece = segment(show, int(number))
    return (200, "video/mp2t", piece) if piece is not None else (404, "text/plain", b"")
