"""``ipc trust``: cameras known by their certificate."""

from __future__ import annotations

from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen.output import confirm, print_json, say, show, waiting
from ..state import State

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Cameras known by their certificate."),
)
Name = Annotated[str, typer.Argument(help=tr("Serial number, or the address where that is all we knew."))]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the pinned certificates."""
    state = State.of(ctx)
    pins = [
        {
            "name": name,
            "fingerprint": pin.fingerprint,
            "first_seen": pin.first_seen,
            "last_seen": pin.last_seen,
        }
        for name, pin in state.known_cameras().items()
    ]
    show(state, {"cameras": pins}, rows="cameras")


@app.command()
def forget(ctx: typer.Context, name: Name) -> None:
    """Remove a pin; the next contact pins anew."""
    state = State.of(ctx)
    if not state.known_cameras().forget(name):
        raise ParameterError("{name}: not known", name=name, hint="'ipc trust list' shows the known cameras.")
    show(state, None)


@app.command()
def accept(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Accept the certificate that a camera shows now, after it was replaced or reset."""
    from sunmi_ipc.link.tls import ClientCertificate, fingerprint, shown_certificate

    from ..target import open_camera

    state = State.of(ctx)
    with open_camera(state, state.camera or name) as camera, waiting(state, "Looking at the certificate …"):
        given = state.settings
        certificate = ClientCertificate.load(given.p12, given.p12_password) if given.p12 else None
        der = shown_certificate(
            camera.host, camera.port, certificate, timeout=camera.timeout, legacy=given.tls == "legacy"
        )
    pins = state.known_cameras()
    before = pins.known(name)
    now = fingerprint(der)
    confirm(
        tr(
            "{name}: known {known}, now {now}.",
            name=name,
            known=before.fingerprint if before else "-",
            now=now,
        ),
        yes,
    )
    pins.replace(name, der)
    if state.json:
        print_json({"name": name, "fingerprint": now})
    say(state, "{name} is trusted with its new certificate.", name=name)
