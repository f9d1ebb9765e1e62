"""Names and passphrases of wireless networks: what no network can have is refused before anything is sent.

A camera that is told a wrong one leaves its network and does not come back. One place for ``wifi set``, the
site file's plan, and whoever else sets a network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from ..redact import Secret
from ..untrusted import Changed

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

#: Bytes of a network's name: the radio's own limit.
MAX_SSID = 32
#: 8 to 63 printable ASCII characters, or the key itself as 64 hex digits (IEEE 802.11, WPA-PSK).
_PASSPHRASE = re.compile(r"[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64}")


class AsIs(Secret):
    """A passphrase that somebody insists on, whatever it looks like."""

    __slots__ = ()


#: What is said of a password that is none.
WPA_RULE = "{name}: no Wi-Fi password; one has 8 to 63 printable ASCII characters, or 64 hexadecimal digits"
WPA_HINT = (
    "Is there a line break, a full-width or a Chinese character in it? If your network does have it, insist "
    "with --as-is."
)


def check_ssid(ssid: str) -> None:
    """Raise ParameterError where *ssid* is empty or longer than 32 bytes; blanks belong to it."""
    size = len(raw_ssid(ssid))
    if not 1 <= size <= MAX_SSID:
        raise ParameterError(
            "{name}: {size} bytes long; a network's name has 1 to {most}",
            name="ssid",
            size=size,
            most=MAX_SSID,
            hint="A Chinese character takes three bytes.",
        )


def is_passphrase(password: str) -> bool:
    """Whether a WPA network can have *password*; none at all is an open network."""
    return not password or bool(_PASSPHRASE.fullmatch("".join(password)))


def check_passphrase(password: str) -> None:
    """Raise ParameterError where no WPA network can have *password*, unless somebody insists (:class:`AsIs`)."""
    if not isinstance(password, AsIs) and not is_passphrase(password):
        raise ParameterError(WPA_RULE, name="password", hint=WPA_HINT)


def raw_ssid(ssid: str) -> bytes:
    """The bytes of a network's name: as they were heard, where it comes from a scan."""
    return ssid.raw if isinstance(ssid, Changed) else ssid.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class AsHeard:
    """Annotation of a network's name: one from a scan goes back byte by byte."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: Any, inner: Any) -> Any:
            if not isinstance(value, Changed):
                return inner(value)
            if not 1 <= len(value.raw) <= MAX_SSID:
                raise PydanticCustomError("too_many_bytes", "at most 32 bytes")
            return value

        return core_schema.no_info_wrap_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Annotation of a network's password."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: Any, inner: Any) -> Any:
            if isinstance(value, AsIs):
                return value
            text = inner(value)
            if not is_passphrase(text):
                raise PydanticCustomError("passphrase", "no wireless network can have this password")
            return text

        return core_schema.no_info_wrap_validator_function(check, handler(source))


__all__ = [
    "MAX_SSID",
    "AsHeard",
    "AsIs",
    "Passphrase",
    "check_passphrase",
    "check_ssid",
    "is_passphrase",
    "raw_ssid",
]
