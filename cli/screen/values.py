"""What a value may be, for completion: cameras of the last scan, profiles, modes, events, group names.

The shell waits for it at every key: files are read as they are, nothing heavy is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sunmi_ipc.settings import config_dir

_CHOICES = re.compile(r"[a-z0-9]+(?:\|[a-z0-9]+)+")
_GROUPS = "groups.json"
_MOST_GROUPS = 64


def _rows(name: str) -> Any:
    try:
        return json.loads((config_dir() / name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []


def cameras() -> list[tuple[str, str]]:
    """Serial numbers and names of the last scan, each with what the other is."""
    found = [("all", "")]
    rows = _rows("last_scan.json")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("sn"):
            sn, name = str(row["sn"]), str(row.get("name") or "")
            found.append((sn, name or str(row.get("ip") or "")))
            if name and not re.search(r"\s", name):  # a shell would take it for two words
                found.append((name, sn))
    return found


def profiles() -> list[tuple[str, str]]:
    """The profiles there are."""
    try:
        return [(path.stem, "") for path in sorted((config_dir() / "profiles").glob("*.toml"))]
    except OSError:
        return []


def groups() -> list[tuple[str, str]]:
    """Face groups: the two that every camera has, and those listed last."""
    kept = _rows(_GROUPS)
    names = ["stranger", "regular", *(kept if isinstance(kept, list) else [])]
    return [(name, "") for name in dict.fromkeys(map(str, names)) if not re.search(r"\s", name)]


def remember_groups(names: list[str]) -> None:
    """Keep the names of face groups for completion; a disk that cannot be written is no error."""
    import contextlib

    from sunmi_ipc.atomic import whole

    with contextlib.suppress(OSError):
        config_dir().mkdir(parents=True, exist_ok=True)
        with whole(config_dir() / _GROUPS) as file:
            file.write(json.dumps(names[:_MOST_GROUPS]).encode())


def _endpoints() -> list[tuple[str, str]]:
    from sunmi_ipc.protocol.spec import registry

    return [(path, "") for path in registry()]


def words(*every: str) -> Callable[[], list[tuple[str, str]]]:
    """These words."""
    return lambda: [(word, "") for word in every]


_EVENTS = words("face", "motion")
#: By a parameter's name; those whose value stands for something that has a name.
_SOURCES: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "camera": cameras,
    "on": cameras,
    "sn": cameras,
    "profile": profiles,
    "group": groups,
    "events": _EVENTS,
    "event": _EVENTS,
    "subscribe": _EVENTS,
    "quality": words("hd", "fhd"),
    "model": words("FM010", "FM020"),
    "days": words("always", "everyday", "mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "shell": words("bash", "zsh", "fish", "powershell", "pwsh"),
    "evidence": words("documented", "sdk", "app", "inferred"),
}
#: Where a name alone says too little.
_OF_COMMAND: dict[tuple[str, str], Callable[[], list[tuple[str, str]]]] = {
    ("call", "path"): _endpoints,
    ("show", "path"): _endpoints,
    ("update", "name"): groups,
    ("delete", "name"): groups,
    ("clear", "name"): groups,
}


def source(command: str, parameter: Any) -> Callable[[], list[tuple[str, str]]] | None:
    """Where the values of *parameter* come from; None where anything may stand."""
    name = str(parameter.name)
    if found := _OF_COMMAND.get((command, name)) or _SOURCES.get(name):
        return found
    metavar = str(parameter.metavar or "")
    return words(*metavar.split("|")) if _CHOICES.fullmatch(metavar) else None


def beginning(values: list[tuple[str, str]], incomplete: str) -> list[tuple[str, str]]:
    """Those that begin with what was typed, whatever its capitals."""
    return [(v, help_) for v, help_ in values if v.lower().startswith(incomplete.lower())]
