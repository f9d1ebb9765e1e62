"""Events: a wall that fills as they come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import ui

from ....events.model import FaceRecognitionEvent, MotionDetectEvent
from ....values import DetectType, Gender
from ...roles import Role
from ...wall import Item
from ..camera import Place
from ..visit import button, heading, segments, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr, wall, sn = place.visit, place.visit.tr, place.visit.console.wall, place.sn
    chosen = {"kind": ""}
    shown: list[Any] = []
    with ui.element("div").classes("sheet stack"):
        heading(tr("Events"))
        told = text("p", "", "soft")
        switch = button("", icon="sensors").classes("wide")
        switch.set_visibility(not wall.lasting)
    segments(
        {"": tr("All"), "face": tr("Faces"), "motion": tr("Motion and sound")},
        "",
        lambda kind: pick(kind),
        label=tr("Which"),
    )
    grid = ui.element("div").classes("wall")
    grid._props["role"], grid._props["aria-live"] = "log", "polite"

    def pick(kind: str) -> None:
        chosen["kind"] = kind
        show()

    def show() -> None:
        on = wall.listening(sn)
        # Faces are personal data: for those who may read them from the camera, too.
        items = [i for i in wall.items(sn, kind=chosen["kind"]) if i.kind != "face" or visit.may(Role.TUNE)][
            :60
        ]
        state = [on, [(i.number, i.picture is not None) for i in items]]
        if state == shown:
            return
        shown[:] = state
        told._text = (
            tr("They appear here as they happen.")
            if on
            else tr(
                "The camera does not tell this computer yet. Listening asks it to, until the console ends."
            )
        )
        told.update()
        switch.text = tr("Stop listening") if on else tr("Listen")
        switch.set_enabled(visit.may(Role.TUNE))
        grid.clear()
        with grid:
            for item in items:
                _item(place, item)
            if on and not items:
                text("p", tr("Nothing has happened yet."), "soft")

    async def toggle() -> None:
        on = wall.listening(sn)
        if not visit.act("events.stop" if on else "events.listen", sn=sn):
            return
        link = visit.console.desk.link(sn)
        if on:
            await visit.do(lambda: wall.leave(sn))
        else:
            await visit.do(lambda: wall.listen(sn, link, counts=place.card.counts))
        show()

    switch.on_click(toggle)
    show()
    ui.timer(1.0, show)


def _item(place: Place, item: Item) -> None:
    tr = place.visit.tr
    with ui.element("div").classes("sheet event"):
        if item.picture is not None:
            image = ui.element("img")
            image._props["src"], image._props["alt"] = f"/event/{place.sn}/{item.number}", tr("Face")
        else:
            with ui.element("div").classes("ph"):
                ui.icon("person" if item.kind == "face" else "directions_run", size="32px")
        with ui.element("div").classes("grow"):
            text("div", title(place, item), "break")
            for line in _details(place, item):
                text("div", line, "soft small break")
            text("div", f"{datetime.fromtimestamp(item.at).astimezone():%H:%M:%S}", "soft small num")


def title(place: Place, item: Item) -> str:
    """What happened, in words."""
    tr, event = place.visit.tr, item.event
    if isinstance(event, FaceRecognitionEvent):
        from .faces import words_of

        return words_of(place, event.group_name or tr("Face"))
    if isinstance(event, MotionDetectEvent):
        return {DetectType.SOUND: tr("Sound"), DetectType.BOTH: tr("Motion and sound")}.get(
            event.detect_type or DetectType.PICTURE, tr("Motion")
        )
    return event.event_type


def _details(place: Place, item: Item) -> list[str]:
    tr, event = place.visit.tr, item.event
    if not isinstance(event, FaceRecognitionEvent):
        return []
    gender = {Gender.MALE: tr("man"), Gender.FEMALE: tr("woman")}.get(event.gender, "")
    age = (
        str(event.age)
        if event.age is not None
        else event.age_range.label
        if event.age_range is not None
        else ""
    )
    visits = tr("{count} visits", count=event.arrive_count) if event.arrive_count is not None else ""
    return [line for line in (" ".join(part for part in (gender, age) if part), visits) if line]
