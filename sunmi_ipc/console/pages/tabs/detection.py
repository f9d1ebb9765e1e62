"""Detection: how sensitive, and when: a week grid to drag over."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import ui

from ....models import MotionDetectConfig
from ...roles import Role
from ...week import Week
from ..camera import Place
from ..visit import button, heading, segments, text

#: Which cell lies under the finger; a pointer that is down stays with the cell that it went down on.
_CELL = """(e) => {
  if (e.type === 'pointermove' && !e.buttons) return;
  e.preventDefault();
  const c = document.elementFromPoint(e.clientX, e.clientY);
  if (c && c.dataset && c.dataset.cell) { if (e.currentTarget.last === c.dataset.cell + e.type) return;
    e.currentTarget.last = c.dataset.cell + e.type; emit(e.type, Number(c.dataset.cell)); }
  else if (e.type === 'pointerup') emit(e.type, -1);
}"""


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    detection, may = visit.camera(place.sn).detection, visit.may(Role.TUNE)
    config: MotionDetectConfig = await visit.try_(detection.show)
    levels = {0: tr("off"), 1: tr("low"), 2: tr("medium"), 3: tr("highest")}
    with ui.element("div").classes("sheet stack"):
        heading(tr("How sensitive"))

        async def level(**wish: Any) -> bool:
            return await visit.do(lambda: detection.update(**wish), tr("Saved")) is not None

        text("div", tr("Motion"), "soft small")
        segments(
            levels, config.motion_level, lambda v: level(motion_level=v), label=tr("Motion"), enabled=may
        )
        text("div", tr("Sound"), "soft small")
        segments(levels, config.audio_level, lambda v: level(audio_level=v), label=tr("Sound"), enabled=may)
    state: dict[str, Any] = {"week": Week.of(config), "kept": Week.of(config), "from": None, "base": None}
    names = [tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun")]
    with ui.element("div").classes("sheet stack"):
        heading(tr("When"))
        text("p", tr("Drag over the hours. A camera has one period for all its days."), "soft small")
        cells: list[Any] = []
        with ui.element("div").classes("week") as grid:
            grid._props["aria-hidden"] = "true"  # the fields below say and do the same
            text("span", "")
            for hour in range(24):
                text("span", str(hour) if hour % 6 == 0 else "")
            for day in range(7):
                text("span", names[day])
                for hour in range(24):
                    cell = ui.element("b")
                    cell._props["data-cell"] = str(day * 24 + hour)
                    cells.append(cell)
        told = text("div", "", "note")
        told._props["role"] = "status"
        boxes = []
        with ui.element("div").classes("seg even") as days:
            days._props["role"], days._props["aria-label"] = "group", tr("Days")
            for name in names:
                box = text("button", name)
                box._props["type"] = "button"
                boxes.append(box)
        with ui.element("div").classes("row keep"):
            start = (
                ui.select({h: f"{h}:00" for h in range(24)}, label=tr("From"))
                .props("outlined")
                .classes("grow")
            )
            stop = (
                ui.select({h: f"{h}:00" for h in range(1, 25)}, label=tr("To"))
                .props("outlined")
                .classes("grow")
            )
        always = button(tr("Every day, all day")).classes("wide")
        save = button(tr("Save"), kind="act", icon="check").classes("wide")
    drawing = {"on": False}

    def show() -> None:
        week: Week = state["week"]
        drawing["on"] = True
        for index, cell in enumerate(cells):
            on = week.holds(index // 24, index % 24)
            if ("on" in cell._classes) != on:
                cell.classes(add="on") if on else cell.classes(remove="on")
        for day, box in enumerate(boxes):
            box._props["aria-pressed"] = "true" if day in week.days else "false"
            box.update()
        start.value, stop.value = week.start, week.stop
        drawing["on"] = False
        if week.always:
            said = tr("Every day, all day")
        else:
            said = ", ".join(names[d] for d in sorted(week.days)) + f" {week.start}:00-{week.stop}:00"
            if week.stop <= week.start:
                said += f" ({tr('until the next day')})"
        changed = week != state["kept"]
        told._text = f"{said}. {tr('Not saved yet.')}" if changed else said
        told.classes(replace=f"note {'warn' if changed else ''}")
        told.update()
        save.set_enabled(may and changed)

    def change(week: Week) -> None:
        if may and not drawing["on"]:
            state["week"] = week
            show()

    def dragged(event: Any) -> None:
        kind, cell = event.args
        if kind == "pointerdown" and 0 <= cell < 168:
            state["from"] = cell
            change(state["week"].dragged(cell // 24, cell % 24, cell // 24, cell % 24))
        elif kind == "pointermove" and state["from"] is not None and 0 <= cell < 168:
            first = state["from"]
            change(state["week"].dragged(first // 24, first % 24, cell // 24, cell % 24))
        elif kind == "pointerup":
            state["from"] = None

    for name in ("pointerdown", "pointermove", "pointerup"):
        grid.on(name, dragged, js_handler=_CELL)
    for day, box in enumerate(boxes):
        box.on("click", partial(lambda day: change(state["week"].toggled(day)), day))
    start.on_value_change(lambda e: change(Week(state["week"].days, int(e.value), state["week"].stop)))
    stop.on_value_change(lambda e: change(Week(state["week"].days, state["week"].start, int(e.value))))
    always.on_click(lambda: change(Week(frozenset(range(7)))))

    async def keep() -> None:
        week = state["week"]
        if await visit.do(lambda: week.set(detection), tr("Saved")) is not None:
            state["kept"] = week
        show()

    save.on_click(keep)
    for box in boxes:
        if not may:
            box._props["disabled"] = True
    for one in (start, stop, always):
        one.set_enabled(may)
    show()
