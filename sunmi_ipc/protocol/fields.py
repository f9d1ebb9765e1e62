"""Named parameter types: one place for bounds, unit, wire name and help.

They are plain ``Annotated`` types; nothing here imports pydantic, so that the command line can
read an endpoint's parameters without paying for it. The bounds are protocol.md's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le, MaxLen, MinLen

from .serial import OneSpelling
from .values import AgeRange, EventType, Gender, Weekdays
from .wifi import AsHeard, Passphrase

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Help:
    """What a parameter is, for help and reference; *unit* where it has one."""

    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """The parameter's name on the wire, where it differs from the Python name."""

    name: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """The value is a secret."""


@dataclass(frozen=True, slots=True)
class MaxBytes:
    """At most this many bytes in UTF-8."""

    count: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: str) -> str:
            if len(value.encode()) > self.count:
                raise PydanticCustomError(
                    "too_many_bytes", "at most {count} bytes in UTF-8", {"count": self.count}
                )
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True)
class NoBlankFirst:
    """The first character is no blank."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: str) -> str:
            if value[:1].isspace():
                raise PydanticCustomError("blank_first", "the first character is a blank")
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True)
class Refused:
    """The return code with which a camera refuses a bad value; 2 where none is stated."""

    code: int


Sn = Annotated[str, MinLen(1), MaxLen(64), OneSpelling(), Help("the camera's serial number, as on its label")]
# The sheet says 32 characters; the radio's own limit is 32 bytes.
Ssid = Annotated[str, MinLen(1), MaxBytes(32), AsHeard(), Refused(100), Help("the network's name: 32 bytes")]
WifiPassword = Annotated[
    str,
    MaxLen(64),
    Passphrase(),
    Hidden(),
    Refused(101),
    Help("the network's password, empty for an open network; WEP is not supported"),
]

Zoom = Annotated[int, Ge(0), Refused(110), Help("zoom position, 0 to the camera's max_zoom", "steps")]
Focus = Annotated[int, Ge(0), Refused(111), Help("focus position, 0 to the camera's max_focus", "steps")]
Percent = Annotated[int, Ge(0), Le(100), Refused(112), Help("position in the picture", "percent")]
MotionLevel = Annotated[int, Ge(0), Le(3), Refused(114), Help("motion sensitivity, 0 is off")]
AudioLevel = Annotated[int, Ge(0), Le(3), Refused(115), Help("sound sensitivity, 0 is off")]
Days = Annotated[Weekdays, Refused(116), Help("days of detection, or always")]
DayTime = Annotated[time, Refused(117), Help("time of day; time.max is 24:00", "minutes")]
CameraName = Annotated[str, MinLen(1), Refused(118), Help("the camera's name")]
GroupName = Annotated[
    str,
    MinLen(1),
    MaxBytes(96),
    NoBlankFirst(),
    Refused(201),
    Help("the group's name: 96 bytes, 32 Chinese characters"),
]
Capacity = Annotated[int, Ge(1), Le(30_000), Refused(202), Help("faces that the group may hold")]
Description = Annotated[
    str, MaxBytes(150), Refused(212), Help("what the group is for: 150 bytes, 50 Chinese characters")
]
AttributeName = Annotated[str, MinLen(1), Refused(240), Help("the attribute's name")]
FaceId = Annotated[str, MinLen(1), Refused(275), Help("the face's id")]
Picture = Annotated[bytes, Refused(210), Help("a JPEG or PNG of one face")]
StartTime = Annotated[datetime, Refused(266), Help("start of the period", "Unix seconds")]
EndTime = Annotated[datetime, Refused(267), Help("end of the period", "Unix seconds")]
Period = Annotated[int, Ge(0), Refused(265), Help("granularity; its values are not known")]
PageNumber = Annotated[int, Ge(1), Refused(273), Help("page, from 1")]
PageSize = Annotated[int, Ge(1), Le(100), Refused(274), Help("entries a page")]
RecordPage = Annotated[int, Ge(1), Refused(234), Help("page, from 1")]
Sex = Annotated[Gender, Refused(270), Help("0 unknown, 1 male, 2 female")]
Age = Annotated[int, Ge(0), Le(150), Refused(271), Help("age", "years")]
Ages = Annotated[AgeRange, Refused(272), Help("age range, 1 (1-6 years) to 8 (56 and over)")]
Order = Annotated[int, Ge(0), Refused(268), Help("order of the list; its values are not known")]
Callback = Annotated[str, MinLen(1), Refused(311), Help("URL that the camera posts events to")]
Events = Annotated[list[EventType], MinLen(1), Refused(310), Help("events")]
