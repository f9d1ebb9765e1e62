"""``ipc flow`` (FM020): people."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.i18n import tr

from ..screen.output import print_json, say, show, width
from ..screen.times import From, To, Tz, parse_period, zone
from ..state import State
from ..target import open_camera
from . import face_table as people
from .flow_report import report

if TYPE_CHECKING:
    from sunmi_ipc.models import PeopleStatCollection

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("People who come, pass and leave (FM020).")
)
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help=tr("Write rows to this file."))]
_BAR = 40


def _chart(state: State, title: str, counts: dict[str, int]) -> None:
    most = max(counts.values(), default=0)
    widest = max((width(label) for label in counts), default=0)
    say(state, title)
    for label, count in counts.items():
        bar = "█" * round(_BAR * count / most) if most else ""
        say(
            state,
            "  {label}{pad}  {bar} {count}",
            label=label,
            pad=" " * (widest - width(label)),
            bar=bar,
            count=count,
        )


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else [])
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise ConfigError(
            "{path} cannot be written: {reason}", path=str(path), reason=error.strerror or ""
        ) from None


def _stat(state: State, stat: PeopleStatCollection, path: Path | None, tz: tzinfo | None) -> None:
    if path is not None:
        _write(path, list(stat.rows()))
    if state.json:
        print_json(stat.as_dict())
        return
    hours: Counter[str] = Counter({f"{hour:02}": 0 for hour in range(24)})
    people: Counter[str] = Counter()
    for unit in stat.stat_list:
        hours[f"{unit.start_time.astimezone(tz):%H}"] += unit.total
    for row in stat.rows():
        people[f"{row['age']} {tr(row['gender'])}"] += row["count"]
    say(state, "{count} people", count=stat.total)
    _chart(state, "by hour", dict(hours))
    _chart(state, "by age and gender", dict(people))


@app.command()
def arrivals(ctx: typer.Context, from_: From = "", to: To = "", tz: Tz = "", csv: Csv = None) -> None:
    """Show how many people came in, by hour, age and gender."""
    state = State.of(ctx)
    period = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        _stat(state, camera.people_flow.arrivals(*period), csv, zone(tz))


@app.command()
def passing(ctx: typer.Context, from_: From = "", to: To = "", tz: Tz = "", csv: Csv = None) -> None:
    """Show how many people passed by, by hour, age and gender."""
    state = State.of(ctx)
    period = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        _stat(state, camera.people_flow.passing(*period), csv, zone(tz))


@app.command()
def leaving(ctx: typer.Context, from_: From = "", to: To = "", tz: Tz = "", csv: Csv = None) -> None:
    """Show how many people left, by hour, age and gender."""
    state = State.of(ctx)
    period = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        _stat(state, camera.people_flow.leaving(*period), csv, zone(tz))


@app.command()
def visitors(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    group: Annotated[str | None, typer.Option("--group", "-g", help=tr("Only faces of this group."))] = None,
    csv: Csv = None,
) -> None:
    """List the people of a period."""
    state = State.of(ctx)
    start, end = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        filters = {"group_name": group} if group else {}
        seen = list(camera.people_flow.visitors(start, end, **filters))
    rows = [face.as_dict() for face in seen]
    if csv is not None:
        _write(csv, rows)
    if state.json:
        print_json({"face_list": rows})
    else:
        people.faces(state, seen, zone(tz))


@app.command()
def visits(
    ctx: typer.Context,
    faceid: Annotated[str, typer.Argument(help=tr("The face's id."))],
    from_: From = "",
    to: To = "",
    tz: Tz = "",
) -> None:
    """Show when a known face came in."""
    state = State.of(ctx)
    start, end = parse_period(from_, to, tz=zone(tz))
    with open_camera(state) as camera:
        show(state, camera.people_flow.visits(faceid, start, end))


@app.command()
def settings(
    ctx: typer.Context,
    interval: Annotated[
        int | None, typer.Option(min=0, help=tr("The same face counts once within so many seconds."))
    ] = None,
    mode: Annotated[
        int | None, typer.Option(min=0, max=1, help=tr("0 snapshot (no direction), 1 normal."))
    ] = None,
) -> None:
    """Show or change how people are counted."""
    from sunmi_ipc.protocol.values import CustomerJudgeMode

    state = State.of(ctx)
    with open_camera(state) as camera:
        now = camera.people_flow.settings()
        if interval is None and mode is None:
            show(state, now)
            return
        camera.people_flow.set_settings(
            now.facerecog_interval if interval is None else interval,
            now.customer_judgemode if mode is None else CustomerJudgeMode(mode),
        )
        show(state, None)


app.command()(report)
