"""Virtual cameras post to a receiver: subscriptions, faults, pictures."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.events import FaceRecognitionEvent, MotionDetectEvent, Receiver, Spool
from sunmi_ipc.protocol.values import EventType
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect, jpeg, parse_play

FACE, MOTION = EventType


@pytest.fixture
def receiver(vendor: Vendor, receive: Callable[..., Receiver]) -> Receiver:
    return receive(secrets={vendor.app_id: vendor.secret_key})


@pytest.fixture
def camera(ready: VirtualCamera, receiver: Receiver) -> VirtualCamera:
    """A virtual camera that posts its events to the receiver."""
    with connect(ready) as client:
        client.events.subscribe(FACE, MOTION, callback=receiver.url)
    return ready


def ids(spool: Spool) -> list[str]:
    return [stored.event.event_id for stored in spool.consumer("c").read(1000, timeout=0)]


@pytest.mark.parametrize("layout", ["form", "json", "data", "payload"])
def test_every_layout_arrives_verified(camera: VirtualCamera, spool: Spool, layout: str) -> None:
    with Feed([camera], Play(layout=layout)) as feed:
        feed.happen(camera, FACE, group_name="访客 & co")
        feed.happen(camera, MOTION)
        assert feed.drain(10)
        assert feed.counts["acknowledged"] == 2
    stored = spool.consumer("c").read()
    face, motion = sorted((s.event for s in stored), key=lambda e: e.event_type != FACE)
    assert isinstance(face, FaceRecognitionEvent)
    assert isinstance(motion, MotionDetectEvent)
    assert (face.sn, face.group_name, face.arrive_count) == (camera.sn, "访客 & co", 1)
    assert face.report_time is not None
    assert {(s.verified, s.source) for s in stored} == {(True, camera.ip)}


def test_only_subscribers_hear(camera: VirtualCamera, receiver: Receiver) -> None:
    with Feed([camera]) as feed, connect(camera) as client:
        client.events.unsubscribe([FACE], receiver.url)
        feed.happen(camera, FACE)
        feed.happen(camera, MOTION)
        assert feed.drain(10)
    assert receiver.counts["stored"] == 1


def test_bad_repeated_and_reordered(camera: VirtualCamera, receiver: Receiver, spool: Spool) -> None:
    play = Play(repeat=0.5, reorder=0.4, bad=0.5, unreachable=0.3, attempts=40, pause=0.01)
    with Feed([camera], play, seed=7) as feed:
        made = [feed.happen(camera, FACE) for _ in range(60)]
        assert feed.drain(20)
        counts = feed.counts
    assert counts["forged"] > 10
    assert counts["forged_accepted"] == 0
    assert counts["unanswered"] > 3
    kept = ids(spool)
    assert sorted(kept) == sorted(made)
    assert kept != made
    assert receiver.counts["repeated"] == counts["repeated"] > 10
    assert receiver.counts["unsigned"] == counts["forged"]


def test_bursts_at_a_rate(camera: VirtualCamera, receiver: Receiver) -> None:
    stored = spool_grows(receiver.spool)
    with Feed([camera], Play(rate=200, burst=5)) as feed:
        stored(20)
        assert feed.counts["happened"] >= 20


def spool_grows(spool: Spool) -> Callable[[int], None]:
    consumer = spool.consumer("growth")

    def wait(number: int) -> None:
        while number > 0:
            got = consumer.read(timeout=10)
            assert got
            number -= len(got)

    return wait


def test_nobody_there(ready: VirtualCamera) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with connect(ready) as client:
        client.events.subscribe(FACE, callback=f"http://127.0.0.1:{port}/e")
    with Feed([ready], Play(attempts=2, pause=0.01)) as feed:
        feed.happen(ready, FACE)
        assert feed.drain(10)
        assert (feed.counts["unanswered"], feed.counts["given_up"]) == (2, 1)


def test_pictures_are_served_and_saved(camera: VirtualCamera, spool: Spool, tmp_path: Path) -> None:
    from sunmi_ipc.events.pictures import Pictures

    with Feed([camera]) as feed, connect(camera) as client:
        feed.happen(camera, FACE)
        assert feed.drain(10)
        with Pictures(spool, tmp_path, tls=lambda sn: client.tls) as pictures:
            assert pictures.drain(10)
            assert pictures.counts == {"saved": 1, "refused": 0, "lost": 0}
    (saved,) = tmp_path.rglob("*.jpg")
    assert saved.read_bytes().endswith(b"\xff\xd9")


def test_jpegs_are_jpegs() -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow, of the extra 'video', is not installed")
    import io

    with image.open(io.BytesIO(jpeg.face("anna"))) as picture:
        picture.load()
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (128, 128), "RGB")
    assert jpeg.face("anna") == jpeg.face("anna") != jpeg.face("berta")
    wanted = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255), (12, 200, 77)]
    with image.open(io.BytesIO(jpeg.encode([wanted]))) as picture:
        got = [picture.getpixel((8 * i + 4, 4)) for i in range(len(wanted))]
    assert all(abs(a - b) < 8 for w, g in zip(wanted, got, strict=True) for a, b in zip(w, g, strict=True))


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1,burst", "1,burst=0", "1,bad=2", "1,no=1", "1,layout=xml", "nan", "1,burst=1.5"]
)
def test_plays_that_are_none(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_play(text)


def test_plays() -> None:
    assert parse_play("0.5") == Play(rate=0.5)
    assert parse_play("5, burst=10,layout=data") == Play(rate=5, burst=10, layout="data")


def test_a_restart_forgets_subscriptions(camera: VirtualCamera) -> None:
    camera.restart(0)
    with connect(camera) as client:
        assert client.events.list().num == 0


def test_wrong_picture_paths(ready: VirtualCamera) -> None:
    from sunmi_ipc.simulator import files

    for path in ("event/", "event/a", "event/a-1", "event/../-1.jpg", "event/a-x.jpg"):
        assert files.find(ready, path) is None
