"""Faces: groups and how full they are, faces to add and delete, the move rule."""

from __future__ import annotations

from functools import partial
from itertools import islice

from nicegui import events, ui

from ....errors import SunmiIpcError
from ....models import GroupInfo
from ...photos import MAX_UPLOAD, shrunk
from ...roles import Role
from ..camera import Place
from ..visit import button, chooser, heading, text

_SHOWN = 60


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    groups = (await visit.try_(faces.groups)).face_group
    used = sum(g.count or 0 for g in groups)
    with ui.element("div").classes("sheet stack"):
        heading(tr("Face groups"))
        text(
            "p",
            tr(
                "{used} faces in {count} groups (at most 10 groups, 30,000 faces).",
                used=used,
                count=len(groups),
            ),
            "soft",
        )
        for group in groups:
            _group(place, group)
    below = ui.element("div").classes("stack")
    place.below = below
    if visit.may(Role.TUNE):
        _new(place)
    stranger = next((g for g in groups if g.name == "stranger"), None)
    if stranger is not None and visit.may(Role.TUNE):
        _rule(place, stranger)


def words_of(place: Place, name: str) -> str:
    """A group's name; the two that every camera has are told in words."""
    tr = place.visit.tr
    return {"stranger": tr("Strangers"), "regular": tr("Regulars")}.get(name, name)


def _group(place: Place, group: GroupInfo) -> None:
    tr = place.visit.tr
    with ui.element("button").classes("choice") as choice:
        choice._props["type"] = "button"
        with ui.element("div").classes("grow"):
            text("div", words_of(place, group.name), "break")
            with ui.element("div").classes("fill"):
                share = 100 * (group.count or 0) / group.capacity if group.capacity else 0
                ui.element("b").style(f"width: {min(100.0, share):.1f}%")
            text(
                "div",
                tr(
                    "{count} of {capacity}",
                    count="?" if group.count is None else group.count,
                    capacity="?" if group.capacity is None else group.capacity,
                ),
                "soft small num",
            )
        ui.icon("chevron_right", size="24px")
    choice.on("click", lambda: _open(place, group))


async def _open(place: Place, group: GroupInfo) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    below = place.below
    found = await visit.do(lambda: list(islice(faces.list(group.name), _SHOWN)))
    if found is None:
        return
    below.clear()
    with below, ui.element("div").classes("sheet stack"):
        heading(words_of(place, group.name))
        if visit.may(Role.TUNE):
            _adder(place, group)
        with ui.element("div").classes("faces"):
            for one in found:
                with ui.element("div").classes("face"):
                    if one.pic_url:
                        image = ui.element("img")
                        image._props["src"] = f"/face/{place.sn}/{one.faceid}"
                        image._props["alt"], image._props["loading"] = tr("Face"), "lazy"
                    else:
                        with ui.element("div").classes("ph"):
                            ui.icon("person", size="40px")
                    age = str(one.age) if one.age is not None else tr("age not told")
                    text("div", age, "break")
                    text("div", tr("{count} visits", count=one.arrive_count), "soft small num")
                    if visit.may(Role.ADMIN):
                        button(tr("Delete"), partial(_delete, place, group, one.faceid), kind="danger")
        if not found:
            text("p", tr("Nobody is in this group yet."), "soft")
        elif len(found) == _SHOWN:
            text("p", tr("The first {count} are shown.", count=_SHOWN), "soft")
        if visit.may(Role.ADMIN):
            button(tr("Empty this group"), lambda: _clear(place, group), kind="danger").classes("wide")
            if group.name not in ("stranger", "regular"):
                button(tr("Delete this group"), lambda: _drop(place, group), kind="danger").classes("wide")
    visit.script(f"getHtmlElement({below.id}).scrollIntoView({{behavior: 'smooth', block: 'start'}})")


def _adder(place: Place, group: GroupInfo) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    told = text("div", "", "note")
    told.set_visibility(False)

    async def add(event: events.UploadEventArguments) -> None:
        name = event.file.name[:80]
        try:
            async with visit.console.unpacking:
                data = await event.file.read()
                small = await visit.try_(lambda: shrunk(data, name=name))
            await visit.try_(lambda: faces.add_face(group.name, small))
        except SunmiIpcError as error:
            told.classes(replace="note bad")
            told._text = f"{name}: {visit.words(error)}"
        else:
            told.classes(replace="note good")
            told._text = tr("{name}: added", name=name)
        told.set_visibility(True)
        told.update()

    chooser(
        visit, tr("Add photos"), add, accept="image/*", most=MAX_UPLOAD, multiple=True, icon="add_a_photo"
    )
    text(
        "p",
        tr("Photos are made as small as the camera takes them, before they leave this computer."),
        "soft small",
    )


async def _delete(place: Place, group: GroupInfo, faceid: str) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    if await visit.sure(tr("Delete this face?"), tr("It cannot be brought back."), yes=tr("Delete")):
        await visit.do(lambda: faces.delete(group.name, [faceid]), tr("Deleted"))
        await _open(place, group)


async def _clear(place: Place, group: GroupInfo) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    sure = await visit.sure(
        tr("Empty the group {name}?", name=words_of(place, group.name)),
        tr("All {count} faces in it are deleted.", count=group.count),
        typed=group.name,
        yes=tr("Empty"),
    )
    if sure:
        await visit.do(lambda: faces.clear_group(group.name), tr("Done"))
        await place.refresh()


async def _drop(place: Place, group: GroupInfo) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    sure = await visit.sure(
        tr("Delete the group {name}?", name=group.name),
        tr("The camera refuses while a face is in it."),
        typed=group.name,
        yes=tr("Delete"),
    )
    if sure:
        await visit.do(lambda: faces.delete_group(group.name), tr("Deleted"))
        await place.refresh()


def _new(place: Place) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    with ui.element("div").classes("sheet stack"):
        heading(tr("New group"))
        name = ui.input(tr("Name")).props("outlined maxlength=32").classes("wide")
        size = (
            ui.number(tr("Faces at most"), value=1000, min=1, max=30000, precision=0)
            .props("outlined")
            .classes("wide")
        )

        async def make() -> None:
            label = str(name.value or "")
            made = await visit.do(
                lambda: [faces.create_group(label, int(size.value or 0), label)], tr("The group was made.")
            )
            if made is not None:
                await place.refresh()

        button(tr("Make the group"), make, icon="add").classes("wide")


def _rule(place: Place, stranger: GroupInfo) -> None:
    visit, tr = place.visit, place.visit.tr
    faces = visit.camera(place.sn).faces
    with ui.element("div").classes("sheet stack"):
        heading(tr("When a stranger becomes a regular"))
        with ui.element("div").classes("row keep"):
            times = (
                ui.number(tr("Visits"), value=stranger.times or 3, min=1, precision=0)
                .props("outlined")
                .classes("grow")
            )
            days = (
                ui.number(tr("within days"), value=stranger.period or 30, min=1, precision=0)
                .props("outlined")
                .classes("grow")
            )
        button(
            tr("Save"),
            lambda: visit.do(
                lambda: [faces.set_move_rule(int(days.value or 0), int(times.value or 0))], tr("Saved")
            ),
        ).classes("wide")
