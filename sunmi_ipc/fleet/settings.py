"""Each setting of a site file: how it is read, compared with what is wanted, and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any

from ..api.lens import position
from ..protocol.spec import ALL_MODELS, FS, Model
from ..protocol.values import EventType, Flag01, IrMode, Resolution, Weekdays
from ..redact import MASK, redact_text
from .site import Slot, SubscriptionWish

if TYPE_CHECKING:
    from ..camera import Camera
    from .secret import Secrets

#: Steps that a motor may stop short of its target: not documented, our guess.
LENS_TOLERANCE = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as wanted. ``now`` and ``wanted`` are for people: short, and no secrets."""

    setting: str
    field: str
    now: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What one camera should be like, for one setting."""

    slot: Slot
    sn: str
    model: str
    secrets: Secrets
    heard: str = ""  # the network's name as the camera hears it: its bytes go back as they came

    def __getattr__(self, name: str) -> Any:
        return getattr(self.slot.wanted, name)


#: Field by field, what the camera has and what is wanted.
Pairs = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Setting:
    """One key of the site file.

    Attributes:
        key: The key.
        step: The step of the work that it belongs to.
        read: Asks the camera.
        compare: Pairs of now and wanted, from what was read; only what is wanted.
        write: Makes the camera as wanted; gets what was read. It may be repeated without harm.
        models: Which cameras have it.
        source: Settings of the same source are told by one reading.
        moves: Whether the camera may be at another address, or off the network, afterwards.
        slow: Whether it takes its time after the answer, and perhaps another write.

    """

    key: str
    step: str
    read: Callable[[Camera], Any]
    compare: Callable[[Any, Wish], Pairs]
    write: Callable[[Camera, Any, Wish], None]
    models: frozenset[Model] = ALL_MODELS
    source: str = ""
    moves: bool = False
    slow: bool = False

    def differences(self, reply: Any, wish: Wish) -> list[Difference]:
        """What is not as wanted."""
        return [
            Difference(self.key, redact_text(field), show(field, now), show(field, wanted))
            for field, (now, wanted) in self.compare(reply, wish).items()
            if now != wanted
        ]


def show(field: str, value: Any) -> str:
    """A value for people; a password never."""
    if value is None:
        return "?"
    if field == "password":
        return MASK if value else "-"
    if isinstance(value, IrMode | Flag01):
        return value.name.lower()
    if isinstance(value, time):
        return "24:00" if value.microsecond else f"{value:%H:%M}"
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if isinstance(value, Weekdays):
        days = [day.name[:3].lower() for day in Weekdays if day in value and day.name]
        return "always" if Weekdays.ALWAYS in value else ",".join(days) or "-"
    return redact_text(str(value))


# -- Wi-Fi and IP --------------------------------------------------------------------------------------


def _wifi(reply: Any, wish: Wish) -> Pairs:
    pairs: dict[str, tuple[Any, Any]] = {"ssid": (reply.ssid, wish.wifi.ssid)}
    wanted = wish.secrets.get(wish.wifi.password).reveal()
    # Firmware that does not tell the password cannot be compared; the network's name decides then.
    if reply.password or not wanted:
        pairs["password"] = (reply.password, wanted)
    return pairs


def _join(camera: Camera, reply: Any, wish: Wish) -> None:
    camera.wifi.set(wish.heard or wish.wifi.ssid, wish.wifi.passphrase(wish.secrets))


def _ip(reply: Any, wish: Wish) -> Pairs:
    pairs: dict[str, tuple[Any, Any]] = {"dhcp": (reply.dhcp, Flag01(int(wish.ip.dhcp)))}
    if not wish.ip.dhcp:
        for field, ours in (("ip", "address"), ("netmask",) * 2, ("gateway",) * 2, ("dns",) * 2):
            if wanted := getattr(wish.ip, ours):
                pairs[field] = (getattr(reply, field), wanted)
    return pairs


def _set_ip(camera: Camera, reply: Any, wish: Wish) -> None:
    ip = wish.ip
    camera.network.update(
        dhcp=Flag01(int(ip.dhcp)),
        ip=ip.address or None,
        netmask=ip.netmask or None,
        gateway=ip.gateway or None,
        dns=ip.dns or None,
    )


# -- picture -------------------------------------------------------------------------------------------


def _detection_wanted(reply: Any, wish: Wish) -> dict[str, Any]:
    wanted = wish.detection
    given = {
        "motion_level": wanted.motion,
        "audio_level": wanted.sound,
        "weekday": wanted.weekday,
        "start_time": wanted.from_,
        "stop_time": wanted.to,
    }
    return {field: value for field, value in given.items() if value is not None}


def _set_detection(camera: Camera, reply: Any, wish: Wish) -> None:
    camera.detection.update(**_detection_wanted(reply, wish))


def _detection(reply: Any, wish: Wish) -> Pairs:
    return {field: (getattr(reply, field), value) for field, value in _detection_wanted(reply, wish).items()}


def _lens_wanted(reply: Any, wish: Wish) -> dict[str, int]:
    return {
        field: position(value, getattr(reply, field), getattr(reply, f"max_{field}"), field)
        for field in ("zoom", "focus")
        if (value := getattr(wish.lens, field)) is not None
    }


def _lens(reply: Any, wish: Wish) -> Pairs:
    return {
        field: (getattr(reply, field), wanted)
        for field, wanted in _lens_wanted(reply, wish).items()
        if abs(getattr(reply, field) - wanted) > LENS_TOLERANCE
    }


def _move_lens(camera: Camera, reply: Any, wish: Wish) -> None:
    # One motor at a time: the picture focuses by itself after zooming, so the focus is for the next round.
    wanted = _lens_wanted(reply, wish)
    if "zoom" in wanted and abs(reply.zoom - wanted["zoom"]) > LENS_TOLERANCE:
        camera.lens.set_zoom(wanted["zoom"])
    else:
        camera.lens.set_focus(wanted["focus"])


def _door_line(reply: Any, wish: Wish) -> Pairs:
    now = (reply.start_x, reply.start_y, reply.end_x, reply.end_y)
    return {"line": (now, wish.door_line), "resolution": (reply.resolution, Resolution.P1080)}


# -- faces and events ----------------------------------------------------------------------------------


def _groups(reply: Any, wish: Wish) -> Pairs:
    there = {group.name: group for group in reply.face_group}

    def now(group: Any) -> str:
        known = there.get(group.name)
        # Where none is wished for, any description is well: the camera wants one, and gets the name.
        return f"{known.capacity} {known.description if group.description else ''}".strip() if known else "-"

    return {
        group.name: (now(group), f"{group.capacity} {group.description}".strip())
        for group in wish.face_groups
    }


def _make_groups(camera: Camera, reply: Any, wish: Wish) -> None:
    there = {group.name: group for group in reply.face_group}
    for group in wish.face_groups:
        known = there.get(group.name)
        if known is None:
            camera.faces.create_group(group.name, group.capacity, group.description)
        elif known.capacity != group.capacity or group.description not in ("", known.description):
            camera.faces.update_group(group.name, group.name, group.capacity, group.description)


def _move_rule(reply: Any, wish: Wish) -> Pairs:
    stranger = next((group for group in reply.face_group if group.name == "stranger"), None)
    return {
        field: (getattr(stranger, field, None), getattr(wish.move_rule, field))
        for field in ("period", "times")
    }


def _subscribed(reply: Any) -> set[tuple[str, str]]:
    return {(one.event, url) for one in reply.sub_event for url in one.http_callback}


def _subscriptions(reply: Any, wish: Wish) -> Pairs:
    there = _subscribed(reply)
    return {
        f"{event} {one.callback}": ("yes" if (str(event), one.callback) in there else "-", "yes")
        for one in wish.subscriptions
        for event in _events(one, wish)
    }


def _events(one: SubscriptionWish, wish: Wish) -> list[EventType]:
    """The events of a subscription; those that an FM010 does not have only where its own entry asks."""
    if Model.read(wish.model) is Model.FM010 and "subscriptions" not in wish.slot.own:
        return [event for event in one.events if event is not EventType.FACE_RECOGNITION]
    return list(one.events)


def _subscribe(camera: Camera, reply: Any, wish: Wish) -> None:
    there = _subscribed(reply)
    for one in wish.subscriptions:
        missing = [e for e in _events(one, wish) if (str(e), one.callback) not in there]
        if missing:
            camera.events.subscribe(*missing, callback=one.callback)


WIFI = Setting("wifi", "wifi", lambda c: c.wifi.show(), _wifi, _join, moves=True)
#: In the order of the work. The name comes first of these, so that a half-done camera can be told apart.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "name", "settings", lambda c: c.image.name_(),
        lambda r, w: {"name": (r.name, w.slot.name_for(w.sn))},
        lambda c, r, w: c.image.set_name(w.slot.name_for(w.sn)), source="info",
    ),
    Setting(
        "ir", "settings", lambda c: c.image.ir(),
        lambda r, w: {"mode": (r.mode, IrMode[w.ir.upper()])},
        lambda c, r, w: c.image.set_ir(IrMode[w.ir.upper()]),
    ),
    Setting(
        "led", "settings", lambda c: c.image.led(),
        lambda r, w: {"switch": (r.switch, Flag01(int(w.led)))},
        lambda c, r, w: c.image.set_led(Flag01(int(w.led))),
    ),
    Setting(
        "rotation", "settings", lambda c: c.image.rotation(),
        lambda r, w: {"degrees": (r.rotation, w.rotation)},
        lambda c, r, w: c.image.set_rotation(w.rotation),
    ),
    Setting(
        "detection", "settings", lambda c: c.detection.show(), _detection,
        _set_detection,
    ),
    Setting("lens", "settings", lambda c: c.lens.show(), _lens, _move_lens, models=FS, slow=True),
    Setting("ip", "settings", lambda c: c.network.show(), _ip, _set_ip, moves=True),
    Setting(
        "door_line", "door line", lambda c: c.people_flow.door_line(), _door_line,
        lambda c, r, w: c.people_flow.set_door_line(*w.door_line), models=FS,
    ),
    Setting("face_groups", "faces", lambda c: c.faces.groups(), _groups, _make_groups, models=FS,
            source="groups"),
    Setting(
        "move_rule", "faces", lambda c: c.faces.groups(), _move_rule,
        lambda c, r, w: c.faces.set_move_rule(w.move_rule.period, w.move_rule.times), models=FS, source="groups",
    ),
    Setting("subscriptions", "subscriptions", lambda c: c.events.list(), _subscriptions, _subscribe),
)  # fmt: skip
