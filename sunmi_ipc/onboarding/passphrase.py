"""What a Wi-Fi's name and password can be: of any other a camera would not come back."""

from __future__ import annotations

import re

from ..errors import ParameterError

# IEEE 802.11: a name has 1 to 32 bytes; WPA takes 8 to 63 printable ASCII characters, or 256 bits as hex digits.
SSID_BYTES = 32
_PASSPHRASE = re.compile(r"[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64}")


def ssid_trouble(ssid: str) -> str:
    """What is allowed, where *ssid* is no network's name; else empty."""
    return "" if 1 <= _size(ssid) <= SSID_BYTES else "1-32 bytes (UTF-8)"


def passphrase_trouble(password: str) -> str:
    """What is allowed, where *password* is none of WPA; else empty. An open network has none."""
    text = "".join(password)
    return "" if not text or _PASSPHRASE.fullmatch(text) else "8-63 ASCII, 64 hex"


def _size(ssid: str) -> int:
    return len(ssid.encode("utf-8", "surrogatepass"))


def check_network(ssid: str, password: str) -> None:
    """Refuse what no network can have.

    Args:
        ssid: The network's name; 1 to 32 bytes of UTF-8.
        password: 8 to 63 printable ASCII characters, 64 hexadecimal digits, or none.

    Raises:
        ParameterError: It is neither; the password is not repeated.

    """
    if ssid_trouble(ssid):
        raise ParameterError(
            "{name}: {size} bytes long; a network's name has 1 to {most}",
            name="ssid",
            size=_size(ssid),
            most=SSID_BYTES,
            hint="A Chinese character takes three bytes.",
        )
    if passphrase_trouble(password):
        raise ParameterError(
            "{name}: no Wi-Fi password; one has 8 to 63 printable ASCII characters, or 64 hexadecimal digits",
            name="password",
            hint="Is there a line break, a full-width or a Chinese character in it?",
        )
