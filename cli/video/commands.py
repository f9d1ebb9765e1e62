"""``ipc video``: live picture, snapshots, recordings, clips."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import DeviceError, DownloadError, ParameterError
from sunmi_ipc.i18n import tr

from ..naming import default_name
from ..screen.choices import choice
from ..screen.lengths import Length, length
from ..screen.lines import amount
from ..screen.options import Jsonl, Quality
from ..screen.output import note, print_json, say, show, waiting
from ..screen.times import From, To, Tz, parse_period, zone
from ..state import State
from ..target import open_camera
from .downloads import DownloadProgress, merge_clips, row, say_complete
from .recording import record_stream, save_frames
from .recordings import show_footage

if TYPE_CHECKING:
    from sunmi_ipc.video.address import RtspAddress
    from sunmi_ipc.video.download import Clip

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Live picture, snapshots and recordings."),
)
UrlOnly = Annotated[
    bool, typer.Option("--url-only", help=tr("Print the RTSP address, with user and password, and no more."))
]
Player = Annotated[
    str,
    typer.Option("--player", metavar="NAME", help=tr("ffplay, mpv or vlc; default: the first installed.")),
]


def _print_url(state: State, name: str, address: RtspAddress) -> None:
    if state.json:
        print_json({name: address.reveal()})
    else:
        sys.stdout.write(address.reveal() + "\n")


def _play(state: State, address: RtspAddress, player: str) -> None:
    """Open the player on a stream that answers; without a player, print the address."""
    from sunmi_ipc.video.describe import describe

    from ..screen.player import find_player, has_screen, play

    if not player and not has_screen():
        sys.stdout.write(address.bare + "\n")
        note(
            state,
            "This computer shows no windows. Open this address on another; '--url-only' prints it with user and password.",
        )
        return
    found = find_player(player)
    if found is None:
        sys.stdout.write(address.bare + "\n")
        note(
            state,
            "No player (ffplay, mpv, vlc) was found. Open this address in another; '--url-only' prints it with user and password.",
        )
        return
    describe(address)
    note(state, "Opening {player}; close its window to go on.", player=found)
    play(found, address)


@app.command()
def live(
    ctx: typer.Context,
    url_only: UrlOnly = False,
    player: Player = "",
    quality: Quality = "",
    record: Annotated[
        float | None,
        length("--record", tr("Record so long, 30s or 5m, into -o FILE.mp4."), least=0.1),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            min=0,
            metavar="N",
            help=tr("Save so many frames: -o FOLDER for JPEG files, -o - for raw RGB bytes."),
        ),
    ] = 0,
    every: Annotated[float, length("--every", tr("Time between two frames, such as 10s."))] = Length(0),
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PATH", help=tr("Where to save to."))
    ] = None,
) -> None:
    """Show the live picture in a player, record it, or save its frames."""
    state = State.of(ctx)
    quality = choice(quality, {"hd": "hd", "fhd": "fhd"}, "--quality") if quality else ""
    if record and frames:
        raise ParameterError("{name}: not together with {other}", name="--record", other="--frames")
    if frames and output is None:
        raise ParameterError("{name}: needed", name="-o", hint="Name a folder, or '-' for raw RGB bytes.")
    with open_camera(state) as camera:
        found = camera.video.live()
        address = found.best(quality)
        if record:
            record_stream(state, address, output or default_name(camera, ".mp4"), record)
        elif frames and output is not None:
            save_frames(state, address, output, frames, every)
        elif url_only:
            _print_url(state, "url", address)
        elif state.json:
            show(
                state,
                {f"{k}_live_url": a.bare if a else "" for k, a in (("hd", found.hd), ("fhd", found.fhd))},
            )
        else:
            _play(state, address, player)


@app.command()
def playback(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    url_only: UrlOnly = False,
    play: Annotated[bool, typer.Option("--play", help=tr("Open it in a player."))] = False,
    player: Player = "",
) -> None:
    """Give the RTSP address of a recorded period."""
    state = State.of(ctx)
    period = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        address = camera.video.playback(*period)
        if url_only:
            _print_url(state, "playback_url", address)
        elif (play or player) and not state.json:
            _play(state, address, player)
        else:
            show(state, {"playback_url": address.bare})


@app.command()
def records(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    each: Annotated[
        bool, typer.Option("--each", help=tr("Every recording on a line of its own, with its link."))
    ] = False,
) -> None:
    """List the recordings of a period, with durations and gaps, and a strip of each day."""
    from sunmi_ipc.video import timeline

    state = State.of(ctx)
    where = zone(tz)
    start, end = parse_period(from_, to, tz=where)
    with open_camera(state) as camera, waiting(state, "Reading the list of recordings …"):
        found = sorted(camera.video.records(start, end), key=lambda r: r.start_time)
    footage = timeline.stretches(found)
    until = min(end, datetime.now().astimezone())
    gaps = timeline.gaps(footage, start, until) if until > start else []
    total = sum((s.duration for s in footage), timedelta())
    if state.json:
        print_json(
            {
                "record_list": [record.as_dict() for record in found],
                "gaps": [{"start_time": int(a.timestamp()), "end_time": int(b.timestamp())} for a, b in gaps],
                "duration_s": int(total.total_seconds()),
            }
        )
        return
    show_footage(state, found, footage, gaps, start, end, where, each=each)


@app.command()
def snapshot(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE|-", help=tr("Where to save to, .jpg or .png; '-' for stdout.")
        ),
    ] = "",
    show_: Annotated[bool, typer.Option("--show", help=tr("Draw it on the terminal."))] = False,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            metavar="kitty|iterm2|sixel|blocks",
            help=tr("How the terminal shows pictures; default: as it says itself."),
        ),
    ] = "",
) -> None:
    """Take a picture: save it, write it to stdout, or draw it on the terminal."""
    from ..screen.picture import PROTOCOLS, show_picture

    state = State.of(ctx)
    if protocol and protocol not in PROTOCOLS:
        raise ParameterError(
            "{name}: unknown", name="--protocol", hint="Allowed: {bounds}.", bounds=", ".join(PROTOCOLS)
        )
    if show_ and (output == "-" or state.json):
        raise ParameterError(
            "{name}: not together with {other}", name="--show", other="--json" if state.json else "-o -"
        )
    with open_camera(state) as camera, waiting(state, "Taking a picture …"):
        taken = camera.video.snapshot()
        path = Path(output) if output else default_name(camera, ".jpg" if taken.kind == "jpeg" else ".png")
    if output == "-":
        sys.stdout.buffer.write(taken.data)
        sys.stdout.buffer.flush()
        return
    document: dict[str, Any] = {"snapshot_url": taken.url, "kind": taken.kind, "source": taken.source}
    if output or not (show_ or state.json):
        taken.save(path)
        document |= {"file": str(path), "bytes": path.stat().st_size}
    if state.json:
        print_json(document)
    elif "file" in document:
        say(state, "{path}: {size}", path=str(path), size=amount(document["bytes"]))
    if show_:
        show_picture(taken.image(), protocol)


@app.command()
def clip(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help=tr("Where to save to; --json without it tells the link alone."),
        ),
    ] = None,
    timeout: Annotated[float, length("--timeout", tr("How long to wait."), least=1, most=600)] = Length(
        "30s"
    ),
) -> None:
    """Let the camera cut out a clip, wait for it (4 to 12 s), and save it."""
    state = State.of(ctx)
    if not from_:
        raise ParameterError("{name}: needed", name="--from", hint="Give --from and --to.")
    start, end = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        if state.json and output is None:
            show(state, camera.video.clip_url(start, end))
            return
        path = output or default_name(camera, ".mp4", start)
        with waiting(state, "The camera cuts out the clip (4 to 12 s) …") as text:
            camera.video.clip(
                start,
                end,
                path,
                timeout=timeout,
                on_progress=lambda done, total: text(
                    tr("{done} of {total}", done=amount(done), total=amount(total) if total else "?")
                ),
            )
    size = path.stat().st_size
    if state.json:
        print_json({"file": str(path), "bytes": size})
    else:
        say(state, "{path}: {size}", path=str(path), size=amount(size))


@app.command()
def download(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help=tr("Where to save to; made if need be."))
    ] = Path(),
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, max=16, help=tr("Recordings at a time."))] = 4,
    merge: Annotated[
        Path | None,
        typer.Option(
            "--merge", metavar="FILE.mp4", help=tr("Then join them into one file, without re-encoding.")
        ),
    ] = None,
    patience: Annotated[
        float,
        length("--patience", tr("How long the camera may be gone, restarting for example."), most=3600),
    ] = Length("1m"),
    jsonl: Jsonl = False,
) -> None:
    """Download the recordings of a period; the same command again goes on where it stopped."""
    state = State.of(ctx)
    if not from_:
        raise ParameterError("{name}: needed", name="--from", hint="Give --from and --to.")
    where = zone(tz)
    period = parse_period(from_, to, tz=where)
    if merge is not None:
        from sunmi_ipc.video.libraries import library

        library("av")  # better now than after an hour of downloading
    clips: list[Clip] = []
    failure: DownloadError | None = None
    with open_camera(state) as camera:
        with waiting(state, "Reading the list of recordings …"):
            wanted = list(camera.video.records(*period))
        if not wanted:
            raise DeviceError.of(235, endpoint="media/getVideoRecordList", camera=camera.address)
        if not state.json and not jsonl:
            note(state, "{count} recordings into {folder}", count=len(wanted), folder=str(output))
        with DownloadProgress(state, len(wanted)) as bars:
            run = camera.video.download_records(
                wanted,
                output,
                workers=jobs,
                tz=where,
                patience=patience,
                on_progress=bars.update,
            )
            try:
                for one in run:
                    clips.append(one)
                    bars.done(one.path.with_suffix(".mp4").name)
                    if jsonl:
                        sys.stdout.write(json.dumps(row(one), ensure_ascii=False) + "\n")
                        sys.stdout.flush()
            except DownloadError as error:
                failure = error
            except BaseException:
                say_complete(state, clips, len(wanted))
                raise
    seconds = 0.0
    if merge is not None:
        seconds = merge_clips(state, sorted(clips, key=lambda c: c.record.start_time), merge)
    if failure is not None:
        say_complete(state, clips, len(wanted))
        raise failure
    saved = [one for one in clips if one.status == "saved"]
    if state.json:
        document: dict[str, Any] = {
            "folder": str(output),
            "clips": [row(one) for one in sorted(clips, key=lambda c: c.record.start_time)],
            "bytes": sum(one.size for one in saved),
        }
        if merge is not None:
            document["merged"] = {"file": str(merge), "seconds": round(seconds, 3)}
        print_json(document)
    elif not jsonl:
        say(
            state,
            "{saved} saved ({size}), {kept} were there already",
            saved=len(saved),
            size=amount(sum(one.size for one in saved)),
            kept=len(clips) - len(saved),
        )
