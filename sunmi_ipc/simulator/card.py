"""What is on the virtual camera's card, and the addresses under which it can be had."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from ..protocol.values import CardStatus
from .checks import Refused
from .state import CameraState

CLIP_S = 60
#: The card holds a day; each hour has a gap, as when nothing moved.
KEPT_S = 86_400


def recordings(state: CameraState, start: int, end: int) -> list[dict[str, Any]]:
    """The clips of a period, one a minute, none in the last ten minutes of an hour."""
    now = int(time.time() + state.clock_offset)
    first = max(start, now - KEPT_S)
    first -= first % CLIP_S
    found = []
    for begin in range(first, min(end, now - CLIP_S) + 1, CLIP_S):
        if begin % 3_600 < 3_000 and begin + CLIP_S > start and not state.blinded(begin, begin + CLIP_S):
            found.append(
                {
                    "start_time": begin,
                    "end_time": begin + CLIP_S,
                    "url": file_url(state, f"record/{begin}.mp4"),
                }
            )
    return found


def recorded(state: CameraState, start: int, end: int) -> list[tuple[int, int]]:
    """What is on the card of a period: start and end of each piece without a gap, Unix seconds."""
    spans: list[tuple[int, int]] = []
    if state.card_status is CardStatus.NORMAL:
        for clip in recordings(state, start, end):
            first, last = max(clip["start_time"], start), min(clip["end_time"], end)
            if spans and spans[-1][1] == first:
                spans[-1] = (spans[-1][0], last)
            elif first < last:
                spans.append((first, last))
    return spans


def file_url(state: CameraState, path: str) -> str:
    """The https address of a file of the camera's."""
    address = state.documents.get("address", {})
    host = address.get("ip", "")
    port = address.get("port", 443)
    return f"https://{host}{'' if port == 443 else f':{port}'}/{path}"


def stream_key(state: CameraState) -> str:
    """The 32 hex digits in the camera's RTSP addresses."""
    return hashlib.md5(state.sn.encode(), usedforsecurity=False).hexdigest()


def rtsp_url(state: CameraState, path: str) -> str:
    """An RTSP address of the camera; refused (232) where it has no picture to serve."""
    address = state.documents.get("address", {})
    if not address.get("rtsp_port"):
        raise Refused(232)
    return f"rtsp://{address.get('ip', '')}:{address['rtsp_port']}/{stream_key(state)}/{path}"
