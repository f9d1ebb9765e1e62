"""``ipc cloud events``: what the cloud posts to you."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Annotated

import typer

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.i18n import tr

from ..forward.options import (
    FromOption,
    SinkOptions,
    SpoolOption,
    Start,
    make_sinks,
    spool_folder,
    takes_sinks,
)
from ..forward.run import DurationOption, deliver, held, sum_up, until_signal, wait
from ..forward.salvaged import say_salvaged
from ..screen.output import note, show
from ..state import State
from .common import epilog, open_cloud

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("What the cloud posts to you, and where to.")
)
Callback = Annotated[
    str, typer.Option(metavar="URL", help=tr("URL that the cloud can reach, https://ADDRESS/PATH."))
]
Events = Annotated[
    list[int] | None,
    typer.Argument(metavar="[EVENT]...", help=tr("Messages by their number; default: 2001, a person seen.")),
]


@app.command(epilog=epilog("messages.add"))
def subscribe(ctx: typer.Context, callback: Callback, event: Events = None) -> None:
    """Have messages posted to a URL."""
    from sunmi_ipc.cloud.values import PERSON_SEEN

    with open_cloud(ctx) as cloud:
        made = cloud.messages.add(event or [PERSON_SEEN], callback)
        show(State.of(ctx), made, done="The cloud posts to {url} from now on.", about={"url": callback})


@app.command(epilog=epilog("messages.delete"))
def unsubscribe(ctx: typer.Context, callback: Callback, event: Events = None) -> None:
    """End a subscription."""
    from sunmi_ipc.cloud.values import PERSON_SEEN

    with open_cloud(ctx) as cloud:
        made = cloud.messages.delete(event or [PERSON_SEEN], callback)
        show(State.of(ctx), made, done="The cloud posts nothing to {url} any more.", about={"url": callback})


@app.command(epilog=epilog("messages.add", "messages.delete"))
@takes_sinks("mqtt_discovery")
def listen(
    ctx: typer.Context,
    host: Annotated[
        str,
        typer.Option(
            help=tr("Address to listen on; default: this computer alone, for a web server before it.")
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help=tr("Port to listen on; 0 takes a free one."))
    ] = 8486,
    callback: Annotated[
        str,
        typer.Option(
            metavar="URL", help=tr("Subscribe with this URL while listening: how the cloud reaches us.")
        ),
    ] = "",
    subscribe: Annotated[
        list[int] | None,
        typer.Option(metavar="EVENT", help=tr("Messages by their number; default: 2001, a person seen.")),
    ] = None,
    *,
    sinks: SinkOptions,
    from_: FromOption = Start.NOW,
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned", help=tr("Take messages without a signature: anybody can then invent them.")
        ),
    ] = False,
    spool: SpoolOption = None,
    count: Annotated[int, typer.Option(min=0, help=tr("Stop after so many new messages; 0: never."))] = 0,
    duration: DurationOption = 0.0,
) -> None:
    """Receive messages, keep them on the disk, show and forward them, until Ctrl-C."""
    from sunmi_ipc.cloud.messages import CLOUD, MessageReceiver
    from sunmi_ipc.cloud.values import PERSON_SEEN
    from sunmi_ipc.events.salvage import open_or_salvage

    state = State.of(ctx)
    settings = state.settings
    secrets = {settings.app_id: settings.secret_key} if settings.app_id and settings.secret_key else None
    made = make_sinks(state, sinks)
    folder = spool_folder(spool, "cloud-messages")
    with contextlib.ExitStack() as stack:
        undelivered = stack.enter_context(held(made))
        kept = stack.enter_context(open_or_salvage(folder, dialect=CLOUD, told=partial(say_salvaged, state)))
        # Before anything can come: what a new sink begins with is the first message from now on.
        deliveries = deliver(stack, kept, made, from_)
        undelivered.pop_all()  # closed by their deliveries
        receiver = stack.enter_context(
            MessageReceiver(
                kept, host=host, port=port, path="", secrets=secrets, allow_unsigned=allow_unsigned
            )
        )
        stop = stack.enter_context(until_signal())
        with contextlib.ExitStack() as subscribed:
            if callback:
                _subscribe(ctx, subscribed, subscribe or [PERSON_SEEN], callback)
            note(
                state,
                "Listening on {url}; messages are kept in {path}. Ctrl-C ends it.",
                url=receiver.url,
                path=str(folder),
            )
            wait(stop, receiver, deliveries, count, duration)
        for delivery in deliveries:
            delivery.drain(5)
        left = {d.name: backlog for d in deliveries if (backlog := d.backlog())}
    sum_up(state, receiver, deliveries, left)


def _subscribe(ctx: typer.Context, stack: contextlib.ExitStack, events: list[int], callback: str) -> None:
    cloud = stack.enter_context(open_cloud(ctx))
    cloud.messages.add(events, callback)

    def end() -> None:
        try:
            cloud.messages.delete(events, callback)
        except SunmiIpcError as error:  # what has come is kept: that the end failed is a remark
            note(State.of(ctx), "not unsubscribed: {reason}", reason=error.message)

    stack.callback(end)
