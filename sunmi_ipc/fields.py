"""Named parameter types: one place for bounds, unit, wire name and help.

They are plain ``Annotated`` types; nothing here imports pydantic, so that the command line can
read an endpoint's parameters without paying for it. The bounds are protocol.md's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le, MaxLen, MinLen

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
class Refused:
    """The return code with which a camera refuses a bad value; 2 where none is stated."""

    code: int


SerialNumber = Annotated[str, MinLen(1), MaxLen(64), Help("the camera's serial number, as on its label")]
Ssid = Annotated[str, MinLen(1), MaxLen(32), Refused(100), Help("the network's name")]
WifiPassword = Annotated[
    str,
    MaxLen(64),
    Hidden(),
    Refused(101),
    Help("the network's password, empty for an open network; WEP is not supported"),
]

__all__ = [
    "Ge",
    "Help",
    "Hidden",
    "Le",
    "MaxBytes",
    "MaxLen",
    "MinLen",
    "Refused",
    "SerialNumber",
    "Ssid",
    "WifiPassword",
    "Wire",
]
