"""``ipc hub``: from the broker into the database, and how that goes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import tr

from ..argv import given_url
from ..forward.run import until_signal
from ..screen.output import note, print_json, print_json_line, say, table
from ..state import State
from .options import DatabaseOption, open_store

if TYPE_CHECKING:
    from sunmi_ipc.hub.store import Store

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    help=tr("Many shops in one database: stores what stations say at a broker."),
)


@app.callback()
def run(
    ctx: typer.Context,
    broker: Annotated[
        str,
        typer.Option(
            envvar="SUNMI_IPC_HUB_BROKER",
            metavar="URL",
            help=tr("mqtts://user@host:8883; the password is read from SUNMI_IPC_MQTT_PASSWORD."),
        ),
    ] = "",
    database: DatabaseOption = "",
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="SUNMI_IPC_HUB_CA",
            metavar="FILE",
            help=tr("PEM file that signs the broker's certificate."),
        ),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tr("PEM file of the hub's own certificate."))
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("PEM file of its key."))] = None,
    name: Annotated[
        str,
        typer.Option(help=tr("Of this hub, the same at every start; default: hub- and this computer's.")),
    ] = "",
    share: Annotated[str, typer.Option(metavar="NAME", help=tr("Hubs of one group share the work."))] = "hub",
    in_flight: Annotated[
        int, typer.Option(min=1, max=65535, help=tr("Messages here at once; the rest waits at the broker."))
    ] = 1000,
) -> None:
    """Store what stations say, until Ctrl-C or SIGTERM. Any number of hubs may run at once."""
    if ctx.invoked_subcommand is not None:
        return
    state = State.of(ctx)
    if not broker:
        raise errors.ParameterError(
            "{name}: is needed", name="--broker", hint="For example --broker mqtts://hq.example:8883."
        )
    from sunmi_ipc.broker.connection import Broker
    from sunmi_ipc.hub.hub import Hub

    link = Broker.of(
        given_url(broker),
        password=os.environ.get("SUNMI_IPC_MQTT_PASSWORD", ""),
        ca=str(ca or ""),
        certificate=str(cert or ""),
        key=str(key or ""),
    )
    store = open_store(database)
    hub = Hub(link, store, name=name, group=share, in_flight=in_flight)
    with until_signal() as stop:
        _wait_for(state, store, stop)
        if stop.is_set():
            return
        try:
            with hub:
                while not hub.connected and not stop.wait(0.1) and not hub.hopeless:
                    pass
                if hub.connected:
                    _ready(state, hub.name, link.host, store.place)
                hub.wait(stop)
        finally:
            store.close()
    note(state, "The hub ends: {stored} rows stored, {refused} messages refused.", stored=hub.stored, refused=hub.refused)  # fmt: skip


def _wait_for(state: State, store: Store, stop: Any) -> None:
    """Bring the database up to date; one that is not there yet (both start with the computer) is waited for."""
    from sunmi_ipc.hub.store import Away

    said = ""
    while not stop.is_set():
        try:
            store.migrate()
            return
        except Away as error:
            if error.hopeless:
                store.close()
                raise errors.ConfigError(
                    "the hub's database {place} cannot be used: {reason}",
                    hint="Give another file, or put a copy in its place that is whole; the shops' messages wait at the "
                    "broker meanwhile.",
                    place=store.place,
                    reason=str(error),
                ) from None
            if str(error) != said:
                said = str(error)
                note(state, "The database is waited for: {reason}", reason=said)
            stop.wait(1.0)


def _ready(state: State, name: str, host: str, place: str) -> None:
    if state.json:
        print_json_line({"ready": True, "name": name, "broker": host, "database": place})
        return
    say(state, "Hub {name}: from {host} into {place}. Ctrl-C ends it.", name=name, host=host, place=place)


@app.command()
def status(ctx: typer.Context, database: DatabaseOption = "") -> None:
    """Show the hubs, what the database holds, and the messages that were not understood."""
    from sunmi_ipc.hub.status import status as ask
    from sunmi_ipc.hub.store import Away

    state = State.of(ctx)
    store = open_store(database)
    try:
        found = ask(store)
    except Away as error:
        raise errors.ConnectionFailed(
            "the hub's database {place} cannot be read: {reason}",
            hint="Is it running, and is this its address? 'ipc hub' makes its tables.",
            place=store.place,
            reason=str(error),
        ) from None
    finally:
        store.close()
    if state.json:
        print_json(found)
        return
    say(state, "Database {place}, version {version}.", place=found["database"], version=found["version"])
    rows = found["rows"]
    say(
        state,
        "{sites} shops ({online} online), {cameras} cameras, {counts} windows of people, {events} events, {alerts} alerts ({open} open).",
        online=found["sites_online"],
        open=found["alerts_open"],
        **rows,
    )
    if found["hubs"]:
        table(
            [
                {
                    "hub": hub["name"],
                    "state": tr("running") if hub["running"] else tr("not running"),
                    "stored": hub["stored"],
                    "not understood": hub["refused"],
                    "lag p99": "" if hub["p99_ms"] is None else f"{hub['p99_ms'] / 1000:.2f} s",
                    "seen": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(hub["seen"])),
                }
                for hub in found["hubs"]
            ],
            ("hub", "state", "stored", "not understood", "lag p99", "seen"),
            least=("seen", "lag p99"),
        )
    if found["refused"]:
        say(state, "Not understood, newest first:")
        table(
            [
                {
                    "shop": row["site"],
                    "number": row["number"],
                    "last": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["last"])),
                    "reason": row["reason"],
                }
                for row in found["refused"][:20]
            ],
            ("shop", "number", "last", "reason"),
            least=("last",),
        )


__all__ = ["app"]
