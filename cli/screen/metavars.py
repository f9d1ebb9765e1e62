"""What stands for a value in help and refusals: words (``SN``, ``FILE…``), not types (``<list[str]>``)."""

from __future__ import annotations

import re
from typing import Any

#: Options, by their longest name.
_OPTIONS: dict[str, str] = {
    "--age": "YEARS",
    "--budget": "N",
    "--callback": "URL",
    "--cameras": "N",
    "--capacity": "N",
    "--code": "CODE",
    "--count": "N",
    "--csv": "FILE",
    "--days": "DAYS",
    "--description": "TEXT",
    "--dns": "ADDRESS",
    "--env-file": "FILE",
    "--environment": "FILE",
    "--evidence": "TAG",
    "--exec-parallel": "N",
    "--expect": "N",
    "--first": "N",
    "--gateway": "ADDRESS",
    "--group": "GROUP",
    "--host": "ADDRESS",
    "--html": "FILE",
    "--in-flight": "N",
    "--interface": "INTERFACE",
    "--ip": "ADDRESS",
    "--jobs": "N",
    "--journal": "FILE",
    "--keep-mb": "MB",
    "--keep-pictures-mb": "MB",
    "--model": "MODEL",
    "--mqtt-discovery": "TOPIC",
    "--mqtt-prefix": "TOPIC",
    "--name": "NAME",
    "--netmask": "MASK",
    "--port": "PORT",
    "--profile": "NAME",
    "--rename": "NAME",
    "--resolution": "1080p|720p",
    "--rate": "N",
    "--reason": "TEXT",
    "--seed": "N",
    "--shops": "N",
    "--size": "PIXELS",
    "--sn": "SN",
    "--state": "factory|wired|ready",
    "--target": "ADDRESS",
    "--times": "N",
    "--total": "N",
}
#: Arguments whose name says too little.
_ARGUMENTS: dict[str, str] = {
    "degrees": "DEGREES",
    "face_ids": "FACE_ID…",
    "faceids": "FACEID…",
    "files": "FILE…",
    "mode": "off|on|auto",
    "picture": "FILE",
    "site": "SITE.toml",
    "switch": "on|off",
}
#: What is left, by how Typer shows its type.
_TYPES = (
    (re.compile(r" ?<int(?: range|eger)?>"), "N"),
    (re.compile(r" ?<float(?: range)?>"), "N"),
    (re.compile(r" ?<(?:list\[)?(?:path|Path|file)\]?>"), "FILE"),
    (re.compile(r" ?<(?:list\[)?str\]?>"), "TEXT"),
)
_TYPE = re.compile(r" <[\w ]+(?:\[\w+\])?>$")


def give(command: Any) -> None:
    """Name the values of *command*'s parameters; what the command named itself stays."""
    for parameter in command.params:
        if parameter.metavar:
            if parameter.param_type_name == "argument":  # brackets and dots are the usage line's
                parameter.metavar = re.sub(r"[\[\]]", "", parameter.metavar).replace("...", "…")
            continue
        if parameter.param_type_name == "argument":
            name = _ARGUMENTS.get(parameter.name, str(parameter.name).upper())
            if parameter.nargs == -1 and not name.endswith("…"):
                name += "…"
            parameter.metavar = name
        elif not (getattr(parameter, "is_flag", False) or getattr(parameter, "count", False)):
            longest = max(parameter.opts, key=len)
            if longest in _OPTIONS:
                parameter.metavar = _OPTIONS[longest]


def plain(usage: str) -> str:
    """A usage line's arguments as everybody writes them: ``SSID [PASSWORD]``, ``FILE…``."""
    usage = re.sub(r"\{([^{}]+)\}", r"\1", usage)
    usage = re.sub(r"\[\[([^\[\]]+)\]\]", r"[\1]", usage)
    return usage.replace("…]...", "…]").replace("…...", "…")


def worded(name: str) -> str:
    """The left column of help with a word in a type's place: an argument has its name already."""
    if not name.startswith("-"):
        return _TYPE.sub("", name)
    for pattern, word in _TYPES:
        name = pattern.sub(f" {word}", name)
    return name
