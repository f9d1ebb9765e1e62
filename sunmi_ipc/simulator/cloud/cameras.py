"""Cameras and what they film, in the virtual cloud."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from typing import Any

from ..checks import Refused
from .handlers import page, plays
from .host import Host
from .state import Device, Shop

#: A recording lasts a minute and starts at half past one: so one of them lies on every hour's seam.
_KEY = secrets.token_hex(16)
CLIP_S, KEPT_S, MOTION_S = 60, 30 * 86_400, 420


def _device(cloud: Host, shop: Shop, values: dict[str, Any], *, unknown: int = 5501) -> Device:
    """The camera that the call names; it must be the shop's."""
    if not (values.get("ipc_id") or values.get("ipc_sn")):
        raise Refused(5020)
    device = cloud.state.device(values.get("ipc_id", ""), values.get("ipc_sn", ""))
    if device is None:
        raise Refused(unknown)
    if device.shop_no != shop.no:
        raise Refused(5510 if unknown == 5501 else unknown)
    return device


def _online(device: Device) -> Device:
    if not device.online:
        raise Refused(5011)
    return device


@plays("device/ipc/getList")
def _list(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return _cameras(cloud, {shop.no})


@plays("device/ipc/getListByCompany")
def _list_by_company(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    shops = {s.no for s in cloud.state.shops.values() if s.company_no == values["company_no"]}
    if not shops:
        raise Refused(5041)
    return _cameras(cloud, shops)


def _cameras(cloud: Host, shops: set[str]) -> dict[str, Any]:
    found = [cloud.shown(d) for d in cloud.state.devices.values() if d.shop_no in shops]
    return {"total_count": len(found), "ipc_list": found}


@plays("device/ipc/getInfo")
def _info(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    try:
        return cloud.shown(_device(cloud, shop, values))
    except Refused as refused:
        # The page lists no "not bound" here.
        raise Refused(5501 if refused.code == 5510 else refused.code) from None


@plays("device/ipc/updateName")
def _rename(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    _online(_device(cloud, shop, values)).name = values["ipc_name"]


@plays("device/ipc/bind")
def _bind(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    if not re.fullmatch(r"[0-9A-Fa-f]{12}", values["mac"]):
        raise Refused(5079)
    device = cloud.state.device("", values["ipc_sn"])
    if device is None:
        raise Refused(5501)
    if device.mac != values["mac"].upper():
        raise Refused(5079)
    if device.shop_no:
        raise Refused(5509)
    device.shop_no = shop.no


@plays("device/ipc/unbind")
def _unbind(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    _device(cloud, shop, values).shop_no = ""


def _stream(cloud: Host, name: str) -> dict[str, Any]:
    """Addresses of a stream (:mod:`.streams`), good for an hour."""
    key = stream_key(name, int(time.time()) + 3600)
    return {
        "url": f"{cloud.origin}/{name}.flv?auth_key={key}",
        "hls_url": f"{cloud.origin}/{name}.m3u8?auth_key={key}",
    }


def stream_key(name: str, until: int) -> str:
    """What lets a stream's address be opened until then, Unix seconds."""
    return f"{until}-{hashlib.sha256(f'{_KEY}/{name}/{until}'.encode()).hexdigest()[:32]}-0-"


def stream_allowed(name: str, key: str) -> bool:
    """Whether a key opens a stream now."""
    until, _, _ = key.partition("-")
    return until.isdecimal() and int(until) >= time.time() and key == stream_key(name, int(until))


@plays("media/live/start")
def _live(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _online(_device(cloud, shop, values))
    shop.live.add(device.sn)
    return _stream(cloud, f"live/{device.sn}/{values.get('resolution', 0)}")


@plays("media/live/stop")
def _live_stop(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    shop.live.discard(_online(_device(cloud, shop, values)).sn)


@plays("media/playback/start")
def _playback(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5506)
    if values["end_time"] - values["start_time"] > 86_400:
        raise Refused(5021)
    if not _clips(device, values["start_time"], values["end_time"]):
        raise Refused(5087)
    client = f"SAAS-OpenAPI_{cloud.state.new_id()}"
    shop.playbacks.add(client)
    span = f"{values['start_time']}-{values['end_time']}"
    return _stream(cloud, f"playback/{device.sn}/{span}") | {"client_id": client}


@plays("media/playback/stop")
def _playback_stop(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    for other in cloud.state.shops.values():  # the call names no shop
        if values["client_id"] in other.playbacks:
            other.playbacks.remove(values["client_id"])
            return
    raise Refused(5020)


def _clips(device: Device, start: int, end: int) -> list[int]:
    """The recordings that touch a period, by their start; none in the last ten minutes of an odd hour."""
    now = int(time.time())
    first = max(start - CLIP_S, now - KEPT_S)
    first += (30 - first) % CLIP_S
    return [
        begin
        for begin in range(first, min(end, now - CLIP_S), CLIP_S)
        if begin + CLIP_S > start and not (begin // 3_600 % 2 and 3_000 <= begin % 3_600 < 3_500)
    ]


@plays("media/video/getList")
def _videos(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5013)
    start, end = values["start_time"], values["end_time"]
    if not 0 <= end - start <= 3_600:
        raise Refused(5021)
    found = [
        {
            "ipc_id": device.ipc_id,
            "url": f"{cloud.origin}/VIDEO/IPC/{device.sn}/{begin}-{cloud.state.new_id()}",
            "start_time": begin,
            "end_time": begin + CLIP_S,
        }
        for begin in _clips(device, start, end)
    ]
    if not found:
        raise Refused(5013)
    return {"total_count": len(found), "video_list": found}


@plays("media/motionDetection/getList")
def _motions(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5013)
    start, end = (
        max(values["start_time"], int(time.time()) - KEPT_S),
        min(values["end_time"], int(time.time())),
    )
    every = [
        {
            "source": str(1 + when // MOTION_S % 3),
            "detect_time": when,
            "url": f"{cloud.origin}/VIDEO/IPC/{device.sn}/{when}",
        }
        for when in range(start - start % -MOTION_S, end + 1, MOTION_S)
    ]
    return page(every, values, "video_list")


@plays("media/playback/getSnapshot")
def _snapshot_at(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5013)
    if not now_minus(KEPT_S) <= values["time"] <= time.time():
        raise Refused(5013)
    return {"snapshot_url": cloud.picture(f"{device.sn}/{values['time']}")}


@plays("media/live/getSnapshot")
def _snapshot(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _online(_device(cloud, shop, values))
    return {"snapshot_url": cloud.picture(f"{device.sn}/{int(time.time())}")}


def now_minus(seconds: int) -> float:
    """So many seconds ago."""
    return time.time() - seconds
