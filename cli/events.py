"""``ipc events``: subscriptions."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.values import EventType

from .output import show
from .state import State
from .target import open_camera

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("What the camera pushes, and where to.")
)
EventNames = Annotated[
    list[str], typer.Argument(metavar="EVENT...", help=tr("face_recog_event (FM020), dynamic_detect_event."))
]
Callback = Annotated[str, typer.Option(help=tr("URL that the camera can reach, http://ADDRESS:PORT/PATH."))]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the subscriptions."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.events.list(), rows="sub_event")


@app.command()
def subscribe(ctx: typer.Context, events: EventNames, callback: Callback) -> None:
    """Have events posted to a URL."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        camera.events.subscribe(*events, callback=callback)
        show(state, None)


@app.command()
def unsubscribe(ctx: typer.Context, events: EventNames, callback: Callback) -> None:
    """End a subscription."""
    state = State.of(ctx)
    unknown = [event for event in events if event not in list(EventType)]
    if unknown:
        raise ParameterError(
            "{name}: unknown", name="events", hint="Allowed: {bounds}.", bounds=", ".join(EventType)
        )
    with open_camera(state) as camera:
        show(state, camera.events.unsubscribe([EventType(event) for event in events], callback))
