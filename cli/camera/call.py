"""``ipc call``."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import is_secret

from ..argv import not_a_pair, take_secret
from ..screen.output import show
from ..state import State
from ..target import open_camera

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def call(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="APITYPE/ACTION", help=tr("For example device/getInfo."))],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help=tr("Parameters under their wire names.")),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help=tr("Show secrets in the answer."))] = False,
    no_sign: Annotated[
        bool, typer.Option("--no-sign", help=tr("Send no public parameters and no signature."))
    ] = False,
) -> None:
    """Send any call, signed, and print the answer. Nothing is checked: you say it, it is sent."""
    state = State.of(ctx)
    values: dict[str, str] = {}
    for number, text in enumerate(parameters or (), 1):
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise not_a_pair(number, "ssid=Shop")
        if key in values:
            raise ParameterError("{name}: given twice", name=key)
        values[key] = take_secret(value) if is_secret(key) else value
    with open_camera(state) as camera:
        answer = camera.call(path, values, sign=not no_sign)
        show(state, answer, reveal=reveal, wire=True, done="{path} is done.", about={"path": path})
