"""Results of the ``lens`` group."""

from __future__ import annotations

from .base import Int, Reply


class LensConfiguration(Reply):
    """Where the motors stand, how far they go (steps), and the autofocus point (percent; None: not told)."""

    zoom: Int
    max_zoom: Int
    focus: Int
    max_focus: Int
    focused_x: Int | None = None
    focused_y: Int | None = None
