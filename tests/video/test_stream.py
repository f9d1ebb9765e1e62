"""The live picture: addresses that do not show their password, frames, recordings, refusals."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import (
    DeviceError,
    DiskError,
    ExtraMissingError,
    NotReadyError,
    ReplyError,
    StreamError,
    StreamRefusedError,
)
from sunmi_ipc.installation import command
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.video import address, describe, rtsp, snapshot, stream
from sunmi_ipc.video.address import RtspAddress

SMALL = VideoSettings(
    hd=PictureFormat(160, 90, 20), fhd=PictureFormat(320, 180, 20), clip=PictureFormat(160, 90, 2),
    user="shop", password="geheim/@:1",
)  # fmt: skip


@pytest.fixture
def filming(virtual: Callable[..., VirtualCamera]) -> VirtualCamera:
    return virtual(video=SMALL)


@pytest.fixture
def camera(filming: VirtualCamera) -> Iterator[Camera]:
    with connect(filming, rtsp_user="shop", rtsp_password="geheim/@:1") as client:
        yield client


def test_addresses_do_not_show_their_password(camera: Camera, filming: VirtualCamera) -> None:
    live = camera.video.live()
    assert live.fhd is not None
    assert live.hd is not None
    assert live.best() is live.fhd
    assert live.best("hd") is live.hd
    for shown in (str(live), repr(live), f"{live.fhd}", repr(live.fhd), str(vars(camera))):
        assert "geheim" not in shown
        assert "%2F" not in shown
    assert str(live.fhd).startswith(f"rtsp://***@{filming.ip}:")
    assert live.fhd.reveal() == live.fhd.bare.replace("rtsp://", "rtsp://shop:geheim%2F%40%3A1@")
    assert live.fhd.bare == camera.video.live_url().fhd_live_url


@pytest.mark.parametrize(
    "url",
    ["rtsp://127.8.8.8/x/live_hd.sdp", "http://{ip}/live", "rtsp://a:b@{ip}/live", "file:///etc/passwd"],
)
def test_addresses_that_lead_elsewhere_are_refused(camera: Camera, url: str) -> None:
    with pytest.raises(ReplyError, match="not followed"):
        address.rtsp(camera, url.format(ip=camera.host))


@pytest.mark.slow
def test_fifty_frames(camera: Camera, filming: VirtualCamera) -> None:
    with closing(camera.video.frames()) as frames:
        taken = list(islice(frames, 50))
    assert {f.shape for f in taken} == {(180, 320, 3)}
    assert {f.dtype for f in taken} == {np.dtype("uint8")}
    assert len({f.tobytes() for f in taken}) > 1
    with closing(camera.video.frames("hd")) as frames:
        assert next(iter(frames)).shape == (90, 160, 3)


def test_frames_now_and_then(camera: Camera) -> None:
    import time

    begun = time.monotonic()
    with closing(camera.video.frames(every=0.3)) as frames:
        assert len(list(islice(frames, 3))) == 3
    assert time.monotonic() - begun >= 0.55


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe")
def test_ffprobe_reads_the_address(camera: Camera) -> None:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-count_frames", "-read_intervals", "%+#50",
         "-show_entries", "stream=nb_read_frames", "-of", "json", camera.video.live().best("hd").reveal()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert int(json.loads(done.stdout)["streams"][0]["nb_read_frames"]) >= 50


@pytest.mark.parametrize("take", ["frames", "record", "snapshot", "describe"])
def test_a_wrong_password_is_a_clear_error(
    camera: Camera, filming: VirtualCamera, take: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    filming.fail("code", 233, path="media/getSnapshot")
    with connect(filming, rtsp_user="shop", rtsp_password="falsch") as wrong:
        calls: dict[str, Callable[[], Any]] = {
            "frames": lambda: next(iter(wrong.video.frames())),
            "record": lambda: wrong.video.record(tmp_path / "x.mp4", 1),
            "snapshot": wrong.video.snapshot,
            "describe": lambda: describe.describe(wrong.video.live().best()),
        }
        with pytest.raises(StreamRefusedError, match="401") as caught:
            calls[take]()
    assert "SUNMI_IPC_RTSP_PASSWORD" in caught.value.hint
    assert "falsch" not in str(caught.value) + caplog.text
    assert list(tmp_path.iterdir()) == []


def span(file: Any) -> float:
    """Seconds from the first picture to the last: a busy machine's camera leaves some between out."""
    times = [frame.time for frame in file.decode(video=0) if frame.time is not None]
    assert times == sorted(times)
    return float(times[-1] - times[0])


def test_record_without_encoding_again(camera: Camera, tmp_path: Path) -> None:
    seen: list[float] = []
    made = stream.record(camera.video.live().best(), tmp_path / "r.mp4", 1.5, on_progress=seen.append)
    assert 1.4 <= made <= 2.5
    assert seen == sorted(seen)
    assert seen[-1] == made
    with av.open(str(tmp_path / "r.mp4")) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (320, 180)
        assert 1.0 < span(file) <= made
    assert [p.name for p in tmp_path.iterdir()] == ["r.mp4"]


def test_a_recording_that_breaks_off_keeps_what_there_is(
    camera: Camera, filming: VirtualCamera, tmp_path: Path
) -> None:
    def fall(seconds: float) -> None:
        if seconds > 1:
            filming.restart(30)

    with pytest.raises(StreamError):
        stream.record(camera.video.live().best(), tmp_path / "r.mp4", 60, timeout=3, on_progress=fall)
    with av.open(str(tmp_path / "r.mp4")) as file:
        assert span(file) > 0.7


def test_interrupting_a_recording_keeps_what_there_is(camera: Camera, tmp_path: Path) -> None:
    def interrupt(seconds: float) -> None:
        if seconds > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream.record(camera.video.live().best(), tmp_path / "r.mp4", 60, on_progress=interrupt)
    with av.open(str(tmp_path / "r.mp4")) as file:
        assert span(file) > 0.2


def test_a_recording_that_cannot_be_written(camera: Camera, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError):
        camera.video.record(tmp_path / "file" / "r.mp4", 1)
    with pytest.raises(DiskError):
        stream.record(camera.video.live().best(), tmp_path, 0.5)


def test_no_video_service(camera: Camera, filming: VirtualCamera) -> None:
    filming.fail("code", 232, path="media/getLiveStream")
    with pytest.raises(NotReadyError):
        camera.video.live()


def test_nobody_there() -> None:
    with pytest.raises(StreamError, match="does not answer"):
        describe.describe(RtspAddress("rtsp://127.0.0.1:1/x", "a", "b"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", StreamError),
        (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", StreamRefusedError),
        (
            b'RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm="x", nonce="y", algorithm=ROT13\r\n\r\n',
            StreamError,
        ),
        (b"", StreamError),
    ],
)
def test_answers_that_are_of_no_use(answer: bytes, error: type[Exception]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(error):
            describe.describe(
                RtspAddress(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x", "a", "b"), timeout=5
            )
        thread.join()


def test_describe_with_digest_and_basic(camera: Camera, filming: VirtualCamera) -> None:
    """The known answer of RFC 2617, and the virtual camera's own check."""
    assert "m=video" in describe.describe(camera.video.live().best())

    def answer(user: str, password: str, *challenges: str) -> str:
        made = rtsp.Authentication(RtspAddress("rtsp://h/x", user, password))
        assert made.take(rtsp.Message("RTSP/1.0 401 No", [("WWW-Authenticate", c) for c in challenges]))
        return made.header("DESCRIBE", "rtsp://h/x")

    basic = answer("Aladdin", "open sesame", 'Basic realm="WallyWorld"')
    assert basic == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    digest = answer("Mufasa", "Circle Of Life", 'Basic realm="r"', 'Digest realm="r", nonce="n", opaque="o"')
    assert digest.startswith("Digest ")
    assert 'opaque="o"' in digest
    assert "qop" not in digest


def test_without_the_extra(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExtraMissingError, match="PyAV") as caught:
        next(iter(camera.video.frames()))
    assert command("video") in caught.value.hint


def test_a_snapshot(camera: Camera, tmp_path: Path) -> None:
    taken = camera.video.snapshot()
    assert (taken.kind, taken.source) == ("jpeg", "snapshot")
    assert taken.save(tmp_path / "s.jpg").read_bytes() == taken.data
    assert taken.save(tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert taken.image().size == (320, 180)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("code", [233, 6])
def test_a_frame_stands_in_for_a_snapshot(camera: Camera, filming: VirtualCamera, code: int) -> None:
    filming.fail("code", code, path="media/getSnapshot")
    taken = camera.video.snapshot()
    assert (taken.kind, taken.source) == ("jpeg", "stream")
    assert taken.image().size == (320, 180)


def test_no_frame_stands_in_without_the_extra(
    camera: Camera, filming: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    filming.fail("code", 233, path="media/getSnapshot")
    monkeypatch.setattr(snapshot, "has_library", lambda name: False)
    with pytest.raises(DeviceError) as caught:
        camera.video.snapshot()
    assert caught.value.code == 233
    assert command("video") in caught.value.hint


def test_a_refusal_of_another_kind_is_no_reason_for_a_frame(camera: Camera, filming: VirtualCamera) -> None:
    filming.fail("code", 7, path="media/getSnapshot")
    with pytest.raises(DeviceError):
        camera.video.snapshot()


@pytest.mark.parametrize("kind", ["html", "huge", "empty"])
def test_a_snapshot_that_is_none(camera: Camera, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    from sunmi_ipc.simulator import files

    content = {"html": b"<html>", "huge": b"\xff\xd8\xff" + bytes(33 << 20), "empty": b""}[kind]
    monkeypatch.setitem(files._SOURCES, "snapshot", lambda *_: files.Content(content, "image/jpeg"))
    with pytest.raises(ReplyError):
        camera.video.snapshot()
