"""Recordings: the day as a strip; tap plays, two handles make a clip, files to keep."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

from nicegui import ui

from ....errors import SunmiIpcError
from ...day import Day
from ..camera import Place
from ..visit import Range, button, heading, progress, text

#: So many seconds lie between the ends of the handles' strip: clips are about a minute long.
_SPAN_S = 600
#: Pixels do not matter: what is tapped on is a share of the strip.
_AT = "(e) => { const r = e.currentTarget.getBoundingClientRect(); emit((e.clientX - r.left) / r.width); }"


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    camera = visit.camera(place.sn)
    footage = visit.console.footage
    state: dict[str, Any] = {"day": None, "at": None, "from": None, "to": None}

    with ui.element("div").classes("sheet stack"):
        with ui.element("div").classes("row keep"):
            earlier = button("", lambda: go(-1), icon="chevron_left")
            earlier._props["aria-label"] = tr("The day before")
            title = heading("").classes("grow").style("text-align: center")
            later = button("", lambda: go(1), icon="chevron_right")
            later._props["aria-label"] = tr("The day after")
        strip = ui.element("div").classes("day")
        strip._props["role"], strip._props["tabindex"] = "group", "0"
        strip._props["aria-label"] = tr("The day's recordings; tap to play")
        legend = ui.element("div").classes("row small soft legend")
        told = text("div", "", "soft small")
        player = ui.element("div")
        with ui.element("div").classes("row") as ways:
            button(tr("Previous"), lambda: step(-1), icon="skip_previous").classes("grow")
            button(tr("Next"), lambda: step(1), icon="skip_next").classes("grow")
    with ui.element("div").classes("sheet stack") as part:
        heading(tr("Keep a part"))
        text(
            "p",
            tr(
                "From and to, on the day above. A clip is cut by the camera; longer parts are joined from its recordings."
            ),
            "soft small",
        )
        span = Range(min=0, max=_SPAN_S, step=1, value={"min": 0, "max": _SPAN_S}).props("drag-range snap")
        span._props["aria-label"] = tr("Beginning and end of the part")
        edges = ui.element("div").classes("row keep small soft num").style("justify-content: space-between")
        with edges:
            first_edge, last_edge = text("span", ""), text("span", "")
        span.set_visibility(False)
        edges.set_visibility(False)
        with ui.element("div").classes("row keep"):
            start = ui.input(tr("From")).props("outlined type=time step=1").classes("grow")
            end = ui.input(tr("To")).props("outlined type=time step=1").classes("grow")
        bar = progress(tr("One moment …"), 0)
        bar.set_visibility(False)
        links = ui.element("div").classes("stack")
        with ui.element("div").classes("row"):
            clip_button = button(tr("Clip"), lambda: keep(True), icon="content_cut").classes("grow")
            keep_button = button(tr("Download"), lambda: keep(False), icon="download").classes("grow")

    async def go(days: int) -> None:
        now: Day = state["day"]
        await load((now.start + timedelta(hours=12)).date() + timedelta(days=days))

    async def load(day: date) -> None:
        empty = Day.of(day)
        records, wrong = [], ""
        try:
            records = await visit.try_(lambda: list(camera.video.records(empty.start, empty.end)))
        except SunmiIpcError as error:
            wrong = visit.words(error)
        made = Day.of(day, records)
        state.update({"day": made, "at": None, "from": None, "to": None})
        span.set_visibility(False)
        edges.set_visibility(False)
        player.clear()
        ways.set_visibility(bool(records))
        part.set_visibility(bool(records))
        title._text = f"{day:%Y-%m-%d}"
        title.update()
        later.set_enabled(day < datetime.now().astimezone().date())
        draw()
        told._text = wrong or (
            tr("{count} recordings", count=len(made.records))
            if made.records
            else tr("Nothing was recorded on this day.")
        )
        told.classes(replace="note bad" if wrong else "soft small")
        told.update()

    def draw() -> None:
        made: Day = state["day"]
        events = [
            (datetime.fromtimestamp(i.at).astimezone(), i.kind) for i in visit.console.wall.items(place.sn)
        ]
        strip.clear()
        with strip:
            for piece in made.pieces:
                width = max(0.0, piece.end - piece.start)
                ui.element("i").style(f"left: {piece.start:.3%}; width: {width:.3%}")
            marks = made.marks(events)
            for mark in marks:
                ui.element("em").classes(mark.kind).style(f"left: {mark.at:.3%}")
            for hour in range(3, 24, 3):
                text("u", f"{hour}").style(f"left: {hour / 24:.3%}")
            if state["from"] is not None and state["to"] is not None:
                first, last = sorted((made.share(state["from"]), made.share(state["to"])))
                ui.element("mark").style(f"left: {first:.3%}; width: {last - first:.3%}")
            if state["at"] is not None:
                ui.element("s").style(f"left: {made.share(state['at']):.3%}")

        legend.clear()
        with legend:
            if marks:
                for kind, words in (("motion", tr("Motion")), ("face", tr("Faces"))):
                    with ui.element("span"):
                        ui.element("em").classes(kind)
                        text("span", words)
            elif made.records:
                text("span", tr("Motion and faces are marked here as soon as Events listens to this camera."))

    def handles() -> None:
        """Two handles for beginning and end, on the ten minutes around what plays."""
        made: Day = state["day"]
        middle = state["from"] + (state["to"] - state["from"]) / 2
        begin = max(made.start, middle - timedelta(seconds=_SPAN_S / 2))
        begin = min(begin, made.end - timedelta(seconds=_SPAN_S))
        state["begin"] = begin
        low, high = ((state[k] - begin).total_seconds() for k in ("from", "to"))
        span.value = {"min": max(0, round(low)), "max": min(_SPAN_S, round(high))}
        first_edge._text = f"{begin.astimezone():%H:%M:%S}"
        last_edge._text = f"{(begin + timedelta(seconds=_SPAN_S)).astimezone():%H:%M:%S}"
        first_edge.update()
        last_edge.update()
        span.set_visibility(True)
        edges.set_visibility(True)
        start.value, end.value = f"{state['from']:%H:%M:%S}", f"{state['to']:%H:%M:%S}"

    def dragged() -> None:
        if state.get("begin") is None or state["from"] is None:
            return
        chosen = [(state["begin"] + timedelta(seconds=span.value[k])).astimezone() for k in ("min", "max")]
        state["from"], state["to"] = chosen
        start.value, end.value = (f"{moment:%H:%M:%S}" for moment in chosen)
        draw()

    async def play(moment: datetime) -> None:
        made: Day = state["day"]
        record = made.at(moment)
        if record is None:
            visit.say(tr("Nothing was recorded after that on this day."), bad=True)
            return
        state["at"] = max(moment, record.start_time)
        state["from"], state["to"] = record.start_time.astimezone(), record.end_time.astimezone()
        handles()
        draw()
        player.clear()
        with player:
            progress(tr("One moment …"))
        name = await visit.do(lambda: footage.one(camera, place.sn, record))
        player.clear()
        if name is None:
            return
        local = record.start_time.astimezone()
        offset = max(0.0, (state["at"] - record.start_time).total_seconds())
        with player:
            video = ui.element("video").classes("wide")
            video._props |= {
                "src": f"/footage/{name}#t={offset:.0f}",
                "controls": True,
                "autoplay": True,
                "playsinline": True,
                "muted": True,
            }
            video._props["aria-label"] = tr("Recording of {time}", time=f"{local:%H:%M:%S}")
            text("div", f"{local:%H:%M:%S}", "num soft")

    async def step(way: int) -> None:
        made: Day = state["day"]
        if state["at"] is None or not made.records:
            if made.records:
                await play(made.records[-1 if way < 0 else 0].start_time)
            return
        now = made.at(state["at"])
        place_ = made.records.index(now) + way if now is not None else 0
        if 0 <= place_ < len(made.records):
            await play(made.records[place_].start_time)

    async def keep(cut: bool) -> None:
        made: Day = state["day"]
        try:
            first, last = (
                datetime.combine(
                    (made.start + timedelta(hours=12)).date(),
                    datetime.strptime(str(v)[:8] if len(str(v)) > 5 else f"{v}:00", "%H:%M:%S").time(),
                ).astimezone()
                for v in (start.value, end.value)
            )
        except ValueError:
            visit.say(tr("Choose from and to."), bad=True)
            return
        if first >= last:
            visit.say(tr("The end must be after the start."), bad=True)
            return
        state["from"], state["to"] = first, last
        draw()
        loop = asyncio.get_running_loop()
        bar.value = 0
        bar.set_visibility(True)
        clip_button.disable()
        keep_button.disable()

        def progress(share: float) -> None:
            loop.call_soon_threadsafe(bar.set_value, share)

        if cut:
            name = await visit.do(lambda: footage.clip(camera, place.sn, first, last))
        else:
            wanted = [r for r in made.records if r.end_time > first and r.start_time < last]
            if not wanted:
                visit.say(tr("Nothing was recorded in that time."), bad=True)
                name = None
            else:
                name = await visit.do(lambda: footage.joined(camera, place.sn, wanted, progress))
        bar.set_visibility(False)
        clip_button.enable()
        keep_button.enable()
        if name is not None:
            with links:
                link = text("a", tr("Save {time}", time=f"{first:%H:%M:%S}-{last:%H:%M:%S}"), "go")
                link._props["href"], link._props["download"] = f"/footage/{name}?download=1", name

    async def tapped(event: Any) -> None:
        share = event.args[0] if isinstance(event.args, list) else event.args
        if isinstance(share, int | float):
            await play(state["day"].moment(float(share)))

    strip.on("click", tapped, js_handler=_AT)
    strip.on("keydown.left.prevent", lambda: step(-1), args=[])
    strip.on("keydown.right.prevent", lambda: step(1), args=[])
    span.on("change", lambda: dragged(), throttle=0.1)
    await load(datetime.now().astimezone().date())
