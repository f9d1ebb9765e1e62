"""Downloads: complete or not there, resumed, checked, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import resource
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import ConnectionFailed, DeviceError, DiskError, DiskFailed, DownloadError, ReplyError
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera, files
from sunmi_ipc.video.download import Clip
from sunmi_ipc.video.partial import OVERLAP, PartialFile

from .conftest import HOUR, recording

Card = dict[str, bytes | Path | None]
Minutes = Callable[[int], tuple[datetime, datetime]]


def name(index: int) -> str:
    """The path of the recording of a minute."""
    return f"{int((HOUR + timedelta(minutes=index)).timestamp())}.mp4"


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_complete_named_and_kept(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    seen: list[tuple[str, int, int | None]] = []
    zone = timezone(timedelta(hours=8))
    clips = list(
        camera.video.download(
            *minutes(5), tmp_path / "new" / "dir", tz=zone, on_progress=lambda *step: seen.append(step)
        )
    )
    assert {c.status for c in clips} == {"saved"}
    assert contents(tmp_path / "new" / "dir") == [recording(name(i)) for i in range(5)]
    begun = HOUR.astimezone(zone)
    assert min(c.path.name for c in clips) == f"{ready.sn}_{begun:%Y-%m-%d_%H-%M-%S}+0800.mp4"
    for clip in clips:
        steps = [(done, total) for file, done, total in seen if file == clip.path.name]
        assert steps[-1] == (clip.size, clip.size)
        assert steps == sorted(steps)
    again = list(camera.video.download(*minutes(5), tmp_path / "new" / "dir", tz=zone))
    assert [c.status for c in again] == ["kept"] * 5


def test_connections_are_kept(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    opened: list[object] = []
    serve = ready._serve
    monkeypatch.setattr(ready, "_serve", lambda *a: (opened.append(a), serve(*a)))
    assert len(list(camera.video.download(*minutes(12), tmp_path, workers=3))) == 12
    assert len(opened) == 1 + 3  # one for the calls


@pytest.mark.parametrize("have", [1, OVERLAP - 1, OVERLAP, OVERLAP + 1, 200_000, -1])
def test_a_part_is_resumed(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path, have: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whole = recording(name(0))
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    have = have if have > 0 else len(whole)
    part = clip.path.with_name(clip.path.name + ".part")
    part.write_bytes(whole[:have])
    clip.path.unlink()
    asked: list[str] = []
    original = files.part
    monkeypatch.setattr(files, "part", lambda header, size: (asked.append(header), original(header, size))[1])
    list(camera.video.download(*minutes(1), tmp_path))
    assert clip.path.read_bytes() == whole
    assert not part.exists()
    start = max(0, have - OVERLAP)
    assert asked == [f"bytes={start}-" if start else ""]


@pytest.mark.parametrize("what", ["another file", "zeros at its end", "longer than the file"])
def test_a_part_that_is_not_of_this_file_is_fetched_anew(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, what: str
) -> None:
    whole = recording(name(0))
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    part = clip.path.with_name(clip.path.name + ".part")
    part.write_bytes(
        {
            "another file": recording("another")[:200_000],
            "zeros at its end": whole[:150_000] + bytes(50_000),
            "longer than the file": whole + bytes(500_000),
        }[what]
    )
    clip.path.unlink()
    list(camera.video.download(*minutes(1), tmp_path))
    assert contents(tmp_path) == [whole]


def test_a_camera_without_ranges(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    clip.path.rename(clip.path.with_name(clip.path.name + ".part"))
    monkeypatch.setattr(files, "part", lambda header, size: (0, size))
    list(camera.video.download(*minutes(1), tmp_path))
    assert contents(tmp_path) == [recording(name(0))]


def test_a_restart_half_way_is_waited_for(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    fallen = threading.Event()

    def fall(*_: object) -> None:
        if not fallen.is_set():
            fallen.set()
            ready.restart(0.6)

    assert len(list(camera.video.download(*minutes(8), tmp_path, on_progress=fall))) == 8
    assert contents(tmp_path) == [recording(name(i)) for i in range(8)]


def test_a_camera_that_is_gone_for_good(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    run = camera.video.download(*minutes(20), tmp_path, workers=2, patience=0.5)
    saved = [next(run) for _ in range(5)]
    ready.restart(60)
    with pytest.raises(ConnectionFailed):
        saved.extend(run)
    assert len(saved) >= 5
    for clip in saved:
        assert clip.path.read_bytes() == recording(name(round((clip.record.start_time - HOUR).seconds / 60)))
    assert {p.suffix for p in tmp_path.iterdir()} <= {".mp4", ".part"}
    ready._away_until = 0
    list(camera.video.download(*minutes(20), tmp_path))
    assert contents(tmp_path) == [recording(name(i)) for i in range(20)]


def test_a_vanished_card(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    card.update({name(i): None for i in range(3, 10)})
    run = camera.video.download(*minutes(10), tmp_path, workers=1)
    next(run)
    ready.insert_card(CardStatus.NONE)
    with pytest.raises(DeviceError, match="no SD card") as caught:
        list(run)
    assert caught.value.code == 220
    assert contents(tmp_path) == [recording(name(i)) for i in range(3)]


def test_a_recording_that_is_gone_costs_no_other(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    card[name(2)], card[name(4)] = None, b""
    clips: list[Clip] = []
    with pytest.raises(DownloadError, match="2 recordings") as caught:
        clips.extend(camera.video.download(*minutes(6), tmp_path))
    assert sorted(c.status for c in clips) == ["lost"] * 2 + ["saved"] * 4
    assert "404" in str(caught.value) or "empty" in str(caught.value)
    assert contents(tmp_path) == [recording(name(i)) for i in (0, 1, 3, 5)]


def test_an_expired_link_is_asked_for_again(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    (record,) = camera.video.records(*minutes(1))
    stale = record.model_copy(update={"url": record.url.replace(name(0), "expired.mp4")})
    card["expired.mp4"] = None
    (clip,) = camera.video.download_records([stale], tmp_path)
    assert clip.path.read_bytes() == recording(name(0))


@pytest.mark.parametrize(
    "url", ["https://127.9.9.9:{port}/record/x.mp4", "file:///etc/passwd", "https://a:b@{ip}:{port}/record/x"]
)
def test_links_that_lead_elsewhere_are_refused(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path, url: str
) -> None:
    (record,) = camera.video.records(*minutes(1))
    elsewhere = record.model_copy(update={"url": url.format(ip=ready.ip, port=ready.port)})
    with pytest.raises(ReplyError, match="not followed"):
        list(camera.video.download_records([elsewhere], tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    original = os.write

    def write(handle: int, data: memoryview) -> int:
        nonlocal written
        if isinstance(data, memoryview):
            written += len(data)
            if written > 1_000_000:
                raise OSError(errno.ENOSPC, "No space left on device")
        return original(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(DiskFailed, match="No space left") as caught:
            list(camera.video.download(*minutes(10), tmp_path, workers=2))
    assert "goes on where it stopped" in caught.value.hint
    whole = {recording(name(i)) for i in range(10)}
    assert {p.read_bytes() for p in tmp_path.glob("*.mp4")} < whole
    list(camera.video.download(*minutes(10), tmp_path))
    assert set(contents(tmp_path)) == whole


def test_a_file_size_limit_of_the_system(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    """The kernel itself refuses to write on, as a FAT stick does beyond its largest file."""
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(DiskFailed, match="File too large"):
            list(camera.video.download(*minutes(2), tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    list(camera.video.download(*minutes(2), tmp_path))
    assert contents(tmp_path) == [recording(name(i)) for i in range(2)]


def test_a_folder_that_cannot_be(camera: Camera, card: Card, minutes: Minutes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError) as caught:
        list(camera.video.download(*minutes(1), tmp_path / "file" / "below"))
    assert not isinstance(caught.value, DiskFailed)  # it was named wrongly: another exit code


def test_two_at_once_do_not_spoil_each_other(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    clip.path.unlink()
    held = PartialFile(clip.path)
    try:
        with pytest.raises(DiskError, match="another program"):
            list(camera.video.download(*minutes(1), tmp_path))
    finally:
        held.close()
    assert len(list(camera.video.download(*minutes(1), tmp_path))) == 1


def test_stopping_early_ends_the_threads_and_keeps_the_parts(
    camera: Camera, ready: VirtualCamera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    ready.fail("delay", 0.2, times=None)
    begun = time.monotonic()
    run = camera.video.download(*minutes(30), tmp_path)
    next(run)
    run.close()
    assert not [t for t in threading.enumerate() if t.name == "download"]
    assert time.monotonic() - begun < 10
    assert any(tmp_path.glob("*.mp4"))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<!DOCTYPE html><html><body>Session expired</body></html>", "a web page"),
        (b"\r\n<HTML>", "a web page"),
        (b"Error: file is busy\r\n", "a text"),
        (b"   \n", "nothing"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        (bytes(5_000_000), "not known"),
        (b"", "empty"),
    ],
)
def test_what_is_no_recording_is_lost(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, data: bytes, what: str
) -> None:
    card[name(1)] = data
    clips: list[Clip] = []
    with pytest.raises(DownloadError, match=what):
        clips.extend(camera.video.download(*minutes(3), tmp_path))
    assert sorted(c.status for c in clips) == ["lost", "saved", "saved"]
    assert contents(tmp_path) == [recording(name(0)), recording(name(2))]
    card[name(1)] = recording(name(1))  # and when it is one, it is fetched
    assert len(list(camera.video.download(*minutes(3), tmp_path))) == 3
    assert contents(tmp_path) == [recording(name(i)) for i in range(3)]


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"FLV\x01\x05\0\0\0\x09", ".flv"),
        (b"\0\0\0\x20ftypisom", ".mp4"),
        (b"\0\x10\0\0moov", ".mp4"),
        (b"\x1aE\xdf\xa3", ".mkv"),
        (b"G\x40\x11\x10" + bytes(184) + b"G", ".ts"),
    ],
)
def test_the_content_names_the_container(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, head: bytes, suffix: str
) -> None:
    card[name(0)] = head + bytes(10_000)
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    assert clip.path.suffix == suffix
    assert [p.name for p in tmp_path.iterdir()] == [clip.path.name]
    (again,) = camera.video.download(*minutes(1), tmp_path)
    assert (again.status, again.path) == ("kept", clip.path)


def test_a_part_that_was_a_web_page_is_not_taken_over(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    (clip,) = camera.video.download(*minutes(1), tmp_path)
    clip.path.unlink()
    clip.path.with_name(clip.path.name + ".part").write_bytes(b"<html>Session expired</html>")
    list(camera.video.download(*minutes(1), tmp_path))
    assert contents(tmp_path) == [recording(name(0))]


def test_a_recording_that_was_still_being_written_is_fetched_again(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path
) -> None:
    (record,) = camera.video.records(*minutes(1))
    early = record.model_copy(update={"end_time": record.start_time + timedelta(seconds=20)})
    card[name(0)] = recording(name(0))[:100_000]
    (clip,) = camera.video.download_records([early], tmp_path)
    card[name(0)] = recording(name(0))
    assert [c.status for c in camera.video.download_records([early], tmp_path)] == ["kept"]
    assert [c.status for c in camera.video.download_records([record], tmp_path)] == ["saved"]
    assert contents(tmp_path) == [recording(name(0))]
    assert [c.status for c in camera.video.download_records([record], tmp_path)] == ["kept"]
    assert clip.path.stat().st_mtime == record.end_time.timestamp()


@pytest.mark.parametrize("still", [True, False])
def test_a_list_without_links(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, still: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = camera.video.records(*minutes(1))
    bare = record.model_copy(update={"url": ""})
    if not still:
        assert [c.status for c in camera.video.download_records([bare], tmp_path)] == ["saved"]
        return
    monkeypatch.setattr("sunmi_ipc.api.video._address_now", lambda *_: "")
    with pytest.raises(DownloadError, match="no link"):
        list(camera.video.download_records([bare], tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "dangling"])
def test_what_others_lay_in_a_parts_place_is_not_written_through(
    camera: Camera, card: Card, minutes: Minutes, tmp_path: Path, kind: str
) -> None:
    into, mine = tmp_path / "into", tmp_path / "mine"
    mine.write_text("my own")
    (clip,) = camera.video.download(*minutes(1), into)
    clip.path.unlink()
    part = clip.path.with_name(clip.path.name + ".part")
    match kind:
        case "link":
            part.symlink_to(mine)
        case "hard link":
            part.hardlink_to(mine)
        case "pipe":
            os.mkfifo(part)
        case "dangling":
            part.symlink_to(tmp_path / "elsewhere")
    list(camera.video.download(*minutes(1), into))
    assert mine.read_text() == "my own"
    assert not (tmp_path / "elsewhere").exists()
    assert contents(into) == [recording(name(0))]
