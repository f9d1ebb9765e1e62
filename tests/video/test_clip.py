"""Clips and joined recordings: real video, judged by PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import av
import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import DeviceError, NotReadyError, ReplyError
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.video.mux import merge

from .conftest import HOUR


def settings(ready: tuple[float, float] = (1.5, 1.6)) -> VideoSettings:
    return VideoSettings(clip=PictureFormat(160, 90, 2), clip_ready_s=ready)


@pytest.fixture
def filming(virtual: Callable[..., VirtualCamera]) -> VirtualCamera:
    return virtual(video=settings())


@pytest.fixture
def camera(filming: VirtualCamera) -> Iterator[Camera]:
    with connect(filming) as client:
        yield client


def length(path: Path) -> float:
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0)) / 2


def test_a_clip_is_waited_for(camera: Camera, tmp_path: Path) -> None:
    waits: list[None] = []
    seen: list[tuple[int, int | None]] = []
    path = camera.video.clip(
        HOUR,
        HOUR + timedelta(seconds=10),
        tmp_path / "new" / "c.mp4",
        first=0,
        interval=0.05,
        on_wait=lambda: waits.append(None),
        on_progress=lambda *step: seen.append(step),
    )
    assert length(path) == 10
    assert waits  # it said 236 first
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert [p.name for p in path.parent.iterdir()] == ["c.mp4"]


def test_a_clip_that_does_not_come(virtual: Callable[..., VirtualCamera], tmp_path: Path) -> None:
    with connect(virtual(video=settings((30, 40)))) as camera, pytest.raises(NotReadyError) as caught:
        camera.video.clip(
            HOUR, HOUR + timedelta(seconds=5), tmp_path / "c.mp4", first=0, interval=0.05, timeout=0.4
        )
    assert caught.value.code == 236
    assert list(tmp_path.iterdir()) == []


def test_a_clip_of_nothing(camera: Camera, tmp_path: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        camera.video.clip(
            HOUR + timedelta(minutes=52), HOUR + timedelta(minutes=53), tmp_path / "c.mp4", first=0
        )
    assert caught.value.code == 235


def test_recordings_are_joined_as_they_are(camera: Camera, tmp_path: Path) -> None:
    clips = list(camera.video.download(HOUR, HOUR + timedelta(minutes=2, seconds=30), tmp_path / "d"))
    files = sorted(clip.path for clip in clips)
    assert len(files) == 3
    seen: list[int] = []
    made = merge(files, tmp_path / "all.mp4", on_file=seen.append)
    assert seen == [1, 2, 3]
    assert made == pytest.approx(180, abs=1)
    assert length(tmp_path / "all.mp4") == 180
    packets = []
    for path in (*files, tmp_path / "all.mp4"):
        with av.open(str(path)) as file:
            packets.append([bytes(p) for p in file.demux(video=0) if p.size])
    assert packets[3] == packets[0] + packets[1] + packets[2]
    with av.open(str(tmp_path / "all.mp4")) as file:
        times = [p.dts for p in file.demux(video=0) if p.dts is not None]
    assert times == sorted(set(times))
    assert not list(tmp_path.glob("*.part"))


def test_flv_is_joined_and_read_like_mp4(virtual: Callable[..., VirtualCamera], tmp_path: Path) -> None:
    filming = virtual(video=VideoSettings(clip=PictureFormat(160, 90, 2)), quirks=["flv"])
    with connect(filming) as camera:
        clips = list(camera.video.download(HOUR, HOUR + timedelta(minutes=1, seconds=30), tmp_path / "d"))
    files = sorted(clip.path for clip in clips)
    assert [path.suffix for path in files] == [".flv", ".flv"]
    assert merge(files, tmp_path / "all.mp4") == pytest.approx(120, abs=1)
    with av.open(str(tmp_path / "all.mp4")) as file:
        assert file.format.name.startswith("mov")
        assert sum(1 for _ in file.decode(video=0)) == 240


def test_what_cannot_be_joined(camera: Camera, virtual: Callable[..., VirtualCamera], tmp_path: Path) -> None:
    (one,) = camera.video.download(HOUR, HOUR + timedelta(seconds=30), tmp_path / "a")
    large = VideoSettings(clip=PictureFormat(320, 180, 1))
    with connect(virtual(video=large)) as other:
        (two,) = other.video.download(HOUR, HOUR + timedelta(seconds=30), tmp_path / "b")
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    for files, why in (([one.path, two.path], "another format"), ([one.path, text], "no video")):
        with pytest.raises(ReplyError, match=why):
            merge(files, tmp_path / "all.mp4")
        assert not (tmp_path / "all.mp4").exists()
        assert not list(tmp_path.glob("*.part"))
