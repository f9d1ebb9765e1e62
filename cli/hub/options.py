"""Where the broker and the database are: options, references, environment; no password stays in the process list."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr

from ..argv import given_url

if TYPE_CHECKING:
    from sunmi_ipc.hub.store import Store

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="SUNMI_IPC_HUB_DATABASE",
        metavar="URL",
        help=tr("postgresql://user@host/name, or a SQLite file; default: hub.db in the state folder."),
    ),
]


def open_store(database: str) -> Store:
    """The database that is meant; not touched yet."""
    from sunmi_ipc.hub.store import Store, open_url, password_of
    from sunmi_ipc.settings import state_dir

    text = given_url(database) or str(state_dir() / "hub.db")
    return Store(open_url(text, password=password_of(os.environ).reveal()))
