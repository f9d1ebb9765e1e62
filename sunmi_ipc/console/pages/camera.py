"""A camera: its live picture on top, and what can be done with it under tabs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from nicegui import ui
from starlette.requests import Request

from ...errors import SunmiIpcError, TlsError
from ...protocol.serial import spelt
from ...protocol.spec import Model
from ..desk import Card
from ..roles import Role
from ..state import current
from .picture import Picture, begin_early
from .visit import Visit, button, page, progress, role_word, text

#: Tab, its module, and whether the picture stands beside it; those for FM020 alone are marked.
TABS: dict[str, tuple[str, bool, bool]] = {
    "picture": ("lens", True, False),
    "line": ("line", True, True),
    "people": ("people", False, True),
    "faces": ("faces", False, True),
    "recordings": ("recordings", False, False),
    "events": ("events", False, False),
    "detection": ("detection", False, False),
    "card": ("card", False, False),
    "network": ("network", False, False),
    "trust": ("trust", False, False),
    "endpoints": ("endpoints", False, False),
}


@dataclass
class Place:
    """Where a tab is: the camera that it is about, and the picture beside it."""

    visit: Visit
    sn: str
    card: Card
    picture: Picture | None
    refresh: Callable[[], Awaitable[None]]
    #: Where the tab opens what was chosen from a list.
    below: Any = None


def labels(visit: Visit) -> dict[str, str]:
    """What the tabs are called."""
    tr = visit.tr
    return {
        "picture": tr("Picture"),
        "line": tr("Door line"),
        "people": tr("People flow"),
        "faces": tr("Faces"),
        "recordings": tr("Recordings"),
        "events": tr("Events"),
        "detection": tr("Detection"),
        "card": tr("SD card"),
        "network": tr("Network"),
        "trust": tr("Trust"),
        "endpoints": tr("Endpoints"),
    }


def _waits(visit: Visit, card: Card) -> None:
    """A camera out of its box has no tabs yet: what it waits for, and the way there."""
    tr = visit.tr
    with visit.frame(card.name or card.sn, back="/", narrow=True), ui.element("div").classes("stack"):
        text("div", tr("This camera is new or was reset: it waits for set-up."), "note warn")
        if visit.may(Role.ADMIN):
            text("a", tr("Set up this camera"), "go")._props["href"] = f"/setup/{card.sn}"
        else:
            text("p", tr("Ask who set this console up."), "soft")
        text("a", tr("To the cameras"), "go second")._props["href"] = "/"


@page("/camera/{sn}")
async def camera(request: Request, sn: str, tab: str = "picture") -> None:
    """One camera."""
    sn = spelt(sn)
    visit = Visit(current(), request)
    tr = visit.tr
    try:
        found = visit.console.desk.card(sn)
        if not found.at:
            found = await asyncio.wait_for(
                visit.try_(lambda: visit.console.desk.card(sn, fresh=True)), timeout=2.0
            )
    except (SunmiIpcError, TimeoutError) as error:
        if isinstance(error, SunmiIpcError):
            visit.sorry(sn, visit.words(error))
            return
    card = found
    if card.state == "setup":
        _waits(visit, card)
        return
    words = labels(visit)
    names = [name for name, (_, _, counts) in TABS.items() if card.counts or not counts]
    if not visit.may(Role.TUNE):
        names = [name for name in names if name != "faces"]  # personal data
    tab = tab if tab in names else "picture"
    square = Model.read(card.model) is Model.FM010
    if TABS[tab][1]:
        visit.console.warm(sn)  # while the page is on its way
        begin_early(visit, sn, square=square)
    opened: dict[str, Any] = {}
    with visit.frame(card.name or sn, back="/"), ui.element("div").classes("camera") as whole:
        with ui.element("div").classes("stick"):
            picture_place = ui.element("div")
            with ui.element("nav").classes("tabs") as bar:
                bar._props["aria-label"] = tr("What to look at")
                links = {}
                for name in names:
                    link = links[name] = text("a", words[name])
                    link._props["href"] = f"?tab={name}"
                    link.on("click.prevent", lambda name=name: show(name))
        panel = ui.element("section").classes("stack")

        async def fill(place: Place, module: str, again: Callable[[], Awaitable[None]]) -> None:
            with panel:
                wait = progress(tr("One moment …"))
                await asyncio.sleep(0)
                try:
                    build = import_module(f"{__package__}.tabs.{module}").build
                    await build(place)
                except SunmiIpcError as error:
                    if wait.is_deleted:
                        return
                    # Half a tab says nothing; nor does its empty frame.
                    panel.clear()
                    text("div", visit.words(error), "note bad")
                    if isinstance(error, TlsError):
                        button(words["trust"], lambda: show("trust"), icon="verified_user")
                    button(tr("Try again"), again)
                else:
                    if wait.is_deleted:  # a session that has ended meanwhile is shown nothing
                        return
                    wait.delete()
                if not visit.may(Role.ADMIN):
                    text(
                        "p",
                        tr(
                            "You may: {role}. What needs more is grey or not here; ask who set this console up.",
                            role=role_word(visit, visit.session.role),
                        ),
                        "soft small mine",
                    )

        async def show(name: str) -> None:
            module, beside, _ = TABS[name]
            opened["tab"] = name
            for other, link in links.items():
                link._props.pop("aria-current", None)
                if other == name:
                    link._props["aria-current"] = "page"
                link.update()
            if not beside:
                picture_place.clear()
                opened.pop("picture", None)
                whole.classes(add="full")
            elif "picture" not in opened:
                whole.classes(remove="full")
                with picture_place:
                    opened["picture"] = Picture(visit, sn, square=square)
            if (before := opened.pop("building", None)) is not None and before is not asyncio.current_task():
                before.cancel()  # two tabs tapped in a row: the first would be built into the second
            panel.clear()
            panel._props["aria-label"] = words[name]

            async def again() -> None:
                await show(name)

            place = Place(visit, sn, card, opened.get("picture"), again)
            if place.picture is not None:
                place.picture.show("view")
            building = opened["building"] = asyncio.ensure_future(fill(place, module, again))
            await asyncio.wait({building})
            if opened.get("building") is building:
                del opened["building"]
            if building.cancelled():
                return
            building.result()
            if opened["tab"] == name:
                visit.script(
                    f"history.replaceState(null, '', '?tab={name}');"
                    "document.querySelector('.tabs a[aria-current=page]')?.scrollIntoView({inline: 'center', block: 'nearest'})"
                )

        ui.timer(0.01, lambda: show(tab), once=True)
        # The picture need not wait for the connection: it is there with the page.
        if TABS[tab][1]:
            with picture_place:
                opened["picture"] = Picture(visit, sn, square=square)
