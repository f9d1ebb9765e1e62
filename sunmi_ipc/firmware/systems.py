"""Look at a card on whatever system this is: the one place that knows the three of them."""

from __future__ import annotations

import os
import sys

from ..errors import CardError
from . import linux, macos, windows
from .volume import Volume


def inspect(target: str | os.PathLike[str]) -> Volume:
    """The volume mounted at *target*, or on the device *target*.

    Raises:
        CardError: There is none, or this system is not known.

    """
    place = os.fspath(target)
    if sys.platform.startswith("linux"):
        return linux.read(place)
    if sys.platform == "darwin":
        return macos.read(place)
    if sys.platform == "win32":
        return windows.read(place)
    raise CardError("cards can be inspected on Linux, macOS and Windows only")
