"""Recordings to download: made up, so that a test knows every byte."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.simulator import VirtualCamera, connect, files

#: The hour before the last full one: the virtual camera has recorded its minutes 0 to 49.
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


def recording(path: str, size: int = 300_000) -> bytes:
    """What the card holds under *path*: the same each time, like nothing else but the head of an MP4."""
    die = random.Random(path)
    return b"\0\0\0\x18ftypmp42" + die.randbytes(size + die.randrange(50_000))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | Path | None]:
    """The recordings by the last part of their path; None for one that is gone."""
    contents: dict[str, bytes | Path | None] = {}

    def serve(_: VirtualCamera, path: str) -> files.Content | None:
        data = contents.setdefault(path, recording(path))
        return None if data is None else files.Content(data, "video/mp4")

    monkeypatch.setitem(files._SOURCES, "record", serve)
    monkeypatch.setitem(files._SOURCES, "clip", serve)
    return contents


@pytest.fixture
def camera(ready: VirtualCamera) -> Iterator[Camera]:
    with connect(ready) as client:
        yield client


@pytest.fixture
def minutes() -> Callable[[int], tuple[datetime, datetime]]:
    """A period that holds so many recordings."""
    return lambda count: (HOUR, HOUR + timedelta(minutes=count - 1, seconds=30))
