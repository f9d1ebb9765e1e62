"""What a Wi-Fi's name and password can be: of any other a camera would not come back."""

from __future__ import annotations

import re

# IEEE 802.11: a name has 1 to 32 bytes; WPA takes 8 to 63 printable ASCII characters, or 256 bits as hex digits.
_PASSPHRASE = re.compile(r"[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64}")


def ssid_trouble(ssid: str) -> str:
    """What is allowed, where *ssid* is no network's name; else empty."""
    return "" if 1 <= len(ssid.encode("utf-8", "surrogatepass")) <= 32 else "1-32 bytes (UTF-8)"


def passphrase_trouble(password: str) -> str:
    """What is allowed, where *password* is none of WPA; else empty. An open network has none."""
    if not password or _PASSPHRASE.fullmatch(password):
        return ""
    return "8-63 ASCII, 64 hex"
