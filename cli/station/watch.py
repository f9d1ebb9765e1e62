"""``ipc watch``: how every camera is, once or all the time, without a station."""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc import errors
from sunmi_ipc.fleet.secret import KINDS
from sunmi_ipc.i18n import language, tr

from ..argv import take_secret
from ..forward.run import until_signal
from ..screen.lengths import Length, length
from ..screen.options import Jsonl
from ..screen.output import note, print_json, print_json_line, say, table, waiting
from ..state import Exit, State
from .serve import load_file

if TYPE_CHECKING:
    from sunmi_ipc.station import Loaded, Station, StationStatus, Transition

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_FIRST_S = 2.5  # three broadcasts within a second, and time for the answers
_HINTS = 3  # of one kind, each with the name of another camera
_ENDS = {"ok": 0, "warning": 7, "bad": 7, "unknown": 7}


@app.command()
def watch(
    ctx: typer.Context,
    site: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SITE.toml]", help=tr("A site or station file; without one, all cameras that are found.")
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help=tr("Look once; exit code 7 where not all is well."))
    ] = False,
    jsonl: Jsonl = False,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help=tr("Tell this webhook, exec:COMMAND, mqtt:// or Apprise URL; may be repeated."),
        ),
    ] = None,
    interval: Annotated[
        float, length("--interval", tr("Time between two looks."), least=1, most=86400)
    ] = Length("1m"),
    timeout: Annotated[
        float, length("--timeout", tr("With --once: how long to look at most."), least=1)
    ] = Length("30s"),
) -> None:
    """Show how every camera is: reachable, trusted, on time, recording."""
    from sunmi_ipc.station import Station

    state = State.of(ctx)
    # What is told to whom is a secret as a whole: such URLs have their token anywhere.
    notify = [url if url.startswith(KINDS) else take_secret(url).reveal() for url in notify or ()]
    if jsonl and state.json:
        raise errors.ParameterError("{name}: not together with {other}", name="--jsonl", other="--json")
    with tempfile.TemporaryDirectory(prefix="sunmi-ipc-watch-", ignore_cleanup_errors=True) as folder:
        loaded = _loaded(state, site, Path(folder), 1.0 if once else interval, notify or [])
        with Station(loaded, state.settings) as station:
            if once:
                _once(state, station, timeout, jsonl)
            else:
                _on(state, station, jsonl)


def _loaded(state: State, path: Path | None, folder: Path, interval: float, notify: list[str]) -> Loaded:
    """A station file that only watches, with the cameras of *path*."""
    from sunmi_ipc.fleet import sitefile
    from sunmi_ipc.fleet.secret import Secrets
    from sunmi_ipc.station.file import EventsTable, StationFile, StationTable, WatchTable
    from sunmi_ipc.station.loading import Loaded

    watching = {"interval": interval, "discover": min(interval, 5.0), "drift": 0.0, "notify": notify}
    name, given = "", None
    if path is not None:
        try:
            is_station = path.suffix != ".csv" and "station" in tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            is_station = False  # the site file's reader says what is wrong
        if is_station:
            station = load_file(state, path)
            name, given = station.file.station.site, station.site
            kept = station.file.watch.model_dump()
            watching = {**kept, **watching, "notify": notify or kept["notify"], "repair": []}
        else:
            given = sitefile.load(path, resolve=False)
            name = given.site.name
    context = {"inline": True}
    file = StationFile.model_construct(
        station=StationTable.model_construct(site=name, name=name, cameras="site" if given else "discover"),
        http=None,
        watch=WatchTable.model_validate(watching, context=context),
        events=EventsTable(enabled=False),
        **{
            key: StationFile.model_fields[key].get_default()
            for key in ("tokens", "console", "counts", "keep", "broker")
        },
    )
    loaded = Loaded(file, path or folder / "station.toml", Secrets(path.parent if path else folder), given)
    loaded.__dict__["data"] = folder
    return loaded


def _once(state: State, station: Station, timeout: float, jsonl: bool) -> None:
    end = time.monotonic() + timeout
    with waiting(state, "Looking at the cameras …"):
        time.sleep(min(_FIRST_S, timeout) if station.loaded.site is None else 0.0)
        while time.monotonic() < end and not _settled(station):
            time.sleep(0.1)
    status = station.status()
    if not status.cameras:
        raise errors.CameraNotFound(
            "no camera was found", hint="Name its address with -c; 'ipc doctor' looks for reasons."
        )
    if state.json:
        print_json(status.as_dict(language()))
    elif jsonl:
        for camera in status.cameras:
            print_json_line(camera.as_dict(language()))
    elif not state.quiet:
        _table(state, status)
    raise typer.Exit(Exit.DONE if status.verdict == "ok" else Exit.SOME_FAILED)


def _settled(station: Station) -> bool:
    """Whether every camera was looked at as often as it takes to be sure."""
    watch = station.watch
    members = station.roster.members()
    looks = [watch.last(member) for member in members]
    return bool(members) and all(
        look is not None
        and not watch.lines.undecided(member)
        and not watch.judge.pending(member.sn or member.key)
        for member, look in zip(members, looks, strict=True)
    )


def _table(state: State, status: StationStatus) -> None:
    rows: list[dict[str, Any]] = []
    for camera in status.cameras:
        why = "; ".join(reason.text() for reason in camera.reasons)
        rows.append(
            {
                "sn": camera.sn,
                "name": camera.name,
                "address": camera.address,
                "verdict": tr("all well" if camera.verdict == "ok" else str(camera.verdict)),
                "why": why,
            }
        )
    table(rows, ["sn", "name", "address", "verdict", "why"], least=("address", "name"))
    for reason in status.reasons:
        say(state, "{text}. {hint}", text=reason.text(), hint=reason.hint())
    for hint in _hints(status):
        note(state, "→ {hint}", hint=hint)


def _hints(status: StationStatus) -> list[str]:
    """What to do, once for each kind of trouble; where it names the camera, for the first few of them."""
    hints: dict[str, list[str]] = {}
    for camera in status.cameras:
        for reason in camera.reasons:
            hints.setdefault(reason.code, []).append(reason.hint())
    few = [hint for same in hints.values() for hint in list(dict.fromkeys(same))[:_HINTS]]
    return [hint for hint in dict.fromkeys(few) if hint]


def _on(state: State, station: Station, jsonl: bool) -> None:
    def told(transitions: Sequence[Transition]) -> None:
        for one in transitions:
            if jsonl or state.json:
                print_json_line(
                    {"at": one.at, "sn": one.sn, "began": one.began, "reason": one.reason.as_dict(language())}
                )
            elif not state.quiet:
                _line(one)

    station.watch.subscribe(told)
    with until_signal() as stop:
        note(state, "Watching; changes are shown. Ctrl-C ends it.")
        stop.wait()


def _line(one: Transition) -> None:
    from sunmi_ipc.redact import printable

    what = one.reason.text() if one.began else tr("well again: {text}", text=one.reason.text())
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at))
    sys.stdout.write(printable(f"{when}  {one.sn or tr('station')}  {what}") + "\n")
    sys.stdout.flush()
