"""``ipc demo --cloud``: the tour of the cloud, on a virtual one, through the commands themselves."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import typer

from ..screen.output import say
from ..state import State
from .tour import environment, walk


def tour(ctx: typer.Context) -> None:
    """Show the whole tour: bind, rename, live picture, people, a face. Nothing to set up."""
    from sunmi_ipc.simulator import jpeg
    from sunmi_ipc.simulator.cloud import VirtualCloud

    state = State.of(ctx)
    yesterday = datetime.now().astimezone().date() - timedelta(days=1)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunmi-ipc-demo-")))
        virtual = stack.enter_context(VirtualCloud())
        picture = folder / "Zoe.jpg"
        picture.write_bytes(jpeg.face("Zoe"))
        stack.enter_context(
            environment(virtual.environment() | {"SUNMI_IPC_CONFIG_DIR": str(folder / "config")})
        )
        new = virtual.devices("")[0]
        say(state, "A virtual cloud with a shop is running. What follows is what you would type.\n")
        steps = [
            ("Which cameras does the shop have?", ["cloud", "devices"]),
            ("Bind a new one: serial number and MAC stand on its label.", ["cloud", "bind", new.sn, new.mac]),
            ("Give it a name.", ["cloud", "rename", new.sn, "Door"]),
            ("Where is its live picture?", ["cloud", "live", "Door"]),
            ("How many people came today?", ["cloud", "flow"]),
            (
                "And who came in the last 30 days?",
                ["cloud", "flow", "--by", "tag", "--from", str(yesterday - timedelta(days=29))],
            ),
            ("Which face groups are there?", ["cloud", "faces", "group", "list"]),
            (
                "Add a face, and wait until the cloud has taken it in.",
                ["cloud", "face", "add", str(picture), "-g", "employee"],
            ),
            ("Take the new camera out of the shop again.", ["cloud", "unbind", new.sn, "--yes"]),
        ]
        walk(ctx, steps)
        say(
            state,
            "That is the whole tour. With your own shop: set SUNMI_IPC_SHOP_NO, then the same commands.",
        )
