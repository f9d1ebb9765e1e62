"""``ipc sim sites``: many shops at a broker."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from sunmi_ipc.i18n import tr

from ..argv import given_url
from ..forward.run import DurationOption, until_signal
from ..screen.output import note, print_json_line, say
from ..state import State


def sites(
    ctx: typer.Context,
    broker: Annotated[
        str,
        typer.Option(
            envvar="SUNMI_IPC_SIM_BROKER",
            metavar="URL",
            help=tr("mqtt://host:1883; '{site}' as the user is each shop's own name."),
        ),
    ],
    count: Annotated[int, typer.Option(min=1, max=10000, help=tr("How many shops."))] = 1,
    cameras: Annotated[int, typer.Option(min=1, max=200, help=tr("How many cameras each has."))] = 4,
    rate: Annotated[
        float, typer.Option(min=0, help=tr("Messages a second of all shops; 0: as the clock goes."))
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(help=tr("The same number says the same again, under the same keys."))
    ] = 0,
    name: Annotated[str, typer.Option(help=tr("What the names of the shops begin with."))] = "sim",
    first: Annotated[int, typer.Option(min=1, help=tr("The number of the first shop."))] = 1,
    since: Annotated[
        str, typer.Option(metavar="TIME", help=tr("When simulated time begins; default: now, or a week ago."))
    ] = "",
    total: Annotated[
        int, typer.Option(min=0, help=tr("End after so many messages have arrived; 0: never."))
    ] = 0,
    duration: DurationOption = 0.0,
    calm: Annotated[
        bool, typer.Option("--calm", help=tr("No failing cameras, outages or restarts."))
    ] = False,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tr("PEM file that signs the broker's certificate."))
    ] = None,
) -> None:
    """Simulate the stations of many shops at a broker, each with its own connection, until Ctrl-C."""
    from sunmi_ipc.broker.connection import Broker
    from sunmi_ipc.simulator.sites import VirtualSites, opened

    from ..screen.times import parse_when

    state = State.of(ctx)
    make, connect = opened(
        Broker.of(given_url(broker), password=os.environ.get("SUNMI_IPC_MQTT_PASSWORD", ""), ca=str(ca or ""))
    )
    start = parse_when(since, "--since").timestamp() if since else None
    began = time.monotonic()
    with (
        until_signal() as stop,
        VirtualSites(
            make,
            connect,
            count=count,
            cameras=cameras,
            seed=seed,
            rate=rate,
            start=start,
            name=name,
            first=first,
            limit=total,
            troubles=not calm,
        ) as running,
    ):
        refused = ""
        ready = False
        while not stop.wait(0.2):
            if running.refused and running.refused != refused:
                refused = running.refused
                note(state, "the broker refuses: {reason}", reason=refused)
            if not ready and running.connected == count:
                ready = True
                _ready(state, running)
            if running.finished or (duration and time.monotonic() - began >= duration):
                break
    _ended(state, running, time.monotonic() - began)


def _ready(state: State, running: Any) -> None:
    if state.json:
        names = [station.shop.site for station in running.stations]
        print_json_line(
            {"ready": True, "sites": names, "cameras": sum(len(s.shop.cameras) for s in running.stations)}
        )
        return
    say(state, "{count} shops are connected. Ctrl-C stops them.", count=len(running.stations))


def _ended(state: State, running: Any, seconds: float) -> None:
    tally = running.tally
    if state.json:
        print_json_line(
            {
                "said": tally.said,
                "acknowledged": tally.acknowledged,
                "resent": tally.resent,
                "connects": tally.connects,
                "seconds": round(seconds, 3),
            }
        )
        return
    say(
        state,
        "{said} messages said, {acknowledged} taken by the broker, {resent} sent again.",
        said=tally.said,
        acknowledged=tally.acknowledged,
        resent=tally.resent,
    )
