"""What a Wi-Fi's name and password can be, for a site file's plan; the rule is that of ``wifi set``."""

from __future__ import annotations

from ..errors import ParameterError
from ..protocol.wifi import check_passphrase, check_ssid


def ssid_trouble(ssid: str) -> str:
    """What is allowed, where *ssid* is no network's name; else empty."""
    try:
        check_ssid(ssid)
    except ParameterError:
        return "1-32 bytes (UTF-8)"
    return ""


def passphrase_trouble(password: str) -> str:
    """What is allowed, where *password* is none of WPA; else empty. An open network has none."""
    try:
        check_passphrase(password)
    except ParameterError:
        return "8-63 ASCII, 64 hex"
    return ""
