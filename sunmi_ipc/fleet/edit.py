"""Changing a site file without disturbing what a person has written in it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from .. import csvfile
from ..atomic import whole
from ..discovery import DiscoveredCamera
from ..errors import ConfigError, ParameterError, SiteError, cannot_write
from ..protocol.serial import SerialNumber
from .draft import entry
from .encoding import Uncertain, decode
from .positions import line_of, toml_lines
from .sheet import column
from .sitefile import Loaded, load


def add(loaded: Loaded, found: Sequence[DiscoveredCamera]) -> None:
    """Write *found* at the end of the site file, with the names that they have.

    Raises:
        ConfigError: The file cannot be changed by this program.

    """
    if loaded.path.suffix.lower() == ".csv":
        _add_rows(loaded, found)
        return
    text = loaded.path.read_text("utf-8-sig")
    tables = [
        entry(one.sn, {"name": one.name} if one.name else {}, f"{one.model} {one.mac} {one.ip}".strip())
        for one in found
    ]
    _write(loaded, text, text.rstrip("\n") + "\n\n" + "\n".join(tables))


def _add_rows(loaded: Loaded, found: Sequence[DiscoveredCamera]) -> None:
    text = _text(loaded.path)
    lines = text.splitlines()
    first = 1 if lines and re.fullmatch(r"sep=.", lines[0].strip(), re.IGNORECASE) else 0
    head = lines[first] if len(lines) > first else "sn,name"
    separator = max(",;\t", key=head.count)
    columns = [column(cell) for cell in next(csv.reader([head], delimiter=separator))]
    if "sn" not in columns:
        raise ConfigError(
            "{path} has no column for serial numbers", path=str(loaded.path), hint="Add a column called sn."
        )
    made = io.StringIO(newline="")
    writer = csvfile.plain(made, separator)
    for one in found:
        said = {"sn": one.sn, "name": one.name}
        writer([said.get(name, "") for name in columns])
    end = "\r\n" if "\r\n" in text else "\n"
    _write(loaded, text, text.rstrip("\r\n") + end + made.getvalue().replace("\n", end))


def replace(loaded: Loaded, old: str, new: str) -> int:
    """Put the serial number *new* in place of *old*. Returns: the line that was changed; 0 where none has *old*.

    Raises:
        ConfigError: The file cannot be changed by this program.

    """
    text = _text(loaded.path)
    lines = text.splitlines(keepends=True)
    number = next((i for i, one in enumerate(loaded.site.cameras) if one.sn == SerialNumber(old)), None)
    if number is None:
        return 0
    if loaded.path.suffix.lower() == ".csv":
        candidates = range(len(lines))
    else:
        line = line_of(toml_lines(text), ("cameras", number, "sn")) - 1
        candidates = range(line, line + 1)
    pattern = re.compile(rf"(?<![0-9A-Za-z_-]){re.escape(old)}(?![0-9A-Za-z_-])", re.IGNORECASE)
    for at in candidates:
        changed = pattern.sub(SerialNumber(new), lines[at], count=1)
        if changed != lines[at]:
            _write(loaded, text, "".join([*lines[:at], changed, *lines[at + 1 :]]))
            return at + 1
    return 0


def _text(path: Path) -> str:
    try:
        return decode(path.read_bytes()).removeprefix("\ufeff")
    except Uncertain:
        raise ConfigError("{path} cannot be changed by this program", path=str(path)) from None


def _write(loaded: Loaded, before: str, after: str) -> None:
    """Write *after*, if it is still a good site file; else the file is as it was."""
    path = loaded.path
    mode, encoding = path.stat().st_mode & 0o777, "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    new = path.with_name(f".{path.stem}.new{path.suffix}")
    try:
        new.write_bytes(after.encode(encoding))
        load(new, inline_secrets=True, resolve=False, as_is=True)
        with whole(path, mode=mode) as file:
            file.write(after.encode(encoding))
    except OSError as error:
        raise cannot_write(path, error) from None
    except (SiteError, ParameterError) as error:
        raise ConfigError(
            "{path} cannot be changed by this program: {reason}",
            hint="Change it with an editor.",
            path=str(path),
            reason=str(error),
        ) from None
    finally:
        new.unlink(missing_ok=True)
