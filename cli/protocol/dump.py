"""``ipc dump``: what a camera really says, in a file that can be shown to anybody."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError, ParameterError, cannot_write
from sunmi_ipc.i18n import tr

from ..screen.lengths import Length, length
from ..screen.output import agreed_to_write, is_terminal, note, print_json, say, waiting
from ..state import Exit, State
from ..target import open_camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def dump(
    ctx: typer.Context,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|-", help=tr("Where to write it; '-' for stdout."))
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
    video: Annotated[
        bool,
        typer.Option("--video/--no-video", help=tr("Look at the stream and at the first bytes of files.")),
    ] = True,
    pace: Annotated[float, length("--pace", tr("Time between two calls."), most=10)] = Length(0.25),
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help=tr("Only check that FILE is a whole dump."))
    ] = None,
) -> None:
    """Write down what a camera really says; secrets and identities are replaced, pictures are never in it.

    Nothing is written or changed on the camera: only calls that read are made.
    """
    state = State.of(ctx)
    if check is not None:
        _check(state, check)
        return
    if output != "-":
        somebody_looks(state, yes)
    from sunmi_ipc.survey.anonymise import Leak
    from sunmi_ipc.survey.dump import dump as survey

    with (
        open_camera(state) as camera,
        waiting(state, "Asking the camera; nothing is changed on it …") as change,
    ):
        name = camera.sn or camera.address

        def progress(done: int, total: int, path: str) -> None:
            change(tr("{done} of {total}: {path}", done=done, total=total, path=path))

        try:
            document = survey(camera, pace=pace, video=video, progress=progress)
        except Leak:
            raise ConfigError(
                "the dump was not written: something that identifies the camera could not be replaced",
                hint="Please report it, with the camera's model and firmware and nothing else.",
            ) from None
    replaced = document.pop("replaced")
    if output == "-" or (state.json and not output):
        print_json(document)
        return
    path = Path(output or f"dump-{document['model'] or 'camera'}-{document['firmware'] or 'x'}.json")
    if not write_agreed(state, path, document, replaced, name, yes):
        raise typer.Exit(Exit.UNEXPECTED)
    if state.json:
        print_json({"file": str(path), "calls": len(document["calls"]), "replaced": replaced})
    say(state, "{path} is written. Look through it before you send it to anybody.", path=str(path))


def somebody_looks(state: State, yes: bool) -> None:
    """Refuse to make a dump that nobody could look at before it is written.

    Raises:
        ParameterError: Nobody can be asked, and ``--yes`` was not given.

    """
    if not (yes or state.json or is_terminal()):
        raise ParameterError(
            "{name}: nobody is here to look at it before it is written",
            name="--yes",
            hint="Say --yes to write it unseen; 'ipc dump -o -' prints one.",
        )


def write_agreed(
    state: State, path: Path, document: dict[str, Any], replaced: dict[str, int], name: str, yes: bool
) -> bool:
    """Say what will be written and how much is replaced in it, ask, and write it; False where the answer is no."""
    _summary(state, document, replaced, name)
    if not (yes or state.json or agreed_to_write(path, lambda: print_json(document))):
        sys.stderr.write(tr("Nothing was written.") + "\n")
        return False
    write_document(path, document)
    return True


def counted(verdicts: dict[str, int]) -> str:
    """How many findings there are of each verdict."""
    return tr(", ").join(
        tr("{count} {verdict}", count=count, verdict=verdict_word(verdict))
        for verdict, count in sorted(verdicts.items())
    )


def verdict_word(verdict: str) -> str:
    """A finding's verdict for people."""
    return tr("not settled") if verdict == "open" else tr(verdict)


def _summary(state: State, document: dict[str, Any], replaced: dict[str, int], name: str) -> None:
    verdicts: dict[str, int] = {}
    for row in document["findings"]:
        verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
    note(state, "{name}: {count} calls, {bytes} bytes", name=name, count=len(document["calls"]),
         bytes=len(json.dumps(document)))  # fmt: skip
    note(
        state,
        "replaced: {what}",
        what=tr(", ").join(f"{tr(kind)} × {n}" for kind, n in sorted(replaced.items())),
    )
    note(
        state,
        "findings: {what}",
        what=counted(verdicts),
    )


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write a dump, whole or not at all."""
    from sunmi_ipc.atomic import whole

    try:
        with whole(path, mode=0o644) as file:
            file.write((json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise cannot_write(path, error) from None


def _check(state: State, path: Path) -> None:
    from sunmi_ipc.survey.model import read

    if not os.path.exists(path):
        raise ParameterError("{name}: there is no such file", name=str(path))
    document = read(path)
    if state.json:
        print_json({"valid": True, "model": document["model"], "calls": len(document["calls"])})
    say(state, "{path} is a whole dump: {model}, firmware {firmware}, {count} calls.", path=str(path),
        model=document["model"], firmware=document["firmware"], count=len(document["calls"]))  # fmt: skip
