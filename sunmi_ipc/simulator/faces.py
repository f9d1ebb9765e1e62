"""Face groups and faces of the virtual camera, with the rules of codes 200 to 212."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any
from urllib.parse import quote, unquote

from ..protocol.values import CardStatus
from . import jpeg
from .card import file_url
from .checks import Refused
from .files import Content, serves
from .handlers import page, plays
from .host import Host
from .state import CameraState

MAX_GROUPS, MAX_CAPACITY, MAX_ATTRIBUTES = 10, 30_000, 8
_ARRIVALS_A_MINUTE = 0.3
_VISITS = 5_000  # remembered of one face
#: The unit of ``period`` is not known; the virtual camera takes none as one hour.
HOUR_S = 3_600
BUILT_IN = ("stranger", "regular")


def groups(state: CameraState) -> dict[str, dict[str, Any]]:
    """The groups by name; made anew where activation or formatting wiped the card."""
    if state.card_status is not CardStatus.NORMAL:
        raise Refused(220)
    if "groups" not in state.documents:
        state.documents["groups"] = {
            name: {"name": name, "capacity": 10_000 if name == "stranger" else 5_000, "description": "",
                   "faces": {}, "attributes": []}
            for name in BUILT_IN
        }  # fmt: skip
        state.documents["groups"]["stranger"] |= {"period": 30, "times": 3}
        if state.people:  # faces are kept from the first moment that there is a card for them
            now = int(time.time() + state.clock_offset)
            state.documents.setdefault("life", {"people": state.people})["minute"] = now // 60
    _live(state)
    return state.documents["groups"]


def _live(state: CameraState) -> None:
    """Let those come by who have come since somebody last looked: life that costs nothing meanwhile."""
    life = state.documents.get("life")
    if life is None:
        return
    minute = int(time.time() + state.clock_offset) // 60
    first = max(life["minute"], minute - 1_440)
    life["minute"] = minute
    for slot in range(first, minute):
        if state.blinded(slot * 60, slot * 60 + 60):
            continue  # nobody is seen without a card or without power
        die = random.Random(f"{state.sn}/{slot}")  # noqa: S311 - the same minute, the same people
        if die.random() < _ARRIVALS_A_MINUTE:
            visit(state, die.randrange(life["people"]), slot * 60)


def visit(state: CameraState, number: int, when: float) -> dict[str, Any]:
    """Let person *number* come by; the face as the camera tells it."""
    faceid = hashlib.md5(f"{state.sn}/{number}".encode(), usedforsecurity=False).hexdigest()[:16]
    return see(state, faceid, gender=1 + number % 2, age=5 + number * 7 % 70, when=when)


def _group(state: CameraState, name: str) -> dict[str, Any]:
    try:
        return groups(state)[name]
    except KeyError:
        raise Refused(204) from None


def find(state: CameraState, faceid: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The group and the record of a face; refuses with 207."""
    for group in groups(state).values():
        if faceid in group["faces"]:
            return group, group["faces"][faceid]
    raise Refused(207)


def see(state: CameraState, faceid: str, *, gender: int, age: int, when: float) -> dict[str, Any]:
    """A person comes by: a new face among the strangers, or one more visit of a known one.

    A stranger seen often enough within the rule's days becomes a regular.
    """
    try:
        group, record = find(state, faceid)
    except Refused:
        group = _group(state, "stranger")
        if len(group["faces"]) >= group["capacity"]:
            oldest = min(group["faces"].values(), key=lambda f: f["arrive_time"])
            del group["faces"][oldest["faceid"]]
        record = _record(faceid, age=age, gender=gender)
        group["faces"][faceid] = record
    record["visits"].append(int(when))
    _count_arrival(state, int(when), record)
    del record["visits"][:-_VISITS]
    record["arrive_count"] += 1
    record["arrive_time"] = int(when)
    if group["name"] == "stranger":
        recent = [t for t in record["visits"] if t > when - group["period"] * 86_400]
        regular = _group(state, "regular")
        if len(recent) >= group["times"] and len(regular["faces"]) < regular["capacity"]:
            regular["faces"][faceid] = group["faces"].pop(faceid)
            group = regular
    return public(state, record, group["name"])


def _record(faceid: str, **details: Any) -> dict[str, Any]:
    return {"faceid": faceid, "age": "", "gender": 0, "arrive_count": 0, "arrive_time": 0, "visits": [],
            "attributes": {}} | {k: v for k, v in details.items() if v is not None}  # fmt: skip


def _count_arrival(state: CameraState, when: int, face: dict[str, Any]) -> None:
    """Remember that somebody whose face was seen has come in; it stays when the face is deleted."""
    counts = state.arrived.setdefault(when - when % 60, [0] * 16)
    counts[8 * (face["gender"] == 2) + int(_age_range(face["age"]) or 4) - 1] += 1


def arrived(state: CameraState) -> dict[int, list[int]]:
    """Whose faces were seen, by the minute: males by age range, then females."""
    if state.card_status is CardStatus.NORMAL:
        groups(state)  # lets those come in who have come meanwhile
    return state.arrived


def _age_range(age: Any) -> int | str:
    if age == "":
        return ""
    return next((i for i, last in enumerate((6, 12, 18, 28, 35, 45, 55), 1) if age <= last), 8)


def public(state: CameraState, record: dict[str, Any], group: str) -> dict[str, Any]:
    """A face as the camera tells it."""
    shown = {k: v for k, v in record.items() if k not in ("visits", "attributes")}
    name = quote(record["faceid"], safe="")
    return shown | {
        "group_name": group,
        "age_range": _age_range(record["age"]),
        "pic_url": file_url(state, f"face/{name}.jpg"),
    }


@serves("face")
def _picture(camera: Host, rest: str) -> Content | None:
    """A made-up face, for as long as the camera knows it: photos that were added are not kept."""
    name, dot, suffix = rest.rpartition(".")
    if not dot or suffix != "jpg":
        return None
    faceid = unquote(name)
    try:
        with camera.state.lock:
            find(camera.state, faceid)
    except Refused:
        return None
    return Content(jpeg.face(faceid), "image/jpeg")


def _check_name(name: str) -> None:
    if name[:1].isspace():
        raise Refused(201)


def _check_capacity(state: CameraState, capacity: int, but: str = "") -> None:
    others = sum(g["capacity"] for g in groups(state).values() if g["name"] != but)
    if others + capacity > MAX_CAPACITY:
        raise Refused(202)


@plays("face/createGroup")
def _create(state: CameraState, values: dict[str, Any]) -> None:
    every = groups(state)
    _check_name(values["name"])
    if values["name"] in every:
        raise Refused(200)
    if len(every) >= MAX_GROUPS:
        raise Refused(202)
    _check_capacity(state, values["capacity"])
    every[values["name"]] = {
        "name": values["name"], "capacity": values["capacity"], "description": values.get("description", ""),
        "faces": {}, "attributes": [],
    }  # fmt: skip


@plays("face/updateGroup")
def _update(state: CameraState, values: dict[str, Any]) -> None:
    group = _group(state, values["old_name"])
    _check_name(values["name"])
    renamed = values["name"] != values["old_name"]
    if renamed and (values["name"] in groups(state)):
        raise Refused(200)
    if renamed and values["old_name"] in BUILT_IN:
        raise Refused(201)
    if values["capacity"] < len(group["faces"]):
        raise Refused(202)
    _check_capacity(state, values["capacity"], but=values["old_name"])
    every = groups(state)
    del every[values["old_name"]]
    group |= {"name": values["name"], "capacity": values["capacity"]}
    group["description"] = values.get("description", group["description"])
    every[values["name"]] = group


@plays("face/deleteGroup")
def _delete_group(state: CameraState, values: dict[str, Any]) -> None:
    group = _group(state, values["name"])
    if values["name"] in BUILT_IN:
        raise Refused(12)
    if group["faces"]:
        raise Refused(205)
    del groups(state)[values["name"]]


@plays("face/clearGroup")
def _clear(state: CameraState, values: dict[str, Any]) -> None:
    _group(state, values["name"])["faces"].clear()


@plays("face/getGroupList")
def _groups(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    listed = [
        {k: v for k, v in g.items() if k not in ("faces", "attributes")} | {"count": len(g["faces"])}
        for g in groups(state).values()
    ]
    return {"num": len(listed), "face_group": listed}


@plays("face/setMoveCondition")
def _rule(state: CameraState, values: dict[str, Any]) -> None:
    _group(state, "stranger").update(values)


@plays("face/addAttribute")
def _add_attribute(state: CameraState, values: dict[str, Any]) -> None:
    names = _group(state, values["group_name"])["attributes"]
    if values["name"] in names:
        raise Refused(241)
    if len(names) >= MAX_ATTRIBUTES:
        raise Refused(242)
    names.append(values["name"])


@plays("face/deleteAttribute")
def _delete_attribute(state: CameraState, values: dict[str, Any]) -> None:
    names = _group(state, values["group_name"])["attributes"]
    if values["name"] not in names:
        raise Refused(243)
    names.remove(values["name"])


@plays("face/getAttributeList")
def _attributes(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    names = _group(state, values["group_name"])["attributes"]
    return {"num": len(names), "name_list": list(names)}


def _face_of(picture: bytes) -> str:
    """The id that this picture's face gets: the same picture, the same person."""
    if not picture.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise Refused(210)
    return hashlib.md5(picture, usedforsecurity=False).hexdigest()[:16]


def _check_attributes(group: dict[str, Any], attributes: Any) -> None:
    if attributes is None:
        return
    if any(name not in group["attributes"] for name in attributes):
        raise Refused(284)
    if any(not isinstance(value, str) for value in attributes.values()):
        raise Refused(285)


@plays("face/addFace")
def _add_face(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(state, values["group_name"])
    faceid = values.get("faceid") or _face_of(values["pic"])
    _face_of(values["pic"])
    _check_attributes(group, values.get("attributes"))
    if any(faceid in g["faces"] for g in groups(state).values()):
        raise Refused(206)
    if len(group["faces"]) >= group["capacity"]:
        raise Refused(208)
    group["faces"][faceid] = _record(
        faceid, age=values.get("age"), gender=values.get("gender"), attributes=values.get("attributes")
    )
    state.documents.setdefault("pictures", {})[
        hashlib.md5(values["pic"], usedforsecurity=False).hexdigest()
    ] = faceid
    return {"faceid": faceid}


@plays("face/deleteFaces")
def _delete_faces(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    faces = _group(state, values["group_name"])["faces"]
    gone = [f for f in values["faceid_list"] if faces.pop(f, None) is not None]
    return {
        "success_list": gone,
        "failed_list": [],
        "not_exist_list": [f for f in values["faceid_list"] if f not in gone],
    }


@plays("face/updateFace")
def _update_face(state: CameraState, values: dict[str, Any]) -> None:
    group, record = find(state, values["faceid"])
    target = _group(state, values["group_name"]) if "group_name" in values else group
    _check_attributes(target, values.get("attributes"))
    if target is not group:
        if len(target["faces"]) >= target["capacity"]:
            raise Refused(208)
        target["faces"][values["faceid"]] = group["faces"].pop(values["faceid"])
    record.update({k: values[k] for k in ("age", "gender", "attributes") if k in values})


@plays("face/getFace")
def _face(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    group, record = find(state, values["faceid"])
    return public(state, record, group["name"])


@plays("face/getFaceList")
def _faces(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(state, values["group_name"])
    return page(
        state, [public(state, f, group["name"]) for f in group["faces"].values()], values, "face_list", 273
    )


@plays("face/getFaceIdList")
def _ids(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return page(state, list(_group(state, values["group_name"])["faces"]), values, "faceid_list", 273)


@plays("face/getOldestFaces")
def _oldest(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    group = _group(state, values["group_name"])
    every = sorted(group["faces"].values(), key=lambda f: f["arrive_time"])[: values.get("num", 10)]
    return {"total_num": len(group["faces"]), "return_num": len(every),
            "face_list": [public(state, f, group["name"]) for f in every]}  # fmt: skip


@plays("face/findFace")
def _find_face(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    _face_of(values["pic"])
    digest = hashlib.md5(values["pic"], usedforsecurity=False).hexdigest()
    faceid = state.documents.get("pictures", {}).get(digest)
    if faceid is None:
        raise Refused(207)
    group, record = find(state, faceid)
    return public(state, record, group["name"])


@plays("peopleFlow/getVisitorList")
def _visitors(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    if values["start_time"] > values["end_time"]:
        raise Refused(267)
    wanted = values.get("group_name")
    if wanted is not None and wanted not in groups(state):
        raise Refused(269)
    found = []
    for group in groups(state).values():
        for record in group["faces"].values():
            shown = public(state, record, group["name"])
            if (
                any(values["start_time"] <= t <= values["end_time"] for t in record["visits"])
                and wanted in (None, group["name"])
                and all(values.get(k) in (None, shown[k]) for k in ("gender", "age", "age_range"))
            ):
                found.append(shown)
    return page(state, found, values, "face_list", 273)


@plays("peopleFlow/getVisitRecord")
def _visits(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    try:
        _, record = find(state, values["faceid"])
    except Refused:
        raise Refused(280) from None
    times = [t for t in record["visits"] if values["start_time"] <= t <= values["end_time"]]
    return {"arrive_count": len(times), "came_in_time": times}


def populate(state: CameraState, people: int = 12) -> None:
    """Let some people have come by, some of them often, and go on coming; the same camera, the same people."""
    now = time.time() + state.clock_offset
    if not people:
        return
    state.people = people
    state.documents["life"] = {"minute": int(now) // 60, "people": people}
    for number in range(people):
        for past in reversed(range(1 + number % 4)):
            visit(state, number, now - 3_600 * (past * 24 + number))
