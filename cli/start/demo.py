"""``ipc demo``: the tour, on virtual cameras, through the commands themselves."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from typing import Annotated

import typer

from sunmi_ipc.i18n import tr

from ..screen.output import say
from ..state import State
from .tour import environment, walk

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=50, help=tr("How many virtual cameras."))] = 3,
    cloud: Annotated[bool, typer.Option("--cloud", help=tr("The tour of the cloud instead."))] = False,
    console: Annotated[
        bool, typer.Option("--console", help=tr("Virtual cameras in a browser, until Ctrl-C."))
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=tr("Port of --console; default: 8500, or a free one.")),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help=tr("Do not open a browser."))] = False,
) -> None:
    """Show the whole tour on virtual cameras: find, Wi-Fi, activate, SD card, info. Nothing to set up."""
    if console:
        from .console_demo import show

        show(ctx, State.of(ctx), count, port, open_browser=not no_open)
        return
    if cloud:
        from .cloud_demo import tour

        tour(ctx)
        return
    from sunmi_ipc.simulator import Vendor, start_cameras
    from sunmi_ipc.simulator.state import NETWORKS

    state = State.of(ctx)
    ssid, _, password = NETWORKS[0]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sunmi-ipc-demo-"))
        vendor = stack.enter_context(Vendor())
        # A seed of its own: other virtual cameras of this machine hear the same broadcasts.
        cameras = start_cameras(vendor, count, port=0, seed=secrets.randbelow(2**32))
        for camera in cameras:
            stack.callback(camera.close)
        sn = cameras[0].sn
        stack.enter_context(environment(vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": folder}))
        say(
            state,
            "{count} virtual cameras have been unpacked. What follows is what you would type.\n",
            count=count,
        )
        steps = [
            ("Find the cameras in this network.", ["scan", "--expect", str(count)]),
            ("What networks can the first one see?", ["wifi", "scan", "-c", sn]),
            (
                "Let it join the shop's Wi-Fi, and wait until it is back.",
                ["wifi", "set", ssid, password, "-c", sn],
            ),
            ("Activate it for your app; virtual face groups may be lost.", ["activate", sn, "--yes"]),
            ("Format its SD card and wait until it is ready.", ["sdcard", "format", "--yes", "-c", sn]),
            ("Who is it?", ["info", "-c", sn]),
        ]
        walk(ctx, steps, secret=password)
        say(
            state,
            "That is the whole tour. With your own cameras: 'ipc configure' once, then the same commands.",
        )
