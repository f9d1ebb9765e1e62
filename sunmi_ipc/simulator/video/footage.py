"""Stills and recordings: the same camera and moment give the same bytes.

Recordings show the shop through an untouched lens: what the lens does now changes nothing on the card.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from ..state import CameraState
from .canvas import Canvas
from .encoder import frame_of, write_file
from .scene import Scene
from .viewpoint import Look

#: How long a request waits for a clip that is being made.
_PATIENCE_S = 2.0
#: Bytes of files that are kept at most.
_KEPT = 256 * 1024 * 1024
_TIDYING = threading.Lock()
_LOCKS = tuple(threading.Lock() for _ in range(16))
_scene = lru_cache(maxsize=4)(Scene)
Spans = Sequence[tuple[int, int]]


def still(state: CameraState, when: float) -> bytes:
    """A JPEG of the scene at *when* (Unix seconds) as the lens is set now, in fhd."""
    size = state.video.fhd
    canvas = _scene(state.sn, size.width, size.height, state.video.zone).picture(when, Look.of(state))
    target = io.BytesIO()
    frame_of(canvas).to_image().save(target, "JPEG", quality=88)
    return target.getvalue()


def recording(folder: Path, state: CameraState, spans: Spans, stop: threading.Event | None = None) -> Path:
    """The MP4 of what was recorded, made the first time it is asked for.

    Args:
        folder: Where the files are kept; the oldest go when there is much.
        state: Whose recording.
        spans: Start and end of each piece, Unix seconds; the last picture is just before the end.
        stop: Gives up when set: the file is then not there.

    """
    path = folder / _name(state, spans)
    with _LOCKS[hash(path) % len(_LOCKS)]:
        if path.exists():
            os.utime(path)
            return path
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        video, form = state.video, state.video.clip
        try:
            pictures = _pictures(state, spans, stop or threading.Event())
            kind = path.suffix[1:]
            size = {"width": form.width, "height": form.height, "fps": form.fps}
            write_file(part, kind, pictures, codec=video.codec, **size)
            if stop is None or not stop.is_set():
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    _tidy(folder)
    return path


def prepared(folder: Path, state: CameraState, spans: Spans, stop: threading.Event) -> Path | None:
    """As :func:`recording`, but a long one is made in the background: None until it is there."""
    path = folder / _name(state, spans)
    if path.exists():
        return path
    name = f"virtual-camera-{path.name}"
    making = next((thread for thread in threading.enumerate() if thread.name == name), None)
    if making is None:
        making = threading.Thread(target=_make, args=(folder, state, spans, stop), name=name, daemon=True)
        making.start()
    making.join(_PATIENCE_S)
    return path if path.exists() else None


def _make(folder: Path, state: CameraState, spans: Spans, stop: threading.Event) -> None:
    try:
        recording(folder, state, spans, stop)
    except OSError:
        if not stop.is_set():
            raise


def _name(state: CameraState, spans: Spans) -> str:
    form = state.video.clip
    suffix = ".flv" if "flv" in state.quirks else ".mp4"
    return f"{state.sn}-{spans[0][0]}-{spans[-1][1]}-{form.width}x{form.height}-{form.fps}{state.video.codec}{suffix}"


def _pictures(state: CameraState, spans: Spans, stop: threading.Event) -> Iterator[Canvas]:
    form = state.video.clip
    scene = _scene(state.sn, form.width, form.height, state.video.zone)
    for start, end in spans:
        for i in range((end - start) * form.fps):
            if stop.is_set():
                return
            yield scene.picture(start + i / form.fps, Look())


def _tidy(folder: Path) -> None:
    """Keep to the limit with a quarter to spare; the file used last stays in any case."""
    with _TIDYING:
        _tidied(folder)


def _tidied(folder: Path) -> None:
    files = sorted(
        (f for f in folder.iterdir() if f.suffix in (".mp4", ".flv")),
        key=lambda file: file.stat().st_mtime_ns,
    )
    sizes = [file.stat().st_size for file in files]
    left = sum(sizes)
    if left <= _KEPT:
        return
    for file, size in zip(files[:-1], sizes[:-1], strict=True):
        file.unlink(missing_ok=True)
        left -= size
        if left <= _KEPT * 3 // 4:
            return
