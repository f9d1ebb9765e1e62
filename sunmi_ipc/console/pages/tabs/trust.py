"""Trust: the certificate by which this camera is known."""

from __future__ import annotations

from nicegui import ui

from ....settings import known_cameras
from ...roles import Role
from ..camera import Place
from ..visit import button, facts, heading, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr, sn = place.visit, place.visit.tr, place.sn
    pins = await visit.try_(lambda: dict(known_cameras().items()))
    settings = visit.console.desk.settings
    with ui.element("div").classes("sheet stack"):
        heading(tr("Trust"))
        if settings.insecure:
            text(
                "div",
                tr("Cameras are NOT checked: anybody in the network could pretend to be one."),
                "note bad",
            )
        elif settings.ca:
            text("div", tr("This camera is checked by the vendor's certificate authority."), "note good")
        pin = pins.get(sn)
        if pin is not None:
            facts(
                {
                    tr("Certificate (SHA-256)"): pin.fingerprint,
                    tr("First seen"): pin.first_seen,
                    tr("Last seen"): pin.last_seen,
                }
            )
        elif not settings.ca:
            text(
                "p",
                tr("No certificate is known for this camera yet; the first that it shows is kept."),
                "soft",
            )
        if pin is not None and visit.may(Role.ADMIN):
            text("p", tr("Forget it only where the camera was replaced or reset by you."), "soft small")

            async def forget() -> None:
                if await visit.sure(
                    tr("Forget the certificate?"),
                    tr("The next one that answers as this camera is trusted."),
                    typed=sn[-4:],
                    yes=tr("Forget"),
                ) and visit.act("trust.forget", sn=sn):
                    await visit.do(lambda: known_cameras().forget(sn), tr("Done"))
                    await place.refresh()

            button(tr("Forget the certificate"), forget, kind="danger").classes("wide")
