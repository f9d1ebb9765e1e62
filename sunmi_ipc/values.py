"""Enumerations of the wire's numbers. Importing them costs nothing."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


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
    """The SD card's state (SDK)."""

    NONE = 0
    BLANK = 1
    NORMAL = 2
    BROKEN = 3


class Gender(WireEnum):
    """A face's gender (SDK)."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


class AgeRange(WireEnum):
    """A face's age in years, as a range (SDK; the pages differ by a year at some edges)."""

    FROM_1 = 1
    FROM_7 = 2
    FROM_13 = 3
    FROM_19 = 4
    FROM_29 = 5
    FROM_36 = 6
    FROM_46 = 7
    FROM_56 = 8


class DetectType(WireEnum):
    """What set off a motion event (SDK)."""

    PICTURE = 1
    SOUND = 2
    BOTH = 3
