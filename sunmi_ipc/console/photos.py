"""Photos as phones take them, brought down to what a camera takes for a face."""

from __future__ import annotations

from ..photos import shrunk as shrunk

#: What is taken from a browser at most.
MAX_UPLOAD = 30 * 1024 * 1024
