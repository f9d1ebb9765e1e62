"""Wi-Fi that is sure: the camera is asked what it sees, told, and followed into the new network.

Three steps, each usable by itself::

    view = look(camera)                          # what the camera sees
    check(view, "Shop", "welcome-2020")          # refused before anything is sent
    heard = tell(camera, "Shop", "welcome-2020")
    joined = follow("Shop", find=..., direct=...)

``config/getApList`` is inferred; a firmware without it is told as before, unchecked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..discovery import ACCESS_POINT
from ..errors import (
    DeviceError,
    ParameterError,
    ProvisionError,
    ReplyError,
    SunmiIpcError,
)
from ..redact import Secret, printable
from .passphrase import check_network

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from ..models import AccessPoint, AccessPoints

#: Words of ``key_mgmt`` for a network without a password; the SDK's sample has ``NONE``.
_OPEN = frozenset({"NONE", "OPEN", ""})
#: What a camera of 2019 cannot join (the vendor: WEP is not supported; the app knows NONE and WPA-PSK alone).
_IMPOSSIBLE = ("WEP", "EAP", "8021X", "802.1X")
_PROBE_S, _PAUSE_S = 0.25, 0.1
#: Back for so long, it is there: one datagram may be lost before it leaves, too.
_STEADY_S = 1.0
#: So long it may take to leave after the answer.
_LEAVES_S = 8.0
#: Gone from the network for so long while its old address answers: it is on its own access point.
_SILENT_S = 6.0
_SHOWN = 8
#: A radio misses a network now and then: so many seconds later it is asked again.
AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees: its networks, or why that is not known."""

    networks: tuple[AccessPoint, ...] | None
    error: SunmiIpcError | None = None

    @property
    def names(self) -> list[str]:
        """The names of the networks, each once."""
        return list(dict.fromkeys(point.ssid for point in self.networks or () if point.ssid))

    def lacks(self, ssid: str) -> bool:
        """Whether the camera says what it sees, and this network is not among it."""
        return self.networks is not None and ssid not in self.names

    def heard(self, ssid: str) -> str:
        """The network of that name as the camera hears it: its bytes go back as they came, whatever they spell."""
        return next((point.ssid for point in self.networks or () if point.ssid == ssid), ssid)


@dataclass(frozen=True, slots=True)
class Joined:
    """Where the camera is now; ``left`` tells whether it was seen to be gone in between."""

    camera: DiscoveredCamera
    left: bool


def look(camera: Camera, ssid: str = "") -> View:
    """Ask the camera which networks it sees.

    Args:
        camera: Which.
        ssid: Where this one is not among them, it is asked again: a radio misses a network now and then.

    Raises:
        ConnectionFailed: It cannot be reached.

    """
    view = seen(camera.wifi.networks)
    if ssid and view.lacks(ssid):
        time.sleep(AGAIN_S)
        view = seen(camera.wifi.networks)
    return view


def seen(ask: Callable[[], AccessPoints]) -> View:
    """As :func:`look`, where *ask* is how the camera is asked: by a caller with a patience of its own.

    Raises:
        ConnectionFailed: It cannot be reached.

    """
    try:
        return View(ask().ap_list)
    except (DeviceError, ReplyError, ParameterError) as error:
        return View(None, error)  # a firmware may not have this call, or call it otherwise


def check(
    view: View,
    ssid: str,
    password: str = "",
    *,
    hidden: bool = False,
    as_is: bool = False,
    in_file: bool = False,
    on_page: bool = False,
) -> None:
    """Refuse a network that the camera cannot join, before it is told.

    Args:
        view: What it sees.
        ssid: The network's name.
        password: Empty for an open one.
        hidden: The network does not tell its name: it need not be in sight.
        as_is: Name and password are sent whatever the radio's rules say.
        in_file: The network stands in a site file: what is refused and what helps are called as there.
        on_page: It was chosen on a page, which offers hidden networks and asks for passwords itself: what helps
            names no option.

    Raises:
        ParameterError: Not in reach, its password is missing, superfluous or impossible, or its security
            is none that the camera has.

    """
    if not as_is:
        check_network(ssid, password)
    if view.networks is None or hidden:
        return
    network, secret = ("wifi.ssid", "wifi.password") if in_file else ("ssid", "password")
    here = [point for point in view.networks if point.ssid == ssid]
    if not here:
        near = _near(ssid, view.names)
        if on_page:
            raise ParameterError(
                "{name}: the camera does not see {ssid}",
                name=network,
                ssid=printable(ssid),
                hint="It sees: {seen}. It can use 2.4 GHz alone; nearer to the router it may see more. If the "
                "network hides its name, choose “A network that hides its name”.",
                seen=", ".join(map(printable, view.names[:_SHOWN])) or "-",
            )
        raise ParameterError(
            "{name}: the camera does not see {ssid}",
            name=network,
            ssid=printable(ssid),
            hint="Did you mean {near}? If the name is hidden: {insist}."
            if near
            else "It sees: {seen}. It can use 2.4 GHz alone; nearer to the router it may see more. If the name "
            "is hidden: {insist}.",
            insist="wifi.hidden = true" if in_file else "--hidden",
            near=", ".join(map(printable, near)),
            seen=", ".join(map(printable, view.names[:_SHOWN])) or "-",
        )
    kinds = {(point.key_mgmt or "").upper() for point in here}
    if all(any(word in kind for word in _IMPOSSIBLE) and "PSK" not in kind for kind in kinds):
        raise ParameterError(
            "{name}: {ssid} is secured with {kind}, which the camera does not know",
            name=network,
            ssid=printable(ssid),
            kind=", ".join(sorted(map(printable, kinds))),
            hint="Set the router to WPA2 with a password, or open a second network for the cameras.",
        )
    if password and kinds <= _OPEN - {""}:
        raise ParameterError(
            "{name}: {ssid} is open and has no password",
            name=secret,
            ssid=printable(ssid),
            hint="Leave the password out, if it is this network that you mean.",
        )
    if not password and kinds.isdisjoint(_OPEN):
        raise ParameterError(
            "{name}: {ssid} needs a password",
            name=secret,
            ssid=printable(ssid),
            hint="Give it in the site file."
            if in_file
            else "Type it above."
            if on_page
            else "'-' in its place asks for it.",
        )


def _near(ssid: str, names: list[str]) -> list[str]:
    """Names that may have been meant: other capitals, blanks around it, a letter or two amiss."""
    folded = {"".join(name.split()).casefold(): name for name in names}
    wanted = "".join(ssid.split()).casefold()
    if wanted in folded:
        return [folded[wanted]]
    return [folded[key] for key in get_close_matches(wanted, folded, n=3, cutoff=0.7)]


def tell(camera: Camera, ssid: str, password: str = "", *, as_is: bool = False) -> bool:
    """Tell the camera its network; whether it answered.

    It may leave with the answer unsaid, as is usual on its own access point: no answer is no failure. It must
    have answered something before, :func:`look` for one.

    Raises:
        ParameterError: No network can have that name, or that password, unless *as_is*.
        TlsError: It is not the camera.
        ConnectionFailed: It was not reached; nothing was sent.
        DeviceError: It refused.

    """
    try:
        return camera.wifi.join(ssid, Secret(password), as_is=as_is)
    except ReplyError:
        return False


def follow(
    ssid: str,
    *,
    find: Callable[[float], DiscoveredCamera | None],
    direct: Callable[[], bool] = lambda: False,
    before: DiscoveredCamera | None = None,
    timeout: float = 60.0,
    leaves: float = _LEAVES_S,
    silent: float = _SILENT_S,
) -> Joined:
    """Wait until the camera is gone, and back from the new network.

    Args:
        ssid: What it was told.
        find: Looks for it with discovery for so many seconds; None where it does not answer.
        direct: Whether it still answers at its old address; asked when discovery has been silent for a while.
        before: Where it was.
        timeout: Seconds in all.
        leaves: Seconds within which it leaves; one that is still there then did not leave.
        silent: Seconds of silence after which *direct* is asked.

    Raises:
        ProvisionError: It is back on its own access point (a wrong password), or nowhere to be found.

    """
    start = time.monotonic()
    gone, back_since, silent_since = False, 0.0, 0.0
    while (now := time.monotonic()) - start < timeout:
        found = find(_PROBE_S)
        if found is None:
            gone, back_since = True, 0.0
            silent_since = silent_since or now
            if now - silent_since > silent and direct():
                raise _not_let_in(ssid, before, before)
        else:
            silent_since = 0.0
            if found.ip == ACCESS_POINT:
                if gone:
                    raise _not_let_in(ssid, found)
            elif gone or (before is not None and found.ip != before.ip):
                back_since = back_since or now
                if now - back_since >= _STEADY_S:
                    return Joined(found, True)
            elif now - start > leaves:
                return Joined(found, False)
        time.sleep(_PAUSE_S)
    if direct():
        raise _not_let_in(ssid, before, before)
    raise ProvisionError(
        "the camera did not come back within {seconds:.0f} s",
        step="wifi",
        done=("wifi set",),
        hint="Is this computer in {ssid} itself? If it is, the password is probably wrong: then the camera opens "
        "its own access point {hotspot} again. Join that with this computer, and tell it once more: "
        "ipc wifi set {quoted} - -c 192.168.200.1",
        seconds=timeout,
        ssid=printable(ssid),
        quoted=_quoted(ssid),
        hotspot=_hotspot(before),
    )


def _not_let_in(
    ssid: str, camera: DiscoveredCamera | None, there: DiscoveredCamera | None = None
) -> ProvisionError:
    """The password is wrong, and where the camera is told the right one: *there*, where it answers already."""
    return ProvisionError(
        "{ssid} did not let the camera in: the password is wrong",
        step="wifi",
        done=("wifi set",),
        hint="It is on its own access point {hotspot}: join that with this computer, then: "
        "ipc wifi set {quoted} - -c {address}",
        ssid=printable(ssid),
        quoted=_quoted(ssid),
        hotspot=_hotspot(camera),
        address=there.address if there else ACCESS_POINT,
    )


def _hotspot(camera: DiscoveredCamera | None) -> str:
    """The name of its own access point: the last two bytes of its MAC (D)."""
    digits = "".join(c for c in (camera.mac if camera else "") if c.isalnum()).upper()
    return f"SUNMI_{digits[-4:]}" if len(digits) == 12 else "SUNMI_XXXX"


def _quoted(ssid: str) -> str:
    shown = printable(ssid)
    return shown if shown.replace("-", "").replace("_", "").isalnum() else f'"{shown}"'
