"""``ipc doorline`` (FM020)."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.values import DoorLine, Resolution

from .output import show
from .state import State
from .target import open_camera

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("The line that people cross when they enter (FM020)."),
)
_RESOLUTIONS = {"1080p": Resolution.P1080, "720p": Resolution.P720}


@app.command("show")
def show_(ctx: typer.Context) -> None:
    """Show the door line."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.people_flow.door_line())


@app.command("set")
def set_(
    ctx: typer.Context,
    x1: Annotated[int, typer.Argument(help=tr("Left end, pixels from the left, 0-1920."))],
    y1: Annotated[int, typer.Argument(help=tr("Left end, pixels from the top, 0-1080."))],
    x2: Annotated[
        int, typer.Argument(help=tr("Right end, pixels from the left, at least 100 right of the left end."))
    ],
    y2: Annotated[int, typer.Argument(help=tr("Right end, pixels from the top, 0-1080."))],
    resolution: Annotated[
        str, typer.Option(help=tr("1080p or 720p; cameras support only 1080p at present."))
    ] = "1080p",
) -> None:
    """Set the door line, left end to right end."""
    state = State.of(ctx)
    if resolution not in _RESOLUTIONS:
        raise ParameterError(
            "{name}: unknown", name="--resolution", hint="Allowed: {bounds}.", bounds="1080p, 720p"
        )
    line = DoorLine(x1, y1, x2, y2, _RESOLUTIONS[resolution])
    with open_camera(state) as camera:
        camera.people_flow.draw(line)
        show(state, None)
