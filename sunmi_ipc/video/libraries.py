"""The libraries of the extra ``video``: imported when they are used, missed with a word of how to get them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import ExtraMissingError


def library(name: str) -> Any:
    """Import a library of the extra ``video``.

    Raises:
        ExtraMissingError: It is not installed.

    """
    try:
        return import_module(name)
    except ImportError:
        raise ExtraMissingError(
            "this needs the library {library}, which is not installed",
            extra="video",
            library={"av": "PyAV", "PIL.Image": "Pillow", "PIL.ImageDraw": "Pillow"}.get(name, name),
        ) from None


def has_library(name: str) -> bool:
    """Whether a library of the extra is installed."""
    return find_spec(name) is not None
