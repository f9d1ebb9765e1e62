"""The device API: one module a group of endpoints."""

from __future__ import annotations

from functools import cache
from importlib import import_module

#: Group name to module and class; the order is the order of the reference.
GROUPS = {
    "device": "Device",
    "wifi": "Wifi",
    "network": "Network",
    "lens": "Lens",
    "image": "Image",
    "detection": "Detection",
    "sdcard": "SdCard",
    "people_flow": "PeopleFlow",
    "faces": "Faces",
    "video": "Video",
    "events": "Events",
}


@cache
def load() -> None:
    """Import every group, so that the registry is whole."""
    for name in GROUPS:
        import_module(f"{__name__}.{name}")
