"""Every page: importing it registers it."""

from __future__ import annotations

from importlib import import_module

PAGES = ("home", "camera", "setup", "fleet", "sessions", "nothing")


def load() -> None:
    """Register the pages."""
    for name in PAGES:
        import_module(f"{__package__}.{name}")
