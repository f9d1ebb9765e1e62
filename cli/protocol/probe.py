"""``ipc protocol probe``: which inferred facts hold on this camera."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import tr

from ..screen.findings import detail_word
from ..screen.lengths import Length, length
from ..screen.output import confirm, note, print_json, progress_wanted, say, table
from ..state import Exit, State
from ..target import open_camera
from .dump import counted, somebody_looks, verdict_word, write_agreed

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.survey.probe import Report


def probe(
    ctx: typer.Context,
    candidates: Annotated[
        bool,
        typer.Option(
            "--candidates/--no-candidates", help=tr("Try other paths for what does not exist under ours.")
        ),
    ] = True,
    writes: Annotated[
        bool,
        typer.Option(
            "--writes",
            help=tr("Ask for writes even where only reads can be asked for safely, with refused values."),
        ),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help=tr("Keep the corrections."))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
    pace: Annotated[float, length("--pace", tr("Time between two calls."), most=10)] = Length(0.25),
    budget: Annotated[int, typer.Option(min=20, max=5000, help=tr("Calls at the most."))] = 400,
    anew: Annotated[
        bool, typer.Option("--anew", help=tr("Do not go on where an earlier probe of this camera stopped."))
    ] = False,
    dump: Annotated[
        Path | None, typer.Option("--dump", metavar="FILE", help=tr("Write a dump with the findings, too."))
    ] = None,
) -> None:
    """Find out which calls this camera has, without carrying out any that changes something.

    What does not exist under our guess is looked for under likely names; the corrections are shown, and kept with --write.
    A probe that was stopped, by Ctrl-C too, goes on where it stopped.
    """
    state = State.of(ctx)
    from sunmi_ipc import corrections
    from sunmi_ipc.settings import config_dir
    from sunmi_ipc.survey.probe import Probe

    if dump is not None:
        somebody_looks(state, yes)
    with open_camera(state) as camera:
        if writes:
            confirm(
                tr(
                    "Writes are sent with values that should be refused; a firmware may take them all the same."
                ),
                yes,
            )
        place = _place(camera)
        with _progress(state, budget) as told:
            probing = Probe(
                camera, look_for=candidates, writes=writes, pace=pace, budget=budget, progress=told,
                resume=None if anew else _left(place),
            )  # fmt: skip
            report = probing.run()
        _leave(place, probing.knowledge if report.stopped or report.unsearched else None)
        if report.resumed:
            note(state, "{count} paths were known from the probe before.", count=report.resumed)
        if dump is not None:
            _dump(state, camera, report, dump, yes)
    if not state.json:
        _show(state, report)
    written = ""
    if write and report.overrides:
        text = tr(
            "{count} corrections join what {path} holds.", count=len(report.overrides), path=str(config_dir())
        )
        confirm(text, yes or state.json)
        written = str(corrections.write(config_dir(), corrections.read(config_dir()) | report.overrides))
    if state.json:
        print_json(report.document() | {"written": written or None})
    elif written:
        say(state, "{count} corrections kept.", count=len(report.overrides))
    elif report.overrides:
        note(state, "Nothing is kept yet: 'ipc protocol probe --write' keeps the corrections.")
    if report.cannot_tell:
        raise typer.Exit(int(Exit.NOT_UNDERSTOOD))


def _place(camera: Camera) -> Path | None:
    """Where a probe of this camera leaves what it knows when it is stopped."""
    from sunmi_ipc.protocol.serial import SerialNumber
    from sunmi_ipc.settings import state_dir

    name = SerialNumber.read(camera.sn) or re.sub(r"[^0-9A-Za-z]", "-", camera.address)[:64]
    return state_dir() / "probes" / f"{name}.json"


def _left(place: Path | None) -> dict[str, Any]:
    """What an earlier probe left; nothing where that cannot be used."""
    from sunmi_ipc.untrusted import Refused, load_json

    try:
        found = load_json(place.read_bytes()) if place is not None else {}
    except (OSError, Refused):
        return {}
    return found if isinstance(found, dict) else {}


def _leave(place: Path | None, knowledge: dict[str, Any] | None) -> None:
    """Leave *knowledge* for the next probe; None: this one came to its end, nothing is left to do."""
    from sunmi_ipc.atomic import whole

    if place is None:
        return
    with contextlib.suppress(OSError):  # a disk that cannot be written is no reason to lose the report
        if knowledge is None or not knowledge["exists"]:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(place) as file:
            file.write(json.dumps(knowledge).encode())


def _show(state: State, report: Report) -> None:
    rows = [
        {"path": f["path"], "fact": tr(f["fact"]), "evidence": tr(f["evidence"]), "verdict": verdict_word(f["verdict"]),
         "detail": detail_word(f["detail"])}
        for f in report.findings
        if f["fact"] == "path" or f["verdict"] != "proven"
    ]  # fmt: skip
    if rows:
        table(rows, list(rows[0]), least=("evidence", "detail"))
    if report.overrides:
        typer.echo(f"\n{report.toml.strip()}\n")
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding["verdict"]] = counts.get(finding["verdict"], 0) + 1
    if report.order_of_checks:
        note(
            state,
            "checked in this order: {order}",
            order=" → ".join(tr(part) for part in report.order_of_checks),
        )
    note(state, "{calls} calls; {what}", calls=report.calls_made,
         what=counted(counts))  # fmt: skip
    if report.unsearched:
        note(
            state,
            "{count} paths were not looked for to the end: run it again to go on, or with a larger --budget.",
            count=report.unsearched,
        )
    if report.stopped:
        note(state, "Stopped: {reason}.", reason=detail_word(report.stopped))
    if report.refusal is not None and report.refusal.hint:
        note(state, report.refusal.hint_template, **report.refusal.values)


@contextlib.contextmanager
def _progress(state: State, budget: int) -> Iterator[Callable[[int, int, str], None]]:
    if not progress_wanted(state):
        note(state, "Asking the camera; nothing is changed on it …")
        yield lambda done, total, what: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    from ..screen.progress import progress

    with progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()) as bar:
        task = bar.add_task("", total=budget)
        yield lambda done, total, what: bar.update(task, completed=done, description=what)


def _dump(state: State, camera: Camera, report: Report, path: Path, yes: bool) -> None:
    from sunmi_ipc.survey.dump import dump

    document = dump(camera, survey=report.survey)
    replaced = document.pop("replaced")
    if write_agreed(state, path, document, replaced, camera.sn or camera.address, yes):
        note(state, "{path} is written. Look through it before you send it to anybody.", path=str(path))
