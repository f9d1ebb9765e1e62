"""``ipc cloud``: the vendor's cloud. This module: the group, whose cloud, and the cameras in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.words import word

from ..argv import not_a_pair
from ..screen.output import confirm, show
from ..state import State
from . import faces as cloud_faces
from . import flow as cloud_flow
from . import hooks as cloud_hooks
from . import media as cloud_media
from .common import Csv, camera, epilog, listing, open_cloud, take_options

if TYPE_CHECKING:
    from sunmi_ipc.cloud.models import CameraInfo


class _Options(typer.core.TyperGroup):
    """The group's own options may stand anywhere behind it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move them to the front."""
        return list(super().parse_args(ctx, take_options(args)))


app = typer.Typer(
    cls=_Options,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("The vendor's cloud: cameras, live picture, people flow, faces, messages."),
)


@app.callback(epilog=tr("These options may stand anywhere on the line. To try it: ipc sim cloud"))
def _cloud(
    ctx: typer.Context,
    shop: Annotated[
        str,
        typer.Option(metavar="NO", help=tr("The shop's number; default: $SUNMI_IPC_SHOP_NO, the profile.")),
    ] = "",
    shop_id: Annotated[
        str, typer.Option(metavar="ID", help=tr("The shop's id in your own system, where it has no number."))
    ] = "",
    url: Annotated[
        str,
        typer.Option(metavar="URL", help=tr("production, test, or a URL; default: $SUNMI_IPC_CLOUD_URL.")),
    ] = "",
) -> None:
    ctx.find_root().meta["sunmi_ipc.cloud"] = {"shop_no": shop, "shop_id": shop_id, "url": url}


@app.command(epilog=epilog("devices.list", "devices.list_by_company", "devices.info"))
def devices(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[CAMERA]", help=tr("Only this one, in full."))] = "",
    company: Annotated[str, typer.Option(metavar="NO", help=tr("All cameras of this company's shops."))] = "",
    csv: Csv = None,
) -> None:
    """List the cameras of the shop or of a company."""
    with open_cloud(ctx) as cloud:
        if name:
            show(State.of(ctx), cloud.devices.info(**camera(ctx, cloud, name)))
            return
        found = cloud.devices.list_by_company(company) if company else cloud.devices.list()
        names = ["ipc_sn", "ipc_id", "ipc_name", "model_name", "software_version", "online"]

        def standing(camera: CameraInfo) -> str:
            if camera.active_status is None:
                return ""
            if csv:  # a file is for programs
                return "yes" if camera.online else "no"
            return tr(word(camera.active_status))

        rows = [c.as_dict() | {"online": standing(c)} for c in found.ipc_list]
        listing(ctx, found, rows, names, csv, "The shop has no camera in the cloud.")


@app.command(epilog=epilog("devices.bind"))
def bind(
    ctx: typer.Context,
    sn: Annotated[str, typer.Argument(help=tr("The serial number, as on the label."))],
    mac: Annotated[str, typer.Argument(help=tr("The MAC address, as on the label."))],
) -> None:
    """Bind a camera to the shop."""
    from sunmi_ipc.codes.cloud import CloudCode
    from sunmi_ipc.errors import CloudError

    with open_cloud(ctx) as cloud:
        try:
            made = cloud.devices.bind(sn, mac)
            show(State.of(ctx), made, done="{camera} is bound to the shop.", about={"camera": sn})
        except CloudError as error:
            if error.code != CloudCode.BOUND_HERE:  # which is what was wanted
                raise
            about = {"camera": sn}
            show(State.of(ctx), None, done="{camera} is bound to this shop already.", about=about)


@app.command(epilog=epilog("devices.unbind"))
def unbind(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CAMERA", help=tr("Serial number, id or name."))],
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Take a camera out of the shop; asks first."""
    with open_cloud(ctx) as cloud:
        wanted = camera(ctx, cloud, name)
        confirm(tr("The cloud will show and count nothing of {camera} any more.", camera=name), yes)
        made = cloud.devices.unbind(**wanted)
        show(State.of(ctx), made, done="{camera} is not in the shop any more.", about={"camera": name})


@app.command("name", epilog=epilog("devices.rename"))
def rename(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help=tr("The new name."))]
) -> None:
    """Give a camera another name."""
    with open_cloud(ctx) as cloud:
        made = cloud.devices.rename(name, **camera(ctx, cloud, ""))
        show(State.of(ctx), made, now={"name": name})


@app.command()
def call(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help=tr("The path behind /openapi/."))],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help=tr("Parameters by their name on the wire; NAME=@FILE sends a file."),
        ),
    ] = None,
) -> None:
    """Send any call, signed, with the shop."""
    pairs: dict[str, Any] = {}
    for number, pair in enumerate(values or (), 1):
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise not_a_pair(number, "device_id=1")
        pairs[name] = _read(Path(value[1:])) if value.startswith("@") else value
    with open_cloud(ctx) as cloud:
        show(
            State.of(ctx),
            cloud.call(path, pairs) or None,
            wire=True,
            done="{path} is done.",
            about={"path": path},
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ParameterError(
            "{path} cannot be read: {reason}", name=str(path), path=str(path), reason=error.strerror or ""
        ) from None


for _name, _command, _epilog in cloud_media.COMMANDS:
    app.command(_name, epilog=epilog(*_epilog))(_command)
app.command("flow", epilog=epilog(*cloud_flow.USES))(cloud_flow.flow)
app.add_typer(cloud_faces.app, name="face")
app.add_typer(cloud_hooks.app, name="events")
