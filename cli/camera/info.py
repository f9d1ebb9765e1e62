"""``ipc info``."""

from __future__ import annotations

import typer

from ..screen.output import show
from ..state import State
from ..target import open_camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def info(ctx: typer.Context) -> None:
    """Show what a camera says of itself."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.device.info())
