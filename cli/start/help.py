"""``ipc help``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sunmi_ipc.i18n import language, tr

from ..state import State


def _names(ctx: typer.Context, incomplete: str) -> list[str]:
    root: Any = ctx.find_root().command
    return [name for name in root.list_commands(ctx) if name.startswith(incomplete)]


app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("help")
def help_(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND…]",
            autocompletion=_names,
            help=tr("The command, as it is typed: wifi set; default: all."),
        ),
    ] = None,
) -> None:
    """Show a command's help; with -v also the endpoints that it uses."""
    flags = ["--lang", language(), *["-v"] * State.of(ctx).verbose]
    root: Any = ctx.find_root().command
    code = root.main(args=[*flags, *(command or []), "--help"], prog_name="ipc", standalone_mode=False)
    if code:
        raise typer.Exit(code)
