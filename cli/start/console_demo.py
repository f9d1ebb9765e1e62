"""``ipc demo --console``: virtual cameras, and the console that shows them."""

from __future__ import annotations

import contextlib
import random
import secrets
import tempfile
import threading
from itertools import cycle
from typing import TYPE_CHECKING, Any

from sunmi_ipc.i18n import language, tr

from ..screen.output import say
from .tour import environment

if TYPE_CHECKING:
    import typer

    from sunmi_ipc.simulator import VirtualCamera

    from ..state import State

#: Seconds between two people at the door.
_WALK_S = (4.0, 9.0)


def show(
    ctx: typer.Context, state: State, count: int, port: int | None, *, open_browser: bool = True
) -> None:
    """Start *count* cameras, most of them set up, and the console on them, until Ctrl-C."""
    from sunmi_ipc.simulator import Feed, Play, Vendor, start_cameras

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sunmi-ipc-demo-"))
        vendor = stack.enter_context(Vendor())
        # A seed of its own: other virtual cameras of this machine hear the same broadcasts.
        seed = secrets.randbelow(2**31)
        ready = start_cameras(vendor, max(1, count - 1), port=0, seed=seed, state="ready")
        for camera in ready:
            stack.callback(camera.close)
        new = start_cameras(vendor, 1, port=0, seed=seed + 1)[0] if count > 1 else None
        if new is not None:
            stack.callback(new.close)
        for camera, name in zip(
            ready, (tr("Front door"), tr("Side entrance"), tr("Storeroom")), strict=False
        ):
            camera.state.name = name
        cameras = [*ready, *([new] if new is not None else [])]
        stack.enter_context(Feed(cameras, Play(rate=0.2)))
        stop = threading.Event()
        stack.callback(stop.set)
        threading.Thread(target=_people, args=(cameras, stop), daemon=True).start()
        stack.enter_context(environment(vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": folder}))
        say(
            state,
            "{count} virtual cameras are running; Wi-Fi 'Shop-WiFi', password 'welcome-2020'.",
            count=count,
        )
        flags = [
            "--lang",
            language(),
            *["--json"] * state.json,
            *["-q"] * state.quiet,
            *["-v"] * state.verbose,
        ]
        where = ["--port", str(port)] if port is not None else []
        where += [] if open_browser else ["--no-open"]
        root: Any = ctx.find_root().command
        root.main(args=[*flags, "console", *where], prog_name="ipc", standalone_mode=False)


def _people(cameras: list[VirtualCamera], stop: threading.Event) -> None:
    """Let somebody in and out of every door now and then, so that a test walk sees somebody."""
    die = random.Random()  # noqa: S311 - who comes is no secret
    ways = cycle(("in", "passing", "out"))
    while not stop.wait(die.uniform(*_WALK_S)):
        way = next(ways)
        for camera in cameras:
            camera.walk(way)
