"""A hostile camera that is asked for files: pictures, recordings, its certificate."""

from __future__ import annotations

import socket
import ssl
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from sunmi_ipc.errors import ConnectionFailed, ReplyError, SunmiIpcError, TlsError
from sunmi_ipc.link.tls import shown_certificate
from sunmi_ipc.simulator import Vendor
from sunmi_ipc.video import fetch
from sunmi_ipc.video.snapshot import Snapshot
from sunmi_ipc.video.tlsio import TlsStream

from .hostile import Hostile, Stopwatch

DEADLINE, SLACK = 0.6, 3.0
OK = b"HTTP/1.1 200 OK\r\n"


def read(hostile: Hostile, scheme: str = "https") -> bytes:
    """A file, asked for by that link."""
    with hostile.camera() as camera:
        return fetch.read(camera, f"{scheme}://{hostile.address}/x.jpg", limit=10**6)[0]


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (OK + b"X: ", b"a" * 60_000),
        (OK, (b"X: " + b"a" * 1500 + b"\r\n") * 40),
        (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 1000),
    ],
    ids=["one line", "many lines", "continue"],
)
def test_a_head_above_64_kb(vendor: Vendor, start: bytes, block: bytes) -> None:
    sent = 0

    def flood(secure: ssl.SSLSocket) -> None:
        nonlocal sent
        secure.sendall(start)
        for _ in range(500):
            secure.sendall(block)
            sent += len(block)

    with Hostile(vendor, flood) as hostile:
        tracemalloc.start()
        try:
            with pytest.raises(ReplyError, match="head"):
                read(hostile)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 20_000_000
    assert sent < 20_000_000  # what the network's buffers hold; not all thirty million


@pytest.mark.parametrize("body", [b"SSH-2.0\r\n", OK + b"X: " + b"a" * 70_000, OK + b"X: y\r\n" * 200])
def test_no_http_leaves_no_socket_open(vendor: Vendor, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(vendor, body) as hostile, hostile.camera() as camera, fetch.Connection(camera) as connection:
        made: list[fetch.Stream] = []
        monkeypatch.setattr(fetch, "TlsStream", lambda *args: made.append(TlsStream(*args)) or made[-1])
        with pytest.raises(SunmiIpcError), connection.get("/x"):
            pass
        assert [stream.raw.fileno() for stream in made] == [-1]


def test_a_head_of_a_usual_size_is_read(vendor: Vendor) -> None:
    body = OK + b"X: " + b"a" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nhi"
    with Hostile(vendor, body) as hostile:
        assert read(hostile) == b"hi"


def plain(reply: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """A camera without TLS."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        reply(connection)

    return serve


@pytest.mark.parametrize("start", [b"", OK + b"X: ", OK + b"Content-Length: 100000\r\n\r\n"])
def test_a_drip_without_tls_ends_like_one_with(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(fetch, "STALL_S", DEADLINE)

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        hostile.drip(connection, repeat(b"H"), 0.02)

    hostile = Hostile(vendor, raw=plain(drip))
    with hostile, Stopwatch() as watch, pytest.raises(ConnectionFailed, match="no complete answer"):
        read(hostile, "http")
    assert watch.seconds < DEADLINE + SLACK


def test_a_part_does_not_pass_for_the_whole(vendor: Vendor) -> None:
    """Without a length and without TLS the end of a file and a break look alike."""
    with (
        Hostile(vendor, raw=plain(lambda sock: sock.sendall(OK + b"\r\nhalf of it"))) as hostile,
        pytest.raises(ReplyError, match="how long"),
    ):
        read(hostile, "http")


def test_a_break_in_tls_is_no_end(vendor: Vendor) -> None:
    """The same over TLS, whose goodbye is missing."""

    def cut(secure: ssl.SSLSocket) -> None:
        secure.sendall(OK + b"Connection: close\r\n\r\nhalf of it")
        secure.shutdown(socket.SHUT_RDWR)

    with Hostile(vendor, cut) as hostile, pytest.raises(ConnectionFailed):
        read(hostile)


def test_the_certificate_that_drips_in(vendor: Vendor) -> None:
    """``ipc trust accept``: a handshake that never ends."""
    record = b"\x16\x03\x03\x40\x00" + b"\x02" * 10_000

    def parts() -> Iterator[bytes]:
        for at in range(len(record)):
            yield record[at : at + 1]

    hostile = Hostile(vendor, raw=lambda sock: hostile.drip(sock, parts(), 0.02))
    host, _, port = hostile.address.partition(":")
    with hostile, Stopwatch() as watch, pytest.raises(TlsError):
        shown_certificate(host, int(port), None, timeout=DEADLINE)
    assert watch.seconds < DEADLINE + SLACK


@pytest.mark.parametrize("side", [8_000, 12_000, 30_000])
def test_a_picture_that_would_fill_the_memory(side: int) -> None:
    pytest.importorskip("PIL")

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(ReplyError, match="pixels"):
        Snapshot(bomb, "png").image()


def test_a_playlist_is_no_recording(tmp_path: Path) -> None:
    """FFmpeg would open the files that it names, and join them."""
    av = pytest.importorskip("av")
    from fractions import Fraction

    from sunmi_ipc.video.mux import merge

    with av.open(str(tmp_path / "private.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        file.mux([*stream.encode(frame), *stream.encode()])
    assert merge([tmp_path / "private.mp4"], tmp_path / "good.mp4") > 0
    (tmp_path / "trick.mp4").write_text("ffconcat version 1.0\nfile 'private.mp4'\n")
    with pytest.raises(SunmiIpcError, match="no video"):
        merge([tmp_path / "trick.mp4"], tmp_path / "all.mp4")
    assert not (tmp_path / "all.mp4").exists()
