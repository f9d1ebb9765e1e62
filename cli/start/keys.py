"""``ipc keys``: Ed25519 keys that sign calls through a broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen.output import note, print_json, say, table
from ..state import State

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr(
        "Keys that sign calls through a broker. The private one stays here; the station file lists the public one."
    ),
)


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(help=tr("What it is called, such as your company or your own name."))
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help=tr("Where the private key goes; default: the config directory.")
        ),
    ] = None,
    keyring: Annotated[
        bool, typer.Option("--keyring", help=tr("Keep it in the system's keyring instead of a file."))
    ] = False,
    role: Annotated[
        str, typer.Option(metavar="view|tune|admin", help=tr("The role in the lines for the station file."))
    ] = "view",
) -> None:
    """Make a key, and show the lines for the station file."""
    from sunmi_ipc.broker.access import key_store
    from sunmi_ipc.settings import system_keyring

    state = State.of(ctx)
    if role not in ("view", "tune", "admin"):
        raise ParameterError(
            "{name}: unknown", name="--role", hint="Allowed: {bounds}.", bounds="view, tune, admin"
        )
    if keyring and out is not None:
        raise ParameterError("{name}: not together with {other}", name="--keyring", other="--out")
    ring = system_keyring() if keyring else None
    if keyring and ring is None:
        raise ParameterError(
            "{name}: there is no system keyring here",
            name="--keyring",
            hint="Leave it out: the key goes into a file.",
        )
    made = key_store().create(name, file=out, keyring=ring)
    if state.json:
        print_json(made.as_dict())
        return
    if made.file:
        say(state, "The private key is in {path}, for you alone.", path=made.file)
    else:
        say(state, "The private key is in the system's keyring.")
    say(state, "For the station file of each shop that it may call:")
    if not state.quiet:
        typer.echo(f'\n[[broker.keys]]\nname = "{made.name}"\npublic = "{made.public}"\nrole = "{role}"')


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the keys that were made here."""
    from sunmi_ipc.broker.access import key_store

    state = State.of(ctx)
    found = key_store().list()
    if state.json:
        print_json([key.as_dict() for key in found])
        return
    if not found:
        note(state, "There are no keys yet: 'ipc keys new NAME' makes one.")
        return
    table(
        [{"name": key.name, "public": key.public, "file": key.file or tr("keyring")} for key in found],
        ["name", "public", "file"],
        least=("file",),
    )


@app.command("forget-station")
def forget_station(
    ctx: typer.Context, site: Annotated[str, typer.Argument(metavar="SITE", help=tr("The shop's name."))]
) -> None:
    """Trust a station's next key anew, after its data was lost."""
    from sunmi_ipc.broker.access import known_stations

    state = State.of(ctx)
    if not known_stations().forget(site):
        raise ParameterError(
            "{name}: no key of such a station is known",
            name=site,
            hint="Its name is the [station] site of its file; 'ipc sites list --via URL' lists the shops there.",
        )
    if state.json:
        print_json({"site": site, "forgotten": True})
    say(state, "The key of {site} is forgotten; its next answer is trusted anew.", site=site)
