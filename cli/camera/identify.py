"""``ipc identify``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import Flag01

from ..screen.lengths import Length, length
from ..screen.output import print_json, say, waiting
from ..state import State
from ..target import open_camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_HALF_S = 0.7  # long enough to be seen, and for a camera to answer


@app.command()
def identify(
    ctx: typer.Context,
    duration: Annotated[
        float, length("--for", tr("How long: 10s, 1m; Ctrl-C ends it before."), least=0.1)
    ] = Length("10s"),
) -> None:
    """Blink a camera's light, to see which one it is; afterwards the light is as it was."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        before = camera.image.led().switch
        lit, blinks = before != Flag01.OFF, 0
        end = time.monotonic() + duration
        try:
            with waiting(state, "The light of {camera} is blinking …", camera=camera.sn or camera.address):
                while time.monotonic() < end:
                    lit = not lit
                    camera.image.set_led(Flag01.ON if lit else Flag01.OFF)
                    blinks += 1
                    time.sleep(min(_HALF_S, max(0.0, end - time.monotonic())))
        finally:
            # A camera that did not tell how its light is set gets it on, as it comes out of its box.
            camera.image.set_led(Flag01.ON if before is None else before)
    if state.json:
        print_json(
            {"sn": camera.sn or None, "blinks": blinks, "led_switch": None if before is None else int(before)}
        )
    say(state, "The light is as it was.")
