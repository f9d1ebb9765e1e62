"""Face groups, faces and subscriptions in the virtual cloud."""

from __future__ import annotations

import re
import time
from typing import Any

from ..checks import Refused
from .handlers import page, plays
from .host import Host
from .state import MOST_FACES, MOST_GROUPS, Face, FaceGroup, Shop, new_group


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
def _groups(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return {"group_list": [group.as_reply() for group in shop.groups.values()]}


@plays("face/group/getInfo")
def _group_info(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    return _group(shop, values["group_id"], 5013).as_reply()


@plays("face/group/create")
def _create(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
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
def _update_group(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    group = _changeable(_group(shop, values["group_id"]))
    if "capacity" in values:
        group.capacity = _capacity(shop, values["capacity"], group)
    group.name = values.get("name", group.name)
    group.description = values.get("description", group.description)
    group.keys |= {k: v for k, v in values.items() if k.startswith("customer_key")}
    group.modified = int(time.time())


@plays("face/group/delete")
def _delete_group(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    group = _changeable(_group(shop, values["group_id"]), 5524)
    if group.count:
        raise Refused(5509)
    del shop.groups[group.group_id]


@plays("face/group/getFaceList")
def _faces(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(shop, values["group_id"])
    return page([face.as_reply(group.name) for face in group.faces.values()], values, "face_list")


@plays("face/group/move")
def _move(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
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
def _move_rule(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    _group(shop, values["target_group_id"])
    shop.move_rule = dict(values)


@plays("face/getInfo")
def _face(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    face = shop.face(values["face_id"])
    if face is None:
        raise Refused(5506)
    reply = face.as_reply(shop.groups[face.group_id].name)
    return {k: v for k, v in reply.items() if not k.startswith("customer_") or v}


@plays("face/add")
def _add(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
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
def _update(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    face = _face_in(shop, values)
    for name in ("name", "gender", "age_range"):
        setattr(face, name, values.get(name, getattr(face, name)))
    face.values |= {k: v for k, v in values.items() if k.startswith("customer_value")}


@plays("face/delete")
def _delete(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    group = _group(shop, values["group_id"], 5013)
    for face_id in values["face_id_list"]:
        group.faces.pop(face_id, None)


def _wanted(values: dict[str, Any]) -> list[int]:
    events = values["events"]
    if not re.match(r"https?://[^/]", values["callback"]) or not all(type(e) is int for e in events):
        raise Refused(5020)
    return list(events)


@plays("hook/add")
def _hook(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    for event in _wanted(values):
        urls = shop.hooks.setdefault(event, [])
        if values["callback"] not in urls:
            urls.append(values["callback"])


@plays("hook/delete")
def _unhook(cloud: Host, shop: Shop, values: dict[str, Any]) -> None:
    for event in _wanted(values):
        urls = shop.hooks.get(event, [])
        if values["callback"] not in urls:
            raise Refused(5013)
        urls.remove(values["callback"])
