"""Cameras that are on their own access point: join each, tell it the shop's Wi-Fi, come back.

Where NetworkManager is there, ``nmcli`` does the joining (Linux). The original network is restored
whatever happens: at the end, on an error, on Ctrl-C, and by a watcher of its own if this process is killed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .. import onboarding
from ..discovery import DiscoveredCamera, discover
from ..discovery.camera import ACCESS_POINT
from ..errors import CameraNotFound, ConfigError, ProvisionError, SunmiIpcError
from ..protocol.spec import Model
from .journal import Journal
from .sitefile import Loaded

if TYPE_CHECKING:
    from ..camera import Camera
    from .site import Slot

#: A camera's access point: SUNMI_ and the last two bytes of its MAC (vendor's documentation).
_NAME = re.compile(r"SUNMI_([0-9A-Fa-f]{4})")
_JOIN_S, _FIND_S = 45.0, 15.0
#: Reads a line; anything but "done" - an end of the pipe, when we are gone - brings the network back.
_WATCHER = 'read -r line; [ "$line" = done ] || exec "$@" >/dev/null 2>&1'


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of one access point: the camera behind it and the site file's key, or the error."""

    ssid: str
    sn: str = ""
    key: str = ""
    error: SunmiIpcError | None = None


class NetworkManager:
    """The computer's Wi-Fi, through ``nmcli``. A context manager: leaving it restores the network.

    Raises:
        ConfigError: There is no nmcli, or no Wi-Fi device.

    """

    def __init__(self) -> None:
        self._made: list[str] = []
        self._left = False
        self._watcher: subprocess.Popen[str] | None = None
        self.device: str = ""
        for name, kind in self._rows("-f", "DEVICE,TYPE", "device", "status"):
            if kind == "wifi":
                self.device = name
                break
        else:
            raise ConfigError("this computer has no Wi-Fi device", hint="Plug one in, or use a cable.")
        rows = self._rows("-f", "UUID,TYPE,DEVICE", "connection", "show", "--active")
        #: The connection to come back to; empty where there was none.
        self.original: str = next((uuid for uuid, _, device in rows if device == self.device), "")

    @staticmethod
    def available() -> bool:
        """Whether there is an nmcli whose NetworkManager runs."""
        if shutil.which("nmcli") is None:
            return False
        return _run("-t", "-f", "RUNNING", "general").stdout.strip() == "running"

    def __enter__(self) -> Self:
        # In a session of its own: Ctrl-C is for us, not for the one that cleans up after us.
        self._watcher = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _WATCHER, "sh", "nmcli", *self._back()],
            stdin=subprocess.PIPE, text=True, start_new_session=True, env=_plain(),
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watcher, self._watcher = self._watcher, None
        assert watcher is not None
        try:
            self.restore()
            watcher.communicate("done\n")
        finally:
            # Where we could not do it, the watcher does, as its pipe ends.
            watcher.communicate()

    def restore(self) -> None:
        """Go back to the network that there was.

        Raises:
            ConfigError: It cannot be joined any more.

        """
        for ssid in self._made:
            self._nmcli("connection", "delete", "id", ssid, check=False)
        self._made.clear()
        if self._left:
            self._nmcli(*self._back())
            self._left = False

    def _back(self) -> list[str]:
        if self.original:
            return ["--wait", "30", "connection", "up", "uuid", self.original]
        return ["--wait", "30", "device", "disconnect", self.device]

    def hotspots(self) -> list[str]:
        """The cameras' access points in reach, the strongest first."""
        rows = self._rows(
            "-f", "SSID,SIGNAL", "device", "wifi", "list", "ifname", self.device, "--rescan", "yes"
        )
        found = sorted(
            ((int(signal or 0), ssid) for ssid, signal in rows if _NAME.fullmatch(ssid)), reverse=True
        )
        return list(dict.fromkeys(ssid for _, ssid in found))

    def join(self, ssid: str) -> None:
        """Join an access point, which is open.

        Raises:
            ConfigError: NetworkManager says no.

        """
        known = {name for (name,) in self._rows("-f", "NAME", "connection", "show")}
        if ssid not in known:
            self._made.append(ssid)
        self._left = True
        self._nmcli("--wait", str(int(_JOIN_S)), "device", "wifi", "connect", ssid, "ifname", self.device)

    def _rows(self, *args: str) -> list[list[str]]:
        lines = self._nmcli("-t", *args).splitlines()
        return [
            [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r"(?<!\\):", line)] for line in lines if line
        ]

    def _nmcli(self, *args: str, check: bool = True) -> str:
        try:
            done = _run(*args)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _refused(getattr(error, "strerror", None) or type(error).__name__) from None
        if check and done.returncode != 0:
            raise _refused((done.stderr or done.stdout).strip().splitlines()[-1:] or ["?"])
        return done.stdout


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    # A session of its own: a second Ctrl-C must not end the call that brings the network back.
    return subprocess.run(  # noqa: S603
        ["nmcli", *args],  # noqa: S607 - wherever the system has it
        capture_output=True, text=True, timeout=_JOIN_S + 15, env=_plain(), check=False, start_new_session=True,
    )  # fmt: skip


def _refused(reason: str | list[str]) -> ConfigError:
    return ConfigError(
        "NetworkManager refuses: {reason}",
        hint="Try it with 'nmcli device wifi'; your user may lack the permission.",
        reason="".join(reason),
    )


def _plain() -> dict[str, str]:
    return dict(os.environ) | {"LC_ALL": "C"}


def tail_of(ssid: str) -> str:
    """The last four hex digits of the MAC behind an access point's name; empty for another's."""
    match = _NAME.fullmatch(ssid)
    return match[1].upper() if match else ""


def provision(
    loaded: Loaded,
    connect: Callable[..., Camera],
    journal: Journal,
    ssids: Sequence[str],
    join: Callable[[str], None],
    *,
    interfaces: list[str] | None = None,
) -> Iterator[Visit]:
    """Visit access points one after another; yields what became of each, and goes on after a failure.

    Args:
        loaded: The site; a camera that is not in it is left alone.
        connect: As :meth:`sunmi_ipc.settings.Settings.connect`.
        journal: Open for writing.
        ssids: The access points; ``""`` for whichever this computer has joined.
        join: Joins one.
        interfaces: To look for the camera on; None for all.

    """
    for ssid in ssids:
        try:
            join(ssid)
            found = _behind(ssid, interfaces)
            slot = _slot(loaded, journal, found)
            _tell(loaded, connect, journal, slot, found)
        except SunmiIpcError as error:
            yield Visit(ssid, error=error)
        else:
            yield Visit(ssid, found.sn, slot.key)


def _behind(ssid: str, interfaces: list[str] | None) -> DiscoveredCamera:
    """The camera whose access point we have joined: on it, or its MAC ends as the name says."""
    tail = tail_of(ssid)
    targets = [] if interfaces == ["lo"] else [ACCESS_POINT]
    end = time.monotonic() + _FIND_S
    while (left := end - time.monotonic()) > 0:
        for camera in discover(timeout=min(left, 2.4), interfaces=interfaces, targets=targets):
            if camera.mac.replace(":", "").endswith(tail) if tail else camera.ip == ACCESS_POINT:
                return camera
    raise CameraNotFound(
        "no camera answers on its access point {ssid}",
        hint="Go nearer, and try again; its LED blinks green while it waits.",
        ssid=ssid or ACCESS_POINT,
    )


def _slot(loaded: Loaded, journal: Journal, found: DiscoveredCamera) -> Slot:
    bound = journal.bindings()
    for slot in loaded.slots:
        if found.sn in (slot.sn, bound.get(slot.key)) or (slot.mac and slot.mac == found.mac):
            return slot
    model = Model.read(found.model)
    for slot in loaded.slots:
        if slot.any and slot.any == model and slot.key not in bound:
            journal.bind(slot.key, found.sn)
            return slot
    raise ProvisionError(
        "the camera {sn} is not in the site file; it was left alone",
        step="hotspot",
        hint="Add it to the site file, if it is yours.",
        sn=found.sn,
    )


def _tell(
    loaded: Loaded, connect: Callable[..., Camera], journal: Journal, slot: Slot, found: DiscoveredCamera
) -> None:
    wifi = slot.wanted.wifi
    if wifi is None:
        raise ProvisionError(
            "the site file names no Wi-Fi for {key}",
            step="hotspot",
            hint="Add wifi to the camera, to one of its groups or to the defaults.",
            key=slot.key,
        )
    number = journal.begin(slot.key, found.sn, "wifi", "wifi", ssid=wifi.ssid, via="hotspot")
    try:
        with connect(found.address, sn=found.sn, model=found.model) as camera:
            view = onboarding.look(camera, "" if wifi.hidden else wifi.ssid)
            password, as_is = wifi.passphrase(loaded.secrets), loaded.secrets.as_is
            onboarding.check(
                view, wifi.ssid, password.reveal(), hidden=wifi.hidden, as_is=as_is, in_file=True
            )
            camera.wifi.join(view.heard(wifi.ssid), password, as_is=as_is)
    except SunmiIpcError as error:
        journal.end(number, "failed", error=error.message)
        raise
    journal.end(number)
