"""A download that is killed, for real, goes on until it is complete and byte-identical."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sunmi_ipc.simulator import VirtualCamera, files

from .conftest import HOUR, recording

CODE = """
import sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from sunmi_ipc.settings import Settings
start = datetime.fromtimestamp(int(sys.argv[3]), UTC)
with Settings.load().connect(sys.argv[1], sn=sys.argv[4]) as camera:
    print("ready", flush=True)
    list(camera.video.download(start, start + timedelta(minutes=9, seconds=30), sys.argv[2], workers=3))
"""
KILLS = 5


@pytest.mark.slow
def test_killed_at_random_moments(
    ready: VirtualCamera,
    card: dict[str, bytes | Path | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = [int(HOUR.timestamp()) + 60 * i for i in range(10)]
    whole = {f"{stamp}.mp4": recording(f"{stamp}.mp4", 2_000_000) for stamp in stamps}
    card.update(whole)
    folder = tmp_path / "usb"
    slow = files.Content.chunks

    def chunks(self: files.Content, start: int, stop: int) -> object:
        for at in range(start, stop, 100_000):  # so that a kill finds files under way
            yield from slow(self, at, min(at + 100_000, stop))
            time.sleep(0.002)

    monkeypatch.setattr(files.Content, "chunks", chunks)
    killed = parts = 0
    for _ in range(KILLS + 1):
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, ready.address, str(folder), str(stamps[0]), ready.sn],
            env=os.environ | ready.vendor.environment(),
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
            if killed == KILLS:
                assert process.wait(60) == 0
                break
            before = _size(folder)
            while _size(folder) <= before and process.poll() is None:
                time.sleep(0.005)
            time.sleep(random.uniform(0, 0.1))
            process.kill()
            process.wait()
        killed += 1
        parts += len(list(folder.glob("*.part")))
    assert killed == KILLS
    assert parts
    assert sorted(p.read_bytes() for p in folder.iterdir()) == sorted(whole.values())


def _size(folder: Path) -> int:
    size = 0
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # it has just got its name
            size += path.stat().st_size
    return size
