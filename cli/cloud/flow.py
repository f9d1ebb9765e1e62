"""``ipc cloud flow``: people who come and pass, as a chart, a table, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen.output import print_json, say, waiting, width
from ..screen.times import parse_when
from ..state import State
from .common import Csv, open_cloud, parts, write_csv

if TYPE_CHECKING:
    from sunmi_ipc.cloud.client import Cloud
    from sunmi_ipc.models.base import Reply

_BAR, _MOST_BARS = 40, 62
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
    to: Annotated[str, typer.Option("--to", metavar="DAY", help=tr("Last day; default: yesterday."))] = "",
    csv: Csv = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help=tr("Draw into this .png or .svg file.")),
    ] = None,
) -> None:
    """Show how many people came and passed; any period, fetched in parallel."""
    state = State.of(ctx)
    if output is not None and output.suffix.lower() not in (".png", ".svg"):
        raise ParameterError("{name}: the picture must be a .png or .svg file", name="--output")
    today = datetime.now().astimezone().date()
    start = parse_when(from_ or "today", "--from").date()
    end = parse_when(to, "--to").date() if to else max(start, today - timedelta(days=1))
    if end < start:
        raise ParameterError(
            "{name}: the period ends before it starts", name="--to", hint="Give --from and --to."
        )
    by = by or ("hour" if start == end else "day")
    if by not in BY:
        raise ParameterError("{name}: unknown", name="--by", hint="Allowed: {bounds}.", bounds=", ".join(BY))
    with open_cloud(ctx) as cloud, parts(ctx, cloud, "People"):
        answer = _ask(cloud, by, start, end, now=start == end == today)
    rows, label, names = _rows(answer)
    if csv is not None:
        write_csv(csv, rows, list(rows[0]) if rows else [label])
    title = f"{start}" if start == end else f"{start} - {end}"
    bars = {name: [int(row.get(key) or 0) for row in rows] for key, name in names.items()}
    labels = [str(row[label]) for row in rows]
    if start == end:
        labels = [text.removeprefix(f"{start} ") for text in labels]
    if output is not None:
        from sunmi_ipc.cloud.chart import draw

        with waiting(state, "Drawing …"):
            draw(output, labels, bars, title=f"People by {by}, {title}")
    if state.json:
        print_json(answer.as_dict())
        return
    if csv is not None and str(csv) == "-":
        return
    _chart(state, title, labels, bars)
    _sums(state, rows, bars)
    if output is not None:
        say(state, "drawn: {path}", path=str(output))


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
        rows = [{"who": k, "count": n, "different": once[k]} for k, n in found if n is not None]
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


def _chart(state: State, title: str, labels: Sequence[str], bars: dict[str, list[int]]) -> None:
    """Bars on the terminal; too many are put together, each under its first label."""
    step = max(1, -(-len(labels) // _MOST_BARS))
    sums = [sum(values) for values in zip(*bars.values(), strict=True)]
    put = [(labels[i], sum(sums[i : i + step])) for i in range(0, len(labels), step)]
    if step > 1:
        say(state, "{title}, {count} to a bar", title=title, count=step)
    else:
        say(state, title)
    most = max((count for _, count in put), default=0)
    widest = max((width(tr(label)) for label, _ in put), default=0)
    for label, count in put:
        shown = tr(label)
        bar = "█" * round(_BAR * count / most) if most else ""
        say(
            state,
            "  {label}{pad}  {bar} {count}",
            label=shown,
            pad=" " * (widest - width(shown)),
            bar=bar,
            count=count,
        )


def _sums(state: State, rows: list[dict[str, Any]], bars: dict[str, list[int]]) -> None:
    if rows and "who" in rows[0]:
        return
    for name, values in bars.items():
        say(state, "{name}: {count}", name=tr(name), count=sum(values))
    for key, name in (("pass_count", "passed by"), ("unexposed_count", "came in, face not seen")):
        if rows and rows[0].get(key) is not None:
            say(state, "{name}: {count}", name=tr(name), count=sum(int(r.get(key) or 0) for r in rows))
