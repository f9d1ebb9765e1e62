"""``ipc events replay``, ``status`` and ``forget``: what the spool keeps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr

from ..forward.options import (
    ExecOption,
    JsonlOption,
    MqttCaOption,
    MqttOption,
    MqttPrefixOption,
    ParallelOption,
    SpoolOption,
    WebhookOption,
    make_sinks,
    spool_folder,
)
from ..screen.output import note, print_json, show, table
from ..screen.times import From, To, parse_period
from ..state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.events import Spool


@contextlib.contextmanager
def _existing(folder: Path | None) -> Iterator[Spool]:
    """The spool, for reading: nothing is made, nothing is dropped."""
    from sunmi_ipc.errors import ConfigError
    from sunmi_ipc.events import Spool
    from sunmi_ipc.events.store import FILE

    path = spool_folder(folder)
    if not (path / FILE).exists():
        raise ConfigError(
            "there is no event spool in {path}",
            hint="'ipc events listen' makes it; --spool names another folder.",
            path=str(path),
        )
    with Spool(path, retention=None) as spool:
        yield spool


def replay(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    sn: Annotated[str, typer.Option(metavar="SN", help=tr("Of this camera only."))] = "",
    event: Annotated[str, typer.Option(metavar="EVENT", help=tr("Of this type only."))] = "",
    jsonl: JsonlOption = False,
    exec_: ExecOption = "",
    exec_parallel: ParallelOption = 1,
    webhook: WebhookOption = "",
    mqtt: MqttOption = "",
    mqtt_ca: MqttCaOption = None,
    mqtt_prefix: MqttPrefixOption = "sunmi-ipc",
    spool: SpoolOption = None,
) -> None:
    """Show or forward once more what was received in a period. Nobody's place in the spool changes."""
    from sunmi_ipc.events.delivery import resend

    state = State.of(ctx)
    first, last = parse_period(from_, to)
    with contextlib.ExitStack() as stack:
        sinks = make_sinks(
            state, jsonl=jsonl, command=exec_, parallel=exec_parallel, webhook=webhook, mqtt=mqtt,
            mqtt_ca=mqtt_ca, mqtt_prefix=mqtt_prefix, mqtt_discovery="",
            terminal=not (exec_ or webhook or mqtt),
        )  # fmt: skip
        for sink in sinks:
            stack.callback(sink.close)
        kept = stack.enter_context(_existing(spool))
        if not sinks:
            found = [stored.as_dict() for stored in kept.replay(first, last, sn=sn, event_type=event)]
            if state.json:
                print_json({"events": found})
            return
        given_up = 0
        for sink in sinks:
            counts = resend(sink, kept.replay(first, last, sn=sn, event_type=event))
            given_up += counts["given_up"]
            if sink.name in ("terminal", "jsonl"):
                continue
            note(
                state,
                "{name}: {delivered} events delivered, {given_up} given up.",
                name=sink.name,
                **counts,
            )
    if given_up:
        raise typer.Exit(Exit.SOME_FAILED)


def status(ctx: typer.Context, spool: SpoolOption = None) -> None:
    """Show what the spool keeps, what it dropped, and who reads it."""
    state = State.of(ctx)
    with _existing(spool) as kept:
        counts = kept.counts()
    if state.json:
        show(state, counts)
        return
    consumers = counts.pop("consumers")
    show(state, {"spool": str(spool_folder(spool)), **counts})
    if consumers:
        table(
            [{"name": name, **figures} for name, figures in consumers.items()],
            ["name", "backlog", "given_up", "lost"],
        )


def forget(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(help=tr("Reader, as 'ipc events status' names it: jsonl, webhook, …"))
    ],
    spool: SpoolOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Forget a reader of the spool: what it alone has not read is kept for it no longer."""
    from sunmi_ipc.errors import ParameterError

    from ..screen.output import confirm

    state = State.of(ctx)
    with _existing(spool) as kept:
        consumers = kept.counts()["consumers"]
        if name not in consumers:
            raise ParameterError(
                "{name}: there is no such reader",
                name=name,
                hint="There are: {known}.",
                known=", ".join(consumers),
            )
        # Not under the feet of a program that reads: from then on it would begin at the oldest event again.
        kept.consumer(name, alone=True).close()
        if backlog := consumers[name]["backlog"]:
            confirm(tr("{name} has {backlog} events to read yet.", name=name, backlog=backlog), yes)
        kept.forget(name)
        show(state, None)
