"""``ipc flow`` (FM020): people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import DeviceError, SunmiIpcError
from sunmi_ipc.i18n import language, tr

from ..screen import words
from ..screen.charts import Bar, bars, day_map
from ..screen.choices import choice
from ..screen.csvfile import Csv, write_csv
from ..screen.lengths import length, whole_seconds
from ..screen.output import note, print_json, say, show
from ..screen.times import From, To, Tz, parse_period, zone
from ..state import State
from ..target import open_camera
from . import counts
from . import face_table as people
from .flow_report import report

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.models import PeopleStatCollection

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("People who come, pass and leave (FM020).")
)
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="hour|day|age|gender",
        help=tr("How to count; default: by hour up to a day, else by day, and by age and gender."),
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help=tr("Draw into this .png or .svg file.")),
]
_MODES = {"snapshot": 0, "normal": 1, "0": 0, "1": 1}
_BY = {by: by for by in ("hour", "day", "age", "gender")}
_DAY = timedelta(hours=24)
#: More hours than a terminal has lines are a map.
_MAP_FROM = timedelta(days=2)
#: No SD card; the service that recognises faces, which needs it, does not run.
_NO_CARD = (220, 211)


def period_told(start: datetime, end: datetime, tz: tzinfo | None) -> str:
    """A period in words: 2026-11-24, 00:00 to 24:00."""
    first, last = start.astimezone(tz), end.astimezone(tz)
    midnight = f"{last:%H:%M}" == "00:00"
    day = last - timedelta(hours=12) if midnight else last  # the last one that the period holds
    if first.date() == day.date():
        until = "24:00" if midnight else f"{last:%H:%M}"
        return tr("{day}, {start} to {end}", day=f"{first:%Y-%m-%d}", start=f"{first:%H:%M}", end=until)
    if midnight and f"{first:%H:%M}" == "00:00":
        return tr("{start} to {end}", start=f"{first:%Y-%m-%d}", end=f"{day:%Y-%m-%d}")
    return tr("{start} to {end}", start=f"{first:%Y-%m-%d %H:%M}", end=f"{last:%Y-%m-%d %H:%M}")


def _totals(state: State, stat: PeopleStatCollection, heading: str) -> int:
    """The heading with the period, and the sum."""
    total = stat.total if stat.total is not None else sum(unit.total or 0 for unit in stat.stat_list)
    say(state, heading)
    sexes = counts.by_gender(stat)
    if sum(sexes.values()):
        told = words.listed([f"{tr(sex)} {count}" for sex, count in sexes.items()])
        say(state, "{count} people ({parts})", count=total, parts=told)
    else:
        say(state, "{count} people", count=total)
    return total


def _bar(bucket: counts.Bucket, by: str) -> Bar:
    if by == "hour":
        label = f"{bucket.begin:%H:%M}" if bucket.begin.minute else f"{bucket.begin:%H}"
    else:
        label = f"{bucket.begin:%Y-%m-%d} {words.weekday(bucket.begin)}"
    remark = ""
    if bucket.count is not None and bucket.missing >= timedelta(hours=1):
        remark = tr("{hours} h without figures", hours=round(bucket.missing.total_seconds() / 3600))
    return Bar(label, bucket.count, bucket.part, remark)


def _charts(
    state: State,
    stat: PeopleStatCollection,
    period: tuple[datetime, datetime],
    tz: tzinfo | None,
    by: str,
) -> None:
    span = period[1] - period[0]
    unit = by if by in ("hour", "day") else "hour" if span <= _DAY else "day"
    if by in ("", "hour", "day"):
        found = counts.buckets(stat, *period, tz, by=unit)
        if unit == "hour" and span > _MAP_FROM:
            day_map(state, "by day and hour", counts.by_day_and_hour(found))
        elif unit == "hour" and span > _DAY:
            named = [Bar(f"{b.begin:%m-%d %H:%M}", b.count, b.part) for b in found]
            bars(state, "by hour", named)
        else:
            title = "by hour" if unit == "hour" else "by day"
            bars(state, title, [_bar(bucket, unit) for bucket in found])
    if by == "gender":
        bars(state, "by gender", [Bar(tr(sex), n) for sex, n in counts.by_gender(stat).items()])
    if by in ("", "age"):
        bars(state, "by age and gender", [Bar(label, n) for label, n in counts.by_age(stat).items()])


def _why_nothing(state: State, camera: Camera) -> None:
    """Nobody was counted: say what counting needs, and how that stands."""
    note(state, "Nobody was counted. Counting needs an SD card and a door line:")
    try:
        card = camera.sdcard.status()
        note(state, "- {name}: {text}", name=tr("SD card"), text=words.told(card.status))
        if not card.ready:
            note(state, "  'ipc sdcard status' says what to do.")
    except SunmiIpcError as error:
        note(state, "- {name}: {text}", name=tr("SD card"), text=error.localized(language())[0])
    try:
        line = camera.people_flow.door_line()
        told = dict(words.record(line))
        text = f"{told[tr('left end')]} – {told[tr('right end')]}"
        note(state, "- {name}: {text}", name=tr("door line"), text=text)
        note(state, "  'ipc doorline preview --show' draws it over the picture.")
    except SunmiIpcError as error:
        note(state, "- {name}: {text}", name=tr("door line"), text=error.localized(language())[0])
        note(state, "  'ipc doorline set X1 Y1 X2 Y2' sets it.")


def _count(
    ctx: typer.Context,
    heading: str,
    ask: Callable[[Camera], Callable[[datetime, datetime], PeopleStatCollection]],
    given: tuple[str, str, str],
    by: str,
    csv: Path | None,
    output: Path | None,
) -> None:
    """Ask a camera for figures of a period and show them."""
    state = State.of(ctx)
    by = choice(by, _BY, "--by") if by else ""
    from_, to, tz_name = given
    tz = zone(tz_name)
    period = parse_period(from_, to, tz=tz, whole=True)
    if output is not None:
        from sunmi_ipc.chart import check

        check(output)
    with open_camera(state) as camera:
        try:
            stat = ask(camera)(*period)
        except DeviceError as error:
            if error.code in _NO_CARD and not state.json:
                _why_nothing(state, camera)
            raise
        if csv is not None:
            write_csv(csv, _csv_rows(stat, tz), _csv_names())
        if state.json:
            print_json(stat.as_dict())
        elif csv is None or str(csv) != "-":
            where = f" ({tz_name})" if tz_name else ""
            title = tr("{name}: {text}", name=tr(heading), text=period_told(*period, tz) + where)
            if _totals(state, stat, title):
                _charts(state, stat, period, tz, by)
            else:
                _why_nothing(state, camera)
    if output is not None:
        from .flow_picture import draw_flow

        def named() -> str:
            return tr(heading) + " " + period_told(*period, tz)

        draw_flow(state, output, stat, period, tz, by, title=named)


def _csv_names() -> list[str]:
    return [tr("from"), tr("until"), tr("gender"), tr("age"), tr("people")]


def _csv_rows(stat: PeopleStatCollection, tz: tzinfo | None) -> list[dict[str, Any]]:
    """A row a period, gender and age range, in words and in local time."""
    names = _csv_names()
    made = []
    for row in stat.rows():
        start, end = (datetime.fromisoformat(row[key]) for key in ("start", "end"))
        values = (words.moment(start, tz), words.moment(end, tz), tr(row["gender"]), row["age"], row["count"])
        made.append(dict(zip(names, values, strict=True)))
    return made


@app.command()
def arrivals(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    by: By = "",
    csv: Csv = None,
    output: Picture = None,
) -> None:
    """Show how many people came in: by hour or day, age and gender."""
    _count(ctx, "People who came in", lambda c: c.people_flow.arrivals, (from_, to, tz), by, csv, output)


@app.command()
def passing(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    by: By = "",
    csv: Csv = None,
    output: Picture = None,
) -> None:
    """Show how many people passed by: by hour or day, age and gender."""
    _count(ctx, "People who passed by", lambda c: c.people_flow.passing, (from_, to, tz), by, csv, output)


@app.command()
def leaving(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    by: By = "",
    csv: Csv = None,
    output: Picture = None,
) -> None:
    """Show how many people left: by hour or day, age and gender."""
    _count(ctx, "People who left", lambda c: c.people_flow.leaving, (from_, to, tz), by, csv, output)


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
    start, end = parse_period(from_, to, tz=zone(tz), whole=True)
    with open_camera(state) as camera:
        seen = list(camera.people_flow.visitors(start, end, group_name=group or None))
        book = people.names(camera, None)
    if csv is not None:
        names = {wire: words.label(wire) for wire in people.columns(book)}
        made = [{**words.cells(face, tz=zone(tz)), "name": book.name(face.faceid)} for face in seen]
        rows = [{names[wire]: row.get(wire, "") for wire in names} for row in made]
        write_csv(csv, rows, list(names.values()))
    if state.json:
        print_json({"face_list": [people.document(face, book) for face in seen]})
    elif csv is None or str(csv) != "-":
        title = tr("{name}: {text}", name=tr("Visitors"), text=period_told(start, end, zone(tz)))
        say(state, title)
        say(state, "{count} people", count=len(seen))
        people.faces(state, seen, zone(tz), book)


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
    start, end = parse_period(from_, to, tz=zone(tz), whole=True)
    with open_camera(state) as camera:
        came = camera.people_flow.visits(faceid, start, end)
        person = people.names(camera, None).name(faceid)
        if person and not state.json:
            say(state, person)
        show(state, came, tz=zone(tz))


@app.command()
def settings(
    ctx: typer.Context,
    interval: Annotated[
        float | None, length("--interval", tr("The same face counts once within so long."))
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            metavar="snapshot|normal",
            help=tr("snapshot: without direction; normal: by crossing the door line."),
        ),
    ] = "",
) -> None:
    """Show or change how people are counted."""
    from sunmi_ipc.protocol.values import CustomerJudgeMode

    state = State.of(ctx)
    wanted = CustomerJudgeMode(choice(mode, _MODES, "--mode")) if mode else None
    with open_camera(state) as camera:
        if interval is None and wanted is None:
            show(state, camera.people_flow.settings())
            return
        made = camera.people_flow.update_settings(
            facerecog_interval=None if interval is None else whole_seconds(interval, "--interval"),
            customer_judgemode=wanted,
        )
        show(state, None, now=made)


app.command()(report)
