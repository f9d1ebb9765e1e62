"""Recordings, snapshots, clips and streams of the virtual camera, as its calls and files give them."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from typing import Any

from ..installation import advice
from ..protocol.values import CardStatus
from . import video
from .card import CLIP_S, KEPT_S, file_url, recorded, recordings, rtsp_url
from .checks import Refused
from .files import Content, serves
from .handlers import page, plays
from .host import Host
from .state import CameraState

#: A clip that was asked for can be fetched so long (our guess).
CLIP_KEPT_S = 600


def _need_card(state: CameraState) -> None:
    if state.card_status is not CardStatus.NORMAL:
        raise Refused(220)


@plays("media/getLiveStream")
def _live(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"hd_live_url": rtsp_url(state, "live_hd.sdp"), "fhd_live_url": rtsp_url(state, "live_fhd.sdp")}


@plays("media/getPlaybackStream")
def _playback(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    start, end = values["start_time"], values["end_time"]
    if start >= end:
        raise Refused(230)
    if not recorded(state, start, end):
        raise Refused(235)
    return {"playback_url": rtsp_url(state, f"playback_{start}_{end}.sdp")}


@plays("media/getVideoRecordList")
def _records(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    _need_card(state)
    if values["start_time"] >= values["end_time"]:
        raise Refused(231)
    return page(
        state, recordings(state, values["start_time"], values["end_time"]), values, "record_list", 122
    )


@plays("media/getSnapshot")
def _snapshot(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"snapshot_url": file_url(state, f"snapshot/{int(time.time() + state.clock_offset)}.jpg")}


@plays("media/getVideoClip")
def _clip(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time() + state.clock_offset)
    start, end = values["start_time"], min(values["end_time"], now)
    _need_card(state)
    if start >= end:
        raise Refused(236)  # still to come
    if not recorded(state, start, end):
        raise Refused(236 if end > now - CLIP_S else 235)
    name = f"{start}-{end}"
    gone = time.monotonic() - CLIP_KEPT_S
    clips = state.documents["clips"] = {
        known: due for known, due in state.documents.get("clips", {}).items() if due >= gone
    }
    if name not in clips:
        # Which moment of the span, is the dice's: the same clip, the same wait.
        wait = random.Random(f"{state.sn}/{name}").uniform(*state.video.clip_ready_s)  # noqa: S311
        clips[name] = time.monotonic() + wait
    return {"url": file_url(state, f"clip/{name}.mp4")}


@serves("snapshot")
def _snapshot_file(camera: Host, rest: str) -> Content | None:
    match = re.fullmatch(r"(\d{1,12})\.jpg", rest)
    if match is None or abs(camera.clock() - int(match[1])) > KEPT_S:
        return None
    if not video.available():
        from .video.blank import JPEG

        return Content(JPEG, "image/jpeg")
    from .video.footage import still

    return Content(still(camera.state, int(match[1])), "image/jpeg")


@serves("record")
def _record_file(camera: Host, rest: str) -> Content | None:
    match = re.fullmatch(r"(\d{1,12})\.mp4", rest)
    if match is None or camera.state.card_status is not CardStatus.NORMAL:
        return None
    begin = int(match[1])
    if not any(r["start_time"] == begin for r in recordings(camera.state, begin, begin + 1)):
        return None
    if not video.available():
        return _nothing_to_serve()
    from .video.footage import recording

    span = (begin, begin + CLIP_S)
    return Content(recording(_folder(camera), camera.state, [span], camera.closing), "video/mp4")


@serves("clip")
def _clip_file(camera: Host, rest: str) -> Content | None:
    name = rest.removesuffix(".mp4")
    due = camera.state.documents.get("clips", {}).get(name)
    now = time.monotonic()
    start, _, end = name.partition("-")
    if due is None or now > due + CLIP_KEPT_S:
        return None
    spans = recorded(camera.state, int(start), int(end))
    if not spans:
        return None
    if not video.available():
        return _nothing_to_serve()
    if now >= due:
        from .video.footage import prepared

        made = prepared(_folder(camera), camera.state, spans, camera.closing)
        if made is not None:
            return Content(made, "video/mp4")
    return Content(b'{"code": 236}', "application/json")


def _folder(camera: Host) -> Path:
    return camera.vendor.folder / "clips"


def _nothing_to_serve() -> Content:
    how = advice("video")
    hint = how["hint"].format(install=how["install"])
    reason = f"this virtual camera has no recordings to serve without PyAV. {hint}\n"
    return Content(reason.encode(), "text/plain", 503)
