"""What is known of the endpoints: how sure we are of each, and whether it was corrected here."""

from __future__ import annotations

from nicegui import ui

from ....corrections import read
from ....protocol import reference
from ....protocol.spec import registry
from ....settings import config_dir
from ..camera import Place
from ..visit import heading, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    corrected = await visit.try_(lambda: read(config_dir()))
    words = {
        "documented": tr("documented"),
        "sdk": tr("named in the SDK"),
        "app": tr("seen in an app"),
        "inferred": tr("our guess"),
    }
    with ui.element("div").classes("sheet stack"):
        heading(tr("Endpoints"))
        text(
            "p",
            tr(
                "How each call is named on the wire, and how sure that is. A guess can be corrected without a new version: see 'ipc protocol'."
            ),
            "soft",
        )
        with ui.element("div").classes("scroll"), ui.element("table").classes("plain small piled") as table:
            table._props["tabindex"], table._props["aria-label"] = "0", tr("Endpoints")
            with ui.element("thead"), ui.element("tr"):
                for column in (tr("call"), tr("path"), tr("how sure")):
                    text("th", column)
            with ui.element("tbody"):
                for path, endpoint in registry().items():
                    sure = ", ".join(words.get(w, w) for w in reference.evidence(endpoint).split(", "))
                    with ui.element("tr"):
                        text("td", endpoint.key, "break key")
                        text("td", path, "break")
                        text("td", tr("corrected") if path in corrected else sure)
