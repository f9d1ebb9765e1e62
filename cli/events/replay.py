"""``ipc events replay``, ``status`` and ``forget``: what the spool keeps."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.serial import spelt

from ..forward.options import SinkOptions, SpoolOption, make_sinks, spool_folder, takes_sinks
from ..screen.choices import event_type
from ..screen.lines import amount
from ..screen.output import fields, note, print_json, show, table
from ..screen.times import From, To, parse_period, parse_until
from ..state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.events import Spool, StoredEvent


@contextlib.contextmanager
def _existing(folder: Path | None, *, writable: bool = False) -> Iterator[Spool]:
    """The spool that is there. For reading, unless *writable*: looking changes nothing under a program that listens."""
    from sunmi_ipc.errors import ConfigError
    from sunmi_ipc.events import Spool
    from sunmi_ipc.events.store import FILE

    path = spool_folder(folder)
    if not os.path.exists(path / FILE):
        raise ConfigError(
            "there is no event spool in {path}",
            hint="'ipc events listen' makes it; --spool names another folder.",
            path=str(path),
        )
    with Spool(path, retention=None, writable=writable) as spool:
        yield spool


def _note(done: set[int], stored: StoredEvent) -> None:
    done.add(stored.seq)


@takes_sinks("mqtt_discovery", exec_parallel=1)
def replay(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    sn: Annotated[str, typer.Option(metavar="SN", help=tr("Only this serial number."))] = "",
    event: Annotated[str, typer.Option(metavar="EVENT", help=tr("Of this type only."))] = "",
    *,
    sinks: SinkOptions,
    given_up: Annotated[
        bool,
        typer.Option("--given-up", help=tr("Send again what sinks gave up, and forget it once it is sent.")),
    ] = False,
    sink: Annotated[
        str, typer.Option("--sink", metavar="NAME", help=tr("With --given-up: what this sink gave up."))
    ] = "",
    spool: SpoolOption = None,
) -> None:
    """Show or forward once more what was received in a period. Nobody's place in the spool changes.

    With --given-up: what a sink refused for good, out of the file that 'ipc events status' names.
    """
    from sunmi_ipc.events.delivery import resend

    state = State.of(ctx)
    event = event_type(event)
    # What was given up is all of it, unless the person says from when.
    oldest = bool(given_up and to and not from_)
    first, last = (datetime.min.replace(tzinfo=UTC), parse_until(to)) if oldest else parse_period(from_, to)
    with contextlib.ExitStack() as stack:
        made = make_sinks(state, sinks, terminal=not (sinks.exec_ or sinks.webhook or sinks.mqtt))
        for one in made:
            stack.callback(one.close)
        kept = stack.enter_context(_existing(spool))

        def wanted() -> Iterator[StoredEvent]:
            if not given_up:
                yield from kept.replay(first, last, sn=sn, event_type=event)
                return
            for _, stored in kept.dead_letters(sink):
                right = (not sn or stored.event.sn == spelt(sn)) and (
                    not event or stored.event.event_type == event
                )
                if (
                    right
                    and (not from_ or stored.received >= first)
                    and (last is None or stored.received < last)
                ):
                    yield stored

        if not made:
            found = [stored.as_dict() for stored in wanted()]
            if state.json:
                print_json({"events": found})
            return
        failed = 0
        sent: list[set[int]] = []
        for one in made:
            sent.append(set())
            counts = resend(one, wanted(), delivered=partial(_note, sent[-1]))
            failed += counts["given_up"]
            if one.name == "terminal" and not any(counts.values()):
                note(state, "There is no event in this period.")
            if one.name in ("terminal", "jsonl"):
                sent.pop()
                continue
            note(
                state,
                "{name}: {delivered} events delivered, {given_up} given up.",
                name=one.name,
                **counts,
            )
        if given_up and sent:
            done = set.intersection(*sent)
            kept.letters.remove(lambda one: one.seq in done and (not sink or one.sink == sink))
    if failed:
        raise typer.Exit(Exit.SOME_FAILED)


def status(ctx: typer.Context, spool: SpoolOption = None) -> None:
    """Show what the spool keeps, what it dropped, and who reads it."""
    state = State.of(ctx)
    with _existing(spool) as kept:
        counts = kept.counts()
        letters = kept.letters.counts()
        file = str(kept.letters.path)
        pictures = kept.folders()
    if state.json:
        given_up = {"file": file, "by_sink": letters}
        show(state, {**counts, "dead_letters": given_up, "picture_folders": pictures})
        return
    consumers = counts["consumers"]
    figures = {
        name: value for name, value in counts.items() if name not in ("consumers", "last_seq", "bytes")
    }
    if not state.quiet:
        fields({"spool": str(spool_folder(spool)), "on_disk": amount(counts["bytes"]), **figures})
    if letters:
        note(
            state,
            "{count} events were given up ({sinks}); they are in {file}. 'ipc events replay --given-up' with the "
            "sink's option sends them again.",
            count=sum(letters.values()),
            sinks=", ".join(f"{name}: {number}" for name, number in letters.items()),
            file=file,
        )
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
    with _existing(spool, writable=True) as kept:
        consumers = kept.counts()["consumers"]
        if name not in consumers:
            raise ParameterError(
                "{name}: there is no such reader",
                name=name,
                hint="There are: {known}." if consumers else "Nobody reads it so far.",
                known=", ".join(consumers),
            )
        # Not under the feet of a program that reads: from then on it would begin at the oldest event again.
        kept.consumer(name, alone=True).close()
        if backlog := consumers[name]["backlog"]:
            confirm(tr("{name} has {backlog} events to read yet.", name=name, backlog=backlog), yes)
        kept.forget(name)
        show(state, None, done="The reader {name} is forgotten.", about={"name": name})


def purge(
    ctx: typer.Context,
    faces: Annotated[
        bool, typer.Option("--faces", help=tr("Events about faces, and their saved pictures."))
    ] = False,
    face: Annotated[
        str, typer.Option("--face", metavar="ID", help=tr("Of this face only, for a person's request."))
    ] = "",
    sn: Annotated[str, typer.Option(metavar="SN", help=tr("Only this serial number."))] = "",
    to: To = "",
    spool: SpoolOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Remove what is kept about faces: events, what was given up, and saved pictures. It cannot be brought back.

    What was forwarded already is not reached: ask there as well.
    """
    from sunmi_ipc.errors import ParameterError

    from ..screen.output import confirm

    state = State.of(ctx)
    if not faces and not face:
        raise ParameterError(
            "{name}: say what is to be removed", name="--faces", hint="--faces, or --face ID."
        )
    until = parse_until(to) if to else None
    with _existing(spool, writable=True) as kept:
        what = tr("face {id}", id=face) if face else tr("all faces")
        confirm(
            tr(
                "What is kept in {folder} about {what} is removed for good.",
                folder=str(kept.directory),
                what=what,
            ),
            yes,
        )
        number, files = kept.purge_faces(sn=sn, faceid=face, until=until)
        removed = 0
        for file in files:
            for one in (Path(file), Path(file).with_suffix(".json")):
                with contextlib.suppress(FileNotFoundError):
                    one.unlink()
                    removed += 1
    show(state, {"events": number, "files": removed})


def salvage(
    ctx: typer.Context,
    spool: SpoolOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Save what can be read of a damaged spool. The damaged file is kept beside the new one.

    'ipc events listen' and 'ipc serve' do this by themselves when they start.
    """
    from sunmi_ipc.events.salvage import salvage as save

    from ..forward.salvaged import say_salvaged
    from ..screen.output import confirm, waiting

    state = State.of(ctx)
    folder = spool_folder(spool)
    confirm(tr("The spool in {folder} is read through and written anew.", folder=str(folder)), yes)
    with waiting(state, "Reading the spool …") as change:
        saved = save(folder, progress=lambda count: change(tr("{count} events saved", count=count)))
    if state.json:
        print_json({
            "events": saved.events, "missing": saved.missing, "first_missing": saved.first_missing,
            "last_missing": saved.last_missing, "readers": list(saved.readers), "complete": saved.complete,
            "kept": str(saved.kept),
        })  # fmt: skip
        return
    say_salvaged(state, saved)
