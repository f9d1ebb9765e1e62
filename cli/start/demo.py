"""``ipc demo``: the tour, on virtual cameras, through the commands themselves."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shlex
import tempfile
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sunmi_ipc.i18n import tr

from ..screen.output import print_json, say
from ..state import State

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """These variables and no others of ours, for a while."""
    before = dict(os.environ)
    for name in [n for n in os.environ if n.startswith("SUNMI_IPC_")]:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@app.command()
def demo(
    ctx: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=50, help=tr("How many virtual cameras."))] = 3,
    cloud: Annotated[bool, typer.Option("--cloud", help=tr("The tour of the cloud instead."))] = False,
) -> None:
    """Show the whole tour on virtual cameras: find, Wi-Fi, activate, SD card, info. Nothing to set up."""
    if cloud:
        from .cloud_demo import tour

        tour(State.of(ctx))
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
        stack.enter_context(_environment(vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": folder}))
        say(
            state,
            "{count} virtual cameras have been unpacked. What follows is what you would type.\n",
            count=count,
        )
        results: list[dict[str, Any]] = []
        steps = [
            ("Find the cameras in this network.", ["scan", "--expect", str(count)]),
            ("What networks can the first one see?", ["wifi", "scan", "-c", sn]),
            (
                "Let it join the shop's Wi-Fi, and wait until it is back.",
                ["wifi", "set", ssid, password, "--wait", "-c", sn],
            ),
            ("Activate it for your app; virtual face groups may be lost.", ["activate", sn, "--yes"]),
            ("Format its SD card and wait until it is ready.", ["sdcard", "format", "--yes", "-c", sn]),
            ("Who is it?", ["info", "-c", sn]),
        ]
        for number, (text, command) in enumerate(steps, 1):
            say(state, "{number}. {text}", number=number, text=tr(text))
            shown = ["***" if word == password else word for word in command]
            typed = "ipc " + shlex.join(shown).replace("'***'", "***")
            say(state, "   $ {command}", command=typed)
            results.append({"command": typed, "result": _run(state, command)})
            say(state, "")
        if state.json:
            print_json({"steps": results})
        say(
            state,
            "That is the whole tour. With your own cameras: 'ipc configure' once, then the same commands.",
        )


def _run(state: State, command: list[str]) -> Any:
    """Run a command of ours; with ``--json`` what it printed, as a value."""
    from ..main import app as root

    flags = ["--json"] * state.json + ["-q"] * state.quiet + ["-v"] * state.verbose
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed) if state.json else contextlib.nullcontext():
        code = root(args=[*flags, *command], prog_name="ipc", standalone_mode=False)
    if code:
        raise typer.Exit(code)
    return json.loads(printed.getvalue()) if state.json else None
