"""Where ``ipc events listen`` and ``replay`` send events: options, and the sinks they make."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable

from ..screen.output import columns
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.events import StoredEvent

JsonlOption = Annotated[bool, typer.Option("--jsonl", help=tr("Print each event as one line of JSON."))]
ExecOption = Annotated[
    str,
    typer.Option(
        "--exec",
        metavar="COMMAND",
        help=tr("Run this for each event, the event as JSON on its standard input."),
    ),
]
ParallelOption = Annotated[
    int, typer.Option(min=1, max=64, help=tr("How many of --exec run at once; 1 keeps the order."))
]
WebhookOption = Annotated[str, typer.Option(metavar="URL", help=tr("Post each event to this URL as JSON."))]
MqttOption = Annotated[
    str, typer.Option(metavar="URL", help=tr("Publish events to this broker: mqtt[s]://[USER@]HOST[:PORT]."))
]
MqttCaOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help=tr("PEM file that signs the broker's certificate."))
]
MqttPrefixOption = Annotated[str, typer.Option(help=tr("Begins every MQTT topic."))]
SpoolOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=tr("Folder that keeps the events, on a local disk; default: in the config folder."),
    ),
]


def spool_folder(given: Path | None) -> Path:
    """The spool's folder."""
    from sunmi_ipc.settings import config_dir

    return given or config_dir() / "events"


def line(stored: StoredEvent) -> str:
    """An event for people, on one line."""
    event = stored.event
    details = stored.as_dict()
    for name in (
        "sn",
        "event_type",
        "event_id",
        "report_time",
        "seq",
        "received",
        "source",
        "verified",
        "idempotency_key",
    ):
        details.pop(name, None)
    shown = [f"{k}={v}" for k, v in details.items() if v not in (None, "") and not k.endswith("_url")]
    cells = [f"{stored.received.astimezone():%Y-%m-%d %H:%M:%S}", event.sn, event.event_type, " ".join(shown)]
    return columns([printable(cell) for cell in cells], (19, 16, 20, 0))


def terminal_sink() -> Any:
    """Lines for people on standard output."""
    from sunmi_ipc.events.sinks import LineSink

    return LineSink(sys.stdout, line, name="terminal", batch=50)


def make_sinks(
    state: State,
    *,
    jsonl: bool,
    command: str,
    parallel: int,
    webhook: str,
    mqtt: str,
    mqtt_ca: Path | None,
    mqtt_prefix: str,
    mqtt_discovery: str,
    terminal: bool = True,
) -> list[Any]:
    """The sinks that the options name; lines for people where nothing else uses standard output.

    Raises:
        ConfigError: One of them cannot be: no such command, no URL, a missing extra.

    """
    from sunmi_ipc.events.sinks import ExecSink, JsonlSink, WebhookSink

    made: list[Any] = []
    if jsonl:
        made.append(JsonlSink(sys.stdout))
    elif terminal and not state.json and not state.quiet and sys.stdout is not None:
        made.append(terminal_sink())
    if command:
        made.append(ExecSink(command, parallel=parallel))
    if webhook:
        made.append(WebhookSink(webhook, secret=os.environ.get("SUNMI_IPC_WEBHOOK_SECRET", "")))
    if mqtt:
        from sunmi_ipc.events.mqtt import MqttSink

        made.append(
            MqttSink(
                mqtt,
                password=os.environ.get("SUNMI_IPC_MQTT_PASSWORD", ""),
                ca=str(mqtt_ca) if mqtt_ca else None,
                prefix=mqtt_prefix,
                discovery=mqtt_discovery,
            )
        )
    return made
