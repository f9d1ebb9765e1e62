"""``ipc events``: subscriptions; receiving them is in :mod:`.listen`, what was received in :mod:`.replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import EventType

from ..screen.choices import EVENTS
from ..screen.choices import events as named
from ..screen.output import confirm, say, show
from ..state import State
from ..target import open_camera
from .listen import listen
from .replay import forget, purge, replay, salvage, status

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("What the camera pushes, and where to.")
)
EventNames = Annotated[
    list[str],
    typer.Argument(metavar="EVENT...", help=tr("face (FM020): a face recognised; motion: motion or sound.")),
]
Callback = Annotated[
    str,
    typer.Option(
        help=tr("URL that the camera can reach; default: where 'ipc events listen' listens on this computer.")
    ),
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help=tr("Port of the callback that is worked out; 8480."))
]
app.command()(listen)
app.command()(replay)
app.command()(status)
app.command()(forget)
app.command()(purge)
app.command()(salvage)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the subscriptions."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        found = camera.events.list()
    if not found.sub_event and not state.json:
        say(
            state,
            "The camera pushes nothing yet. 'ipc events listen --subscribe EVENT' receives what it sees.",
        )
        return
    show(state, found, rows="sub_event", nothing="The camera pushes nothing.")


@app.command()
def subscribe(ctx: typer.Context, events: EventNames, callback: Callback = "", port: Port = None) -> None:
    """Have events posted to a URL."""
    state = State.of(ctx)
    wanted = named(events, "events")
    with open_camera(state) as camera:
        used = camera.events.subscribe(*wanted, callback=callback or camera.events.callback(port))
        show(state, {"http_callback": used})


@app.command()
def unsubscribe(
    ctx: typer.Context,
    events: Annotated[
        list[str] | None,
        typer.Argument(metavar="EVENT...", help=tr("face or motion; with --all, none means both.")),
    ] = None,
    callback: Callback = "",
    port: Port = None,
    every: Annotated[
        bool, typer.Option("--all", help=tr("Whatever the callback: also other programs' subscriptions."))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """End a subscription."""
    state = State.of(ctx)
    if not events and not every:
        raise ParameterError(
            "{name}: missing", name="events", hint="Allowed: {bounds}.", bounds=", ".join(EVENTS)
        )
    wanted = named(events or list(EVENTS), "events")
    with open_camera(state) as camera:
        if not every:
            used = callback or camera.events.callback(port)
            made = camera.events.unsubscribe(wanted, used)
            show(state, made, done="Nothing is pushed to {url} any more.", about={"url": used})
            return
        there = [
            (s.event, u) for s in camera.events.list().sub_event if s.event in wanted for u in s.http_callback
        ]
        if there:
            confirm(tr("{count} subscriptions end.", count=len(there)), yes)
        for event, url in there:
            camera.events.unsubscribe([EventType(event)], url)
        show(state, {"ended": len(there)})
