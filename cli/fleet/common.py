"""What the commands of ``ipc fleet`` share: their arguments, and opening the site file and its journal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import language, tr

from ..screen.options import AsIs as AsIs
from ..screen.options import Inline as Inline
from ..screen.options import Jobs as Jobs
from ..screen.output import note
from ..screen.paths import typed_path
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.sitefile import Loaded

SiteFile = Annotated[Path, typer.Argument(help=tr("The site file, TOML or CSV."))]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", help=tr("Where steps are recorded; default: beside the site file.")),
]
SITE = Path("site.toml")


def load_site(state: State, path: Path, inline: bool, *, resolve: bool = True, as_is: bool = False) -> Loaded:
    """The site file; every fault in it is told."""
    from sunmi_ipc.fleet.sitefile import load

    if not os.path.exists(path):  # dragged into the terminal, or copied: in quotes, as a URL, with a tilde
        path = typed_path(str(path))
    try:
        return load(path, inline_secrets=inline, resolve=resolve, as_is=as_is or not resolve)
    except errors.SiteError as error:
        for other in error.others:
            message, _ = other.localized(language())
            note(state, "{line}", line=message)
        raise


def open_journal(loaded: Loaded, path: Path | None, *, write: bool) -> Journal:
    """The site's journal; default: beside its file."""
    from sunmi_ipc.fleet.journal import Journal

    return Journal(path or loaded.path.with_suffix(".journal"), write=write)
