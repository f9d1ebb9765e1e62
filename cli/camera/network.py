"""``ipc network``."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import Flag01

from ..screen.output import confirm, show
from ..state import State
from ..target import open_camera

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("IP settings (names of the parameters are inferred)."),
)


@app.command("show")
def show_(ctx: typer.Context) -> None:
    """Show address, mask, gateway, DNS and DHCP."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.network.show())


@app.command("set")
def set_(
    ctx: typer.Context,
    dhcp: Annotated[bool, typer.Option("--dhcp", help=tr("Take everything from DHCP."))] = False,
    ip: Annotated[str, typer.Option(help=tr("Address."))] = "",
    netmask: Annotated[str, typer.Option(help=tr("Mask, such as 255.255.255.0."))] = "",
    gateway: Annotated[str, typer.Option(help=tr("Gateway's address."))] = "",
    dns: Annotated[str, typer.Option(help=tr("Name server's address."))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Set a fixed address, or DHCP. A wrong address takes the camera off the network."""
    state = State.of(ctx)
    if dhcp == bool(ip):
        raise ParameterError("{name}: give --dhcp or --ip, one of both", name="network")
    for name, value in (("--ip", ip), ("--netmask", netmask), ("--gateway", gateway), ("--dns", dns)):
        try:
            IPv4Address(value or "0.0.0.0")  # noqa: S104 - a stand-in for none
        except ValueError:
            raise ParameterError(
                "{name}: not an address", name=name, hint="For example 192.168.1.20."
            ) from None
    confirm(tr("A wrong address takes the camera off the network until it is reset."), yes)
    with open_camera(state) as camera:
        camera.network.update(
            dhcp=Flag01(int(dhcp)),
            ip=ip or None,
            netmask=netmask or None,
            gateway=gateway or None,
            dns=dns or None,
        )
        show(state, None)
