"""``camera.events.stream``: subscribe, receive, renew, unsubscribe."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import ConfigError, ParameterError, UnsupportedError
from sunmi_ipc.events import FaceRecognitionEvent
from sunmi_ipc.events.subscription import Subscription
from sunmi_ipc.protocol.values import EventType
from sunmi_ipc.simulator import Feed, VirtualCamera, connect
from sunmi_ipc.simulator.hooks import subscriptions
from tests.patience import eventually

FACE, MOTION = EventType


@pytest.fixture
def camera(ready: VirtualCamera) -> Iterator[Camera]:
    with connect(ready) as client:
        yield client


def test_from_subscription_to_unsubscription(camera: Camera, ready: VirtualCamera) -> None:
    with Feed([ready]) as feed, camera.events.stream(FACE, MOTION) as events:
        assert camera.events.list().num == 2
        made = {feed.happen(ready, kind) for kind in (FACE, MOTION, FACE)}
        got = iter(events)
        received = [next(got) for _ in range(3)]
        assert {event.event_id for event in received} == made
        assert sum(isinstance(event, FaceRecognitionEvent) for event in received) == 2
        folder = events.spool.directory
        assert folder.exists()
    assert camera.events.list().num == 0
    assert not folder.exists()


def test_what_was_not_asked_beyond_comes_again(camera: Camera, ready: VirtualCamera, tmp_path: Path) -> None:
    with Feed([ready]) as feed:
        with camera.events.stream(FACE, spool=tmp_path / "spool") as events:
            made = [feed.happen(ready, FACE) for _ in range(3)]
            got = iter(events)
            event = [next(got), next(got)][1]
            assert feed.drain(10)
        with camera.events.stream(FACE, spool=tmp_path / "spool") as events:
            assert [s.event.event_id for s in events.stored(timeout=0.2)] == made[1:]
        with camera.events.stream(FACE, spool=tmp_path / "spool") as events:
            assert list(events.stored(timeout=0.2)) == []
    assert event.event_id == made[1]


def test_pictures_are_saved_over_the_cameras_own_tls(
    camera: Camera, ready: VirtualCamera, tmp_path: Path
) -> None:
    with Feed([ready]) as feed, camera.events.stream(FACE, save=tmp_path / "pictures") as events:
        feed.happen(ready, FACE)
        stored = next(events.stored(timeout=10))
        assert events.pictures is not None
        assert events.pictures.drain(10)
        (picture,) = events.spool.pictures(stored.seq).values()
    assert (tmp_path / "pictures" / picture["path"]).read_bytes().startswith(b"\xff\xd8")


def test_a_camera_that_forgot_is_subscribed_to_again(camera: Camera, ready: VirtualCamera) -> None:
    with Feed([ready]) as feed, camera.events.stream(FACE, every=0.05) as events:
        ready.restart(0.2)
        assert eventually(lambda: events.subscription.renewed == 1)
        assert events.subscription.problem == ""
        made = feed.happen(ready, FACE)
        assert next(iter(events)).event_id == made


def test_without_a_list_it_subscribes_again_and_again(camera: Camera, ready: VirtualCamera) -> None:
    ready.fail("code", 6, path="hook/getList", times=None)
    with camera.events.stream(FACE, every=0.05) as events:
        subscriptions(ready.state).clear()
        assert eventually(lambda: bool(subscriptions(ready.state)))
    assert events.subscription.renewed > 0
    assert not subscriptions(ready.state)


def test_a_new_address_moves_the_subscription(
    camera: Camera, ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.events import subscription

    monkeypatch.setattr(subscription, "_LOOK_S", 0.02)
    with camera.events.stream(FACE) as events:
        before = events.subscription.callback
        monkeypatch.setattr(subscription, "own_address", lambda camera: "127.0.0.77")
        assert eventually(lambda: events.subscription.renewed == 1)
        wanted = before.replace("127.0.0.1", "127.0.0.77")
        assert eventually(lambda: subscriptions(ready.state) == {FACE: [wanted]})
    assert not subscriptions(ready.state)


def test_a_camera_that_gets_another_address_is_followed(
    virtual: Callable[..., VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.events import subscription

    monkeypatch.setattr(subscription, "_SOON_S", 0.05)
    old = virtual(udp=True)
    moved = VirtualCamera(old.vendor, state="ready", people=0)
    moved.state.sn = old.sn
    with contextlib.ExitStack() as last, connect(old, sn=old.sn, retries=0) as client:
        with client.events.stream(FACE, every=0.1, interfaces=["lo"]) as events, Feed([moved]) as feed:
            old.close()
            neighbour = virtual(ip=old.ip, port=old.port)  # somebody else gets its address
            last.enter_context(moved)
            assert eventually(lambda: bool(subscriptions(moved.state)))
            assert client.address == moved.address
            assert "hook/add" not in neighbour.state.counts
            made = feed.happen(moved, FACE)
            assert next(iter(events)).event_id == made
        assert not subscriptions(moved.state)


def test_refused_before_anything_is_started(virtual: Callable[..., VirtualCamera]) -> None:
    store = virtual(model="FM010")
    with connect(store) as client:
        with pytest.raises(UnsupportedError, match="FM010"), client.events.stream(FACE):
            pass
        with pytest.raises(ParameterError), client.events.stream("nonsense"):
            pass
        with pytest.raises(ParameterError), client.events.stream():
            pass
        with client.events.stream(MOTION):
            assert client.events.list().num == 1
    assert store.state.counts["hook/add"] == 1


def test_a_port_that_is_taken(camera: Camera, ready: VirtualCamera) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)), camera.events.stream(FACE, port=port):
            pass
    assert not subscriptions(ready.state)


def test_the_callback_follows_the_route(camera: Camera, ready: VirtualCamera) -> None:
    assert camera.events.subscribe(MOTION) == "http://127.0.0.1:8480/events" == camera.events.callback()
    assert subscriptions(ready.state) == {MOTION: [camera.events.callback()]}
    assert camera.events.callback(99) == "http://127.0.0.1:99/events"


def test_a_camera_that_went_away_is_no_error_at_the_end(
    ready: VirtualCamera, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        connect(ready, timeout=1, retries=0) as client,
        Subscription(client, [FACE], callback="http://127.0.0.1:9/"),
    ):
        ready.close()
    assert "keeps posting" in caplog.text


INTERRUPTED = """
import sys
from pathlib import Path
from sunmi_ipc import Camera
app, key, p12, password, ca, address = sys.argv[1:]
camera = Camera(address, app_id=app, secret_key=key, p12=p12, p12_password=password, ca=ca)
with camera, camera.events.stream("face_recog_event") as events:
    print("ready", flush=True)
    for event in events:
        print(event.event_id, flush=True)
"""


def test_ctrl_c_unsubscribes(ready: VirtualCamera) -> None:
    vendor = ready.vendor
    credentials = [vendor.app_id, vendor.secret_key.reveal(), str(vendor.p12), vendor.p12_password.reveal()]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", INTERRUPTED, *credentials, str(vendor.ca), ready.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    with process, Feed([ready]) as feed:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert subscriptions(ready.state)
        made = feed.happen(ready, FACE)
        assert process.stdout.readline().strip() == made
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert not subscriptions(ready.state)
    assert errors.strip().endswith("KeyboardInterrupt")


MOVING = """
import subprocess, sys, time
from sunmi_ipc.events import subscription
from sunmi_ipc.simulator import Feed, VirtualCamera, connect
from sunmi_ipc.simulator.hooks import subscriptions

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def ours(address):
    ip("addr", "add", address + "/32", "dev", "lo")
    ip("route", "replace", "local", "10.99.0.2", "dev", "lo", "table", "local", "src", address)

ip("link", "set", "lo", "up")
ip("addr", "add", "10.99.0.2/32", "dev", "lo")
ours("10.99.0.5")
subscription._LOOK_S = 0.05
with VirtualCamera(ip="10.99.0.2", expose=True, state="ready", udp=False, people=0) as virtual:
    with connect(virtual, timeout=3) as camera, camera.events.stream("face_recog_event") as events:
        before = events.subscription.callback
        assert before.startswith("http://10.99.0.5:"), before
        ours("10.99.0.6")
        ip("addr", "del", "10.99.0.5/32", "dev", "lo")
        deadline = time.monotonic() + 15
        wanted = [before.replace("0.5", "0.6")]
        while subscriptions(virtual.state).get("face_recog_event") != wanted:
            assert time.monotonic() < deadline, subscriptions(virtual.state)
            time.sleep(0.01)
        with Feed([virtual]) as feed:
            made = feed.happen(virtual, "face_recog_event")
            assert next(iter(events)).event_id == made
    assert not subscriptions(virtual.state)
print("moved")
"""


def test_a_computer_that_gets_another_address(tmp_path: Path) -> None:
    """A network namespace in which our address on the way to the camera changes."""
    words = ["unshare", "--net", sys.executable, "-c", MOVING]
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode or not shutil.which("ip"):
        pytest.skip("a network namespace needs root and iproute2")
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout == "moved\n", done.stderr
