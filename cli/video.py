"""``ipc video``."""

from __future__ import annotations

import typer

from sunmi_ipc.i18n import tr

from .output import show
from .state import State
from .target import open_camera
from .times import From, To, parse_period

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("Live picture, snapshots and recordings.")
)


@app.command()
def live(ctx: typer.Context) -> None:
    """Show the RTSP addresses of the live picture, without user and password."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.video.live())


@app.command()
def playback(ctx: typer.Context, from_: From = "", to: To = "") -> None:
    """Show the RTSP address of a recorded period."""
    state = State.of(ctx)
    period = parse_period(from_, to)
    with open_camera(state) as camera:
        show(state, camera.video.playback(*period))


@app.command()
def records(ctx: typer.Context, from_: From = "", to: To = "") -> None:
    """List the recordings of a period."""
    state = State.of(ctx)
    period = parse_period(from_, to)
    with open_camera(state) as camera:
        rows = [record.as_dict() for record in camera.video.records(*period)]
    if not state.json:
        rows = [
            {"start": f"{_local(r['start_time'])}", "end": f"{_local(r['end_time'])}", "url": r["url"]}
            for r in rows
        ]
    show(state, {"record_list": rows}, rows="record_list")


def _local(seconds: int) -> str:
    from datetime import datetime

    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


@app.command()
def snapshot(ctx: typer.Context) -> None:
    """Take a picture, and show its address."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.video.snapshot_url())


@app.command()
def clip(ctx: typer.Context, from_: From = "", to: To = "") -> None:
    """Ask for a clip, and show its address, which works 4 to 12 s later."""
    state = State.of(ctx)
    period = parse_period(from_, to)
    with open_camera(state) as camera:
        show(state, camera.video.clip_url(*period))
