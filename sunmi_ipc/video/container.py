"""What a file is, by its first bytes: its name, its address and its content type may say anything."""

from __future__ import annotations

from ..errors import FileMissingError
from ..i18n import later

#: So many bytes tell.
HEAD = 512
#: Boxes that an MP4 or QuickTime file may begin with; ``ftyp`` is not everywhere the first.
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof", b"sidx", b"uuid")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")


def suffix_of(head: bytes) -> str:
    """The suffix of a video that begins like this: ``.mp4``, ``.flv``, ...; empty where it is none."""
    if head.startswith(b"FLV\x01"):
        return ".flv"
    if head[4:8] in _BOXES:
        return ".mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return ".mkv"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    if head[:1] == b"G" and head[188:189] in (b"G", b"") and len(head) > 4 and head[:2] != b"GI":
        return ".ts"
    if head.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01")):
        return ".h264"
    return ""


def no_video(head: bytes) -> FileMissingError:
    """The error for a file that is no video, with what it is instead."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head.strip():
        reason = later("nothing")
    elif text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in text:
        reason = later("a web page")
    elif head.startswith(_PICTURES):
        reason = later("a picture")
    elif all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        reason = later("a text")
    else:
        reason = later("something that is not known here")
    return FileMissingError(
        "in the recording's place the camera gave {reason}",
        hint="Its link may have expired, or the camera may still be writing it: try again.",
        reason=reason,
    )


__all__ = ["HEAD", "no_video", "suffix_of"]
