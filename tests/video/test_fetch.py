"""Files from a camera are trusted like its calls, and a connection that stalls is given up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import ConnectionFailed, DeviceError, FileMissingError, ReplyError, TlsError
from sunmi_ipc.link.trust import KnownCameras
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect, files
from sunmi_ipc.video import fetch

from .conftest import recording

Card = dict[str, bytes | Path | None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the virtual camera was asked for."""
    paths: list[str] = []
    find = files.find
    monkeypatch.setattr(files, "find", lambda camera, path: (paths.append(path), find(camera, path))[1])
    return paths


def test_another_ca_is_refused_before_anything_is_sent(
    ready: VirtualCamera, card: Card, asked: list[str]
) -> None:
    with (
        Vendor() as other,
        connect(ready, ca=other.ca) as camera,
        pytest.raises(TlsError, match="not from the CA"),
    ):
        fetch.read(camera, "/record/x.mp4", limit=10**7)
    assert asked == []


def test_a_changed_pin_is_refused_before_anything_is_sent(
    ready: VirtualCamera, card: Card, asked: list[str], tmp_path: Path
) -> None:
    pins = KnownCameras(tmp_path / "known.json")
    with connect(ready, ca=None, known_cameras=pins, sn=ready.sn) as camera:
        assert fetch.read(camera, "/record/x.mp4", limit=10**7)[0]
        ready._context = ready.vendor.server_context("another")
        with pytest.raises(TlsError):
            fetch.read(camera, "/record/y.mp4", limit=10**7)
    assert asked == ["record/x.mp4"]


def test_a_foreign_client_certificate_is_refused_by_the_camera(ready: VirtualCamera, card: Card) -> None:
    with Vendor() as other:
        options = {"p12": other.p12, "p12_password": other.p12_password}
        with connect(ready, **options) as camera, pytest.raises(ConnectionFailed):
            fetch.read(camera, "/record/x.mp4", limit=10**7)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("drop", ConnectionFailed), ("http", FileMissingError), ("code", DeviceError), ("reset", Exception)],
)
def test_faults(ready: VirtualCamera, camera: Camera, card: Card, fault: str, error: type[Exception]) -> None:
    ready.fail(fault, {"http": 500, "code": 121}.get(fault, 0), path="record/x.mp4", times=None)
    with pytest.raises(error):
        fetch.read(camera, "/record/x.mp4", limit=10**7)


def test_a_camera_that_drips(
    ready: VirtualCamera, camera: Camera, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "STALL_S", 0.5)
    monkeypatch.setattr(files.Content, "chunks", lambda self, start, stop: dripping(self.data[start:stop]))  # type: ignore[index]
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed):
        fetch.read(camera, "/record/x.mp4", limit=10**7)
    assert time.monotonic() - begun < 20


def dripping(data: bytes) -> Iterator[bytes]:
    for at in range(200):
        time.sleep(0.05)
        yield data[at : at + 1]


def test_a_connection_that_was_closed_while_idle_is_no_failure(
    ready: VirtualCamera, camera: Camera, card: Card
) -> None:
    with fetch.Connection(camera) as connection:
        for name in ("a.mp4", "b.mp4"):
            with connection.get(f"/record/{name}") as body:
                assert b"".join(bytes(piece) for piece in body.pieces())
            ready._cut()


def test_a_camera_that_keeps_no_connection(
    ready: VirtualCamera, camera: Camera, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.simulator import http

    monkeypatch.setattr(http.Connection, "protocol_version", "HTTP/1.0")
    with fetch.Connection(camera) as connection:
        for name in ("a.mp4", "b.mp4"):
            with connection.get(f"/record/{name}") as body:
                assert b"".join(bytes(piece) for piece in body.pieces()) == recording(name)


@pytest.mark.parametrize("header", ["bytes 5-9/10", "bytes 0-9/10", "lines 1-2/3", ""])
def test_another_part_than_was_asked_for(
    camera: Camera, card: Card, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    import http.client

    headers = http.client.HTTPMessage()
    headers["Content-Range"] = header
    response = type("R", (), {"headers": headers, "status": 206, "length": 5})()
    connection = fetch.Connection(camera)
    connection._socket = object()  # type: ignore[assignment]
    with pytest.raises(ReplyError, match="another part"):
        connection._judge(response, 3)
    connection._socket = None


def test_plain_http_to_the_camera_itself(camera: Camera, asked: list[str]) -> None:
    """A link may be plain http: it is followed to the camera alone."""
    import http.server
    import threading

    class Plain(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"plain")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.HTTPServer((camera.host, 0), Plain) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        data, _ = fetch.read(camera, f"http://{camera.host}:{server.server_port}/x", limit=10)
        thread.join()
    assert data == b"plain"


@pytest.mark.parametrize("fault", ["goodbye", "ragged"])
def test_a_connection_that_ends_after_the_file(
    ready: VirtualCamera, camera: Camera, card: Card, fault: str
) -> None:
    """With TLS's close_notify, as most servers end it, or cut: all of the file is there, and at once."""
    ready.fail(fault, path="record/x.mp4", times=None)
    begun = time.monotonic()
    with fetch.Connection(camera) as connection:
        for _ in range(3):  # the connection is made anew each time
            with connection.get("/record/x.mp4") as body:
                assert b"".join(bytes(piece) for piece in body.pieces()) == recording("x.mp4")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("size", [0, 5, 300_000, 3_000_000])
def test_a_goodbye_before_the_whole_is_an_error_and_no_wait(
    ready: VirtualCamera, camera: Camera, card: Card, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    card["x.mp4"] = bytes(4_000_000)
    chunks = files.Content.chunks
    monkeypatch.setattr(
        files.Content, "chunks", lambda self, start, stop: chunks(self, start, min(stop, size))
    )
    ready.fail("goodbye", path="record/x.mp4", times=None)
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed):
        fetch.read(camera, "/record/x.mp4", limit=10**7)
    assert time.monotonic() - begun < 10


def test_a_file_without_an_end_is_bounded(
    ready: VirtualCamera, camera: Camera, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_FILE", 1_000_000)
    card["x.mp4"] = bytes(4_000_000)
    with (
        fetch.Connection(camera) as connection,
        pytest.raises(ReplyError, match="larger"),
        connection.get("/record/x.mp4") as body,
    ):
        for _ in body.pieces():
            pass
