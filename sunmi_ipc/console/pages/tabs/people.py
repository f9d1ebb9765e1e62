"""People: in, out and passing by hour and day, age and gender, gaps open, two periods beside each other."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ...people import Counted, before, period, read
from ..camera import Place
from ..visit import button, heading, segments, text

#: Legible on light and on dark.
_INK = "#7b8a9e"
_COLOURS = {"in": "#0a7d4f", "out": "#c2570c", "passing": "#7a8797"}


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    flow = visit.camera(place.sn).people_flow
    chosen: dict[str, Any] = {"period": "today", "compare": False}
    with ui.element("div").classes("stack"):
        names = {
            "today": tr("Today"),
            "yesterday": tr("Yesterday"),
            "week": tr("7 days"),
            "month": tr("30 days"),
        }
        segments(names, "today", lambda name: pick(period=name), label=tr("Period"))
        compare = ui.switch(tr("Compare with the period before"), value=False)
        out = ui.element("div").classes("stack")

    async def pick(**wishes: Any) -> None:
        chosen.update(wishes)
        await show()

    async def show() -> None:
        start, end, by = period(chosen["period"])
        now = await visit.do(lambda: read(flow, start, end, by))
        if now is None:
            return
        other = None
        if chosen["compare"]:
            other = await visit.do(lambda: read(flow, *before(start, end), by))
        out.clear()
        with out:
            _totals(place, now, other)
            with ui.element("div").classes("sheet"):
                ui.echart(_chart(place, now, other)).classes("chart")
                if now.gaps:
                    text(
                        "div",
                        tr(
                            "Gaps: of {count} hours or days the camera says nothing. They are left open: a gap is no zero.",
                            count=now.gaps,
                        ),
                        "note warn",
                    )
            with ui.element("div").classes("sheet"):
                heading(tr("Who came in, by age"))
                ui.echart(_ages(place, now)).classes("chart")
            with ui.element("div").classes("row"):
                name = f"people_{place.sn}_{start:%Y-%m-%d}"
                button("CSV", lambda: ui.download.content(now.csv(), f"{name}.csv"), icon="download").classes(
                    "grow"
                )

                async def workbook() -> None:
                    made = await visit.do(now.xlsx)
                    if made is not None:
                        ui.download.content(made, f"{name}.xlsx")

                button("XLSX", workbook, icon="download").classes("grow")

    compare.on_value_change(lambda e: pick(compare=bool(e.value)))
    await show()


def _totals(place: Place, now: Counted, other: Counted | None) -> None:
    tr = place.visit.tr
    labels = {"in": tr("came in"), "out": tr("went out"), "passing": tr("passed by")}
    with ui.element("div").classes("summary three"):
        for way, label in labels.items():
            with ui.element("div").classes("sheet tile"):
                text("div", str(now.total(way)), "big")
                text("div", label, "soft small")
                if other is not None:
                    text("div", tr("before: {count}", count=other.total(way)), "soft small num")


def _base(place: Place) -> dict[str, Any]:
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit", "color": _INK, "fontSize": 14},
        "grid": {"left": 8, "right": 8, "top": 44, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "textStyle": {"color": _INK, "fontSize": 14}},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "aria": {"enabled": True},
        "yAxis": {
            "type": "value",
            "axisLabel": {"fontSize": 13, "color": _INK},
            "minInterval": 1,
            "splitLine": {"lineStyle": {"opacity": 0.3}},
        },
    }


def _chart(place: Place, now: Counted, other: Counted | None) -> dict[str, Any]:
    tr = place.visit.tr
    hours = bool(now.bins) and (now.bins[0].end - now.bins[0].start).total_seconds() <= 3600
    labels = [f"{b.start:%H}" if hours else f"{b.start:%m-%d}" for b in now.bins]
    names = {"in": tr("came in"), "out": tr("went out"), "passing": tr("passed by")}
    series = [
        {
            "name": names[way],
            "type": "bar" if way == "in" else "line",
            "data": [b.counts[way] for b in now.bins],
            "barMaxWidth": 48,
            "itemStyle": {"color": _COLOURS[way]},
            "connectNulls": False,
            "symbolSize": 7,
        }
        for way in names
    ]
    if other is not None:
        series.append(
            {
                "name": tr("came in before"),
                "type": "bar",
                "data": [b.counts["in"] for b in other.bins[: len(labels)]],
                "itemStyle": {"color": "#8fb8e8"},
            }
        )
    return _base(place) | {
        "xAxis": {"type": "category", "data": labels, "axisLabel": {"fontSize": 13, "color": _INK}},
        "series": series,
    }


def _ages(place: Place, now: Counted) -> dict[str, Any]:
    tr = place.visit.tr
    ages = list(now.ages.get("male", {}))
    names = {"male": tr("men"), "female": tr("women")}
    return _base(place) | {
        "xAxis": {"type": "category", "data": ages, "axisLabel": {"fontSize": 13, "color": _INK}},
        "series": [
            {
                "name": names[g],
                "type": "bar",
                "barMaxWidth": 48,
                "stack": "all",
                "data": [now.ages[g].get(a, 0) for a in ages],
                "itemStyle": {"color": "#2f6fb5" if g == "male" else "#b5528a"},
            }
            for g in names
        ],
    }
