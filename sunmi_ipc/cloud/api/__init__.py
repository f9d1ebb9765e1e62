"""The cloud API: one module a group of endpoints."""

from __future__ import annotations

from functools import cache
from importlib import import_module

#: Group name to class; the order is the order of the reference.
GROUPS = {
    "devices": "Devices",
    "media": "Media",
    "flow": "Flow",
    "faces": "Faces",
    "messages": "Messages",
}


@cache
def load() -> None:
    """Import every group, so that the registry is whole."""
    for name in GROUPS:
        import_module(f"{__name__}.{name}")
