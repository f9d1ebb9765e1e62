"""``ipc wifi``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.errors import ParameterError, ProvisionError
from sunmi_ipc.i18n import tr

from ..argv import take_secret
from ..screen.output import ask_secret, note, print_json, say, show, waiting
from ..state import State
from ..target import open_camera

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.discovery import DiscoveredCamera

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command()
def scan(ctx: typer.Context) -> None:
    """List the networks that the camera can see, before and after activation."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        with waiting(state, "The camera is looking for networks …"):
            networks = camera.wifi.networks()
        show(state, networks, rows="ap_list")


@app.command("show")
def show_(
    ctx: typer.Context,
    reveal: Annotated[bool, typer.Option("--reveal", help=tr("Show the password."))] = False,
) -> None:
    """Show the network that the camera joins."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.wifi.show(), reveal=reveal)


@app.command("set")
def set_(
    ctx: typer.Context,
    ssid: Annotated[str, typer.Argument(help=tr("The network's name, 1-32 characters."))],
    password: Annotated[
        str,
        typer.Argument(
            help=tr("Its password, at most 64 characters; '-' asks for it, none for an open one.")
        ),
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help=tr("Wait until the camera is found in the new network."))
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, max=600, help=tr("Seconds to wait."))] = 60,
    as_is: Annotated[
        bool, typer.Option("--as-is", help=tr("Send the password though no network should have it."))
    ] = False,
) -> None:
    """Set the network that the camera joins, before and after activation."""
    from sunmi_ipc.api.wifi import Wifi
    from sunmi_ipc.protocol.wifi import AsIs

    state = State.of(ctx)
    if password == "-":  # noqa: S105 - it means "ask me"
        password = ask_secret(tr("Password of {ssid}", ssid=ssid))
    password = take_secret(password)
    checked = AsIs("".join(password)) if as_is else password
    Wifi.set.check({"ssid": ssid, "password": checked})  # before anything is searched or sent
    with open_camera(state) as camera:
        sn = camera.sn or (_serial_at(state, camera.host) if wait else "")
        with waiting(state, "Telling the camera …"):
            answered = camera.wifi.join(_as_heard(camera, ssid), password, as_is=as_is)
    say(state, "The camera joins {ssid}." if answered else
        "No answer came: the camera has probably gone over to {ssid} at once.", ssid=ssid)  # fmt: skip
    if not wait and not answered:
        note(state, "Look for it with 'ipc scan', or give --wait.")
    if not wait:
        if state.json:
            print_json({"ssid": ssid})
        return
    found = wait_for(state, sn, timeout)
    if state.json:
        print_json(
            {"ssid": ssid, "sn": found.sn, "ip": found.ip, "port": found.port, "network": found.network}
        )
    say(state, "{sn} is at {ip}.", sn=found.sn, ip=found.ip)


def _as_heard(camera: Camera, ssid: str) -> str:
    """The network of that name as the camera hears it: not every router writes its name in UTF-8."""
    from sunmi_ipc.errors import SunmiIpcError
    from sunmi_ipc.protocol.wifi import raw_ssid
    from sunmi_ipc.untrusted import Changed

    if ssid.isascii() and "\\" not in ssid:
        return ssid
    try:
        heard = [one.ssid for one in camera.wifi.networks().ap_list if one.ssid == ssid]
    except SunmiIpcError:
        return ssid
    return (
        next((one for one in heard if isinstance(one, Changed)), ssid)
        if len(set(map(raw_ssid, heard))) == 1
        else ssid
    )


def _serial_at(state: State, host: str) -> str:
    """The serial number of the camera at an address: it will come back at another.

    Raises:
        ParameterError: The camera does not say it.

    """
    from sunmi_ipc import discovery

    for found in discovery.discover(interfaces=state.settings.interfaces(), targets=[host]):
        if found.ip == host:
            return found.sn
    raise ParameterError(
        "{name}: the serial number is not known",
        name="--wait",
        hint="Name the camera by its serial number with -c, so that it can be found again.",
    )


def wait_for(state: State, sn: str, timeout: float) -> DiscoveredCamera:
    """Wait until the camera answers discovery again.

    Raises:
        ProvisionError: It did not within *timeout* seconds.

    """
    from sunmi_ipc import discovery
    from sunmi_ipc.errors import CameraNotFound

    end = time.monotonic() + timeout
    with waiting(state, "Waiting for the camera to come back …"):
        while (left := end - time.monotonic()) > 0:
            try:
                return discovery.find(sn, timeout=min(2.4, left), interfaces=state.settings.interfaces())
            except CameraNotFound:
                continue
    raise ProvisionError(
        "the camera did not come back within {seconds:.0f} s",
        step="wifi",
        done=("wifi set",),
        hint="Check the password (a wrong one leaves the camera on its own access point SUNMI_XXXX), "
        "and that this computer is in the same network.",
        seconds=timeout,
    )
