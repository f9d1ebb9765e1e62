"""Corrections of the endpoint table, as text (protocol.md, section 11); the file is :mod:`sunmi_ipc.corrections`.

``overrides.toml`` in the config directory, or ``Camera(overrides=...)``::

    ["config/getLed"]
    path = "config/getLedConf"

    ["config/setLed"]
    names = { led_switch = "led" }

    ["face/addFace"]
    encoding = { pic = "base64" }

    ["config/getLensConf"]
    fields = { max_zoom = "maxZoom" }

Paths and names on the left are ours.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from ..errors import ConfigError
from ..untrusted import Refused, load_toml, toml_problem
from .spec import registry
from .wire import Override

FILE = "overrides.toml"
# Wire names are words; a bracket, dot or hyphen is let pass, as somebody may have seen one.
_NAME = re.compile(r"[A-Za-z_][\w.\[\]-]{0,63}", re.ASCII)
#: What follows ``/openapi/``: words between slashes, nothing that leads elsewhere.
_PATH = re.compile(r"[A-Za-z0-9_]{1,64}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}){1,3}", re.ASCII)
ENCODINGS = ("json", "csv", "base64", "file")


def parse(text: str, path: str = FILE) -> dict[str, Override]:
    """The overrides in *text*, which came from *path*.

    Raises:
        ConfigError: It is no TOML, or names an endpoint or parameter that we do not have.

    """
    try:
        raw = load_toml(text)
    except Refused as error:
        raise unusable(path, error.template) from None
    except tomllib.TOMLDecodeError as error:
        line, reason = toml_problem(error)
        line = line or text.rstrip("\n").count("\n") + 1
        raise unusable(path, "line {line}: {reason}", line=line, reason=reason) from None
    made: dict[str, Override] = {}
    for ours, entry in raw.items():
        endpoint = registry().get(ours)
        if endpoint is None:
            raise unusable(path, "there is no endpoint {endpoint}", endpoint=ours[:64])
        if not isinstance(entry, dict) or not entry.keys() <= {"path", "names", "encoding", "fields"}:
            raise unusable(path, "{endpoint} takes path, names, fields and encoding", endpoint=ours)
        names, encoding, fields = entry.get("names", {}), entry.get("encoding", {}), entry.get("fields", {})
        known = {p.wire for p in endpoint.parameters}
        if not all(isinstance(table, dict) for table in (names, encoding, fields)):
            raise unusable(path, "names, fields and encoding of {endpoint} are tables", endpoint=ours)
        if unknown := sorted((set(names) | set(encoding)) - known):
            raise unusable(path, "{endpoint} has no parameter {name}", endpoint=ours, name=unknown[0])
        if any(how not in ENCODINGS for how in encoding.values()):
            raise unusable(
                path,
                "an encoding of {endpoint} is none of {known}",
                endpoint=ours,
                known=", ".join(ENCODINGS),
            )
        values = [entry.get("path", ""), *names.values(), *fields, *fields.values()]
        if not all(isinstance(value, str) for value in values):
            raise unusable(path, "paths and names of {endpoint} are text", endpoint=ours)
        if not all(_NAME.fullmatch(value) for value in (*names.values(), *fields, *fields.values())):
            # Older versions kept a whole body as a name, with what was typed into it.
            raise unusable(path, "a name of {endpoint} is no plain word", endpoint=ours)
        if entry.get("path") and not _PATH.fullmatch(entry["path"]):
            raise unusable(path, "the path of {endpoint} is not like apiType/action", endpoint=ours)
        made[ours] = Override(entry.get("path", ""), names, encoding, fields)
    return made


def dump(overrides: Mapping[str, Override]) -> str:
    """*overrides* as a file has them."""
    lines = []
    for ours, override in sorted(overrides.items()):
        lines.append(f"[{json.dumps(ours)}]")
        if override.path:
            lines.append(f"path = {json.dumps(override.path)}")
        for key, table in (
            ("names", override.names),
            ("encoding", override.encoding),
            ("fields", override.fields),
        ):
            if table:
                pairs = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in sorted(table.items()))
                lines.append(f"{key} = {{ {pairs} }}")
        lines.append("")
    return "\n".join(lines)


def unusable(path: str, why: str, **values: object) -> ConfigError:
    """What to say of overrides that cannot be used: a template of *values*, or words of the system."""
    return ConfigError(
        "the overrides {path} cannot be used: {reason}",
        hint="Put the file right, or remove it with 'ipc protocol reset'.",
        path=path,
        reason=ConfigError(why, hint="", camera=None, **values) if values else why,
    )
