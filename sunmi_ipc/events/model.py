"""What cameras report, typed.

Field names and meanings are the SDK's (protocol.md, section 5). Optional fields that are missing,
``null``, empty or unusable are None; numbers may come as text and text as numbers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from ..errors import BadEvent, ReplyError
from ..models.base import Int, Reply, UnixTime
from ..protocol.serial import SerialNumber
from ..protocol.values import AgeRange, DetectType, EventType, Gender
from . import decoding as layout


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def _serial(value: Any) -> Any:
    """Whoever claims to be a camera claims its serial number in its one spelling."""
    found = SerialNumber.read(value)
    if found is None:
        raise ValueError("not a serial number")
    return str(found)


#: The camera that an event says it is from.
Claimed = Annotated[str, BeforeValidator(_serial)]
# Types (and the cloud's names of shops) become file names and MQTT topics: nothing but these characters gets in.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_Number = BeforeValidator(_number)
_log = logging.getLogger("sunmi_ipc")
#: Fields that were said to be unusable, by class: as many as the models have.
_SAID: set[tuple[str, str]] = set()
_PLAIN_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Event(Reply):
    """What every event has.

    ``sn``: the camera's serial number. ``event_type``: see :class:`EventType`. ``event_id``: the
    camera's own; where it sends none, ``~`` and a digest of the event's fields (and, where it has no time
    either, of the envelope's). ``report_time``: by
    the camera's clock, aware; None where it is missing or no Unix time.
    """

    sn: Claimed
    event_type: Name
    event_id: str = ""
    report_time: UnixTime | None = None

    @classmethod
    def say_left_out(cls, field: str) -> None:
        """Say it once: a camera that sends such a field sends it with every event, and each is read many times."""
        first = (cls.__name__, field) not in _SAID
        _SAID.add((cls.__name__, field))
        level = logging.WARNING if first else logging.DEBUG
        _log.log(level, "%s.%s is not usable and was left out (said once)", cls.__name__, field)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same event when it is posted again."""
        return self.sn, self.event_type, self.event_id

    @property
    def is_personal(self) -> bool:
        """Whether it is about somebody's face; such events are kept by a shorter rule."""
        return False

    @property
    def links(self) -> dict[str, str]:
        """The URLs on the camera, by field name; they may be short-lived."""
        found = {name: getattr(self, name, None) for name in ("pic_url", "video_url")}
        return {name: url for name, url in found.items() if isinstance(url, str) and url}


class FaceRecognitionEvent(Event):
    """A face was recognised (FM020). ``arrive_count``: how often this face has come."""

    event_type: Literal["face_recog_event"]
    faceid: str | None = None
    cloud_faceid: str | None = None
    group_name: str | None = None
    age: Int | None = None
    age_range: Annotated[AgeRange, _Number] | None = None
    gender: Annotated[Gender, _Number] = Gender.UNKNOWN
    arrive_count: Int | None = None
    pic_url: str | None = None

    @property
    def is_personal(self) -> bool:
        """Always."""
        return True


class MotionDetectEvent(Event):
    """Motion or sound was detected."""

    event_type: Literal["dynamic_detect_event"]
    detect_type: Annotated[DetectType, _Number] | None = None
    video_url: str | None = None


class RawEvent(Event):
    """An event of a type that this library does not know; ``fields`` as they came."""

    fields: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_personal(self) -> bool:
        """Whether it names a face or a group of faces."""
        return any(
            self.fields.get(n) not in (None, "") for n in ("faceid", "face_id", "group_name", "gender")
        )

    @property
    def links(self) -> dict[str, str]:
        """The URLs on the camera, by field name."""
        found = {name: self.fields.get(name) for name in ("pic_url", "video_url")}
        return {name: url for name, url in found.items() if isinstance(url, str) and url}


def _recognise(fields: Mapping[str, Any]) -> str:
    """The type that the event names, else the one its fields show (inferred)."""
    named = fields.get("event_type")
    if isinstance(named, str) and named.strip():
        return named.strip()
    if fields.get("faceid") not in (None, ""):
        return EventType.FACE_RECOGNITION
    if fields.get("detect_type") not in (None, ""):
        return EventType.MOTION
    raise BadEvent(
        "the event has no type and no field that shows one", hint="'-vv' shows which camera sent it."
    )


def _own_id(fields: Mapping[str, Any]) -> str:
    given = fields.get("event_id")
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = str(given)
    return given if isinstance(given, str) and _PLAIN_ID.fullmatch(given) else ""


def digest(fields: Mapping[str, Any]) -> str:
    """An id for an event that has no usable one: the same content is the same event."""
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def of(fields: Mapping[str, Any]) -> Event:
    """The typed event of *fields*, names as on the wire.

    Raises:
        BadEvent: No type, no serial number, or one that cannot be one.

    """
    kind = _recognise(fields)
    data = {**fields, "event_type": kind, "event_id": _own_id(fields) or digest(fields)}
    try:
        if kind == EventType.FACE_RECOGNITION:
            return FaceRecognitionEvent.read(data)
        if kind == EventType.MOTION:
            return MotionDetectEvent.read(data)
        return RawEvent.read({**{k: data.get(k) for k in Event.model_fields}, "fields": dict(fields)})
    except ReplyError as error:
        raise BadEvent(
            "the event's {field} is missing or not usable",
            hint="'-vv' shows which camera sent it.",
            field=error.values.get("field", ""),
        ) from None


def read(body: bytes, content_type: str = "") -> layout.Posted:
    """:func:`.layout.read`, with an ``event_id`` where the event has neither one nor a time.

    Two of those look alike but for the envelope, so it is part of what the event is: rather one that
    comes twice, if the camera signs a repeat anew (not known), than the second of two never.
    """
    posted = layout.read(body, content_type)
    if not _own_id(posted.event) and posted.event.get("report_time") in (None, ""):
        envelope = {name: posted.top[name] for name in ("timestamp", "random") if posted.top.get(name)}
        if envelope:
            posted.event["event_id"] = digest(posted.event | envelope)
    return posted


def parse(body: bytes, content_type: str = "") -> Event:
    """The event in a POST's *body*, form or JSON, in any layout of :mod:`.layout`. Nothing is verified.

    Raises:
        BadEvent: The body holds no event.

    """
    return of(layout.harmless(read(body, content_type).event))
