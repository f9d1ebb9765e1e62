"""What the virtual cloud knows: companies, shops, cameras, face groups, faces, subscriptions."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

#: The default groups of every shop; they can be neither changed nor deleted.
DEFAULT_GROUPS = ((1, "stranger"), (2, "regular"), (3, "employee"))
#: Our guesses: the page names no numbers.
MOST_GROUPS, MOST_FACES = 20, 30_000
_NAMES = ("Ann", "Bo", "Chen", "Dora", "Emil", "Fang", "Grace", "Hao")


@dataclass
class Device:
    """A camera; without a shop it is known to the vendor, but bound to nobody."""

    ipc_id: str
    sn: str
    mac: str
    model: str
    name: str
    shop_no: str = ""
    online: bool = True
    connect_time: int = 0

    def as_reply(self) -> dict[str, Any]:
        """As ``getInfo`` answers it."""
        return {
            "ipc_id": self.ipc_id,
            "ipc_sn": self.sn,
            "ipc_name": self.name,
            "model_name": self.model,
            "software_version": "1.8.2",
            "check_version_time": self.connect_time + 60,
            "connect_time": self.connect_time,
            "active_status": int(self.online),
        }


@dataclass
class Face:
    """A face; ``ready_at`` is when the cloud has done its work on it."""

    face_id: str
    group_id: str
    name: str
    gender: int = 0
    age_range: int = 0
    created: int = 0
    arrivals: int = 0
    last_arrival: int = 0
    values: dict[str, str] = field(default_factory=dict)

    def as_reply(self, group_name: str) -> dict[str, Any]:
        """As the page's examples print it, the values under the keys' names."""
        return {
            "face_id": self.face_id,
            "group_id": self.group_id,
            "group_name": group_name,
            "gender": self.gender,
            "age_range": self.age_range,
            "arrival_count": self.arrivals,
            "create_time": self.created,
            "last_arrival_time": self.last_arrival,
            "name": self.name,
            **{f"customer_key{n}": self.values.get(f"customer_value{n}", "") for n in range(1, 6)},
        }


@dataclass
class FaceGroup:
    """A face group; ``pending`` faces are being worked on and have their place already."""

    group_id: str
    type: int
    name: str
    capacity: int = 1000
    description: str = ""
    modified: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    pending: int = 0
    default: bool = False

    @property
    def count(self) -> int:
        """Places taken."""
        return len(self.faces) + self.pending

    def as_reply(self) -> dict[str, Any]:
        """As ``group/getInfo`` answers it."""
        return {
            "group_id": self.group_id,
            "type": self.type,
            "count": len(self.faces),
            "capacity": self.capacity,
            "last_modified_time": self.modified,
            "group_name": self.name,
            "description": self.description,
            **{f"customer_key{n}": self.keys.get(f"customer_key{n}", "") for n in range(1, 6)},
        }


@dataclass
class Shop:
    """A shop; ``shop_id`` is what its owner's own system calls it."""

    no: str
    shop_id: str
    company_no: str
    opened: date
    groups: dict[str, FaceGroup] = field(default_factory=dict)
    #: Callbacks by message number.
    hooks: dict[int, list[str]] = field(default_factory=dict)
    move_rule: dict[str, Any] = field(default_factory=dict)
    playbacks: set[str] = field(default_factory=set)
    live: set[str] = field(default_factory=set)

    def face(self, face_id: str) -> Face | None:
        """The face of this id, in whatever group."""
        return next((g.faces[face_id] for g in self.groups.values() if face_id in g.faces), None)


@dataclass
class State:
    """Everything; the server guards it with its lock."""

    shops: dict[str, Shop]
    devices: dict[str, Device]
    numbers: random.Random

    def new_id(self) -> str:
        """An id as the page's examples have them."""
        return str(self.numbers.randrange(578_900_000_000, 579_900_000_000))

    def device(self, ipc_id: str, sn: str) -> Device | None:
        """The camera of this id or serial number; None where there is none, or the two disagree."""
        found = self.devices.get(ipc_id) if ipc_id else None
        found = found or next((d for d in self.devices.values() if sn and d.sn == sn), None)
        if found is None or (ipc_id and found.ipc_id != ipc_id) or (sn and found.sn != sn):
            return None
        return found


def new_group(state: State, kind: int, name: str, *, default: bool = False, **details: Any) -> FaceGroup:
    """A group with an id of its own."""
    return FaceGroup(state.new_id(), kind, name, default=default, **details)


def new_state(seed: int, *, shops: int, cameras: int, people: int) -> State:
    """A company with shops, each with cameras and faces, and two cameras that nobody has bound.

    The same arguments, the same ids.
    """
    die = random.Random(f"cloud/{seed}")  # noqa: S311 - made-up ids
    state = State({}, {}, die)
    company = str(die.randrange(560_000_000_000, 561_000_000_000))
    now = int(time.time())
    for number in range(shops):
        no = str(die.randrange(560_000_000_000, 561_000_000_000))
        opened = datetime.now().astimezone().date() - timedelta(days=800)
        shop = state.shops[no] = Shop(no, str(10_087 + number), company, opened)
        for kind, name in DEFAULT_GROUPS:
            group = new_group(state, kind, name, default=True)
            shop.groups[group.group_id] = group
        regulars = next(g for g in shop.groups.values() if g.type == 2)
        for n in range(people):
            face = Face(
                state.new_id(), regulars.group_id, _NAMES[n % len(_NAMES)], 1 + n % 2, 1 + (3 + n) % 8,
                now - 86_400 * (n + 1), n + 1, now - 3_600 * (n + 1),
            )  # fmt: skip
            regulars.faces[face.face_id] = face
        for n in range(cameras):
            _add_device(state, die, no, n, now)
    for n in range(2):
        _add_device(state, die, "", n, now)
    return state


def _add_device(state: State, die: random.Random, shop_no: str, number: int, now: int) -> None:
    model, prefix = ("FM020", "FS101D8BS") if number % 2 == 0 else ("FM010", "SS101D8BS")
    mac = "02534D" + f"{die.randrange(1 << 24):06X}"
    device = Device(
        str(die.randrange(549_755_800_000, 549_755_900_000)),
        f"{prefix}{die.randrange(100_000):05d}",
        mac,
        model,
        f"SUNMI_{mac[-4:]}",
        shop_no,
        connect_time=now - 3_600,
    )
    state.devices[device.ipc_id] = device
