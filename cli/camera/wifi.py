"""``ipc wifi``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.errors import ProvisionError
from sunmi_ipc.i18n import later, tr

from ..argv import take_secret
from ..screen.lengths import Length, NoWait, length
from ..screen.output import ask_secret, note, print_json, say, show, waiting
from ..state import State
from ..target import open_camera, serial_number_at

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.onboarding.wifi import Joined

_BEFORE_S = 1.0

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command()
def scan(ctx: typer.Context) -> None:
    """List the networks that the camera can see, before and after activation."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        with waiting(state, "The camera is looking for networks …"):
            networks = camera.wifi.networks()
        show(state, networks, rows="ap_list", nothing="The camera sees no network.")


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
    ssid: Annotated[str, typer.Argument(help=tr("The network's name, 1-32 bytes."))],
    password: Annotated[
        str,
        typer.Argument(help=tr("Its password, 8-63 characters; '-' asks for it, none for an open network.")),
    ] = "",
    no_wait: NoWait = False,
    timeout: Annotated[float, length("--timeout", tr("How long to wait."), least=1, most=600)] = Length("1m"),
    hidden: Annotated[
        bool, typer.Option("--hidden", help=tr("The network hides its name: it need not be in sight."))
    ] = False,
    as_is: Annotated[
        bool, typer.Option("--as-is", help=tr("Send name and password whatever the rules of Wi-Fi say."))
    ] = False,
) -> None:
    """Set the network that the camera joins, before and after activation."""
    from sunmi_ipc import onboarding as flow

    state, wait = State.of(ctx), not no_wait
    if password == "-":  # noqa: S105 - it means "ask me"
        password = ask_secret(
            tr("Password of {ssid}", ssid=ssid),
            later("Write the password itself; 'ipc fleet apply' takes it from a file or the environment."),
        )
    password = take_secret(password)
    if not as_is:
        flow.check_network(ssid, password)  # before anything is searched or sent
    wait = wait and not state.settings.via  # only in its own network it is seen coming back
    with open_camera(state) as camera:
        before = _seen(state, camera) if wait else None
        with waiting(state, "Asking the camera which networks it sees …"):
            view = flow.look(camera, "" if hidden else ssid)
        if view.networks is None and not hidden:
            note(state, "This camera does not tell which networks it sees: {ssid} is not checked.", ssid=ssid)
        flow.check(view, ssid, password, hidden=hidden, as_is=as_is)
        with waiting(state, "Telling the camera …"):
            heard = flow.tell(camera, view.heard(ssid), password, as_is=as_is)
        if not heard:
            note(state, "It left without an answer, as is usual when a camera changes networks.")
        sn = before.sn if before else ""
        if not wait or not sn:
            _not_followed(state, ssid, heard, wait)
            return
        with waiting(
            state,
            "Waiting until the camera is back, from {ssid}; this computer must be in it too …",
            ssid=ssid,
        ):
            joined = flow.follow(
                ssid,
                find=lambda seconds: _find(state, sn, seconds),
                direct=lambda: _answers(camera),
                before=before,
                timeout=timeout,
            )
    found, known = joined.camera, _network_of(state, joined.camera)
    _agree(ssid, known, joined)
    if state.json:
        print_json(
            {"ssid": ssid, "sn": found.sn, "ip": found.ip, "port": found.port, "network": found.network}
        )
    if joined.left:
        say(state, "{sn} has joined {ssid} and is at {ip}.", sn=found.sn, ssid=ssid, ip=found.ip)
    else:
        say(state, "{sn} has taken {ssid}, and stayed at {ip}.", sn=found.sn, ssid=ssid, ip=found.ip)


def _not_followed(state: State, ssid: str, heard: bool, wait: bool) -> None:
    if wait:
        note(state, "Its serial number is not known, so it cannot be found again: name it with -c to wait.")
    if state.json:
        print_json({"ssid": ssid, "answered": heard})
    say(state, "The camera was told to join {ssid}; whether it has, 'ipc scan' shows in a minute.", ssid=ssid)


def _seen(state: State, camera: Camera) -> DiscoveredCamera | None:
    """The camera as discovery sees it before it leaves; only its name where discovery does not reach it."""
    from sunmi_ipc.discovery import DiscoveredCamera

    sn = camera.sn or serial_number_at(state, camera.host)
    if not sn:
        return None
    return _find(state, sn, _BEFORE_S) or DiscoveredCamera(sn, camera.host, camera.port)


def _find(state: State, sn: str, seconds: float) -> DiscoveredCamera | None:
    from sunmi_ipc import discovery
    from sunmi_ipc.errors import CameraNotFound

    try:
        return discovery.find(sn, timeout=seconds, interfaces=state.settings.interfaces())
    except CameraNotFound:
        return None


def _answers(camera: Camera) -> bool:
    """Whether it still answers at its old address, whatever it says."""
    from sunmi_ipc.errors import ConnectionFailed, SunmiIpcError

    try:
        camera.wifi.networks()
    except ConnectionFailed:
        return False
    except SunmiIpcError:
        return True
    return True


def _network_of(state: State, found: DiscoveredCamera) -> str:
    """The network that the camera says it joins; empty where it does not say, as before its activation."""
    from sunmi_ipc.errors import SunmiIpcError

    try:
        with state.settings.connect(found.address, sn=found.sn, model=found.model) as camera:
            return camera.wifi.show().ssid or ""
    except SunmiIpcError:
        return ""


def _agree(ssid: str, known: str, joined: Joined) -> None:
    """Success is what was seen.

    Raises:
        ProvisionError: It is in another network, or was never seen to leave and does not say where it is.

    """
    if known and known != ssid:
        raise ProvisionError(
            "the camera is in {other}, and not in {ssid}",
            step="wifi",
            done=("wifi set",),
            hint="Tell it once more; 'ipc wifi show' shows what it keeps.",
            other=known,
            ssid=ssid,
        )
    if not joined.left and not known and joined.camera.network != "LAN":
        raise ProvisionError(
            "the camera was told, but did not leave its network",
            step="wifi",
            done=("wifi set",),
            hint="Is it in {ssid} already? Else tell it once more.",
            ssid=ssid,
        )
