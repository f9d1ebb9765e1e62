"""``camera.wifi``: the network that the camera joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError, ConnectionFailed, NotActivatedError, OutcomeUnknown, TlsError
from ..protocol.fields import Ssid, WifiPassword
from ..protocol.spec import DOC, INFERRED, SDK, C, Group, Sign, endpoint
from ..protocol.steps import Steps, steps
from ..protocol.wifi import AsIs, check_passphrase, check_ssid
from ..redact import Secret

if TYPE_CHECKING:
    from ..models import AccessPoints, WifiConfiguration

_WIFI_CODES = frozenset({0, 1, 2, 3, 5, 7, 100, 101})


class Wifi(Group[C], name="wifi"):
    """The network that the camera joins."""

    @endpoint("config/setWifiConf", evidence=DOC, documented=_WIFI_CODES)
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

    @steps
    def join(self, ssid: Ssid, password: WifiPassword = "", *, as_is: bool = False) -> Steps[bool]:
        """Set the Wi-Fi network, before and after activation alike.

        Args:
            ssid: The network's name; one of :meth:`networks` goes back byte by byte.
            password: Its password; empty for an open network.
            as_is: Send the password whatever it looks like.

        Returns: whether the camera has answered. A camera that goes over at once often does not: then it has
            probably joined, and discovery tells.

        Raises:
            ParameterError: A name over 32 bytes, or a password that no network can have; nothing was sent.
            NotAllowedError: The camera is activated and there are no credentials to sign with.
            ConnectionFailed: The camera was not reached; nothing was sent.
            OutcomeUnknown: Behind a station: it is not known whether the camera was told.

        """
        password = AsIs("".join(password)) if as_is else Secret(password)
        check_ssid(ssid)
        check_passphrase(password)
        try:
            try:
                yield from Wifi.set.ask(ssid, password)
            except (ConfigError, NotActivatedError):
                yield from Wifi.set_without_auth.ask(ssid, password)
        except ConnectionFailed as error:
            # (Behind a station it may not even have reached the camera.)
            if not error.sent or isinstance(error, TlsError | OutcomeUnknown):
                raise
            return False
        return True

    @steps
    def networks(self) -> Steps[AccessPoints]:
        """List the networks that the camera can see, before and after activation alike."""
        try:
            return (yield from Wifi.scan.ask())
        except (ConfigError, NotActivatedError):
            return (yield from Wifi.scan_without_auth.ask())
