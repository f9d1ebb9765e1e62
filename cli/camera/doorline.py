"""``ipc doorline`` (FM020)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import DoorLine, Resolution

from ..naming import default_name
from ..screen.choices import choice
from ..screen.output import print_json, say, show, waiting
from ..state import State
from ..target import open_camera

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
    from sunmi_ipc.models import DoorLineConfig

    line = DoorLine(x1, y1, x2, y2, choice(resolution, _RESOLUTIONS, "--resolution"))
    with open_camera(state) as camera:
        camera.people_flow.draw(line)
        show(state, None, now=DoorLineConfig.of(line))


@app.command()
def preview(
    ctx: typer.Context,
    x1: Annotated[int | None, typer.Argument(help=tr("Left end, pixels from the left, 0-1920."))] = None,
    y1: Annotated[int | None, typer.Argument(help=tr("Left end, pixels from the top, 0-1080."))] = None,
    x2: Annotated[
        int | None,
        typer.Argument(help=tr("Right end, pixels from the left, at least 100 right of the left end.")),
    ] = None,
    y2: Annotated[int | None, typer.Argument(help=tr("Right end, pixels from the top, 0-1080."))] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE|-", help=tr("Where to save to, .jpg or .png; '-' for stdout.")
        ),
    ] = "",
    show_picture: Annotated[bool, typer.Option("--show", help=tr("Draw it on the terminal."))] = False,
    inward: Annotated[
        str,
        typer.Option("--in", metavar="down|up", help=tr("Which way over the line is in; not documented.")),
    ] = "down",
    resolution: Annotated[
        str, typer.Option(help=tr("1080p or 720p; cameras support only 1080p at present."))
    ] = "1080p",
) -> None:
    """Draw the door line, the camera's or a proposed one, and the way in over a picture of now."""
    from sunmi_ipc.video.doorline import current
    from sunmi_ipc.video.doorline import draw as draw_line
    from sunmi_ipc.video.libraries import library

    state = State.of(ctx)
    size = choice(resolution, _RESOLUTIONS, "--resolution")
    inward = choice(inward, {"down": "down", "up": "up"}, "--in")
    if state.json and (show_picture or output == "-"):
        raise ParameterError(
            "{name}: not together with {other}", name="--json", other="--show" if show_picture else "-o -"
        )
    line = None
    if x1 is not None and y1 is not None and x2 is not None and y2 is not None:
        line = DoorLine(x1, y1, x2, y2, size)
    elif x1 is not None:
        raise ParameterError("{name}: not a line", name="X1 Y1 X2 Y2", hint="Give all four numbers, or none.")
    proposed = line is not None
    library("PIL.ImageDraw")
    with open_camera(state) as camera, waiting(state, "Taking a picture …"):
        line = line or current(camera.people_flow.door_line())
        image = draw_line(camera.video.snapshot().image(), line, direction="up" if inward == "up" else "down")
        if not output and not show_picture:
            output = str(default_name(camera, "_doorline.png"))
    if output == "-":
        image.save(sys.stdout.buffer, "PNG")
    elif output:
        from sunmi_ipc.video.snapshot import save_image

        save_image(image, Path(output))
        if state.json:
            print_json({"file": output, "line": asdict(line), "proposed": proposed, "in": inward})
        else:
            say(state, "{path}: the door line and the way in", path=output)
    if show_picture:
        from ..screen.picture import show_picture as on_terminal

        on_terminal(image)
