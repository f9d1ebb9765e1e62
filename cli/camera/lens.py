"""``ipc lens`` (FM020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr

from ..screen.lengths import NoWait
from ..screen.output import show, waiting
from ..state import State
from ..target import open_camera

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Zoom and focus motors (FM020)."),
)
_POSITION = {"ignore_unknown_options": True}  # so that -5 is a position, not an option
Position = Annotated[
    str, typer.Argument(help=tr("N, +N or -N steps, or N%; kept within the camera's limits."))
]


def _rest(state: State, camera: Camera, no_wait: bool) -> None:
    if no_wait:
        show(state, None, done="The lens is moving; 'ipc lens show' shows where it is.")
        return
    with waiting(state, "The lens is moving (up to 18 s) …"):
        lens = camera.lens.wait_until_rest()
    show(state, lens)


@app.command("show")
def show_(ctx: typer.Context) -> None:
    """Show zoom, focus, their maxima, and the autofocus point."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.lens.show())


@app.command(context_settings=_POSITION)
def zoom(ctx: typer.Context, position: Position, no_wait: NoWait = False) -> None:
    """Zoom; the picture focuses by itself afterwards."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        camera.lens.zoom(position)
        _rest(state, camera, no_wait)


@app.command(context_settings=_POSITION)
def focus(ctx: typer.Context, position: Position, no_wait: NoWait = False) -> None:
    """Focus by hand."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        camera.lens.focus(position)
        _rest(state, camera, no_wait)


@app.command()
def autofocus(
    ctx: typer.Context,
    x: Annotated[int, typer.Argument(min=0, max=100, help=tr("From the left, percent."))] = 50,
    y: Annotated[int, typer.Argument(min=0, max=100, help=tr("From the top, percent."))] = 50,
    no_wait: NoWait = False,
) -> None:
    """Focus on a point of the picture."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        camera.lens.autofocus(x, y)
        _rest(state, camera, no_wait)


@app.command()
def reset(ctx: typer.Context, no_wait: NoWait = False) -> None:
    """Bring both motors to their starting position."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        camera.lens.reset()
        _rest(state, camera, no_wait)
