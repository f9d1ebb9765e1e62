"""Corrections of the endpoint table, made in the field (protocol.md, section 11).

``overrides.toml`` in the config directory, or ``Camera(overrides=...)``::

    ["config/getLed"]
    path = "config/getLedConf"

    ["config/setLed"]
    names = { led_switch = "led" }

    ["face/addFace"]
    encoding = { pic = "base64" }

Paths and names on the left are ours.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ..atomic import whole
from ..errors import ConfigError
from .spec import registry
from .wire import Override

FILE = "overrides.toml"
ENCODINGS = ("json", "csv", "base64", "file")


def read(directory: Path) -> dict[str, Override]:
    """The overrides in *directory*; none where there is no file.

    Raises:
        ConfigError: The file is no TOML, or names an endpoint or parameter that we do not have.

    """
    path = directory / FILE
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path, str(error)) from None
    made: dict[str, Override] = {}
    for ours, entry in raw.items():
        endpoint = registry().get(ours)
        if endpoint is None:
            raise _bad(path, f"there is no endpoint {ours!r}")
        if not isinstance(entry, dict) or not entry.keys() <= {"path", "names", "encoding"}:
            raise _bad(path, f"{ours!r} takes path, names and encoding")
        names, encoding = entry.get("names", {}), entry.get("encoding", {})
        known = {p.wire for p in endpoint.parameters}
        if not isinstance(names, dict) or not isinstance(encoding, dict):
            raise _bad(path, f"names and encoding of {ours!r} are tables")
        if unknown := sorted((set(names) | set(encoding)) - known):
            raise _bad(path, f"{ours!r} has no parameter {unknown[0]!r}")
        if any(how not in ENCODINGS for how in encoding.values()):
            raise _bad(path, f"an encoding of {ours!r} is none of {', '.join(ENCODINGS)}")
        values = [entry.get("path", ""), *names.values()]
        if not all(isinstance(value, str) for value in values):
            raise _bad(path, f"paths and names of {ours!r} are text")
        made[ours] = Override(entry.get("path", ""), names, encoding)
    return made


def write(directory: Path, overrides: Mapping[str, Override]) -> Path:
    """Write *overrides* into *directory*, whole or not at all."""
    lines = []
    for ours, override in sorted(overrides.items()):
        lines.append(f"[{json.dumps(ours)}]")
        if override.path:
            lines.append(f"path = {json.dumps(override.path)}")
        for key, table in (("names", override.names), ("encoding", override.encoding)):
            if table:
                pairs = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in sorted(table.items()))
                lines.append(f"{key} = {{ {pairs} }}")
        lines.append("")
    directory.mkdir(parents=True, exist_ok=True)
    with whole(directory / FILE) as file:
        file.write("\n".join(lines).encode())
    return directory / FILE


def _bad(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the overrides {path} cannot be used: {reason}",
        hint="Put the file right, or remove it with 'ipc protocol reset'.",
        path=str(path),
        reason=reason,
    )
