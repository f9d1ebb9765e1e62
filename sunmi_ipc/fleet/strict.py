"""Checking a file that people write: every error names file, line and key, and never shows a value."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import SiteError
from ..protocol.kinds import wanted
from ..untrusted import Refused, load_toml, toml_problem
from .positions import Path as Keys
from .positions import place_of, toml_lines

#: What a value must be, by the kind of error that pydantic or ours reports.
ALLOWED = {
    "mac": "AA:BB:CC:DD:EE:FF",
    "camera_model": "FM010, FM020",
    "ipv4": "192.168.1.20",
    "day_time": "HH:MM, 00:00-24:00",
    "door_line": "[x1, y1, x2, y2], 0-1920, 0-1080, x2 - x1 >= 100",
    "url": "http://ADDRESS:PORT/PATH",
    "position": "N, N%",
    "static_ip": "address, netmask",
    "target": "192.168.1.20, 10.17.0.0/24",
    "identity": "sn | mac | any",
    "count": "count + any",
    "duration": "90, 90s, 15m, 2h, 7d",
    "window": "1m, 5m, 10m, 15m, 30m, 1h",
    "time_zone": "Asia/Shanghai, Europe/Berlin, UTC",
    "opening_hours": "09:00-22:00; {mon-fri = '09:00-22:00', sat = '10:00-18:00'}",
    "listen": "127.0.0.1:8500",
    "site_name": "A-Z a-z 0-9 . _ -, 1-64",
    "certificate": "certificate + key",
}


def together(problems: list[SiteError]) -> SiteError:
    """The first of *problems* by line, which has the others."""
    problems.sort(key=lambda problem: int(problem.where.rpartition(":")[2]))
    first, *others = problems
    first.others = tuple(others)
    return first


def read_toml(raw: bytes, path: Path, shown: str = "") -> tuple[dict[str, Any], dict[Keys, int]]:
    """The document, and the line of every key; *shown*: what errors call the file. Raises SiteError."""
    shown = shown or path.name
    try:
        # What an editor of Windows calls Unicode.
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        return load_toml(text), toml_lines(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SiteError("{where}: {key}: not UTF-8", where=f"{shown}:{line}", key="-") from None
    except Refused as error:
        where = place_of(toml_lines(text), shown, error.keys) if error.keys else f"{shown}:1"
        raise SiteError(
            "{where}: {key}: not TOML: {reason}", where=where, key=dotted(error.keys), reason=error.template
        ) from None
    except tomllib.TOMLDecodeError as error:
        at, reason = toml_problem(error)
        line = at or text.rstrip("\n").count("\n") + 1
        raise SiteError(
            "{where}: {key}: not TOML: {reason}",
            where=f"{shown}:{line}", key="-", reason=reason,
        ) from None  # fmt: skip


def dotted(keys: Keys) -> str:
    """A key as it is written: ``cameras[1].name``."""
    text = ""
    for key in keys:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text or "-"


#: What pydantic calls a bound, and how we say it.
_BOUNDS = {
    "ge": "at least {value}", "gt": "more than {value}", "le": "at most {value}", "lt": "less than {value}",
    "multiple_of": "a multiple of {value}",
    "min_length": "at least {value}{unit}", "max_length": "at most {value}{unit}",
}  # fmt: skip


def bound(kind: str, context: dict[str, Any]) -> str:
    """What may stand there, in words, by what pydantic says of an error; empty where it says nothing for people."""
    if isinstance(expected := context.get("expected"), str):
        return expected.replace(" or ", ", ").replace("'", "")
    unit = {"string": " characters", "bytes": " bytes"}.get(kind.partition("_")[0], " entries")
    return ", ".join(
        said.format(
            value=f"{context[name]:g}" if isinstance(context[name], float) else context[name], unit=unit
        )
        for name, said in _BOUNDS.items()
        if name in context
    )


def problem(path: Path, lines: dict[Keys, int], error: dict[str, Any], *, hint: str) -> SiteError:
    """One of pydantic's errors as ours, with its place; *hint* says where the keys are listed."""
    # pydantic adds the branch of a union to the place; only what stands in the file is a place.
    loc = tuple(error["loc"])
    while len(loc) > 1 and loc not in lines and loc[:-1] in lines and error["type"] != "missing":
        loc = loc[:-1]
    where, key, kind = place_of(lines, path.name, loc), dotted(loc), error["type"]
    context = error.get("ctx") or {}
    if kind == "missing":
        return SiteError("{where}: {key}: missing", where=where, key=key)
    if kind == "extra_forbidden":
        return SiteError(
            "{where}: {key}: there is no such key", where=where, key=key,
            hint=hint,
        )  # fmt: skip
    if kind == "inline_secret":
        return SiteError(
            "{where}: {key}: a secret stands in the file itself", where=where, key=key,
            hint="Write env:NAME, keyring:SERVICE/USER or file:PATH, or allow it: "
            "inline_secrets = true under [apply].",
        )  # fmt: skip
    if kind == "serial_number":
        return SiteError(
            "{where}: {key}: not a serial number", where=where, key=key,
            hint="It stands on the camera's label, such as FS101D8BS00106; 'ipc scan' lists them.",
        )  # fmt: skip
    if kind.endswith(("_type", "_parsing")):
        return SiteError(
            "{where}: {key}: wrong type, {wanted} is needed", where=where, key=key, wanted=wanted(kind),
        )  # fmt: skip
    bounds = ALLOWED.get(kind) or bound(kind, context)
    return SiteError(
        "{where}: {key}: not allowed", where=where, key=key,
        hint="Allowed: {bounds}." if bounds else "", bounds=bounds,
    )  # fmt: skip
