"""``camera.wifi``: the network that the camera joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError, NotActivatedError
from ..protocol.fields import Ssid, WifiPassword
from ..protocol.spec import DOC, INFERRED, SDK, Group, Sign, endpoint
from ..redact import Secret

if TYPE_CHECKING:
    from ..models import AccessPoints, WifiConfiguration

_WIFI_CODES = frozenset({100, 101})


class Wifi(Group, name="wifi"):
    """The network that the camera joins."""

    @endpoint("config/setWifiConf", evidence=DOC, codes=_WIFI_CODES)
    def set(self, ssid: Ssid, password: WifiPassword = "") -> None:
        """Set the Wi-Fi network that an activated camera joins."""

    @endpoint("config/setWifiConfWithoutAuth", evidence=DOC, sign=Sign.NONE, codes=_WIFI_CODES | {12})
    def set_without_auth(self, ssid: Ssid, password: WifiPassword = "") -> None:
        """Set the Wi-Fi network before activation; no credentials needed."""

    @endpoint("config/getWifiConf", evidence=INFERRED)
    def show(self) -> WifiConfiguration:
        """Read the network that the camera joins."""

    @endpoint("config/getApList", evidence=INFERRED)
    def scan(self) -> AccessPoints:
        """List the networks that an activated camera can see."""

    @endpoint("config/getApListWithoutAuth", evidence=SDK, params=INFERRED, sign=Sign.NONE, codes={12})
    def scan_without_auth(self) -> AccessPoints:
        """List the networks that the camera can see, before activation; no credentials needed."""

    def join(self, ssid: Ssid, password: WifiPassword = "") -> None:
        """Set the Wi-Fi network, before and after activation alike.

        Raises:
            ParameterError: SSID over 32 characters or password over 64; nothing was sent.
            NotAllowedError: The camera is activated and there are no credentials to sign with.

        """
        password = Secret(password)
        try:
            self.set(ssid, password)
        except (ConfigError, NotActivatedError):
            self.set_without_auth(ssid, password)

    def networks(self) -> AccessPoints:
        """List the networks that the camera can see, before and after activation alike."""
        try:
            return self.scan()
        except (ConfigError, NotActivatedError):
            return self.scan_without_auth()
