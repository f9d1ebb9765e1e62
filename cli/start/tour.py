"""What the tours of ``ipc demo`` share: an environment of their own, and steps that are real commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from sunmi_ipc.i18n import language, tr

from ..screen.output import print_json, say
from ..state import State


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """These variables and no others of ours, for a while."""
    before = dict(os.environ)
    for name in [n for n in os.environ if n.startswith("SUNMI_IPC_")]:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def walk(ctx: typer.Context, steps: Sequence[tuple[str, list[str]]], *, secret: str = "") -> None:
    """Show and run each step; with ``--json`` one document at the end.

    Args:
        ctx: The demo's own context: its root runs the steps.
        steps: What the step does, and the words after ``ipc``.
        secret: A word that is shown as ``***``.

    """
    state = State.of(ctx)
    results: list[dict[str, Any]] = []
    for number, (text, command) in enumerate(steps, 1):
        say(state, "{number}. {text}", number=number, text=tr(text))
        shown = ["***" if secret and word == secret else word for word in command]
        typed = "ipc " + shlex.join(shown).replace("'***'", "***")
        say(state, "   $ {command}", command=typed)
        results.append({"command": typed, "result": _run(ctx, command)})
        say(state, "")
    if state.json:
        print_json({"steps": results})


def _run(ctx: typer.Context, command: list[str]) -> Any:
    """Run a command of ours; with ``--json`` what it printed, as a value."""
    state = State.of(ctx)
    # Our variables are out of the way: what was asked for by one of them is handed on.
    flags = ["--lang", language(), *["--json"] * state.json, *["-q"] * state.quiet, *["-v"] * state.verbose]
    printed = io.StringIO()
    root: Any = ctx.find_root().command
    with contextlib.redirect_stdout(printed) if state.json else contextlib.nullcontext():
        code = root.main(args=[*flags, *command], prog_name="ipc", standalone_mode=False)
    if code:
        raise typer.Exit(code)
    return json.loads(printed.getvalue()) if state.json else None
