"""Where ``ipc events listen``, ``replay`` and ``ipc cloud events listen`` send events: options, and the sinks they make.

The options are declared once, in :class:`SinkOptions`; a command that has a parameter ``sinks`` of it and is
marked with :func:`takes_sinks` has them all.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from sunmi_ipc.i18n import tr

from ..screen.options import Jsonl
from ..state import State

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
MqttDiscoveryOption = Annotated[
    str, typer.Option(help=tr("Home Assistant's discovery prefix; empty publishes no discovery."))
]
MqttPrefixOption = Annotated[str, typer.Option(help=tr("Begins every MQTT topic."))]
SpoolOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=tr("Folder that keeps the events, on a local disk; default: in the state folder."),
    ),
]


class Start(StrEnum):
    """Where a sink begins that has no place in the spool yet."""

    NOW = "now"
    OLDEST = "oldest"


FromOption = Annotated[
    Start,
    typer.Option(
        "--from",
        metavar="now|oldest",
        help=tr("Where a new sink begins: with what comes from now on, or at the oldest event that is kept."),
    ),
]


@dataclass(frozen=True)
class SinkOptions:
    """The options that name sinks."""

    jsonl: Jsonl = False
    exec_: ExecOption = ""
    exec_parallel: ParallelOption = 4
    webhook: WebhookOption = ""
    mqtt: MqttOption = ""
    mqtt_ca: MqttCaOption = None
    mqtt_prefix: MqttPrefixOption = "sunmi-ipc"
    mqtt_discovery: MqttDiscoveryOption = "homeassistant"


def takes_sinks(*without: str, **defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of :class:`SinkOptions` in the place of its parameter ``sinks``.

    Args:
        without: Options that it does not have.
        defaults: Other values for some that are not given.

    """

    def mark(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(SinkOptions, include_extras=True)
        ours = [f for f in fields(SinkOptions) if f.name not in without]
        off: dict[str, Any] = {f.name: "" for f in fields(SinkOptions) if f.name in without}

        @functools.wraps(command)
        def run(*args: Any, **kwargs: Any) -> None:
            given = {f.name: kwargs.pop(f.name) for f in ours}
            command(*args, sinks=SinkOptions(**off, **given), **kwargs)

        signature = inspect.signature(command, eval_str=True)
        parameters = []
        for parameter in signature.parameters.values():
            if parameter.name != "sinks":
                parameters.append(parameter)
                continue
            parameters += [
                inspect.Parameter(
                    f.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=defaults.get(f.name, f.default),
                    annotation=hints[f.name],
                )
                for f in ours
            ]
        # A parameter after those can be given by its name alone, as all options are.
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return run

    return mark


def spool_folder(given: Path | None, name: str = "events") -> Path:
    """The spool's folder. What an older version kept in the config folder is moved over, unless it is in use."""
    from sunmi_ipc.events.moving import move_over
    from sunmi_ipc.settings import config_dir, state_dir

    return given or move_over(config_dir() / name, state_dir() / name)


def terminal_sink() -> Any:
    """Lines for people on standard output."""
    from sunmi_ipc.events.sinks import LineSink

    from .lines import line

    return LineSink(sys.stdout, line, name="terminal", batch=50)


def make_sinks(state: State, options: SinkOptions, *, terminal: bool = True) -> list[Any]:
    """The sinks that *options* name; lines for people where nothing else uses standard output.

    Raises:
        ConfigError: One of them cannot be: no such command, no URL, a missing extra.
        ParameterError: Two of them want standard output.

    """
    from sunmi_ipc.errors import ParameterError
    from sunmi_ipc.events.sinks import ExecSink, JsonlSink, WebhookSink

    from ..argv import take_secret

    if options.jsonl and state.json:
        raise ParameterError("{name}: not together with {other}", name="--jsonl", other="--json")
    made: list[Any] = []
    if options.jsonl and sys.stdout is not None:
        made.append(JsonlSink(sys.stdout))
    elif terminal and not state.json and not state.quiet and sys.stdout is not None:
        made.append(terminal_sink())
    if options.exec_:
        made.append(ExecSink(options.exec_, parallel=options.exec_parallel))
    if options.webhook:
        # A token may stand anywhere in it, and this runs for months beside other users of the computer.
        url = take_secret(options.webhook).reveal()
        made.append(WebhookSink(url, secret=os.environ.get("SUNMI_IPC_WEBHOOK_SECRET", "")))
    if options.mqtt:
        from sunmi_ipc.events.mqtt import MqttSink

        made.append(
            MqttSink(
                take_secret(options.mqtt).reveal(),
                password=os.environ.get("SUNMI_IPC_MQTT_PASSWORD", ""),
                ca=str(options.mqtt_ca) if options.mqtt_ca else None,
                prefix=options.mqtt_prefix,
                discovery=options.mqtt_discovery,
            )
        )
    return made
