"""Door line: drawn over the live picture, saved, read back, compared."""

from __future__ import annotations

from nicegui import ui

from ...doorline import Draft, Ends, ends_of
from ...roles import Role
from ..camera import Place
from ..visit import button, heading, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr, picture = place.visit, place.visit.tr, place.picture
    assert picture is not None
    camera, may = visit.camera(place.sn), visit.may(Role.TUNE)
    draft = Draft(ends_of(await visit.try_(camera.people_flow.door_line)))
    with ui.element("div").classes("sheet stack"):
        heading(tr("Door line"))
        text(
            "p",
            tr(
                "Draw it where people cross when they enter. Drag an end, or the whole line; with the keyboard, "
                "Tab and the arrow keys. People who cross it along the arrow are counted as in."
            ),
            "soft",
        )
        told = text("div", "", "note")
        told._props["role"] = "status"
        numbers = text("div", "", "num soft small")
        with ui.element("div").classes("row"):
            undo = button(tr("Undo"), icon="undo").classes("grow")
            grid = ui.switch(tr("Grid"), value=False)
        save = button(tr("Save the line"), kind="act", icon="check").classes("wide")
    if not may:
        for one in (undo, save):
            one.disable()

    def show() -> None:
        picture.show("line" if may else "view", line=draft.ends, grid=bool(grid.value))
        x1, y1, x2, y2 = draft.ends
        numbers._text = tr(
            "Left {x1}, {y1}; right {x2}, {y2} (pixels of 1920 × 1080)", x1=x1, y1=y1, x2=x2, y2=y2
        )
        error = draft.error
        if error is not None:
            told_as(visit.words(error), "bad")
        elif draft.kept is None:
            told_as(tr("The camera has no door line yet."), "warn")
        elif draft.changed:
            told_as(tr("Not saved yet."), "warn")
        else:
            told_as(tr("The camera has this line."), "good")
        undo.set_enabled(may and draft.can_undo)
        save.set_enabled(may and draft.changed and error is None)
        numbers.update()

    def told_as(words: str, kind: str) -> None:
        told._text = words
        told.classes(replace=f"note {kind}")
        told.update()

    def moved(ends: Ends) -> None:
        draft.move(ends)
        show()

    def back() -> None:
        draft.undo()
        show()

    async def keep() -> None:
        save.disable()
        kept = await visit.do(
            lambda: draft.save(camera.people_flow),
            tr("Saved, read back and compared: the camera has this line."),
        )
        if kept is None and draft.error is None:
            there = await visit.do(camera.people_flow.door_line)
            draft.kept = ends_of(there) if there is not None else draft.kept
        show()

    picture.hear_line(moved)
    undo.on_click(back)
    grid.on_value_change(show)
    save.on_click(keep)
    show()
