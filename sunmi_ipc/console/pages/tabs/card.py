"""SD card: its state, and formatting it."""

from __future__ import annotations

from nicegui import ui

from ....values import CardStatus
from ...roles import Role
from ..camera import Place
from ..visit import button, heading, progress, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    sdcard = visit.camera(place.sn).sdcard
    status = (await visit.try_(sdcard.status)).status
    words = {
        CardStatus.NORMAL: (tr("The card works."), "good"),
        CardStatus.NONE: (
            tr("There is no SD card in the camera. Insert one: without it nothing is recorded or counted."),
            "bad",
        ),
        CardStatus.BLANK: (
            tr("The SD card is blank. It must be formatted before the camera can use it."),
            "bad",
        ),
        CardStatus.BROKEN: (
            tr("The SD card is not recognised. Take it out and put it back, or replace it."),
            "bad",
        ),
    }
    said, kind = words.get(status, (tr("The SD card has to be inserted again."), "warn"))
    with ui.element("div").classes("sheet stack"):
        heading(tr("SD card"))
        text("div", said, f"note {kind}")
        button(tr("Look again"), place.refresh, icon="refresh").classes("wide")
    if visit.may(Role.ADMIN) and status not in (CardStatus.NONE, CardStatus.BROKEN):
        with ui.element("div").classes("sheet stack"):
            heading(tr("Format"))
            text("p", tr("Everything on it is deleted: recordings and faces."), "soft")

            async def wipe() -> None:
                if await visit.sure(
                    tr("Format the SD card?"),
                    tr("Everything on it is deleted: recordings and faces."),
                    typed=place.sn[-4:],
                    yes=tr("Format"),
                ):
                    bar = progress(tr("One moment …"))
                    await visit.do(lambda: sdcard.format_and_wait(interval=0.5), tr("The card is ready."))
                    bar.delete()
                    await place.refresh()

            button(tr("Format the SD card"), wipe, kind="danger").classes("wide")
