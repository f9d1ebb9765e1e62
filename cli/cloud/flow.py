"""``ipc cloud flow``: people who come and pass, as a chart, a table, a picture."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen import words
from ..screen.charts import Bar, bars, day_map
from ..screen.choices import choice
from ..screen.output import print_json, say
from ..screen.times import parse_days
from ..state import State
from .common import Csv, open_cloud, parts, write_csv

if TYPE_CHECKING:
    from sunmi_ipc.cloud.client import Cloud
    from sunmi_ipc.models.base import Reply

BY = ("hour", "day", "week", "month", "tag", "gender", "frequency", "total")
USES = (
    "flow.today",
    "flow.today_by_tag",
    "flow.today_by_gender",
    "flow.today_by_hour",
    "flow.by_tag_window",
    "flow.by_gender_window",
    "flow.by_hour_window",
    "flow.by_day_window",
    "flow.by_week_window",
    "flow.by_month_window",
    "flow.frequency",
)
#: What bars are called.
_TITLES = {
    "hour": "by hour",
    "day": "by day",
    "week": "by week",
    "month": "by month",
    "tag": "by kind of visitor",
    "gender": "by age and gender",
    "frequency": "by how often they came",
    "total": "in all",
}
#: One call counts so many days, and its answers cannot be added up.
_FREQUENCY = timedelta(days=30)
_TAGS = {"stranger": "strangers", "regular": "regulars", "member": "members"}


def flow(
    ctx: typer.Context,
    by: Annotated[
        str, typer.Option("--by", metavar="|".join(BY), help=tr("How to count; default: hour or day."))
    ] = "",
    from_: Annotated[
        str,
        typer.Option("--from", metavar="DAY", help=tr("First day: yesterday, 2026-11-24; default: today.")),
    ] = "",
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="DAY", help=tr("Last day; default: yesterday, and today without --from.")
        ),
    ] = "",
    csv: Csv = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help=tr("Draw into this .png or .svg file.")),
    ] = None,
) -> None:
    """Show how many people came and passed; any period, fetched in parallel."""
    state = State.of(ctx)
    if output is not None:
        from sunmi_ipc.chart import check

        check(output)
    today = datetime.now().astimezone().date()
    start, end = parse_days(from_, to, today)
    by = choice(by, {way: way for way in BY}, "--by") if by else ("hour" if start == end else "day")
    if by == "frequency" and end - start >= _FREQUENCY:
        raise ParameterError(
            "{name}: how often people came can be counted over at most {days} days",
            name="--from",
            days=_FREQUENCY.days,
            hint="Who came in two parts would be counted twice. Try --from {start}.",
            start=end - _FREQUENCY + timedelta(days=1),
        )
    with open_cloud(ctx) as cloud, parts(ctx, cloud, "Counting people"):
        answer = _ask(cloud, by, start, end, now=start == end == today)
    rows, label, names = _rows(answer)
    if csv is not None:
        write_csv(csv, rows, list(rows[0]) if rows else [label])
    series = {name: [int(row.get(key) or 0) for row in rows] for key, name in names.items()}
    labels = [str(row[label]) for row in rows]
    if start == end:
        labels = [text.removeprefix(f"{start} ") for text in labels]
    parts_at = [place for place, row in enumerate(rows) if _is_part(by, row, start, end, today)]
    many_hours = by == "hour" and end - start > timedelta(days=7)
    if output is not None:
        from ..screen.pictures import bar_picture, map_picture

        def title() -> str:
            return _heading(by, start, end)

        if many_hours:
            map_picture(state, output, _by_day(rows, series), title=title)
        else:
            bar_picture(state, output, labels, series, title=title, parts=parts_at)
    if state.json:
        print_json(answer.as_dict())
        return
    if csv is not None and str(csv) == "-":
        return
    say(state, _heading(by, start, end))
    _sums(state, rows, series)
    if many_hours:
        day_map(state, "by day and hour", _by_day(rows, series))
        return
    sums = [sum(values) for values in zip(*series.values(), strict=True)]
    shown = [
        Bar(_said(by, text), n, i in parts_at) for i, (text, n) in enumerate(zip(labels, sums, strict=True))
    ]
    bars(state, _TITLES[by], shown)


def _heading(by: str, start: date, end: date) -> str:
    period = f"{start}" if start == end else tr("{start} to {end}", start=start, end=end)
    return tr("{name}: {text}", name=tr("People in the shop"), text=f"{period} ({tr(_TITLES[by])})")


def _said(by: str, text: str) -> str:
    """A bar's label: a day with its day of the week, a kind of visitor in words."""
    if by == "day":
        return f"{text} {words.weekday(date.fromisoformat(text[:10]))}"
    return tr(text)


def _is_part(by: str, row: dict[str, Any], start: date, end: date, today: date) -> bool:
    """Whether the period holds only part of a row's week or month, or today is not over."""
    text = str(row.get("time", ""))
    if by == "hour":
        now = datetime.now()
        return text.startswith(f"{today} ") and text.endswith(f" {now:%H}:00")
    if by == "week":
        first = date.fromisoformat(text[:10])
        return first < start or first + timedelta(days=6) > end
    if by == "month":
        first = date.fromisoformat(f"{text[:7]}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return first < start or last > end
    return False


def _by_day(rows: list[dict[str, Any]], series: dict[str, list[int]]) -> dict[date, list[int | None]]:
    made: dict[date, list[int | None]] = {}
    for place, row in enumerate(rows):
        moment = datetime.strptime(str(row["time"]), "%Y-%m-%d %H:%M")
        hours = made.setdefault(moment.date(), [None] * 24)
        hours[moment.hour] = (hours[moment.hour] or 0) + sum(values[place] for values in series.values())
    return made


def _ask(cloud: Cloud, by: str, start: date, end: date, *, now: bool) -> Reply:
    people = cloud.flow
    if now:
        asked: dict[str, Any] = {
            "hour": people.today_by_hour,
            "tag": people.today_by_tag,
            "gender": people.today_by_gender,
            "total": people.today,
        }
        if by not in asked:
            raise ParameterError(
                "{name}: today is counted by {bounds}; for other ways give --from",
                name="--by",
                bounds=", ".join(asked),
            )
        return cast("Reply", asked[by]())
    if by == "frequency":
        return people.frequency(start, end)
    method = "tag" if by == "total" else by
    return cast("Reply", getattr(people, f"by_{method}")(start, end))


#: What the service's names say less well.
_WHO = {"unexposed": "came in, face not seen", "pass": "passed by"}


def _rows(answer: Reply) -> tuple[list[dict[str, Any]], str, dict[str, str]]:
    """Rows for table and CSV, the field that labels them, and the fields that make up the bars."""
    data = answer.as_dict()
    if "frequency_list" in data:
        rows = data["frequency_list"]
        while rows and not any(v for k, v in rows[-1].items() if k != "frequency"):
            rows.pop()
        return rows, "frequency", {f"{tag}_uniq_count": name for tag, name in _TAGS.items()}
    rows = data.get("count_list")
    if rows is None:
        kinds = ("stranger", "regular", "member", "total", "unexposed", "pass")
        found = [(k, data.get(f"{k}_count")) for k in kinds]
        once = {k: data.get(f"uniq_{k}_count") for k in kinds}
        rows = [{"who": _WHO.get(k, k), "count": n, "different": once[k]} for k, n in found if n is not None]
        return rows, "who", {"count": "visits counted"}
    if rows and "male_count" in rows[0]:
        return _aged(rows), "age", {"male_count": "male", "female_count": "female"}
    if rows and "age_range" in rows[0]:
        return _aged(rows), "age", {f"{tag}_count": name for tag, name in _TAGS.items()}
    if rows and "stranger_count" in rows[0]:
        return _first(rows, "time"), "time", {f"{tag}_count": name for tag, name in _TAGS.items()}
    return _first(rows, "time"), "time", {"total_count": "visits counted"}


def _first(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{name: row[name], **row} for row in rows]


def _aged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from sunmi_ipc.protocol.values import AgeRange

    return [{"age": AgeRange(row["age_range"]).label, **row} for row in rows]


def _sums(state: State, rows: list[dict[str, Any]], series: dict[str, list[int]]) -> None:
    """Totals, which come first."""
    if rows and "who" in rows[0]:
        return
    for name, values in series.items():
        say(state, "{name}: {count}", name=tr(name), count=sum(values))
    for key, name in (("pass_count", "passed by"), ("unexposed_count", "came in, face not seen")):
        if rows and rows[0].get(key) is not None:
            say(state, "{name}: {count}", name=tr(name), count=sum(int(r.get(key) or 0) for r in rows))
