"""``ipc cloud hooks``: what the cloud posts to you."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.i18n import tr

from .cloud_common import epilog, open_cloud
from .output import note, show
from .state import State

if TYPE_CHECKING:
    from sunmi_ipc.events.delivery import Sink

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("What the cloud posts to you, and where to.")
)
Callback = Annotated[
    str, typer.Option(metavar="URL", help=tr("URL that the cloud can reach, https://ADDRESS/PATH."))
]
Events = Annotated[
    list[int] | None,
    typer.Option("--event", metavar="NUMBER", help=tr("Messages; default: 2001, a person seen.")),
]


@app.command(epilog=epilog("messages.add"))
def add(ctx: typer.Context, callback: Callback, event: Events = None) -> None:
    """Have messages posted to a URL."""
    from sunmi_ipc.cloud.values import PERSON_SEEN

    with open_cloud(ctx) as cloud:
        show(State.of(ctx), cloud.messages.add(event or [PERSON_SEEN], callback))


@app.command(epilog=epilog("messages.delete"))
def delete(ctx: typer.Context, callback: Callback, event: Events = None) -> None:
    """End a subscription."""
    from sunmi_ipc.cloud.values import PERSON_SEEN

    with open_cloud(ctx) as cloud:
        show(State.of(ctx), cloud.messages.delete(event or [PERSON_SEEN], callback))


@app.command(epilog=epilog("messages.add", "messages.delete"))
def listen(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help=tr("Address to listen on."))] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help=tr("Port to listen on; 0 takes a free one."))
    ] = 8086,
    path: Annotated[str, typer.Option(help=tr("Path that messages are posted to."))] = "/messages",
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=tr("Where messages are kept; default: the config directory.")),
    ] = None,
    callback: Annotated[
        str,
        typer.Option(
            metavar="URL", help=tr("Subscribe with this URL while listening: how the cloud reaches us.")
        ),
    ] = "",
    event: Events = None,
    exec_: Annotated[
        str,
        typer.Option("--exec", metavar="COMMAND", help=tr("Run this for each, the message on its stdin.")),
    ] = "",
    webhook: Annotated[str, typer.Option(metavar="URL", help=tr("Post each on to this URL."))] = "",
    mqtt: Annotated[str, typer.Option(metavar="URL", help=tr("Publish each, mqtt://HOST:PORT."))] = "",
    unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help=tr("Take messages without a signature."))
    ] = False,
    count: Annotated[int, typer.Option(min=0, help=tr("Stop after so many; 0: never."))] = 0,
) -> None:
    """Receive messages, keep them, and print one JSON line each; Ctrl-C ends it."""
    from sunmi_ipc.cloud.messages import CLOUD, MessageReceiver
    from sunmi_ipc.cloud.values import PERSON_SEEN
    from sunmi_ipc.events.delivery import Delivery
    from sunmi_ipc.events.sinks import ExecSink, JsonlSink, WebhookSink
    from sunmi_ipc.events.spool import Spool
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    settings = state.settings
    secrets = {settings.app_id: settings.secret_key} if settings.secret_key else None
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                stack.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        sinks: list[Sink] = [JsonlSink(sys.stdout)]
        sinks += [ExecSink(exec_)] if exec_ else []
        sinks += [WebhookSink(webhook)] if webhook else []
        if mqtt:
            from sunmi_ipc.events.mqtt import MqttSink

            sinks.append(MqttSink(mqtt, discovery=""))
        folder = save or config_dir() / "cloud-messages"
        spool = stack.enter_context(Spool(folder, dialect=CLOUD))
        receiver = MessageReceiver(
            spool, host=host, port=port, path=path, secrets=secrets, allow_unsigned=unsigned
        )
        deliveries = [stack.enter_context(Delivery(spool, sink)) for sink in sinks]
        stack.enter_context(receiver)
        if callback:
            _subscribe(ctx, stack, event or [PERSON_SEEN], callback)
        note(state, "Listening on {url}; messages are kept in {path}.", url=receiver.url, path=str(folder))
        while not stop.wait(0.1):
            if count and deliveries[0].counts["delivered"] >= count:
                break
            if deliveries[0].ended.is_set():
                break
        for delivery in deliveries:
            delivery.drain(5)


def _subscribe(ctx: typer.Context, stack: contextlib.ExitStack, events: list[int], callback: str) -> None:
    cloud = stack.enter_context(open_cloud(ctx))
    cloud.messages.add(events, callback)

    def end() -> None:
        with contextlib.suppress(ConfigError):
            cloud.messages.delete(events, callback)

    stack.callback(end)


__all__: list[Any] = ["app"]
