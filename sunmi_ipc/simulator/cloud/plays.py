"""What the virtual cloud does on each call, beside the checks that all have in common."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...spec import registry
from ..checks import Refused
from . import flows
from .flows import Flows
from .state import MOST_FACES, MOST_GROUPS, Device, Face, FaceGroup, Shop, new_group

if TYPE_CHECKING:
    from .server import VirtualCloud

Play = Callable[["VirtualCloud", Shop, dict[str, Any]], "dict[str, Any] | None"]
_PLAYS: dict[str, Play] = {}
#: A recording lasts a minute and starts at half past one: so one of them lies on every hour's seam.
CLIP_S, KEPT_S, MOTION_S = 60, 30 * 86_400, 420


def plays(path: str) -> Callable[[Play], Play]:
    """Register what a path does."""

    def register(play: Play) -> Play:
        _PLAYS[path] = play
        return play

    return register


def play_of(path: str) -> Play | None:
    """What a path does."""
    return _PLAYS.get(path)


def unplayed() -> list[str]:
    """Paths of the table that nothing plays."""
    return sorted(set(registry("cloud")) - set(_PLAYS))


# -- devices -------------------------------------------------------------------------------------


def _device(cloud: VirtualCloud, shop: Shop, values: dict[str, Any], *, unknown: int = 5501) -> Device:
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
def _list(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return _cameras(cloud, {shop.no})


@plays("device/ipc/getListByCompany")
def _list_by_company(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    shops = {s.no for s in cloud.state.shops.values() if s.company_no == values["company_no"]}
    if not shops:
        raise Refused(5041)
    return _cameras(cloud, shops)


def _cameras(cloud: VirtualCloud, shops: set[str]) -> dict[str, Any]:
    found = [cloud.shown(d) for d in cloud.state.devices.values() if d.shop_no in shops]
    return {"total_count": len(found), "ipc_list": found}


@plays("device/ipc/getInfo")
def _info(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    try:
        return cloud.shown(_device(cloud, shop, values))
    except Refused as refused:
        # The page lists no "not bound" here.
        raise Refused(5501 if refused.code == 5510 else refused.code) from None


@plays("device/ipc/updateName")
def _rename(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    _online(_device(cloud, shop, values)).name = values["ipc_name"]


@plays("device/ipc/bind")
def _bind(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
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
def _unbind(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    _device(cloud, shop, values).shop_no = ""


# -- media ---------------------------------------------------------------------------------------


def _stream(cloud: VirtualCloud, name: str) -> dict[str, Any]:
    key = f"{int(time.time()) + 3600}-{hashlib.sha256(name.encode()).hexdigest()[:32]}-0-"
    return {
        "url": f"{cloud.origin}/{name}.flv?auth_key={key}",
        "hls_url": f"{cloud.origin}/{name}.m3u8?auth_key={key}",
    }


@plays("media/live/start")
def _live(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _online(_device(cloud, shop, values))
    shop.live.add(device.sn)
    return _stream(cloud, f"{device.sn}/{values.get('resolution', 0)}")


@plays("media/live/stop")
def _live_stop(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    shop.live.discard(_online(_device(cloud, shop, values)).sn)


@plays("media/playback/start")
def _playback(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5506)
    if values["end_time"] - values["start_time"] > 86_400:
        raise Refused(5021)
    if not _clips(device, values["start_time"], values["end_time"]):
        raise Refused(5087)
    client = f"SAAS-OpenAPI_{cloud.state.new_id()}"
    shop.playbacks.add(client)
    return _stream(cloud, f"{client}/{values['start_time']}") | {"client_id": client}


@plays("media/playback/stop")
def _playback_stop(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
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
def _videos(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
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
def _motions(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
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
    return _page(every, values, "video_list")


def _page(every: list[Any], values: dict[str, Any], field: str) -> dict[str, Any]:
    number, size = values.get("page_num", 1), values.get("page_size", 10)
    part = every[(number - 1) * size : number * size]
    if not part and number > 1:
        raise Refused(5013)
    return {"total_num": len(every), field: part}


@plays("media/playback/getSnapshot")
def _snapshot_at(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _device(cloud, shop, values, unknown=5013)
    if not now_minus(KEPT_S) <= values["time"] <= time.time():
        raise Refused(5013)
    return {"snapshot_url": cloud.picture(f"{device.sn}/{values['time']}")}


@plays("media/live/getSnapshot")
def _snapshot(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    device = _online(_device(cloud, shop, values))
    return {"snapshot_url": cloud.picture(f"{device.sn}/{int(time.time())}")}


def now_minus(seconds: int) -> float:
    """So many seconds ago."""
    return time.time() - seconds


# -- people flow -----------------------------------------------------------------------------------


def _people(shop: Shop) -> Flows:
    return Flows(shop.no, shop.opened, datetime.now().astimezone())


def _period(shop: Shop, values: dict[str, Any], most: int, *, wrong: int = 5020, past: bool = False) -> Any:
    """First and last day and the people between; periods out of bounds are refused with *wrong*."""
    try:
        if not all(re.fullmatch(r"\d{4}-\d\d-\d\d", values[n]) for n in ("start_time", "end_time")):
            raise ValueError
        start, end = (date.fromisoformat(values[n]) for n in ("start_time", "end_time"))
    except ValueError:
        raise Refused(wrong) from None
    if not 0 <= (end - start).days < most or (past and end >= datetime.now().astimezone().date()):
        raise Refused(wrong)
    people = _people(shop)
    if people.empty(end):
        raise Refused(5013 if not past else wrong)
    return start, end, people


def _today(shop: Shop) -> tuple[date, Flows]:
    now = datetime.now().astimezone()
    return now.date(), Flows(shop.no, shop.opened, now)


@plays("passengerFlow/stat/today/getLatest")
def _latest(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return flows.totals(people.day(day))


@plays("passengerFlow/stat/today/groupByTag")
def _today_tags(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return {"count_list": flows.tags_by_age(people.day(day))}


@plays("passengerFlow/stat/today/groupByGender")
def _today_genders(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return {"count_list": flows.genders_by_age([(day, people.day(day))], unique=False)}


@plays("passengerFlow/stat/today/getTrendByHour")
def _today_hours(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now().astimezone()
    people = Flows(shop.no, shop.opened, now)
    return {
        "count_list": [
            {"time": f"{now.date()} {hour:02}:00", **flows.totals(people.hour(now.date(), hour))}
            for hour in range(now.hour + 1)
        ]
    }


@plays("passengerFlow/stat/history/groupByTag")
def _tags(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return flows.tags(list(people.days(start, end)))


@plays("passengerFlow/stat/history/groupByGender")
def _genders(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return {"count_list": flows.genders_by_age(list(people.days(start, end)), unique=True)}


@plays("passengerFlow/stat/history/getTrendByHour")
def _hours(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, _, people = _period(shop, values, 1)
    # The hour without its nought, as on the page.
    return {
        "count_list": [
            {"time": f"{day} {hour}:00", **flows.tags([(day, people.hour(day, hour))])} for hour in range(24)
        ]
    }


@plays("passengerFlow/stat/history/getTrendByDay")
def _days(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return {
        "count_list": [
            {"time": str(day), **flows.tags([(day, visitors)])} for day, visitors in people.days(start, end)
        ]
    }


def _grouped(days: Any, name: Callable[[date], str]) -> dict[str, Any]:
    spans: dict[str, list[Any]] = {}
    for day, visitors in days:
        spans.setdefault(name(day), []).append((day, visitors))
    wanted = ("total_count", "regular_count", "stranger_count", "member_count")
    return {
        "count_list": [
            {"time": key, **{k: v for k, v in flows.tags(span, unique=False).items() if k in wanted}}
            for key, span in spans.items()
        ]
    }


@plays("passengerFlow/stat/history/getTrendByWeek")
def _weeks(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 84)
    return _grouped(people.days(start, end), lambda day: str(day - timedelta(days=day.weekday())))


@plays("passengerFlow/stat/history/getTrendByMonth")
def _months(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 366)
    return _grouped(people.days(start, end), lambda day: f"{day:%Y-%m}")


@plays("passengerFlow/stat/history/person/frequency/getList")
def _frequency(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30, wrong=5025, past=True)
    return {"frequency_list": flows.frequencies(list(people.days(start, end)))}


# -- faces ---------------------------------------------------------------------------------------


def _group(shop: Shop, group_id: str, missing: int = 5506) -> FaceGroup:
    group = shop.groups.get(group_id)
    if group is None:
        raise Refused(missing)
    return group


def _changeable(group: FaceGroup, fixed: int = 5525) -> FaceGroup:
    if group.default:
        raise Refused(fixed)
    return group


def _capacity(shop: Shop, wanted: int, group: FaceGroup | None = None) -> int:
    others = sum(g.capacity for g in shop.groups.values() if g is not group)
    if others + wanted > MOST_FACES or (group is not None and wanted < group.count):
        raise Refused(5520)
    return wanted


@plays("face/group/getList")
def _groups(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return {"group_list": [group.as_reply() for group in shop.groups.values()]}


@plays("face/group/getInfo")
def _group_info(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return _group(shop, values["group_id"], 5013).as_reply()


@plays("face/group/create")
def _create(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    if any(group.name == values["name"] for group in shop.groups.values()):
        raise Refused(5523)
    if len(shop.groups) >= MOST_GROUPS:
        raise Refused(5520)
    group = new_group(
        cloud.state,
        values.get("type", 5),
        values["name"],
        capacity=_capacity(shop, values.get("capacity", 1000)),
        description=values.get("description", ""),
        modified=int(time.time()),
        keys={k: v for k, v in values.items() if k.startswith("customer_key")},
    )
    shop.groups[group.group_id] = group


@plays("face/group/update")
def _update_group(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    group = _changeable(_group(shop, values["group_id"]))
    if "capacity" in values:
        group.capacity = _capacity(shop, values["capacity"], group)
    group.name = values.get("name", group.name)
    group.description = values.get("description", group.description)
    group.keys |= {k: v for k, v in values.items() if k.startswith("customer_key")}
    group.modified = int(time.time())


@plays("face/group/delete")
def _delete_group(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    group = _changeable(_group(shop, values["group_id"]), 5524)
    if group.count:
        raise Refused(5509)
    del shop.groups[group.group_id]


@plays("face/group/getFaceList")
def _faces(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(shop, values["group_id"])
    return _page([face.as_reply(group.name) for face in group.faces.values()], values, "face_list")


@plays("face/group/move")
def _move(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    source, target = (_group(shop, values[f"{n}_group_id"], 5522) for n in ("source", "target"))
    moving = dict.fromkeys(values["face_id_list"])
    if any(face_id not in source.faces for face_id in moving):
        raise Refused(5521)
    if source is not target and target.count + len(moving) > target.capacity:
        raise Refused(5520)
    for face_id in moving:
        face = source.faces.pop(face_id)
        face.group_id = target.group_id
        target.faces[face_id] = face


@plays("face/group/updateMoveStrategy")
def _move_rule(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    _group(shop, values["target_group_id"])
    shop.move_rule = dict(values)


@plays("face/getInfo")
def _face(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    face = shop.face(values["face_id"])
    if face is None:
        raise Refused(5506)
    reply = face.as_reply(shop.groups[face.group_id].name)
    return {k: v for k, v in reply.items() if not k.startswith("customer_") or v}


@plays("face/add")
def _add(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(shop, values["group_id"], 5013)
    if group.count >= group.capacity:
        raise Refused(5520)
    face = Face(
        cloud.state.new_id(), group.group_id, values["name"], values.get("gender", 0),
        values.get("age_range", 0), int(time.time()),
        values={k: v for k, v in values.items() if k.startswith("customer_value")},
    )  # fmt: skip
    group.pending += 1
    cloud.work_on(shop, group, face, values["pic"])
    return {"face_id": face.face_id}


def _face_in(shop: Shop, values: dict[str, Any]) -> Face:
    face = _group(shop, values["group_id"], 5521).faces.get(values["face_id"])
    if face is None:
        raise Refused(5521)
    return face


@plays("face/update")
def _update(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    face = _face_in(shop, values)
    for name in ("name", "gender", "age_range"):
        setattr(face, name, values.get(name, getattr(face, name)))
    face.values |= {k: v for k, v in values.items() if k.startswith("customer_value")}


@plays("face/delete")
def _delete(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    group = _group(shop, values["group_id"], 5013)
    for face_id in values["face_id_list"]:
        group.faces.pop(face_id, None)


# -- messages --------------------------------------------------------------------------------------


def _wanted(values: dict[str, Any]) -> list[int]:
    events = values["events"]
    if not re.match(r"https?://[^/]", values["callback"]) or not all(type(e) is int for e in events):
        raise Refused(5020)
    return list(events)


@plays("hook/add")
def _hook(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    for event in _wanted(values):
        urls = shop.hooks.setdefault(event, [])
        if values["callback"] not in urls:
            urls.append(values["callback"])


@plays("hook/delete")
def _unhook(cloud: VirtualCloud, shop: Shop, values: dict[str, Any]) -> None:
    for event in _wanted(values):
        urls = shop.hooks.get(event, [])
        if values["callback"] not in urls:
            raise Refused(5013)
        urls.remove(values["callback"])
