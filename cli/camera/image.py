"""``ipc image``: what is given is set, what is not is shown."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import Flag01, IrMode

from ..screen.choices import choice
from ..screen.output import show
from ..state import State
from ..target import open_camera

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Night mode, rotation, LED, name."),
)
_IR = {mode.name.lower(): mode for mode in IrMode}
_SWITCH = {switch.name.lower(): switch for switch in Flag01}


@app.command()
def ir(
    ctx: typer.Context,
    mode: Annotated[str, typer.Argument(help=tr("off, on or auto; without it, show."))] = "",
) -> None:
    """Show or set the night mode."""
    state = State.of(ctx)
    wanted = choice(mode, _IR, "mode") if mode else None
    with open_camera(state) as camera:
        if wanted is None:
            show(state, camera.image.ir())
        else:
            show(state, camera.image.set_ir(wanted), now={"irmode": wanted})


@app.command()
def rotation(
    ctx: typer.Context,
    degrees: Annotated[
        int | None, typer.Argument(help=tr("Degrees; without it, show what the camera can."))
    ] = None,
) -> None:
    """Show or set the picture's rotation."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if degrees is not None:
            allowed = camera.image.rotations().angles
            if allowed and degrees not in allowed:
                bounds = ", ".join(str(angle) for angle in allowed)
                raise ParameterError(
                    "{name}: unknown", name="degrees", hint="Allowed: {bounds}.", bounds=bounds
                )
            show(state, camera.image.set_rotation(degrees), now={"rotation": degrees})
            return
        show(state, {**camera.image.rotation().as_dict(), **camera.image.rotations().as_dict()})


@app.command()
def led(
    ctx: typer.Context, switch: Annotated[str, typer.Argument(help=tr("on or off; without it, show."))] = ""
) -> None:
    """Show or switch the status light."""
    state = State.of(ctx)
    wanted = choice(switch, _SWITCH, "switch") if switch else None
    with open_camera(state) as camera:
        if wanted is None:
            show(state, camera.image.led())
        else:
            show(state, camera.image.set_led(wanted), now={"led_switch": wanted})


@app.command("name")
def name_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help=tr("The new name; without it, show."))] = None,
) -> None:
    """Show or set the camera's name."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if name is None:
            show(state, camera.image.name_())
        else:
            show(state, camera.image.set_name(name), now={"name": name})
