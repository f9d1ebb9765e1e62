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
    from typer import completion as scripts

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
        done, path = scripts.install(shell=shell, prog_name="ipc", complete_var="_IPC_COMPLETE")  # type: ignore[attr-defined]
        if state.json:
            print_json({"shell": done, "path": str(path)})
        say(
            state,
            "Completion for {shell} installed in {path}; open a new terminal.",
            shell=done,
            path=str(path),
        )
        return
    text = scripts.get_completion_script(  # type: ignore[attr-defined]
        prog_name="ipc", complete_var="_IPC_COMPLETE", shell=shell
    )
    if state.json:
        print_json({"shell": shell, "script": text})
    else:
        sys.stdout.write(text + "\n")
