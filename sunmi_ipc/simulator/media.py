"""Recordings, snapshots and addresses of the virtual camera."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from ..values import CardStatus
from .behaviours import plays
from .checks import Refused
from .state import CameraState

CLIP_S = 60
#: The card holds a day; each hour has a gap, as when nothing moved.
KEPT_S = 86_400


def page(entries: list[Any], values: dict[str, Any], field: str, refused: int) -> dict[str, Any]:
    """One page of *entries*; a page beyond the last is refused."""
    number, size = values.get("page_num", 1), values.get("page_size", 50)
    part = entries[(number - 1) * size : number * size]
    if not part and number > 1:
        raise Refused(refused)
    return {"total_num": len(entries), "return_num": len(part), field: part}


def _need_card(state: CameraState) -> None:
    if state.card_status is not CardStatus.NORMAL:
        raise Refused(220)


def recordings(state: CameraState, start: int, end: int) -> list[dict[str, Any]]:
    """The clips of a period, one a minute, none in the last ten minutes of an hour."""
    now = int(time.time() + state.clock_offset)
    first = max(start, now - KEPT_S)
    first -= first % CLIP_S
    found = []
    for begin in range(first, min(end, now - CLIP_S) + 1, CLIP_S):
        if begin % 3_600 < 3_000 and begin + CLIP_S > start:
            found.append(
                {"start_time": begin, "end_time": begin + CLIP_S, "url": _url(state, f"record/{begin}.mp4")}
            )
    return found


def _url(state: CameraState, path: str) -> str:
    address = state.documents.get("address", {})
    host = address.get("ip", "")
    port = address.get("port", 443)
    return f"https://{host}{'' if port == 443 else f':{port}'}/{path}"


def stream_key(state: CameraState) -> str:
    """The 32 hex digits in the camera's RTSP addresses."""
    return hashlib.md5(state.sn.encode(), usedforsecurity=False).hexdigest()


def _rtsp(state: CameraState, path: str) -> str:
    address = state.documents.get("address", {})
    port = address.get("rtsp_port")
    return f"rtsp://{address.get('ip', '')}{f':{port}' if port else ''}/{stream_key(state)}/{path}"


@plays("media/getLiveStream")
def _live(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"hd_live_url": _rtsp(state, "live_hd.sdp"), "fhd_live_url": _rtsp(state, "live_fhd.sdp")}


@plays("media/getPlaybackStream")
def _playback(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    start, end = values["start_time"], values["end_time"]
    if start >= end:
        raise Refused(230)
    if state.card_status is not CardStatus.NORMAL or not recordings(state, start, end):
        raise Refused(235)
    return {"playback_url": _rtsp(state, f"playback_{start}_{end}.sdp")}


@plays("media/getVideoRecordList")
def _records(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    _need_card(state)
    if values["start_time"] >= values["end_time"]:
        raise Refused(231)
    return page(recordings(state, values["start_time"], values["end_time"]), values, "record_list", 122)


@plays("media/getSnapshot")
def _snapshot(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"snapshot_url": _url(state, f"snapshot/{int(time.time() + state.clock_offset)}.jpg")}


@plays("media/getVideoClip")
def _clip(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    if not recordings(state, values["start_time"], values["end_time"]):
        raise Refused(236)
    return {"url": _url(state, f"clip/{values['start_time']}-{values['end_time']}.mp4")}
