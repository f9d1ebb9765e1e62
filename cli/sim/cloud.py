"""``ipc sim cloud``: the virtual cloud."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.i18n import tr

from ..screen.lengths import Length, length
from ..screen.output import note, print_json_line
from ..state import State


def cloud(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help=tr("HTTPS port; 0 takes a free one."))] = 8444,
    shops: Annotated[int, typer.Option(min=1, max=100, help=tr("How many shops."))] = 2,
    cameras: Annotated[int, typer.Option(min=1, max=50, help=tr("How many cameras a shop."))] = 2,
    seed: Annotated[
        int | None,
        typer.Option(help=tr("The same number gives the same shops and cameras; default: random.")),
    ] = None,
    latency: Annotated[
        float,
        length("--latency", tr("Wait before each answer, as on a long way."), most=60),
    ] = Length(0),
    people: Annotated[float, length("--people", tr("Somebody comes in so often; 0: nobody."))] = Length(0),
    in_development: Annotated[
        bool,
        typer.Option(
            "--in-development/--not-offered", help=tr("Whether calls in development are answered or refused.")
        ),
    ] = True,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[=VALUE][@PATH][xTIMES]",
            help=tr("Play a fault, e.g. delay=2 or code=5011@media/live/start."),
        ),
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option(help=tr("Write the environment variables to this file."))
    ] = None,
) -> None:
    """Start a virtual cloud; stop it with Ctrl-C. Prints one JSON line when it is ready."""
    from sunmi_ipc.errors import cannot_write
    from sunmi_ipc.simulator import parse_fault
    from sunmi_ipc.simulator.cloud import VirtualCloud

    run, stop = State.of(ctx), threading.Event()
    faults = [parse_fault(text) for text in fault or ()]
    previous = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [signal.signal(s, handler) for s, handler in previous.items()])
        virtual = stack.enter_context(
            VirtualCloud(
                port=port,
                shops=shops,
                cameras=cameras,
                seed=secrets.randbelow(2**32) if seed is None else seed,
                latency_s=latency,
                in_development=in_development,
            )
        )
        for f in faults:
            virtual.fail(f.kind, f.value, path=f.path, times=f.times)
        environment = virtual.environment()
        if env_file is not None:
            try:
                handle = os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write("".join(f"export {k}={shlex.quote(v)}\n" for k, v in environment.items()))
            except OSError as error:
                raise cannot_write(env_file, error) from None
        print_json_line(
            {
                "ready": True,
                "url": virtual.url,
                "app_id": virtual.app_id,
                "secret_key": virtual.secret_key.reveal(),
                "ca": str(virtual.ca),
                "shops": [
                    {
                        "shop_no": shop.no,
                        "shop_id": shop.shop_id,
                        "company_no": shop.company_no,
                        "cameras": [
                            {"sn": d.sn, "ipc_id": d.ipc_id, "model": d.model}
                            for d in virtual.devices(shop.no)
                        ],
                    }
                    for shop in virtual.state.shops.values()
                ],
                "unbound": [{"sn": d.sn, "mac": d.mac} for d in virtual.devices("")],
                "env": environment,
            }
        )
        if sys.stdout.isatty():
            note(
                run,
                'A virtual cloud is running. In another terminal: set the variables of "env" '
                "(--env-file FILE writes them), then try 'ipc cloud devices'. Ctrl-C stops it.",
            )
        while not stop.wait(people or None):
            virtual.visit()
