"""Session descriptions (RFC 4566) of the streams."""

from __future__ import annotations

import base64

from ..filming import PictureFormat
from .encoder import parameter_sets
from .stream import CLOCK_HZ

TRACK = "trackID=1"


def describe(name: str, ip: str, form: PictureFormat, codec: str, seconds: float | None) -> str:
    """The description of one stream of pictures.

    Args:
        name: Of the stream.
        ip: The camera's.
        form: Size and frame rate.
        codec: ``h264``, ``mjpeg`` or empty.
        seconds: How long it is; None for a live one.

    """
    sets = parameter_sets(form.width, form.height, form.fps, codec)
    kind = 96 if sets else 26
    length = "now-" if seconds is None else f"0-{seconds:.3f}"
    lines = ["v=0", f"o=- 1 1 IN IP4 {ip}", f"s={name}", "c=IN IP4 0.0.0.0", "t=0 0"]
    lines += ["a=control:*", f"a=range:npt={length}", f"m=video 0 RTP/AVP {kind}"]
    if sets:
        texts = ",".join(base64.b64encode(unit).decode() for unit in sets)
        level = sets[0][1:4].hex().upper()
        lines.append(f"a=rtpmap:{kind} H264/{CLOCK_HZ}")
        lines.append(
            f"a=fmtp:{kind} packetization-mode=1;profile-level-id={level};sprop-parameter-sets={texts}"
        )
    lines += [f"a=framerate:{form.fps}", f"a=control:{TRACK}"]
    return "\r\n".join(lines) + "\r\n"
