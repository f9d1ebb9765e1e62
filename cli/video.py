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

from .output import note, print_json, say, show, table, waiting
from .state import State
from .target import open_camera
from .times import From, To, Tz, parse_duration, parse_period, zone

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
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
Quality = Annotated[
    str, typer.Option("--quality", metavar="hd|fhd", help=tr("hd (720p) or fhd (1080p); default: the best."))
]


def _default_name(camera: Camera, suffix: str, at: datetime | None = None) -> Path:
    sn = camera.sn or camera.device.info().sn
    from sunmi_ipc.guard import file_name

    return Path(f"{file_name(sn)}_{at or datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}{suffix}")


def _print_url(state: State, name: str, address: RtspAddress) -> None:
    if state.json:
        print_json({name: address.reveal()})
    else:
        sys.stdout.write(address.reveal() + "\n")


def _play(state: State, address: RtspAddress, player: str) -> None:
    """Open the player on a stream that answers; without a player, print the address."""
    from sunmi_ipc.video.describe import describe

    from .player import find_player, play

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
        str,
        typer.Option("--record", metavar="LENGTH", help=tr("Record so long, 30s or 5m, into -o FILE.mp4.")),
    ] = "",
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            min=0,
            metavar="N",
            help=tr("Save so many frames: -o FOLDER for JPEG files, -o - for raw RGB bytes."),
        ),
    ] = 0,
    every: Annotated[
        str, typer.Option("--every", metavar="LENGTH", help=tr("Time between two frames, such as 10s."))
    ] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PATH", help=tr("Where to save to."))
    ] = None,
) -> None:
    """Show the live picture in a player, record it, or save its frames."""
    state = State.of(ctx)
    if quality not in ("", "hd", "fhd"):
        raise ParameterError("{name}: unknown", name="--quality", hint="Allowed: {bounds}.", bounds="hd, fhd")
    if record and frames:
        raise ParameterError("{name}: not together with {other}", name="--record", other="--frames")
    seconds = parse_duration(record, "--record") if record else 0.0
    pause = parse_duration(every, "--every") if every else 0.0
    if frames and output is None:
        raise ParameterError("{name}: needed", name="-o", hint="Name a folder, or '-' for raw RGB bytes.")
    with open_camera(state) as camera:
        found = camera.video.live()
        address = found.best(quality)
        if seconds:
            _record(state, camera, address, output, seconds)
        elif frames and output is not None:
            _frames(state, address, output, frames, pause)
        elif url_only:
            _print_url(state, "url", address)
        elif state.json:
            show(
                state,
                {f"{k}_live_url": a.bare if a else "" for k, a in (("hd", found.hd), ("fhd", found.fhd))},
            )
        else:
            _play(state, address, player)


def _record(state: State, camera: Camera, address: RtspAddress, output: Path | None, seconds: float) -> None:
    from sunmi_ipc.video.stream import record

    path = output or _default_name(camera, ".mp4")
    with waiting(state, "Recording {seconds:g} s …", seconds=seconds) as text:
        length = record(
            address,
            path,
            seconds,
            on_progress=lambda done: text(
                tr("Recording: {done:.0f} of {seconds:g} s", done=done, seconds=seconds)
            ),
        )
    size = path.stat().st_size
    if state.json:
        print_json({"file": str(path), "seconds": round(length, 3), "bytes": size})
    else:
        say(state, "{path}: {seconds:.1f} s, {size}", path=str(path), seconds=length, size=_bytes(size))


def _frames(state: State, address: RtspAddress, output: Path, count: int, pause: float) -> None:
    from contextlib import closing

    from sunmi_ipc.video.snapshot import save_image
    from sunmi_ipc.video.stream import frames, library

    raw = str(output) == "-"
    pictures = None if raw else library("PIL.Image")
    if not raw:
        _folder(output)
    files: list[str] = []
    with (
        waiting(state, "Waiting for the picture …") as text,
        closing(frames(address, every=pause)) as stream,
    ):
        for number, frame in enumerate(stream, 1):
            if raw:
                if number == 1:
                    note(state, "{width}x{height}, rgb24", width=frame.shape[1], height=frame.shape[0])
                sys.stdout.buffer.write(frame.tobytes())
            else:
                path = output / f"frame-{number:05}.jpg"
                save_image(pictures.fromarray(frame), path)  # type: ignore[union-attr]
                files.append(str(path))
            text(tr("{done} of {count} frames", done=number, count=count))
            if number == count:
                break
    if state.json and not raw:
        print_json({"files": files})
    elif not raw:
        say(state, "{count} frames in {folder}", count=len(files), folder=str(output))


def _folder(path: Path) -> None:
    from sunmi_ipc.video.parts import cannot_write

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


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
    if not found:
        say(state, "nothing found")
        return

    def shown(moment: datetime) -> str:
        return f"{moment.astimezone(where):%Y-%m-%d %H:%M:%S}"

    if each:
        table(
            [
                {
                    "start": shown(r.start_time),
                    "end": shown(r.end_time),
                    "duration": _length(r.end_time - r.start_time),
                    "url": r.url,
                }
                for r in found
            ],
            ["start", "end", "duration", "url"],
        )
    else:
        after = {a: b - a for a, b in gaps}
        table(
            [
                {
                    "start": shown(s.start),
                    "end": shown(s.end),
                    "duration": _length(s.duration),
                    "recordings": s.clips,
                    "gap after": _length(after[s.end]) if s.end in after else "",
                }
                for s in footage
            ],
            ["start", "end", "duration", "recordings", "gap after"],
        )
    sys.stdout.write(
        "\n"
        + " " * 12
        + "".join(f"{hour:<6}" for hour in ("00", "03", "06", "09", "12", "15", "18", "21"))
        + "\n"
    )
    for day in timeline.days(start, end, where):
        sys.stdout.write(f"{day:%Y-%m-%d}  {timeline.strip(footage, day, where)}\n")
    say(
        state,
        "{length} in {count} recordings, {gaps} gaps",
        length=_length(total),
        count=len(found),
        gaps=len(gaps),
    )


def _length(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


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
    from .picture import PROTOCOLS, best_protocol, draw

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
        path = Path(output) if output else _default_name(camera, ".jpg" if taken.kind == "jpeg" else ".png")
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
        say(state, "{path}: {size}", path=str(path), size=_bytes(document["bytes"]))
    if show_:
        image = taken.image()
        for piece in draw(image, protocol or best_protocol()):  # type: ignore[arg-type]
            sys.stdout.write(piece)
        sys.stdout.flush()


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
    timeout: Annotated[float, typer.Option(min=1, max=600, help=tr("Seconds to wait for the clip."))] = 30,
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
        path = output or _default_name(camera, ".mp4", start)
        with waiting(state, "The camera cuts out the clip (4 to 12 s) …") as text:
            camera.video.clip(
                start,
                end,
                path,
                timeout=timeout,
                on_progress=lambda done, total: text(
                    tr("{done} of {total}", done=_bytes(done), total=_bytes(total) if total else "?")
                ),
            )
    size = path.stat().st_size
    if state.json:
        print_json({"file": str(path), "bytes": size})
    else:
        say(state, "{path}: {size}", path=str(path), size=_bytes(size))


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
        typer.Option(
            min=0, max=3600, help=tr("Seconds that the camera may be gone, restarting for example.")
        ),
    ] = 60,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help=tr("Print one JSON object a line, as they come."))
    ] = False,
) -> None:
    """Download the recordings of a period; the same command again goes on where it stopped."""
    from .downloads import DownloadProgress

    state = State.of(ctx)
    if not from_:
        raise ParameterError("{name}: needed", name="--from", hint="Give --from and --to.")
    where = zone(tz)
    period = parse_period(from_, to, tz=where)
    if merge is not None:
        from sunmi_ipc.video.stream import library

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
        from sunmi_ipc.video.download import download as fetch

        with DownloadProgress(state, len(wanted)) as bars:
            run = fetch(
                camera,
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
                    bars.done(one.path.name)
                    if jsonl:
                        sys.stdout.write(json.dumps(_row(one), ensure_ascii=False) + "\n")
                        sys.stdout.flush()
            except DownloadError as error:
                failure = error
            except BaseException:
                _complete(state, clips, len(wanted))
                raise
    length = 0.0
    if merge is not None:
        length = _merge(state, sorted(clips, key=lambda c: c.record.start_time), merge)
    if failure is not None:
        _complete(state, clips, len(wanted))
        raise failure
    saved = [one for one in clips if one.status == "saved"]
    if state.json:
        document: dict[str, Any] = {
            "folder": str(output),
            "clips": [_row(one) for one in sorted(clips, key=lambda c: c.record.start_time)],
            "bytes": sum(one.size for one in saved),
        }
        if merge is not None:
            document["merged"] = {"file": str(merge), "seconds": round(length, 3)}
        print_json(document)
    elif not jsonl:
        say(
            state,
            "{saved} saved ({size}), {kept} were there already",
            saved=len(saved),
            size=_bytes(sum(one.size for one in saved)),
            kept=len(clips) - len(saved),
        )


def _row(one: Clip) -> dict[str, Any]:
    row = {
        "file": str(one.path),
        "start_time": int(one.record.start_time.timestamp()),
        "end_time": int(one.record.end_time.timestamp()),
        "bytes": one.size,
        "status": one.status,
    }
    return row | ({"error": one.error.message} if one.error else {})


def _complete(state: State, clips: list[Clip], count: int) -> None:
    whole = sum(one.status != "lost" for one in clips)
    note(
        state,
        "{done} of {count} recordings are complete and kept; the same command goes on from there.",
        done=whole,
        count=count,
    )


def _merge(state: State, clips: list[Clip], path: Path) -> float:
    from sunmi_ipc.video.mux import merge

    files = [one.path for one in clips if one.status != "lost"]
    if not files:
        return 0.0
    with waiting(state, "Joining {count} recordings …", count=len(files)) as text:
        length = merge(
            files,
            path,
            on_file=lambda done: text(tr("Joining: {done} of {count}", done=done, count=len(files))),
        )
    if not state.json:
        note(state, "{path}: {length}", path=str(path), length=_length(timedelta(seconds=length)))
    return length
