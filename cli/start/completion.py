"""``ipc completion``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sunmi_ipc.errors import ConfigError, ParameterError
from sunmi_ipc.i18n import tr

from ..screen.output import print_json, say
from ..state import State

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[
        str, typer.Argument(help=tr("bash, zsh, fish, powershell or pwsh; default: the one in use."))
    ] = "",
    install: Annotated[bool, typer.Option("--install", help=tr("Install it for this user."))] = False,
) -> None:
    """Print the shell's completion script, or install it."""
    from . import shells

    state = State.of(ctx)
    if shell not in ("", *_SHELLS):
        raise ParameterError(
            "{name}: unknown", name="shell", hint="One of {shells}.", shells=", ".join(_SHELLS)
        )
    if not shell:
        import os

        shell = os.path.basename(os.environ.get("SHELL", ""))
        if shell not in _SHELLS:
            raise ConfigError("the shell in use is not known", hint="Name it: 'ipc completion bash'.")
    if install:
        path = shells.install(shell)
        if state.json:
            print_json({"shell": shell, "path": str(path)})
        say(
            state,
            "Completion for {shell} installed in {path}; open a new terminal.",
            shell=shell,
            path=str(path),
        )
        return
    text = shells.script(shell)
    if state.json:
        print_json({"shell": shell, "script": text})
    else:
        sys.stdout.write(text + "\n")
