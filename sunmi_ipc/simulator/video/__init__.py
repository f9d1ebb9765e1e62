"""The picture of the virtual camera: a made-up shop, encoded, recorded and served over RTSP.

Pillow and numpy draw, PyAV encodes; all come with the extra ``video`` and are imported when a picture
is first asked for, so that cameras nobody looks at cost nothing.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..filming import PictureFormat, VideoSettings


def available() -> bool:
    """Whether the extra ``video`` is installed; imports nothing."""
    return all(find_spec(name) is not None for name in ("av", "numpy", "PIL"))


__all__ = ["PictureFormat", "VideoSettings", "available"]
