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
from .visit import Visit, heading, text

#: Seconds between two pictures of a card.
_PICTURE_S = 20


@ui.page("/")
def home(request: Request) -> None:
    """The cameras."""
    visit = Visit(current(), request)
    tr = visit.tr
    with visit.frame(tr("Cameras")), ui.element("div").classes("stack"):
        summary = ui.element("div").classes("summary")
        grid = ui.element("div").classes("cards")
        shown: list[Any] = []

        def show() -> None:
            cards = visit.console.desk.cards()
            state = [(c.sn, c.name, c.state, c.words(visit.lang), c.card, c.people, c.address) for c in cards]
            state.append(int(time.time() // _PICTURE_S))  # type: ignore[arg-type]
            if state == shown:
                return
            shown[:] = state
            summary.clear()
            grid.clear()
            with summary:
                _summary(visit, cards)
            with grid:
                for card in cards:
                    _card(visit, card)
            if not cards:
                with grid:
                    _nobody(visit)

        show()
        ui.timer(1.5, show)


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
        ui.linear_progress(show_value=False).props("indeterminate")


def _card(visit: Visit, card: Card) -> None:
    tr = visit.tr
    fresh = card.state == "setup"
    with ui.element("a").classes("sheet flush cam") as link:
        link._props["href"] = f"/{'setup' if fresh and visit.may(Role.ADMIN) else 'camera'}/{card.sn}"
        if not fresh and card.state != "unknown":
            # The finger is down: the stream is opened before it is up again.
            link.on("pointerdown", lambda: _warm(visit, card.sn), args=[])
        with ui.element("div").classes("shot"):
            # What is seen where there is no picture, or until it comes.
            with ui.element("div").classes("none"):
                ui.icon("videocam" if card.state != "bad" else "videocam_off", size="44px")
            if not fresh and card.state != "unknown":
                image = ui.element("img")
                image._props["src"] = (
                    f"/picture/{card.sn}.jpg?age={_PICTURE_S}&t={int(time.time() // _PICTURE_S)}"
                )
                image._props["alt"] = ""
                image._props["loading"] = "lazy"
                image._props["onerror"] = "this.style.visibility='hidden'"
        with ui.element("div").classes("body"):
            with ui.element("div").classes("row keep top-row"):
                with ui.element("div").classes("grow"):
                    text("h2", card.name or card.sn, "cut")
                    text("span", verdict(visit, card), f"tag {card.state}")
                if card.people is not None:
                    with ui.element("div").classes("count"):
                        text("div", str(card.people), "big")
                        text("div", tr("in today"), "soft small")
            hint = without_commands(card.words(visit.lang)[1])
            if hint and card.state in ("bad", "warning"):
                text("div", hint, "small soft break")
            text(
                "div", " · ".join(p for p in (card.model, card.sn, card.address) if p), "small soft break num"
            )


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
