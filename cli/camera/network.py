"""``ipc network``."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.errors import CameraNotFound, ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.serial import same_serial_number
from sunmi_ipc.protocol.values import Flag01

from ..screen import words
from ..screen.output import confirm, note, show
from ..state import State
from ..target import open_camera

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.models import IpConfiguration

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("IP settings (names of the parameters are inferred)."),
)
_FIXED = ("ip", "netmask", "gateway", "dns")


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
    ip: Annotated[str, typer.Option(help=tr("Address, also with its mask: 192.168.1.20/24."))] = "",
    netmask: Annotated[str, typer.Option(help=tr("Mask, such as 255.255.255.0."))] = "",
    gateway: Annotated[str, typer.Option(help=tr("Gateway's address."))] = "",
    dns: Annotated[str, typer.Option(help=tr("Name server's address."))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Set a fixed address, or DHCP; shows what changes, and asks. A wrong address takes the camera off the network."""
    state = State.of(ctx)
    ip, slash, length = ip.partition("/")
    given = dict(zip(_FIXED, (ip, netmask, gateway, dns), strict=True))
    if dhcp and any(given.values()):
        other = next(name for name, value in given.items() if value)
        raise ParameterError("{name}: not together with {other}", name="--dhcp", other=f"--{other}")
    if not dhcp and not any(given.values()):
        raise ParameterError(
            "{name}: nothing to change", name="network", hint="See 'ipc network set --help'."
        )
    for name, value in given.items():
        _check_address(f"--{name}", value)
    if slash:
        given["netmask"] = given["netmask"] or _mask(ip, length)
    with open_camera(state) as camera:
        now = camera.network.show()
        if not dhcp:
            # What is not given stays; a fixed address needs its mask.
            given = {name: value or getattr(now, name) or "" for name, value in given.items()}
            _check_fixed(**given)
        wanted: dict[str, str | Flag01] = {"dhcp": Flag01(int(dhcp))} | {k: v for k, v in given.items() if v}
        if all(getattr(now, name) == value for name, value in wanted.items()):
            show(state, None, done="It is so already; nothing was changed.")
            return
        _ask(state, camera, now, Flag01(int(dhcp)), given, yes)
        camera.network.update(dhcp=Flag01(int(dhcp)), **{k: v or None for k, v in given.items()})
        show(state, None, now=wanted)


def _check_address(name: str, value: str) -> None:
    try:
        IPv4Address(value or "0.0.0.0")  # noqa: S104 - a stand-in for none
    except ValueError:
        raise ParameterError("{name}: not an address", name=name, hint="For example 192.168.1.20.") from None


def _mask(ip: str, length: str) -> str:
    try:
        return str(IPv4Interface(f"{ip}/{length}").netmask)
    except ValueError:
        raise ParameterError(
            "{name}: not an address", name="--ip", hint="For example 192.168.1.20/24."
        ) from None


def _check_fixed(ip: str, netmask: str, gateway: str, dns: str) -> None:
    """A fixed address that could work.

    Raises:
        ParameterError: Something it needs is missing or does not fit.

    """
    if not ip:
        raise ParameterError("{name}: needed", name="--ip", hint="For example --ip 192.168.1.20/24.")
    if not netmask:
        raise ParameterError(
            "{name}: needed with --ip",
            name="--netmask",
            hint="Write --ip {ip}/24, or --netmask 255.255.255.0.",
            ip=ip,
        )
    try:
        there = IPv4Interface(f"{ip}/{netmask}")
    except ValueError:
        raise ParameterError(
            "{name}: not a mask", name="--netmask", hint="For example 255.255.255.0."
        ) from None
    network = there.network
    if network.prefixlen < 31 and there.ip in (network.network_address, network.broadcast_address):
        raise ParameterError(
            "{name}: {ip} is no device's address in {network}", name="--ip", ip=ip, network=str(network),
            hint="Take one between {first} and {last}.", first=network[1], last=network[-2],
        )  # fmt: skip
    if gateway and IPv4Address(gateway) not in network:
        raise ParameterError(
            "{name}: {gateway} is not in the camera's network {network}", name="--gateway", gateway=gateway,
            network=str(network), hint="Gateway and camera must be in one network: check --ip and --netmask.",
        )  # fmt: skip


def _ask(
    state: State, camera: Camera, now: IpConfiguration, dhcp: Flag01, given: dict[str, str], yes: bool
) -> None:
    """Show what changes, and ask with the camera's name."""
    before = {"dhcp": words.told(now.dhcp)} | {name: words.told(getattr(now, name)) for name in _FIXED}
    after = {"dhcp": words.told(dhcp)}
    if dhcp is not Flag01.ON:
        after |= {name: words.told(value) for name, value in given.items()}
    info = camera.device.info()
    called = f"{info.sn} ({info.name})" if info.name else str(info.sn)
    for name, text in after.items():
        if text != before[name]:
            note(state, "{name}: {old} → {new}", name=words.label(name), old=before[name], new=text)
    if dhcp is not Flag01.ON and not given["gateway"]:
        note(state, "Without a gateway the camera has no internet; activation and its clock need it.")
    confirm(tr("A wrong address takes {camera} off the network until it is reset.", camera=called), yes)
    if yes or not info.sn:
        return
    if not same_serial_number(there := camera.device.info().sn, info.sn):
        raise CameraNotFound(
            "the camera here is {other} now, and not {sn}; nothing was changed",
            hint="Addresses change: 'ipc scan' shows where each camera is.",
            sn=info.sn,
            other=there or "-",
        )
