"""The last scan, so that a serial number finds its address at once."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from .camera import DiscoveredCamera

_FILE = "last_scan.json"


def last(directory: Path) -> list[DiscoveredCamera]:
    """The cameras remembered in *directory*; none where there is nothing usable."""
    try:
        rows = json.loads((directory / _FILE).read_text("utf-8"))
        return [
            DiscoveredCamera(**row | {"addresses": tuple(row["addresses"]), "flags": tuple(row["flags"])})
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def recall(sn: str, directory: Path) -> DiscoveredCamera | None:
    """The remembered camera of serial number *sn*."""
    return next((camera for camera in last(directory) if camera.sn == sn), None)


def remember(cameras: Iterable[DiscoveredCamera], directory: Path) -> None:
    """Add *cameras* to those remembered; a disk that cannot be written is no error."""
    known = {camera.sn: camera for camera in last(directory)} | {camera.sn: camera for camera in cameras}
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=directory)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump([asdict(camera) for camera in known.values()], file)
        os.replace(name, directory / _FILE)
