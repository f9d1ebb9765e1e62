"""Recordings, clips and snapshots as files: real, the same every time, ready in their time."""

from __future__ import annotations

import io
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

from sunmi_ipc.errors import DeviceError, NotReadyError
from sunmi_ipc.installation import command
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera, connect, media, video
from sunmi_ipc.simulator.video import PictureFormat, footage

from .conftest import CLIP, Get

Film = Callable[..., VirtualCamera]
NOW = datetime.now(UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def last_hour() -> datetime:
    """The start of the last whole hour, which is recorded."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR


def length(data: bytes) -> tuple[float, int, tuple[int, int]]:
    """Seconds, pictures and size of a film."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        frames = [(frame.width, frame.height) for frame in container.decode(stream)]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base), len(frames), frames[0]


def urls(camera: VirtualCamera, minutes: int = 50) -> list[str]:
    with connect(camera) as client:
        end = NOW - timedelta(hours=1)
        return [r.url for r in client.video.records(end - timedelta(minutes=minutes), end)]


def test_a_recording_is_a_minute_and_always_the_same(film: Film, get: Get) -> None:
    camera = film()
    first, second = urls(camera)[:2]
    status, kind, body = get(camera, first)
    assert (status, kind) == (200, "video/mp4")
    assert length(body) == (60, 60 * CLIP.fps, (CLIP.width, CLIP.height))
    with connect(camera) as client:
        client.lens.zoom(300)  # changes nothing on the card
    shutil.rmtree(camera.vendor.folder / "clips")
    again = get(camera, first)[2]
    assert again == body != get(camera, second)[2]
    assert get(camera, first, Range="bytes=100-199")[2] == body[100:200]


def test_two_cameras_differ(film: Film, get: Get) -> None:
    one, other = film(), film()
    path = re.sub(r"https://[^/]+", "", urls(one)[0])
    assert get(one, path)[2] != get(other, path)[2]


def test_asked_for_twice_at_once_it_is_made_once(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = film()
    made = []
    original = footage.write_file
    monkeypatch.setattr(
        footage, "write_file", lambda path, *a, **k: (made.append(path), original(path, *a, **k))
    )
    start = int(time.time()) - 7200
    paths: list[object] = []
    folder = camera.vendor.folder / "clips"
    threads = [
        threading.Thread(
            target=lambda: paths.append(footage.recording(folder, camera.state, [(start, start + 60)]))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(paths)) == 1


def test_only_so_much_is_kept(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = film()
    folder = camera.vendor.folder / "kept"
    size = footage.recording(folder, camera.state, [(0, 1)]).stat().st_size
    monkeypatch.setattr(footage, "_KEPT", 5 * size)
    made = [footage.recording(folder, camera.state, [(i, i + 1)]) for i in range(1, 12)]
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 5 * size
    assert made[-1].exists()
    assert not made[0].exists()


def test_a_long_clip_is_made_in_the_background(film: Film, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "_PATIENCE_S", 0.0)
    camera = film(clip=PictureFormat(64, 36, 1), clip_ready_s=(0, 0))
    with connect(camera) as client:
        url = client.video.clip_url(last_hour() - HOUR / 4, last_hour() + HOUR / 12).url
    assert get(camera, url)[2] == b'{"code": 236}'
    end = time.monotonic() + 60
    while (answer := get(camera, url))[1] == "application/json":
        assert time.monotonic() < end
        time.sleep(0.02)
    # The ten minutes that were not recorded are left out.
    with av.open(io.BytesIO(answer[2])) as container:
        assert container.duration == 10 * 60 * 1_000_000


def test_what_was_not_recorded_is_not_there(film: Film, get: Get) -> None:
    camera = film()
    path = re.sub(r"https://[^/]+", "", urls(camera)[0])
    begin = int(path.removeprefix("/record/").removesuffix(".mp4"))
    for wrong in (f"/record/{begin + 1}.mp4", "/record/0.mp4", "/record/x.mp4", "/clip/1-2.mp4"):
        assert get(camera, wrong)[0] == 404
    assert get(camera, "/snapshot/0.jpg")[0] == 404
    camera.insert_card(CardStatus.NONE)
    assert get(camera, path)[0] == 404


def test_a_clip_is_ready_some_time_after_it_was_asked_for(film: Film, get: Get) -> None:
    camera = film(clip_ready_s=(0.2, 0.3))
    hour = last_hour()
    with connect(camera) as client:
        asked = time.monotonic()
        url = client.video.clip_url(hour, hour + 20 * SECOND).url
        assert get(camera, url) == (200, "application/json", b'{"code": 236}')
        while (answer := get(camera, url))[1] == "application/json":
            assert time.monotonic() < asked + 20
        assert time.monotonic() - asked >= 0.2
        assert length(answer[2])[:2] == (20, 20 * CLIP.fps)
        with pytest.raises(NotReadyError):
            client.video.clip_url(hour + 24 * HOUR, hour + 25 * HOUR)
        with pytest.raises(DeviceError) as refused:
            client.video.clip_url(hour + 3_100 * SECOND, hour + HOUR)
        assert refused.value.code == 235
        camera.insert_card(CardStatus.NONE)
        with pytest.raises(DeviceError) as refused:
            client.video.clip_url(hour, hour + 20 * SECOND)
        assert refused.value.code == 220


def test_a_clip_of_a_computer_that_has_just_started(
    film: Film, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()

    class Clock:
        time = staticmethod(time.time)

        @staticmethod
        def monotonic() -> float:
            return time.monotonic() - began

    monkeypatch.setattr(media, "time", Clock)
    camera = film(clip_ready_s=(0, 0))
    hour = last_hour()
    with connect(camera) as client:
        assert get(camera, client.video.clip_url(hour, hour + 2 * SECOND).url)[:2] == (200, "video/mp4")
        # Those that can be fetched no more are forgotten.
        camera.state.documents["clips"]["1-2"] = -media.CLIP_KEPT_S - 1.0
        client.video.clip_url(hour, hour + 3 * SECOND)
    assert len(camera.state.documents["clips"]) == 2


def test_many_make_room_at_once(film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = film()
    monkeypatch.setattr(footage, "_KEPT", 1_000)
    start = int(last_hour().timestamp())
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(footage.recording, tmp_path, camera.state, [(start + n, start + n + 1)])
            for n in range(100)
        ]
        for one in made:
            one.result()


def test_by_default_a_clip_takes_4_to_12_seconds(film: Film) -> None:
    camera = film()
    hour = last_hour()
    with connect(camera) as client:
        for i in range(5):
            client.video.clip_url(hour + i * SECOND, hour + 20 * SECOND)
    now = time.monotonic()
    waits = [due - now for due in camera.state.documents["clips"].values()]
    assert len({round(wait, 2) for wait in waits}) > 1
    assert all(3 < wait < 12 for wait in waits)


def test_a_download_is_cut_on_demand(film: Film, get: Get) -> None:
    camera = film()
    url = urls(camera)[0]
    whole = get(camera, url)[2]
    camera.fail("cut", 1000)
    with connect(camera) as client:
        assert client.device.info().sn == camera.sn  # no file: the fault waits
    with pytest.raises(Exception, match=r"IncompleteRead\(1000 bytes"):
        get(camera, url)
    assert get(camera, url, Range="bytes=1000-")[2] == whole[1000:]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, film: Film, get: Get) -> None:
    monkeypatch.setattr("sunmi_ipc.simulator.camera.available", lambda: False)
    monkeypatch.setattr(video, "available", lambda: False)
    camera = film()
    assert camera.live_url() == ""
    with connect(camera) as client:
        with pytest.raises(NotReadyError) as refused:
            client.video.live()
        assert refused.value.code == 232
        status, kind, body = get(camera, client.video.snapshot_url().snapshot_url)
        assert (status, kind) == (200, "image/jpeg")
        assert length_of_jpeg(body) == (160, 90)
        status, kind, body = get(camera, urls(camera)[0])
        assert status == 503
        assert command("video").encode() in body


def length_of_jpeg(body: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(body)) as image:
        return image.size
