"""What a Wi-Fi network's name and password may be, by the radio's own rules (IEEE 802.11, WPA)."""

from __future__ import annotations

import string

from ..errors import ParameterError

SSID_BYTES = 32
_SHORTEST, _LONGEST, _KEY = 8, 63, 64


def check_network(ssid: str, password: str) -> None:
    """Refuse what no network can have: the camera would leave for it and not come back.

    Args:
        ssid: The network's name; 1 to 32 bytes of UTF-8.
        password: 8 to 63 printable ASCII characters, 64 hexadecimal digits, or none.

    Raises:
        ParameterError: It is neither; the value is not repeated.

    """
    size = len(ssid.encode("utf-8", "surrogateescape"))
    if not 1 <= size <= SSID_BYTES:
        raise ParameterError(
            "{name}: {size} bytes long; a network's name has 1 to {most}",
            name="ssid",
            size=size,
            most=SSID_BYTES,
            hint="A Chinese character takes three bytes.",
        )
    text = "".join(password)
    if not text or (len(text) == _KEY and set(text) <= set(string.hexdigits)):
        return
    if _SHORTEST <= len(text) <= _LONGEST and text.isascii() and text.isprintable():
        return
    raise ParameterError(
        "{name}: no Wi-Fi password; one has 8 to 63 printable ASCII characters, or 64 hexadecimal digits",
        name="password",
        hint="Is there a line break, a full-width or a Chinese character in it?",
    )
