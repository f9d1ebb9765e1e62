"""``ipc fleet``: a shop's cameras from one file."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import language, tr

from ..screen.csvfile import Csv
from ..screen.ending import interruptible, leave
from ..screen.lengths import Length, length
from ..screen.output import confirm, note, print_json, say, waiting
from ..state import Exit, State
from . import editing
from .common import SITE, AsIs, Inline, Jobs, JournalFile, SiteFile, load_site, open_journal
from .others import Others

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.outcome import Outcome
    from sunmi_ipc.fleet.sitefile import Loaded

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("A shop's cameras from one file."),
)


def _run(
    state: State,
    loaded: Loaded,
    journal: Journal,
    *,
    apply: bool,
    record: bool = False,
    jobs: int | None = None,
    agreed: frozenset[tuple[str, str]] | None = None,
) -> list[Outcome]:
    """One run, shown while it lasts; Ctrl-C ends it and says how far it came."""
    from functools import partial

    from sunmi_ipc.corrections import read
    from sunmi_ipc.fleet.run import run
    from sunmi_ipc.fleet.way import Way
    from sunmi_ipc.settings import config_dir

    from .view import View

    settings, stop = state.settings, threading.Event()
    # Once for all cameras: the file is read once, and pins are written under one lock.
    pins, overrides = state.known_cameras(), read(config_dir())
    connect = partial(settings.connect, known_cameras=pins, overrides=overrides)
    look = partial(settings.connect, known_cameras=pins.copy(), overrides=overrides)
    finder = None
    if settings.via:
        from sunmi_ipc.fleet.finder import Finder

        finder = Finder(scan=lambda **_: settings.discover())
    done: list[Outcome] = []
    ended: list[int] = []
    way = Way(loaded.site.apply.restart)
    with View(state, len(loaded.slots)) as view:
        outcomes = run(
            loaded, connect, journal, apply=apply, record=record, jobs=jobs, agreed=agreed,
            interfaces=settings.interfaces(), stop=stop, tell=view.tell, look=look, finder=finder,
            way=way,
        )  # fmt: skip
        with interruptible(state, stop, view.close, ended), closing(outcomes):
            for outcome in outcomes:
                done.append(outcome)
                view.done(outcome)
    if stop.is_set():
        note(
            state,
            "{done} of {total} cameras were done. 'ipc fleet apply' goes on where this ended.",
            done=sum(str(outcome.standing) != "stopped" for outcome in done),
            total=len(loaded.slots),
        )
        leave(ended)
    if way.error is not None:
        reason, step = way.error.localized(language())
        note(
            state,
            "The run has ended early: {reason}. {step} {done} of {total} cameras are as wanted; what was done to the "
            "others is in the journal. 'ipc fleet apply' goes on where this ended.",
            reason=reason,
            step=step,
            done=sum(outcome.ok for outcome in done),
            total=len(loaded.slots),
        )
    return sorted(done, key=lambda outcome: outcome.key)


def _show(state: State, outcomes: list[Outcome], unlisted: list[DiscoveredCamera] | None = None) -> None:
    from .view import print_outcomes, summary

    if state.json:
        document: dict[str, Any] = {
            "cameras": [o.as_dict(language()) for o in outcomes],
            "summary": summary(outcomes),
        }
        if unlisted is not None:
            document["not_in_file"] = [
                {"sn": one.sn, "ip": one.ip, "model": one.model, "mac": one.mac, "name": one.name}
                for one in unlisted
            ]
        print_json(document)
    elif not state.quiet:
        print_outcomes(outcomes)


def _next(state: State, site: Path, outcomes: list[Outcome]) -> None:
    """On a terminal, the step that follows: apply what differs, or hand over what is as wanted."""
    if state.json or not sys.stderr.isatty():
        return
    named = _named(site)
    if any(str(outcome.standing) == "differs" for outcome in outcomes):
        note(state, "To make it so: {command}", command=f"ipc fleet apply{named}")
    elif outcomes and all(outcome.ok for outcome in outcomes):
        note(
            state,
            "All as wanted. A report to hand over: {command}",
            command=f"ipc fleet export{named} --html report.html",
        )


def _finish(outcomes: list[Outcome], *fine: str) -> None:
    if any(str(outcome.standing) not in fine for outcome in outcomes):
        raise typer.Exit(Exit.SOME_FAILED)


@app.command()
def init(
    ctx: typer.Context,
    site: SiteFile = SITE,
    name: Annotated[str, typer.Option(help=tr("The site's name."))] = "",
    timeout: Annotated[float, length("--timeout", tr("How long to wait."), least=0.1, most=600)] = Length(
        "2.4s"
    ),
    target: Annotated[
        list[str] | None, typer.Option(help=tr("Also ask this address or block (192.168.1.0/24)."))
    ] = None,
    capture: Annotated[
        bool, typer.Option("--capture", help=tr("Write down the settings that each camera has now."))
    ] = False,
    force: Annotated[bool, typer.Option("--force", help=tr("Write over a file that is there."))] = False,
) -> None:
    """Write a site file from a scan: TOML with its schema, or CSV where the name ends so."""
    from sunmi_ipc import discovery
    from sunmi_ipc.fleet.draft import claims, draft, sheet
    from sunmi_ipc.fleet.schema import FILE, shipped

    state = State.of(ctx)
    if capture and site.suffix.lower() == ".csv":
        raise errors.ParameterError(
            "{name}: a CSV file cannot hold them", name="--capture", hint="Name a file that ends in .toml."
        )
    if os.path.exists(site) and not force:
        raise errors.ConfigError(
            "{path} is there already",
            hint="Name another file, or say --force to write over it.",
            path=str(site),
        )
    with waiting(state, "Looking for cameras …"):
        found = list(
            discovery.discover(timeout=timeout, interfaces=state.settings.interfaces(), targets=target or ())
        )
    claimed = claims(found)
    for sn, same in claimed.items():
        if len(same) > 1:
            note(
                state,
                "{sn}: {count} cameras claim it ({addresses}). Look at their labels: one of them is another.",
                sn=sn,
                count=len(same),
                addresses=", ".join(one.address for one in same),
            )
    schema: Path | None = None
    try:
        if site.suffix.lower() == ".csv":
            sheet(site, found, language())
        else:
            schema = site.with_name(FILE.name)
            schema.write_text(shipped(), "utf-8")
            alone = [same[0] for same in claimed.values() if len(same) == 1]
            captured = _captured(state, alone) if capture else {}
            site.write_text(draft(found, name, schema.name, captured), "utf-8")
    except OSError as error:
        raise errors.cannot_write(site, error) from None
    if state.json:
        print_json(
            {
                "path": str(site),
                "schema": str(schema) if schema else None,
                "cameras": list(claimed),
            }
        )
    say(
        state,
        "{count} cameras written to {path}. Say in it what you want, then: {command}",
        count=len(claimed),
        path=str(site),
        command=f"ipc fleet plan{_named(site)}",
    )


def _named(site: Path) -> str:
    """The site file as an argument of the next command."""
    return "" if site == SITE else f" {shlex.quote(str(site))}"


def _captured(state: State, found: list[DiscoveredCamera]) -> dict[str, dict[str, Any]]:
    """By serial number, the settings that each camera has now."""
    from sunmi_ipc.fleet.capture import capture_all

    with waiting(state, "Reading the settings of {count} cameras …", count=len(found)):
        captured, missing = capture_all(found, state.settings)
    for sn, error in missing.items():
        note(
            state,
            "{sn}: its settings could not be read: {reason}",
            sn=sn,
            reason=error.localized(language())[0],
        )
    return captured


@app.command()
def plan(
    ctx: typer.Context,
    site: SiteFile = SITE,
    jobs: Jobs = None,
    journal: JournalFile = None,
    inline: Inline = False,
    as_is: AsIs = False,
) -> None:
    """Show what differs and what would be done, camera by camera. Changes nothing."""
    state = State.of(ctx)
    loaded = load_site(state, site, inline, as_is=as_is)
    others = Others(state)
    with open_journal(loaded, journal, write=False) as book:
        outcomes = _run(state, loaded, book, apply=False, jobs=jobs)
        unlisted = others.of(loaded, book, outcomes)
    _show(state, outcomes, unlisted)
    if unlisted:
        note(
            state,
            "In the network and not in the site file: {cameras}. To add them: {command}",
            cameras=", ".join(f"{one.sn} ({one.ip})" for one in unlisted),
            command=f"ipc fleet add{_named(site)}",
        )
    _next(state, site, outcomes)
    _finish(outcomes, "ok", "differs")


@app.command("apply")
def apply_(
    ctx: typer.Context,
    site: SiteFile = SITE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not plan and ask first."))] = False,
    via_hotspots: Annotated[
        bool,
        typer.Option(
            "--via-hotspots",
            help=tr("First join each camera's own access point SUNMI_XXXX and tell it the Wi-Fi."),
        ),
    ] = False,
    jobs: Jobs = None,
    journal: JournalFile = None,
    inline: Inline = False,
    as_is: AsIs = False,
) -> None:
    """Bring every camera to what the site file wants; run it again to go on after an interruption."""
    state = State.of(ctx)
    loaded = load_site(state, site, inline, as_is=as_is)
    with open_journal(loaded, journal, write=True) as book:
        if via_hotspots:
            from .hotspots import visit

            visit(state, loaded, book)
        agreed = None if yes else _ask(state, loaded, book, jobs)
        outcomes = _run(state, loaded, book, apply=True, jobs=jobs, agreed=agreed)
    _show(state, outcomes)
    _finish(outcomes, "ok")


def _ask(state: State, loaded: Loaded, book: Journal, jobs: int | None) -> frozenset[tuple[str, str]]:
    """Plan first; ask where something would be destroyed. Returns: what was agreed to, by camera."""
    from .view import print_outcomes

    outcomes = _run(state, loaded, book, apply=False, jobs=jobs)
    agreed = frozenset(
        (o.key, what) for o in outcomes for what in ("activate", "format")
        if any(step.partition(" ")[0] == what for step in o.planned)
    )  # fmt: skip
    if not agreed:
        return agreed
    activate = sum(what == "activate" for _, what in agreed)
    cards = len(agreed) - activate
    if not state.json and not state.quiet:
        print_outcomes(outcomes)
    confirm(
        tr(
            "{activate} cameras would be activated (which deletes every face group on their SD cards), "
            "and {cards} blank SD cards formatted.",
            activate=activate,
            cards=cards,
        ),
        yes=False,
    )
    return agreed


@app.command()
def forget(
    ctx: typer.Context,
    sn: Annotated[str, typer.Argument(help=tr("Serial number of the camera that was replaced."))],
    site: SiteFile = SITE,
    journal: JournalFile = None,
    inline: Inline = False,
) -> None:
    """Free an "any" entry from the camera it has, so that the next apply gives it another."""
    state = State.of(ctx)
    loaded = load_site(state, site, inline, resolve=False)
    with open_journal(loaded, journal, write=True) as book:
        key = book.release(sn)
        known = ", ".join(sorted(book.bindings().values()))
    if key is None:
        raise errors.ParameterError(
            'no "any" entry has the camera {sn}',
            name="sn",
            hint="They have: {known}." if known else 'No "any" entry has a camera yet.',
            sn=sn,
            known=known,
        )
    if state.json:
        print_json({"entry": key, "sn": sn})
    say(state, "{entry} is free for another camera: 'ipc fleet apply' looks for it.", entry=key)


@app.command()
def verify(
    ctx: typer.Context,
    site: SiteFile = SITE,
    jobs: Jobs = None,
    journal: JournalFile = None,
    inline: Inline = False,
    as_is: AsIs = False,
) -> None:
    """Read every camera, and prove that all is as wanted; exit code 7 if anything differs."""
    state = State.of(ctx)
    loaded = load_site(state, site, inline, as_is=as_is)
    with open_journal(loaded, journal, write=False) as book:
        outcomes = _run(state, loaded, book, apply=False, record=True, jobs=jobs)
    _show(state, outcomes)
    _next(state, site, outcomes)
    _finish(outcomes, "ok")


@app.command()
def status(
    ctx: typer.Context,
    site: SiteFile = SITE,
    journal: JournalFile = None,
    inline: Inline = False,
) -> None:
    """Show what the journal knows of each camera; no camera is asked."""
    from datetime import datetime

    from sunmi_ipc.fleet.report import collect

    from ..screen.output import table
    from .view import age, first_problem

    state = State.of(ctx)
    loaded = load_site(state, site, inline, resolve=False)
    with open_journal(loaded, journal, write=False) as book:
        rows = collect(loaded.slots, book)
    if state.json:
        now = time.time()
        print_json(
            {
                "cameras": [
                    row.as_dict(language()) | {"age_s": round(now - row.updated, 1) if row.updated else None}
                    for row in rows
                ]
            }
        )
        return
    shown = [
        {
            "camera": row.outcome.sn or row.outcome.key,
            "address": row.outcome.address,
            "name": row.outcome.name,
            "standing": tr(str(row.outcome.standing)) if row.updated else tr("not begun"),
            "when": f"{datetime.fromtimestamp(row.updated):%Y-%m-%d %H:%M}" if row.updated else "",
            "since": age(time.time() - row.updated) if row.updated else "",
            "problem": first_problem(row.outcome),
        }
        for row in rows
    ]
    if not state.quiet:
        table(
            shown,
            ["camera", "address", "name", "standing", "when", "since", "problem"],
            least=("when", "address", "name"),
        )
        told = [row.updated for row in rows if row.updated]
        if told:
            note(
                state,
                "This is what the last run found, {age} ago. 'ipc fleet verify' looks now.",
                age=age(time.time() - min(told)),
            )


@app.command()
def export(
    ctx: typer.Context,
    site: SiteFile = SITE,
    csv: Csv = None,
    html: Annotated[
        Path | None, typer.Option("--html", help=tr("Write one HTML file, to hand over."))
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help=tr("Ask the cameras for a snapshot each."))
    ] = True,
    jobs: Jobs = None,
    journal: JournalFile = None,
    inline: Inline = False,
) -> None:
    """Write the report: serial numbers, addresses, states, pictures, steps with times, failures with next steps."""
    from functools import partial

    from sunmi_ipc.csvfile import STDOUT
    from sunmi_ipc.fleet.pictures import take
    from sunmi_ipc.fleet.report import collect, write_csv
    from sunmi_ipc.fleet.report_html import write_html
    from sunmi_ipc.video.partial import cannot_write

    state = State.of(ctx)
    if csv is None and html is None:
        raise errors.ParameterError("{name}: missing", name="--csv / --html", hint="Say what to write.")
    tongue = language()
    loaded = load_site(state, site, inline, resolve=False)
    with open_journal(loaded, journal, write=False) as book:
        rows = collect(loaded.slots, book)
    if html is not None and pictures:
        connect = partial(state.settings.connect, known_cameras=state.known_cameras())
        with waiting(state, "Taking pictures …") as text:
            take(
                rows, connect, jobs=jobs or loaded.site.apply.jobs,
                tell=lambda done: text(tr("Taking pictures …") + f" {done}/{len(rows)}"),
            )  # fmt: skip
    written: list[str] = []
    writers: list[tuple[Path | None, Callable[[Path], None]]] = [
        (csv, lambda path: write_csv(path, rows, tongue)),
        (html, lambda path: write_html(path, loaded.site.name, rows, tongue)),
    ]
    for path, write in writers:
        if path is None:
            continue
        try:
            write(path)
        except OSError as error:
            raise cannot_write(path, error) from None
        written += [str(path)] if str(path) != STDOUT else []
    if state.json:
        print_json({"written": written, "cameras": len(rows)})
    for name in written:
        say(state, "Written: {path}", path=name)


@app.command()
def schema(ctx: typer.Context) -> None:
    """Print the site file's JSON Schema, for editors."""
    from sunmi_ipc.fleet.schema import shipped

    sys.stdout.write(shipped())


app.command()(editing.add)
app.command()(editing.replace)
app.command()(editing.diff)
