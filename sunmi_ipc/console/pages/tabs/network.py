"""Network: which Wi-Fi the camera is in, and its address."""

from __future__ import annotations

from nicegui import ui

from ....errors import SunmiIpcError
from ....values import Flag01
from ...roles import Role
from ..camera import Place
from ..visit import button, facts, heading, text


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    camera = visit.camera(place.sn)
    found = visit.console.desk.found(place.sn)
    rows = {
        tr("Address"): place.card.address,
        "MAC": found.mac,
        tr("Model"): place.card.model,
        tr("Serial number"): place.sn,
        tr("Firmware"): place.card.firmware,
        tr("Connection"): {"LAN": tr("cable"), "AP": "Wi-Fi"}.get(found.network, found.network),
    }
    try:
        rows["Wi-Fi"] = (await visit.try_(camera.wifi.show)).ssid or tr("not told")
    except SunmiIpcError:
        rows["Wi-Fi"] = tr("not told")
    with ui.element("div").classes("sheet stack"):
        heading(tr("Network"))
        facts({k: v or tr("not told") for k, v in rows.items()})
    if not visit.may(Role.ADMIN):
        return
    with ui.element("div").classes("sheet stack"):
        heading(tr("Another Wi-Fi"))
        link = text("a", tr("Choose a network"), "go")
        link._props["href"] = f"/setup/{place.sn}?step=wifi"
    try:
        conf = await visit.try_(camera.network.show)
    except SunmiIpcError as error:
        text("div", visit.words(error), "note warn")
        return
    with ui.element("div").classes("sheet stack"):
        heading(tr("Address of the camera"))
        text(
            "p",
            tr(
                "A wrong address takes the camera off the network. The vendor does not describe this setting: try it on one camera first."
            ),
            "soft small",
        )
        dhcp = ui.switch(tr("Given by the router (DHCP)"), value=conf.dhcp == Flag01.ON)
        fields = {
            name: ui.input(label, value=value).props("outlined inputmode=decimal").classes("wide")
            for name, label, value in (
                ("ip", tr("Address"), conf.ip),
                ("netmask", tr("Mask"), conf.netmask),
                ("gateway", tr("Gateway"), conf.gateway),
                ("dns", tr("Name server"), conf.dns),
            )
        }
        for field in fields.values():
            field.bind_visibility_from(dhcp, "value", lambda on: not on)

        async def save() -> None:
            values = {name: str(field.value or "").strip() for name, field in fields.items()}
            if await visit.sure(
                tr("Change the camera's address?"),
                tr("If it is wrong, the camera can no longer be reached."),
                typed=place.sn[-4:],
                yes=tr("Change"),
            ):
                on = Flag01.ON if dhcp.value else Flag01.OFF
                await visit.do(lambda: [camera.network.set(on, **values)], tr("Saved"))

        button(tr("Save the address"), save).classes("wide")
