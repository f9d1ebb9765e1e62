"""Stills and recordings: the same camera and moment give the same bytes.

Recordings show the shop through an untouched lens: what the lens does now changes nothing on the card.
"""

from __future__ import annotations

import io
import os
import threading
from functools import lru_cache
from pathlib import Path

from ..state import CameraState
from .encoder import frame_of, write_mp4
from .look import Look
from .scene import Scene

#: Files that are kept at most, each about 1 MB.
_KEPT = 300
_LOCKS = tuple(threading.Lock() for _ in range(16))
_scene = lru_cache(maxsize=4)(Scene)


def still(state: CameraState, when: float) -> bytes:
    """A JPEG of the scene at *when* (Unix seconds) as the lens is set now, in fhd."""
    size = state.video.fhd
    canvas = _scene(state.sn, size.width, size.height, state.video.zone).picture(when, Look.of(state))
    target = io.BytesIO()
    frame_of(canvas).to_image().save(target, "JPEG", quality=88)
    return target.getvalue()


def recording(folder: Path, state: CameraState, start: int, end: int) -> Path:
    """The MP4 of a period, made the first time it is asked for.

    Args:
        folder: Where the files are kept; the oldest go when there are many.
        state: Whose recording.
        start: Unix seconds.
        end: Unix seconds; the last picture is just before it.

    """
    video = state.video
    form = video.clip
    name = f"{state.sn}-{start}-{end}-{form.width}x{form.height}-{form.fps}{video.codec}.mp4"
    path = folder / name
    with _LOCKS[hash(name) % len(_LOCKS)]:
        if path.exists():
            os.utime(path)
            return path
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        scene = _scene(state.sn, form.width, form.height, video.zone)
        pictures = (scene.picture(start + i / form.fps, Look()) for i in range((end - start) * form.fps))
        try:
            write_mp4(part, pictures, width=form.width, height=form.height, fps=form.fps, codec=video.codec)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    _tidy(folder)
    return path


def _tidy(folder: Path) -> None:
    files = list(folder.glob("*.mp4"))
    if len(files) > _KEPT:
        for old in sorted(files, key=lambda file: file.stat().st_mtime)[: _KEPT // 6]:
            old.unlink(missing_ok=True)
