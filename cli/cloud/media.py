"""``ipc cloud live|playback|snapshot|records``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError, cannot_write
from sunmi_ipc.i18n import later, tr

from ..screen import words
from ..screen.choices import choice
from ..screen.options import Quality
from ..screen.output import say, show, waiting
from ..screen.times import From, To, parse_period, parse_when
from ..state import State
from .common import Csv, camera, listing, open_cloud, parts

_NONE = later("There is no recording of it in the cloud in this period.")

#: By the words of ``ipc video live``; the numbers are the cloud's own.
_QUALITIES = {"fhd": 0, "hd": 1, "0": 0, "1": 1}


def live(
    ctx: typer.Context,
    quality: Quality = "",
    stop: Annotated[bool, typer.Option("--stop", help=tr("End it."))] = False,
) -> None:
    """Start the live picture and print its addresses (FLV, HLS), or end it."""
    from sunmi_ipc.cloud.values import LiveResolution

    state, resolution = State.of(ctx), LiveResolution(choice(quality or "fhd", _QUALITIES, "--quality"))
    with open_cloud(ctx) as cloud:
        wanted = camera(ctx, cloud, "")
        if stop:
            made = cloud.media.live_stop(resolution=resolution, **wanted)
            show(state, made, done="The live picture is ended.")
            return
        show(state, cloud.media.live_start(resolution=resolution, **wanted))


def playback(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    stop_id: Annotated[
        str, typer.Option("--stop-id", metavar="CLIENT_ID", help=tr("End this playback."))
    ] = "",
) -> None:
    """Start to play what was recorded and print its addresses, or end it."""
    state = State.of(ctx)
    with open_cloud(ctx) as cloud:
        if stop_id:
            show(state, cloud.media.playback_stop(stop_id), done="The playback is ended.")
            return
        start, end = parse_period(from_, to)
        show(state, cloud.media.playback_start(start, end, **camera(ctx, cloud, "")))


def snapshot(
    ctx: typer.Context,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=tr("Of a past moment; default: now."))] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help=tr("Fetch the picture into this file.")),
    ] = None,
) -> None:
    """Have a picture taken and print its address; the cloud keeps it for a day."""
    state = State.of(ctx)
    with open_cloud(ctx) as cloud:
        wanted = camera(ctx, cloud, "")
        with waiting(state, "The camera takes a picture …"):
            made = (
                cloud.media.snapshot_at(parse_when(at, "--at"), **wanted)
                if at
                else cloud.media.snapshot(**wanted)
            )
        if output is None:
            show(state, made)
            return
        data = cloud.fetch(made.snapshot_url)
    try:
        output.write_bytes(data)
    except OSError as error:
        raise cannot_write(output, error) from None
    if state.json:
        show(state, made.as_dict() | {"path": str(output), "bytes": len(data)})
    say(state, "{path}: {bytes} bytes", path=str(output), bytes=len(data))


def records(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    detected: Annotated[
        bool, typer.Option("--detected", help=tr("Only what motion or sound set off."))
    ] = False,
    csv: Csv = None,
) -> None:
    """List the recordings in the cloud; any period, each recording once."""
    start, end = parse_period(from_, to)
    if detected and end <= start:
        raise ParameterError("{name}: the period ends before it starts", name="--to")
    with open_cloud(ctx) as cloud:
        wanted = camera(ctx, cloud, "")
        if detected:
            found = [m for m in cloud.media.motions(start, end, **wanted)]
            rows = [
                m.as_dict()
                | {
                    "time": f"{m.detect_time.astimezone():%Y-%m-%d %H:%M:%S}",
                    "source": words.told(m.source, "source"),
                }
                for m in found
            ]
            document = {"total_num": len(found), "video_list": [m.as_dict() for m in found]}
            listing(ctx, document, rows, ["time", "source", "url"], csv, _NONE)
            return
        with parts(ctx, cloud, "Recordings"):
            clips = cloud.media.recordings(start, end, **wanted)
    rows = [
        c.as_dict()
        | {
            "start": f"{c.start_time.astimezone():%Y-%m-%d %H:%M:%S}",
            "end": f"{c.end_time.astimezone():%Y-%m-%d %H:%M:%S}",
        }
        for c in clips
    ]
    document = {"total_count": len(clips), "video_list": [c.as_dict() for c in clips]}
    listing(ctx, document, rows, ["start", "end", "url"], csv, _NONE)


COMMANDS = (
    ("live", live, ("media.live_start", "media.live_stop")),
    ("playback", playback, ("media.playback_start", "media.playback_stop")),
    ("snapshot", snapshot, ("media.snapshot", "media.snapshot_at")),
    ("records", records, ("media.recordings_window", "media.motions_page")),
)
