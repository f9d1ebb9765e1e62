"""The settings that a camera has, in the words of the site file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time
from typing import TYPE_CHECKING, Any

from ..errors import ConnectionFailed, NotActivatedError, SunmiIpcError, TlsError
from ..protocol.spec import FS, Model
from ..protocol.values import Resolution, Weekdays
from .pool import Fleet

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from ..settings import Settings


def capture(camera: Camera) -> dict[str, Any]:
    """What the camera tells of itself, by key of the site file; what it does not tell is left out.

    Passwords are not asked for, and the network is left out: a camera that is told it anew leaves.

    Raises:
        SunmiIpcError: It cannot be reached, or is not activated.

    """
    info = camera.device.info()
    model = Model.read(info.model or camera.model)
    found: dict[str, Any] = {"name": info.name} if info.name else {}
    for key, (read, models) in _READERS.items():
        if models is not None and model is not None and model not in models:
            continue
        try:
            value = read(camera)
        except (ConnectionFailed, TlsError, NotActivatedError):
            raise
        except SunmiIpcError:
            continue  # this firmware does not have it
        if value not in (None, {}, []):
            found[key] = value
    return found


def capture_all(
    found: Sequence[DiscoveredCamera], settings: Settings
) -> tuple[dict[str, dict[str, Any]], dict[str, SunmiIpcError]]:
    """By serial number, what each camera tells, and why it does not."""
    captured: dict[str, dict[str, Any]] = {}
    missing: dict[str, SunmiIpcError] = {}
    with Fleet.of(found, settings) as fleet:
        for result in fleet.map(capture):
            if isinstance(result.error, SunmiIpcError):
                missing[result.camera.sn] = result.error
            else:
                captured[result.camera.sn] = result.get()
    return captured, missing


def _detection(camera: Camera) -> dict[str, Any]:
    told = camera.detection.show()
    found: dict[str, Any] = {"motion": told.motion_level, "sound": told.audio_level}
    if told.weekday is not None:
        found["days"] = _days(told.weekday)
    found |= {"from": _of_day(told.start_time), "to": _of_day(told.stop_time)}
    return {key: value for key, value in found.items() if value is not None}


def _days(mask: Weekdays) -> str | list[str] | None:
    value = int(mask)
    if value & int(Weekdays.ALWAYS):
        return "always"
    if value == int(Weekdays.EVERY_DAY):
        return "everyday"
    days = [day for day in Weekdays if day < Weekdays.EVERY_DAY and value & int(day)]
    return [str(day.name)[:3].lower() for day in days] or None


def _of_day(value: time | None) -> str | None:
    if value is None:
        return None
    return "24:00" if value.microsecond else f"{value:%H:%M}"


def _lens(camera: Camera) -> dict[str, int]:
    told = camera.lens.show()
    return {"zoom": told.zoom, "focus": told.focus}


def _door_line(camera: Camera) -> list[int] | None:
    line = camera.people_flow.door_line()
    if line.resolution is not Resolution.P1080:
        return None
    ends = [line.start_x, line.start_y, line.end_x, line.end_y]
    return ends if None not in ends and ends[2] - ends[0] >= 100 else None


def _groups(camera: Camera) -> list[dict[str, Any]]:
    made = []
    for group in camera.faces.groups().face_group:
        if group.name and group.capacity:
            described = {"description": group.description} if group.description else {}
            made.append({"name": group.name, "capacity": group.capacity, **described})
    return made


def _move_rule(camera: Camera) -> dict[str, int] | None:
    stranger = next((g for g in camera.faces.groups().face_group if g.name == "stranger"), None)
    if stranger is None or not stranger.period or not stranger.times:
        return None
    return {"period": stranger.period, "times": stranger.times}


def _subscriptions(camera: Camera) -> list[dict[str, Any]]:
    by_url: dict[str, list[str]] = {}
    for one in camera.events.list().sub_event:
        for url in one.http_callback:
            by_url.setdefault(url, []).append(one.event)
    return [{"events": events, "callback": url} for url, events in by_url.items()]


def _switch(value: Any) -> bool | None:
    return None if value is None else bool(int(value))


def _word(value: Any) -> str | None:
    return None if value is None else str(value.name).lower()


_READERS: dict[str, tuple[Callable[[Camera], Any], frozenset[Model] | None]] = {
    "ir": (lambda c: _word(c.image.ir().mode), None),
    "led": (lambda c: _switch(c.image.led().switch), None),
    "rotation": (lambda c: c.image.rotation().rotation, None),
    "detection": (_detection, None),
    "lens": (_lens, FS),
    "door_line": (_door_line, FS),
    "face_groups": (_groups, FS),
    "move_rule": (_move_rule, FS),
    "subscriptions": (_subscriptions, None),
}
