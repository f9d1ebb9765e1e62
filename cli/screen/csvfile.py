"""Rows into a CSV file, or to standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sunmi_ipc import csvfile
from sunmi_ipc.errors import cannot_write
from sunmi_ipc.i18n import tr

#: Rows into a file: every command that lists has it.
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE|-", help=tr("Write rows to this file; - for stdout."))
]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Write *rows* to a file, or to stdout for ``-``.

    Raises:
        ConfigError: The file cannot be written.

    """
    try:
        csvfile.write(path, rows, names)
    except OSError as error:
        if str(path) == csvfile.STDOUT:
            raise  # told as for every other output
        raise cannot_write(path, error) from None
