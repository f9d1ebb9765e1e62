"""Trust: the certificate by which this camera is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import ui

from ... import trusting
from ...language import told
from ...roles import Role
from ..camera import Place
from ..visit import button, facts, heading, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr, sn = place.visit, place.visit.tr, place.sn
    desk = visit.console.desk
    trust = await visit.try_(lambda: trusting.look(desk, sn))
    pin, ca = trust.pin, bool(desk.settings.ca)
    with ui.element("div").classes("sheet stack"):
        heading(tr("Trust"))
        _told(place, trust)
        if trust.fingerprint and (pin is None or pin.fingerprint != trust.fingerprint):
            label = tr("It shows now (SHA-256)") if trust.refused else tr("Certificate (SHA-256)")
            _print(label, trust.fingerprint)
        if pin is not None:
            _print(
                tr("Known of it (SHA-256)") if trust.refused else tr("Certificate (SHA-256)"), pin.fingerprint
            )
            facts({tr("First seen"): _day(pin.first_seen), tr("Last seen"): _day(pin.last_seen)})
        elif not ca and not trust.refused:
            text(
                "p",
                tr("No certificate is known for this camera yet; the first that it shows is kept."),
                "soft",
            )
        if trust.refused:
            _accepting(place, trust)
        if pin is not None and visit.may(Role.ADMIN):
            text("p", tr("Forget it only where the camera was replaced or reset by you."), "soft small")

            async def forget() -> None:
                if await visit.sure(
                    tr("Forget the certificate?"),
                    tr("From then on its certificate has to be of the vendor's authority again.")
                    if ca
                    else tr("The next one that answers as this camera is trusted."),
                    typed=sn[-4:],
                    yes=tr("Forget"),
                ) and visit.act("trust.forget", sn=sn):
                    await _changed(place, lambda: trusting.forget(sn))

            button(tr("Forget the certificate"), forget, kind="danger").classes("wide")


def _told(place: Place, trust: trusting.Trust) -> None:
    """Who vouches for it, or why nobody does."""
    visit, tr = place.visit, place.visit.tr
    if trust.by == "nobody":
        text(
            "div", tr("Cameras are NOT checked: anybody in the network could pretend to be one."), "note bad"
        )
    elif trust.refused and trust.error is not None:
        said = told(trust.error, visit.lang)
        text("div", said[:1].upper() + said[1:], "note bad")
    elif trust.error is not None:
        text("div", visit.words(trust.error), "note bad")
    elif trust.by == "ca":
        text("div", tr("This camera is checked by the vendor's certificate authority."), "note good")
    elif trust.by == "accepted":
        text(
            "div", tr("This camera shows the certificate that was accepted here, and no other counts."), "note good"
        )  # fmt: skip
    elif trust.pin is not None:
        text("div", tr("This camera shows the certificate of its first contact."), "note good")


def _accepting(place: Place, trust: trusting.Trust) -> None:
    """What it means that it is not trusted, and the way out for one who knows why."""
    visit, tr, sn = place.visit, place.visit.tr, place.sn
    text(
        "p",
        tr(
            "A certificate is how a camera proves who it is. Until this one is trusted, nothing is asked of the camera: "
            "no picture, no count, no setting. It may be new because the camera was repaired, reset or exchanged; "
            "or something else in the network answers in its place."
        ),
    )
    if not visit.may(Role.ADMIN):
        return
    text(
        "p",
        tr(
            "Trust it only if you know why it has changed: best with the camera in front of you, and nothing else "
            "plugged into its network."
        ),
        "soft small",
    )

    async def accept() -> None:
        if await visit.sure(
            tr("Trust this certificate?"),
            tr(
                "From then on whatever has this certificate is taken for the camera {sn}: {fingerprint}",
                sn=sn,
                fingerprint=trust.fingerprint,
            ),
            typed=sn[-4:],
            yes=tr("Trust"),
        ) and visit.act("trust.accept", sn=sn, details={"fingerprint": trust.fingerprint}):
            await _changed(place, lambda: trusting.accept(sn, trust.shown))

    button(tr("Trust this certificate"), accept, kind="danger", icon="verified_user").classes("wide")


def _print(label: str, fingerprint: str) -> None:
    """A fingerprint that can be compared by eye, and copied as one word."""
    text("div", label, "soft small")
    with ui.element("div").classes("print"):
        pairs = fingerprint.split(":")
        for at in range(0, len(pairs), 4):
            text("span", ":".join(pairs[at : at + 4]) + (":" if at + 4 < len(pairs) else ""))


def _day(stamp: str) -> str:
    """A moment as it is kept (ISO, UTC), as a person reads it here."""
    try:
        return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return stamp


async def _changed(place: Place, work: Any) -> None:
    visit = place.visit
    await visit.do(work, visit.tr("Done"))
    # What the rest of the console shows of it is asked anew.
    await visit.do(lambda: visit.console.desk.card(place.sn, fresh=True))
    await place.refresh()
