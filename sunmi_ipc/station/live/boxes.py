"""What a piece of MP4 says of itself (ISO/IEC 14496-12): its codecs, and whether a decoder can start with it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

#: Boxes that hold boxes, and how many bytes of their own come first.
_PARENTS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8, b"moof": 0, b"traf": 0,
            b"avc1": 78, b"avc3": 78, b"mp4a": 28}  # fmt: skip
_NOT_A_KEY_FRAME = 0x0001_0000  # sample_is_non_sync_sample


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every box in *data*, those within others too, as type and content. What is cut off is left out."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            return
        content = data[at + 8 : at + size]
        yield kind, content
        if kind in _PARENTS:
            yield from boxes(content[_PARENTS[kind] :])
        at += size


def codecs_of(init: bytes) -> str:
    """The codecs of an initialisation segment, as browsers want them (RFC 6381): ``avc1.64001F``.

    Profile and level are those of the stream's own parameter set. Empty where there is no H.264.
    """
    names = []
    for kind, content in boxes(init):
        if kind == b"avcC" and len(content) >= 4:
            names.append(f"avc1.{content[1:4].hex().upper()}")
        elif kind == b"esds":
            names.append("mp4a.40.2")  # AAC-LC, the only sound that is packaged
    return ",".join(names) if names and names[0].startswith("avc1") else ""


def holds_key_frame(fragment: bytes) -> bool:
    """Whether a fragment begins with a picture that a decoder can start with.

    The picture's flags stand in its run (``trun``), else they are the track's (``tfhd``).
    """
    default = _NOT_A_KEY_FRAME
    for kind, content in boxes(fragment[: _moof_length(fragment)]):
        flags = int.from_bytes(content[1:4], "big") if len(content) >= 4 else 0
        if kind == b"tfhd" and flags & 0x20:
            default = int.from_bytes(content[-4:], "big")
        elif kind == b"trun":
            at = 8 + (4 if flags & 0x1 else 0)
            if flags & 0x4:
                default = int.from_bytes(content[at : at + 4], "big")
            elif flags & 0x400:
                at += (4 if flags & 0x100 else 0) + (4 if flags & 0x200 else 0)
                default = int.from_bytes(content[at : at + 4], "big")
            return not default & _NOT_A_KEY_FRAME
    return False


def _moof_length(fragment: bytes) -> int:
    return int.from_bytes(fragment[:4], "big") if fragment[4:8] == b"moof" else len(fragment)
