"""``ipc sdcard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr

from ..screen.lengths import Length, NoWait, length
from ..screen.output import note, show, waiting
from ..state import State
from ..target import destroying, open_camera

if TYPE_CHECKING:
    from sunmi_ipc.models import ExternalStorage

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command()
def status(ctx: typer.Context) -> None:
    """Show the SD card's state."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        card = camera.sdcard.status()
    show(state, card)
    from sunmi_ipc.api.sdcard import NEXT

    if hint := NEXT.get(card.status):
        note(state, hint)


@app.command("format")
def format_(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
    no_wait: NoWait = False,
    timeout: Annotated[float, length("--timeout", tr("How long to wait."), least=1, most=600)] = Length(
        "1m30s"
    ),
) -> None:
    """Format the SD card. Destroys every recording and every face on it."""
    state = State.of(ctx)

    def question(camera: str) -> str:
        return tr(
            "Formatting destroys every recording and every face on the SD card of {camera}.", camera=camera
        )

    with destroying(state, question, yes) as camera:
        if no_wait:
            camera.sdcard.format()
            show(state, None, done="Formatting has begun; 'ipc sdcard status' shows when it is done.")
            return
        with waiting(state, "Formatting the SD card (about 15 s) …") as text:

            def polled(card: ExternalStorage | None) -> None:
                if card is None:
                    text(tr("The camera does not answer yet …"))

            card = camera.sdcard.format_and_wait(timeout=timeout, interval=0.5, on_poll=polled)
    show(state, card)
