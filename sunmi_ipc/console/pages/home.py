"""Home: the cameras as cards, those that need a hand first; new ones appear by themselves."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from nicegui import ui
from starlette.requests import Request

from ...errors import SunmiIpcError
from ..desk import Card
from ..language import without_commands
from ..roles import Role
from ..state import current
from .visit import Visit, heading, page, progress, text

#: Seconds between two pictures of a card.
_PICTURE_S = 20
#: What stands where there is no picture, by a camera's state.
_ICONS = {"setup": "add_a_photo", "bad": "videocam_off"}


@page("/")
def home(request: Request) -> None:
    """The cameras."""
    visit = Visit(current(), request)
    tr = visit.tr
    with visit.frame(tr("Cameras")), ui.element("div").classes("stack"):
        summary = ui.element("div").classes("summary")
        grid = ui.element("div").classes("cards")
        shown: list[Any] = []
        tiles: dict[str, _Tile] = {}

        def show() -> None:
            cards = visit.console.desk.cards()
            if shown != (total := [(c.state, c.people) for c in cards]):
                shown[:] = total
                summary.clear()
                with summary:
                    _summary(visit, cards)
            _bring_up_to_date(visit, grid, tiles, cards)

        show()
        ui.timer(1.5, show)


def _bring_up_to_date(visit: Visit, grid: Any, tiles: dict[str, _Tile], cards: list[Card]) -> None:
    """Change what has changed: the rest stays where it is, under the finger and with its focus."""
    wanted = [card.sn for card in cards]
    if not tiles and (cards or not grid.default_slot.children):
        grid.clear()
        if not cards:
            with grid:
                _nobody(visit)
    for sn in [sn for sn in tiles if sn not in wanted]:
        tiles.pop(sn).link.delete()
    for card in cards:
        tile = tiles.get(card.sn)
        if tile is not None and tile.state != card.state:
            tile.link.delete()
            tile = None
        if tile is None:
            with grid:
                tile = tiles[card.sn] = _Tile(visit, card)
        tile.show(card)
    order = [tiles[sn].link for sn in wanted]
    if order and grid.default_slot.children != order:
        grid.default_slot.children[:] = order
        grid.update()


def _summary(visit: Visit, cards: list[Card]) -> None:
    tr = visit.tr
    waiting = [c for c in cards if c.state == "setup"]
    people = [c.people for c in cards if c.people is not None]
    if people:
        with ui.element("div").classes("sheet tile"):
            text("div", str(sum(people)), "big")
            text("div", tr("people came in today"), "soft small")
    with ui.element("div").classes("sheet tile"):
        well = sum(c.state == "ok" for c in cards)
        text("div", f"{well} / {len(cards)}", "big")
        text("div", tr("cameras work well"), "soft small")
    if waiting and visit.may(Role.ADMIN):
        with text("a", "", "go") as link:
            link._text = None
            link._props["href"] = f"/setup/{waiting[0].sn}"
            ui.icon("play_circle", size="26px")
            text(
                "span",
                tr("Set up the next of {count}", count=len(waiting))
                if len(waiting) > 1
                else tr("Set up the new camera"),
            )


def _nobody(visit: Visit) -> None:
    tr = visit.tr
    with ui.element("div").classes("sheet stack").style("grid-column: 1 / -1"):
        heading(tr("Looking for cameras …"))
        text(
            "p",
            tr(
                "They appear here by themselves. A camera out of its box needs 20 seconds after it was plugged in."
            ),
            "soft",
        )
        text("p", tr("It must be in the same network as this computer, by cable or Wi-Fi."), "soft")
        progress(tr("One moment …"))


class _Tile:
    """One camera on the page.

    Args:
        visit: Whose page.
        card: What is known of it.

    """

    link: Any
    state: str

    def __init__(self, visit: Visit, card: Card) -> None:
        self._visit, self.state = visit, card.state
        self._said: tuple[Any, ...] = ()
        fresh = card.state == "setup"
        with ui.element("a").classes("sheet flush cam new" if fresh else "sheet flush cam") as self.link:
            self.link._props["href"] = (
                f"/{'setup' if fresh and visit.may(Role.ADMIN) else 'camera'}/{card.sn}"
            )
            if not fresh and card.state != "unknown":
                # The finger is down: the stream is opened before it is up again.
                self.link.on("pointerdown", lambda: _warm(visit, card.sn), args=[])
            with ui.element("div").classes("shot"):
                # What is seen where there is no picture, or until it comes.
                with ui.element("div").classes("none"):
                    ui.icon(_ICONS.get(card.state, "videocam"), size="44px")
                self._image = ui.element("img") if not fresh and card.state != "unknown" else None
            self._body = ui.element("div").classes("body")
        if self._image is not None:
            self._image._props["alt"] = ""
            self._image._props["loading"] = "lazy"
            self._image._props["onload"] = "this.style.visibility='';this.parentNode.classList.remove('gone')"
            self._image._props["onerror"] = (
                "this.style.visibility='hidden';this.parentNode.classList.add('gone')"
            )

    def show(self, card: Card) -> None:
        """Show what is known now, with the newest picture."""
        picture = f"/picture/{card.sn}.jpg?age={_PICTURE_S}&t={int(time.time() // _PICTURE_S)}"
        if self._image is not None and self._image._props.get("src") != picture:
            self._image._props["src"] = picture
            self._image.update()
        reason, hint = card.words(self._visit.lang)
        said = (card.name, card.model, card.address, card.people, reason, hint)
        if said == self._said:
            return
        self._said = said
        self._body.clear()
        with self._body:
            self._tell(card, without_commands(hint))

    def _tell(self, card: Card, hint: str) -> None:
        tr = self._visit.tr
        with ui.element("div").classes("row keep top-row"):
            with ui.element("div").classes("grow"):
                text("h2", card.name or card.sn, "cut")
                text("span", verdict(self._visit, card), f"tag {card.state}")
            if card.people is not None:
                with ui.element("div").classes("count"):
                    text("div", str(card.people), "big")
                    text("div", tr("in today"), "soft small")
        if hint and card.state in ("bad", "warning"):
            text("div", hint, "small soft break")
        text("div", " · ".join(p for p in (card.model, card.sn, card.address) if p), "small soft break num")


def _warm(visit: Visit, sn: str) -> None:
    with contextlib.suppress(SunmiIpcError):  # the page will say it
        visit.console.warm(sn)


def verdict(visit: Visit, card: Card) -> str:
    """How a camera is, in words."""
    tr = visit.tr
    if card.state == "ok":
        return tr("Works well")
    if made := card.words(visit.lang)[0]:
        return made[:1].upper() + made[1:]
    return tr("Asking …")
