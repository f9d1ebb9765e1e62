"""What a Wi-Fi's name and password can be: of any other a camera would not come back.

The rule is :mod:`sunmi_ipc.protocol.wifi`'s, which ``wifi.set`` goes by, too.
"""

from __future__ import annotations

from ..protocol.wifi import MAX_SSID as SSID_BYTES
from ..protocol.wifi import check_passphrase, check_ssid, is_passphrase, raw_ssid

__all__ = ["SSID_BYTES", "check_network", "passphrase_trouble", "ssid_trouble"]


def ssid_trouble(ssid: str) -> str:
    """What is allowed, where *ssid* is no network's name; else empty."""
    return "" if 1 <= len(raw_ssid(ssid)) <= SSID_BYTES else "1-32 bytes (UTF-8)"


def passphrase_trouble(password: str) -> str:
    """What is allowed, where *password* is none of WPA; else empty. An open network has none."""
    return "" if is_passphrase(password) else "8-63 ASCII, 64 hex"


def check_network(ssid: str, password: str) -> None:
    """Refuse what no network can have.

    Args:
        ssid: The network's name; 1 to 32 bytes of UTF-8.
        password: 8 to 63 printable ASCII characters, 64 hexadecimal digits, or none.

    Raises:
        ParameterError: It is neither; the password is not repeated.

    """
    check_ssid(ssid)
    check_passphrase(password)
