"""Inferred facts that real cameras have shown: ``seen.toml``, so that a proven fact is one line that a release ships."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

_ON = re.compile(r"[A-Z]{2}\d{1,3}0? \d{1,2}\.\d{1,2}\.\d{1,2}|[A-Z0-9]{3,8} \d{1,2}(\.\d{1,2}){2}")


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Models and firmwares by path.

    Raises:
        ValueError: A line is not of that form.

    """
    found: dict[str, tuple[str, ...]] = {}
    for path, shown in tomllib.loads(text).items():
        if (
            not isinstance(shown, list)
            or not shown
            or not all(isinstance(s, str) and _ON.fullmatch(s) for s in shown)
        ):
            raise ValueError(f"{path}: a list of 'MODEL FIRMWARE' is needed")
        found[path] = tuple(shown)
    return found


@cache
def seen() -> dict[str, tuple[str, ...]]:
    """What this release knows to be proven, by path."""
    return parse(resources.files(__package__).joinpath("seen.toml").read_text("utf-8"))


def proven(path: str) -> str:
    """``proven (FM020 1.8.2)`` where a real camera has shown *path*, else empty."""
    shown = seen().get(path)
    return f"proven ({', '.join(shown)})" if shown else ""
