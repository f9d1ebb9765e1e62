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
