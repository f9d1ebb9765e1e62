"""Receivers, spools and the posts of cameras."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.simulator import Feed, VirtualCamera
from sunmi_ipc.simulator.hooks import subscriptions

APP, KEY = "JO83UNV983U9OR", "12345678"
FACE = {
    "event_type": "face_recog_event",
    "sn": "FS101D8BS00106",
    "event_id": "e1",
    "faceid": "77",
    "group_name": "stranger",
    "age": "",
    "age_range": "4",
    "gender": "2",
    "arrive_count": "3",
    "pic_url": "http://127.0.0.1/p.jpg",
    "report_time": "1593029283",
}
MOTION = {
    "event_type": "dynamic_detect_event",
    "sn": "SS101D8BS00115",
    "event_id": 12,
    "detect_type": 3,
    "video_url": "http://127.0.0.1/v.mp4",
    "report_time": 1593029283,
}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def signed(fields: dict[str, Any], key: str = KEY, app_id: str = APP) -> dict[str, Any]:
    """*fields* in an envelope; signed by hand, not with the library's own function."""
    whole = {"app_id": app_id, "timestamp": "1593029283", "random": "289192", **fields}
    parts = sorted((k, _text(v)) for k, v in whole.items() if v is not None and _text(v) != "")
    text = "&".join(f"{k}={v}" for k, v in parts) + f"&key={key}"
    return whole | {"sign": hashlib.md5(text.encode()).hexdigest().upper()}


def form(fields: dict[str, Any]) -> bytes:
    return urlencode({k: _text(v) for k, v in fields.items()}).encode()


class Post:
    """Posts to a receiver over one connection."""

    def __init__(self, receiver: Receiver, path: str = "") -> None:
        self.receiver, self.path = receiver, path or receiver.path
        self.connection = http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)

    def __call__(
        self, body: bytes, content_type: str = "application/x-www-form-urlencoded", **headers: str
    ) -> int:
        headers = {"Content-Type": content_type} | {k.replace("_", "-"): v for k, v in headers.items()}
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        self.answer = answer.read()
        return answer.status

    def event(self, **fields: Any) -> int:
        return self(form(signed(FACE | fields)))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool") as made:
        yield made


@pytest.fixture
def receive(spool: Spool) -> Iterator[Callable[..., Receiver]]:
    running: list[Receiver] = []

    def start(**options: Any) -> Receiver:
        receiver = Receiver(
            options.pop("spool", spool), **{"host": "127.0.0.1", "secrets": {APP: KEY}} | options
        )
        running.append(receiver)
        return receiver

    yield start
    for receiver in running:
        receiver.close()


@pytest.fixture
def posting() -> Iterator[Callable[..., Post]]:
    made: list[Post] = []

    def start(receiver: Receiver, path: str = "") -> Post:
        made.append(Post(receiver, path))
        return made[-1]

    yield start
    for post in made:
        post.connection.close()


@pytest.fixture
def post(receive: Callable[..., Receiver], posting: Callable[..., Post]) -> Post:
    """Posts to a receiver that knows one app."""
    return posting(receive())


@contextlib.contextmanager
def happening(cameras: list[VirtualCamera], kind: str, **fields: Any) -> Iterator[list[str]]:
    """Let *kind* happen once at each camera, as soon as somebody has subscribed to all; the events' ids."""
    made: list[str] = []

    def run() -> None:
        deadline = time.monotonic() + 20
        while not all(subscriptions(camera.state) for camera in cameras) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        made.extend(feed.happen(camera, kind, **fields) for camera in cameras)
        feed.drain(20)  # a feed that is closed posts no more

    with Feed(cameras) as feed:
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield made
        finally:
            thread.join()


class Kit:
    """What tests of this folder share; test modules are not importable from each other."""

    APP, KEY, FACE, MOTION = APP, KEY, FACE, MOTION
    signed = staticmethod(signed)
    form = staticmethod(form)
    happening = staticmethod(happening)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit
