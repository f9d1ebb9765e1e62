"""Rows into a CSV file, or to standard output."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from sunmi_ipc.errors import ConfigError


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Write *rows* to a file, or to stdout for ``-``."""

    def write(stream: TextIO) -> None:
        writer = csv.DictWriter(stream, list(names), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    if str(path) == "-":
        write(sys.stdout)
        return
    try:
        # With a mark, so that Excel reads UTF-8.
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            write(file)
    except OSError as error:
        raise ConfigError(
            "{path} cannot be written: {reason}", path=str(path), reason=error.strerror or ""
        ) from None
