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


def as_dumped(ours: str, dumped: str) -> str:
    """*ours* in the words of a dumped camera, as far as we serve what it did.

    Its lines about the session and about its pictures stay; what a client needs to decode and to control our stream
    is ours. Other media, sound above all, are left out: nothing of theirs would come. Where the dumped camera had no
    H.264, the description is ours.
    """
    theirs, mine = _blocks(dumped), _blocks(ours)
    video = next(
        (b for b in theirs[1:] if b[0].startswith("m=video") and any("H264/" in line.upper() for line in b)),
        None,
    )
    if video is None or len(mine) < 2 or not any("H264/" in line for line in mine[1]):
        return ours
    needed = ("a=rtpmap:", "a=fmtp:", "a=control:", "a=framerate:", "m=")
    session = [line for line in theirs[0] if not line.startswith(("a=control:", "a=range:"))]
    session += [line for line in mine[0] if line.startswith(("a=control:", "a=range:"))]
    kept = [line for line in video if not line.startswith(needed)]
    own = [line for line in mine[1] if line.startswith(needed)]
    return "\r\n".join([*session, own[0], *kept, *own[1:]]) + "\r\n"


def _blocks(text: str) -> list[list[str]]:
    """The lines of the session, and of each medium."""
    blocks: list[list[str]] = [[]]
    for line in text[:65_536].splitlines():
        if line[1:2] == "=" and line.isprintable():
            if line.startswith("m="):
                blocks.append([])
            blocks[-1].append(line)
    return blocks
