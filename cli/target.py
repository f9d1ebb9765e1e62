"""Which camera a command means, and a client for it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from sunmi_ipc.camera import split_address
from sunmi_ipc.errors import CameraNotFound, ParameterError, SunmiIpcError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.serial import SerialNumber, same_serial_number

from .naming import cleaned, mac_digits
from .screen.output import confirm, is_terminal, note, table, waiting
from .state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sunmi_ipc.camera import Camera
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.discovery.claims import Claims


_LAST = 4  # digits of a MAC or serial number that are enough, where only one camera has them


def is_address(text: str) -> bool:
    """Whether *text* is an address (not a serial number or a name)."""
    if text == "localhost" or text.startswith("localhost:") or "://" in text:
        return True
    if SerialNumber.read(text) is not None:
        return False
    try:
        ip_address(split_address(text)[0])
    except (ValueError, ParameterError):
        # Names of hosts have dots; serial numbers have none.
        return "." in text
    return True


def _check_address(text: str) -> None:
    """Raises ParameterError, which repeats what was typed."""
    try:
        split_address(text)
    except ParameterError as error:
        error.values = {**error.values, "name": f"-c {shlex.quote(text)}"}
        raise


def locate(state: State, name: str, judge: Callable[[str], Claims[Camera]] | None = None) -> DiscoveredCamera:
    """The camera of this serial number or name: from the last scan if it still answers, else searched for.

    Args:
        state: How the command was called.
        name: Serial number or name.
        judge: Who judges those that claim a serial number; default: by pin or CA.

    Raises:
        CameraNotFound: Nothing of that name answers.
        TlsError: What answers is not the camera.

    """
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    with waiting(state, "Looking for {name} …", name=name):
        return memory.locate(
            _of_mac(state, name) or name,
            config_dir(),
            interfaces=state.settings.interfaces(),
            judge=judge if judge is not None or not state.settings.p12 else state.settings.claims,
        )


def _of_mac(state: State, name: str) -> str:
    """The serial number of the camera with this MAC or these last four digits; empty where *name* is none.

    Raises:
        ParameterError: The last four digits are those of several cameras.

    """
    from sunmi_ipc import discovery
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    digits = mac_digits(name)
    if not digits:
        return ""

    def fits(camera: DiscoveredCamera) -> bool:
        mac = mac_digits(camera.mac)
        return mac.endswith(digits) or (len(digits) == _LAST and camera.sn.endswith(digits))

    known = memory.last(config_dir())
    if any(camera.name == name for camera in known):  # somebody called a camera so
        return ""
    found = {camera.sn: camera for camera in known if fits(camera)}
    if len(found) != 1:
        seen = discovery.discover(interfaces=state.settings.interfaces())
        found |= {camera.sn: camera for camera in seen if camera.sn and fits(camera)}
    if len(found) > 1:
        raise ParameterError(
            "{name}: several cameras were found: {cameras}",
            name=name,
            cameras=", ".join(f"{camera.sn} ({camera.mac})" for camera in found.values()),
            hint="Name one by its serial number.",
        )
    memory.remember(found.values(), config_dir())
    return next(iter(found), "")


def choose(state: State) -> DiscoveredCamera:
    """The only camera that a scan finds; on a terminal, the person's choice."""
    from sunmi_ipc.discovery import UNSURE, ScanReport

    report = ScanReport()
    with waiting(state, "Looking for cameras …"):
        found = list(state.settings.discover(report=report))
    found = report.cameras or found  # as known at the end: a second claimant shows later
    if len(found) == 1 and UNSURE.isdisjoint(found[0].flags):
        note(state, "camera: {sn} at {ip}", sn=found[0].sn, ip=found[0].ip)
        state.called = found[0].sn
        return found[0]
    if not found:
        raise CameraNotFound(
            "no camera was found", hint="Name its address with -c; 'ipc doctor' looks for reasons."
        )
    listed = ", ".join(f"{c.sn} ({c.ip})" for c in found)
    if not is_terminal() or state.json:
        raise ParameterError(
            "{name}: several cameras were found: {cameras}",
            name="-c",
            cameras=listed,
            hint="Name one with -c.",
        )
    import typer

    rows = [
        {"#": i, "sn": c.sn, "ip": c.ip, "model": c.model, "name": c.name} for i, c in enumerate(found, 1)
    ]
    table(rows, ["#", "sn", "ip", "model", "name"], least=("model",))
    number = str(typer.prompt(tr("Which one?"), prompt_suffix=" ", err=True)).strip()
    if number not in {str(row["#"]) for row in rows}:
        raise ParameterError("{name}: there is no such camera", name=number)
    chosen: DiscoveredCamera = found[int(number) - 1]
    state.called = chosen.sn
    return chosen


def _on_access_point(state: State, address: str) -> str:
    """The serial number of the camera whose access point we have joined: all of them have one address.

    Its certificate is then pinned under the serial number, and known again on the shop's network.
    """
    from sunmi_ipc.discovery.camera import ACCESS_POINT

    host, _ = split_address(address)
    if host != ACCESS_POINT:
        return ""
    return serial_number_at(state, host)


def serial_number_at(state: State, host: str) -> str:
    """The serial number that the camera at an address tells in discovery; empty where it does not answer."""
    from sunmi_ipc import discovery

    every = discovery.discover(interfaces=state.settings.interfaces(), targets=[host])
    return next((camera.sn for camera in every if camera.ip == host), "")


def open_camera(
    state: State, name: str = "", *, judge: Callable[[str], Claims[Camera]] | None = None, **options: Any
) -> Camera:
    """A client for the camera that the command means.

    Args:
        state: How the command was called.
        name: Address, serial number or name; default: ``-c``, else the only camera found.
        judge: Who judges those that claim a serial number; default: by pin or CA.
        options: For the client.

    """
    name = cleaned(name) if name else state.camera or cleaned(state.settings.camera)
    if state.found is not None and name in ("", state.camera, state.found.sn):
        return open_found(state, [state.found], **options)
    if state.settings.via:
        found = _remote(state, name)
        return state.settings.connect(found.address, **{"sn": found.sn, "model": found.model} | options)
    if name and not mac_digits(name) and is_address(name):
        _check_address(name)  # refused here, before anything is asked
        return state.settings.connect(name, **{"sn": _on_access_point(state, name)} | options)
    if not name:
        return open_found(state, [choose(state)], **options)
    claims: dict[str, Claims[Camera]] = {}

    def judged_by(sn: str) -> Claims[Camera]:
        return claims.setdefault(sn, (judge or state.settings.claims)(sn))

    state.called = name
    found = locate(state, name, judged_by)
    _insist(state, name, found)
    judged = next((one for sn, one in claims.items() if same_serial_number(sn, found.sn)), None)
    if judged is not None and "sn" not in options:
        return judged.client(found, **options)
    return state.settings.connect(found.address, **{"sn": found.sn, "model": found.model} | options)


def open_found(state: State, seen: Sequence[DiscoveredCamera], **options: Any) -> Camera:
    """A client for a camera that was seen: where several answer under its serial number, they are judged.

    Args:
        state: How the command was called.
        seen: All that was seen under its serial number.
        options: For the client.

    """
    from sunmi_ipc.discovery.sightings import places

    found, where = seen[0], places(seen, seen[0].sn)
    if len(where) > 1 and found.serial_number and not state.settings.via and "sn" not in options:
        with state.settings.claims(found.sn) as claims:
            return claims.client(claims.settle(where), **options)
    return state.settings.connect(found.address, **{"sn": found.sn, "model": found.model} | options)


@contextlib.contextmanager
def destroying(state: State, question: Callable[[str], str], yes: bool) -> Iterator[Camera]:
    """The camera on which something is destroyed: named in the question, and still the same one after it.

    Args:
        state: How the command was called.
        question: Asks, given what the camera is called.
        yes: Do not ask.

    Raises:
        CameraNotFound: While the question stood there, another camera has come to the address.

    """
    if not (state.camera or cleaned(state.settings.camera)) and state.found is None:
        # With several at hand, this is where the wrong one dies.
        state.camera = choose(state).sn
    if not yes and not is_terminal():
        confirm(question(state.camera or cleaned(state.settings.camera)), yes)  # refused: nobody can be asked
    with open_camera(state) as camera:
        there = ""
        if not yes:
            there = camera.sn or _who(camera)
            named = there if there or not state.camera else state.camera
            confirm(question(named or camera.address), yes)
        # One whose serial number is known is looked at by the call itself.
        if there and not camera.sn and (now := _who(camera)) != there:
            raise CameraNotFound(
                "the camera here is {other} now, and not {sn}; nothing was destroyed",
                hint="Addresses change: 'ipc scan' shows where each camera is.",
                sn=there,
                other=now or "-",
            )
        yield camera


def _who(camera: Camera) -> str:
    """The serial number that a camera says; empty where it does not say one."""
    try:
        return camera.read_sn()
    except SunmiIpcError:
        return ""


def _remote(state: State, name: str) -> DiscoveredCamera:
    """The camera of the shop behind the broker that *name* means: serial number, name, MAC or its last digits.

    Raises:
        CameraNotFound: There is none.
        ParameterError: There are several, or it is an address, which is the shop's own affair.

    """
    if not name:
        return choose(state)
    if not mac_digits(name) and is_address(name):
        raise ParameterError(
            "{name}: an address of the shop's network means nothing here",
            name="-c",
            hint="Name the camera by its serial number or name; 'ipc scan' with --via lists them.",
        )
    with waiting(state, "Looking for {name} …", name=name):
        every = list(state.settings.discover())
    digits = mac_digits(name)
    found = [camera for camera in every if same_serial_number(camera.sn, name)] or [
        camera
        for camera in every
        if camera.name == name
        or (
            digits
            and (
                mac_digits(camera.mac).endswith(digits)
                or (len(digits) == _LAST and camera.sn.endswith(digits))
            )
        )
    ]
    if len(found) > 1:
        raise ParameterError(
            "{name}: several cameras were found: {cameras}",
            name=name,
            cameras=", ".join(camera.sn for camera in found),
            hint="Name one by its serial number.",
        )
    if not found:
        raise CameraNotFound(
            "the station {site} has no camera {sn}",
            hint="'ipc scan' with --via lists those that it has.",
            site=state.settings.site,
            sn=name,
        )
    return found[0]


def _insist(state: State, name: str, found: DiscoveredCamera) -> None:
    """What the person named decides about the trust, not what an answer calls itself.

    A stranger may give himself a display name that is another camera's serial number.

    Raises:
        CameraNotFound: *name* is a serial number, and *found* has another one.

    """
    from sunmi_ipc.discovery.camera import serial_number_in

    named = SerialNumber.read(name)
    if named is None or same_serial_number(named, found.sn):
        return
    if serial_number_in(named) == named or state.known_cameras().known(named) is not None:
        raise CameraNotFound(
            "the camera {sn} was not found; {other} at {ip} only bears that as its name",
            hint="Is it on and in this network? 'ipc scan' lists the cameras that answer.",
            sn=named,
            other=found.sn or "-",
            ip=found.ip,
        )
