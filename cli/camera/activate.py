"""``ipc activate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError, DeviceError, ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.serial import SerialNumber, same_serial_number

from ..argv import take_secret
from ..screen.output import ask_secret, confirm, print_json, say, waiting
from ..state import State
from ..target import is_address, open_camera, serial_number_at

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def activate(
    ctx: typer.Context,
    sn: Annotated[
        str,
        typer.Argument(help=tr("The camera's serial number, as on its label; default: the camera of -c.")),
    ] = "",
    code: Annotated[
        str, typer.Option(help=tr("Activation code; '-' asks for it. Better: SUNMI_IPC_ACTIVATION_CODE."))
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Activate a camera for your app. Deletes every face group on its SD card."""
    state = State.of(ctx)
    # An address, or anything else that is none, is refused before anything is asked.
    wanted = SerialNumber(sn) if sn else None
    code = take_secret(ask_secret(tr("Activation code")) if code == "-" else code)
    options: dict[str, Any] = {"activation_code": code} if code else {}
    with open_camera(state, state.camera or wanted or "", **options) as camera:
        serial = _serial_number(state, camera, wanted)
        with waiting(state, "Looking at {sn} …", sn=serial):
            done_before = _is_active(camera)
        if not done_before:
            confirm(
                tr("Activating {sn} deletes every face group on its SD card, with all faces.", sn=serial), yes
            )
            with waiting(state, "Activating {sn} …", sn=serial):
                done_before = not camera.device.ensure_active(serial)
    if state.json:
        print_json({"sn": serial, "activated": True, "already": done_before})
    say(state, "{sn} was activated already." if done_before else "{sn} is activated.", sn=serial)


def _serial_number(state: State, camera: Camera, wanted: SerialNumber | None) -> SerialNumber:
    """The serial number to send: the one that was given, else the one of the camera that was found.

    Raises:
        ParameterError: Two cameras are named, or the one that is there does not say its serial number.

    """
    there = camera.sn or serial_number_at(state, camera.host)
    if wanted is None:
        if not there:
            raise ParameterError(
                "{name}: the serial number is not known",
                name="SN",
                hint="It stands on the camera's label: ipc activate SN -c ADDRESS",
            )
        return SerialNumber(there)
    named = state.camera if state.camera and not is_address(state.camera) else ""
    if there and named and not same_serial_number(there, wanted):
        raise ParameterError(
            "{name}: {camera} is {there}, and not {wanted}",
            name="-c",
            camera=state.camera,
            there=str(there),
            wanted=str(wanted),
            hint="Name the camera once: ipc activate {there}",
        )
    return wanted


def _is_active(camera: Camera) -> bool:
    """Whether the camera answers a signed call: then there is nothing to do, and nothing to lose.

    Any refusal leaves the answer to the activation itself.
    """
    try:
        camera.device.info()
    except (DeviceError, ConfigError):
        return False
    return True
