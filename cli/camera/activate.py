"""``ipc activate``."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.serial import SerialNumber

from ..argv import take_secret
from ..screen.output import ask_secret, confirm, print_json, say, waiting
from ..state import State
from ..target import open_camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def activate(
    ctx: typer.Context,
    sn: Annotated[str, typer.Argument(help=tr("The camera's serial number, as on its label."))],
    code: Annotated[
        str, typer.Option(help=tr("Activation code; '-' asks for it. Better: SUNMI_IPC_ACTIVATION_CODE."))
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Activate a camera for your app. Deletes every face group on its SD card."""
    state = State.of(ctx)
    serial = SerialNumber(
        sn
    )  # an address, or anything else that is none, is refused before anything is asked
    code = take_secret(ask_secret(tr("Activation code")) if code == "-" else code)
    confirm(tr("Activating {sn} deletes every face group on its SD card, with all faces.", sn=serial), yes)
    options = {"activation_code": code} if code else {}
    camera = open_camera(state, state.camera or serial, **options)
    if camera.sn and camera.sn != serial:
        raise ParameterError(
            "{name}: that camera's serial number is {sn}",
            name=serial,
            sn=camera.sn,
            hint="Activation needs the serial number itself.",
        )
    with camera, waiting(state, "Activating {sn} …", sn=serial):
        done = camera.device.ensure_active(serial)
    if state.json:
        print_json({"sn": serial, "activated": True, "already": not done})
    say(state, "{sn} is activated." if done else "{sn} was activated already.", sn=serial)
