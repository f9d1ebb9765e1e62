"""The cloud API: one module a group of endpoints."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

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


def results() -> dict[str, Any]:
    """What the declarations' results are called: they are imported when the first is asked for."""
    from .. import models

    return vars(models)
