"""Enumerations of the wire's numbers. Importing them costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import STRICT, IntEnum, IntFlag, StrEnum
from typing import Self

from ..errors import ParameterError


class WireEnum(IntEnum):
    """An enumeration that keeps an unknown number as ``UNKNOWN`` with its value."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = "UNKNOWN", value
        return member


class CardStatus(WireEnum):
    """The SD card's state (SDK; REMOVED is the older app's and the web front end's)."""

    NONE = 0
    BLANK = 1
    NORMAL = 2
    BROKEN = 3
    REMOVED = 4


class Flag01(WireEnum):
    """Off or on."""

    OFF = 0
    ON = 1


class IrMode(WireEnum):
    """Night mode: infrared light (SDK); automatic is the usual."""

    OFF = 0
    ON = 1
    AUTO = 2


class Gender(WireEnum):
    """A face's gender (SDK)."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


class Resolution(WireEnum):
    """The picture that a door line's pixels refer to; only 1080p is supported at present (D)."""

    P1080 = 0
    P720 = 1


class CustomerJudgeMode(WireEnum):
    """How people are counted (SDK): on a snapshot, without direction, or by crossing the door line."""

    SNAPSHOT = 0
    NORMAL = 1


class AgeRange(WireEnum):
    """Age ranges (SDK); ``label`` is in years."""

    AGE_1_6 = 1
    AGE_7_12 = 2
    AGE_13_18 = 3
    AGE_19_28 = 4
    AGE_29_35 = 5
    AGE_36_45 = 6
    AGE_46_55 = 7
    AGE_56_UP = 8

    @property
    def label(self) -> str:
        """For people: ``1-6`` … ``56+``, or ``?``."""
        labels = ("1-6", "7-12", "13-18", "19-28", "29-35", "36-45", "46-55", "56+")
        return labels[self - 1] if 1 <= self <= 8 else "?"


class EventType(StrEnum):
    """Events that a camera pushes (D)."""

    FACE_RECOGNITION = "face_recog_event"
    MOTION = "dynamic_detect_event"


class Weekdays(IntFlag, boundary=STRICT):
    """Days of detection (SDK): a mask, or ``ALWAYS``, round the clock whatever the times say."""

    MONDAY = 0x01
    TUESDAY = 0x02
    WEDNESDAY = 0x04
    THURSDAY = 0x08
    FRIDAY = 0x10
    SATURDAY = 0x20
    SUNDAY = 0x40
    EVERY_DAY = 0x7F
    ALWAYS = 0x80


@dataclass(frozen=True, slots=True)
class DoorLine:
    """A door line: left end to right end, in pixels of the 1080p picture (or 720p).

    Raises:
        ParameterError: An end outside the picture, or less than 100 pixels from left to right.

    """

    start_x: int
    start_y: int
    end_x: int
    end_y: int
    resolution: Resolution = Resolution.P1080

    def __post_init__(self) -> None:
        width, height = (1920, 1080) if self.resolution is Resolution.P1080 else (1280, 720)
        for name in ("start_x", "end_x", "start_y", "end_y"):
            limit = width if name.endswith("x") else height
            if not 0 <= getattr(self, name) <= limit:
                raise ParameterError(
                    "{name}: outside the picture", name=name, hint="Allowed: {bounds}.", bounds=f"0-{limit}"
                )
        if self.start_x - self.end_x >= MIN_DOOR_LINE:
            raise ParameterError(
                "{name}: the ends are swapped, the left end comes first",
                name="end_x",
                hint="Try {x1} {y1} {x2} {y2}.",
                x1=self.end_x,
                y1=self.end_y,
                x2=self.start_x,
                y2=self.start_y,
            )
        if self.end_x - self.start_x < MIN_DOOR_LINE:
            raise ParameterError(
                "{name}: the door line is too short",
                name="end_x",
                hint="Its right end must be at least 100 pixels right of its left end.",
            )


#: Pixels that a door line must span from left to right (S, code 276).
MIN_DOOR_LINE = 100


class DetectType(WireEnum):
    """What set off a motion event (SDK)."""

    PICTURE = 1
    SOUND = 2
    BOTH = 3


__all__ = [
    "AgeRange",
    "CardStatus",
    "CustomerJudgeMode",
    "DetectType",
    "DoorLine",
    "EventType",
    "Flag01",
    "Gender",
    "IrMode",
    "Resolution",
    "Weekdays",
    "WireEnum",
]
