"""Files of a virtual camera: whole, in part, and not there."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.simulator import VirtualCamera, files

BODY = bytes(range(256)) * 4


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "sample.bin"
    path.write_bytes(BODY)
    sources = {"bytes": files.Content(BODY, "video/mp4"), "file": files.Content(path)}
    monkeypatch.setitem(files._SOURCES, "sample", lambda _, rest: sources.get(rest))


@pytest.fixture
def get(ready: VirtualCamera) -> Iterator[Callable[..., tuple[int, str | None, bytes]]]:
    """Status, content range and body of a path."""
    certificate = ClientCertificate.load(ready.vendor.p12, ready.vendor.p12_password.reveal())
    context = client_context(certificate, ready.vendor.ca.read_bytes())
    connection = http.client.HTTPSConnection(ready.ip, ready.port, context=context, timeout=10)

    def ask(path: str, **headers: str) -> tuple[int, str | None, bytes]:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["Content-Range"], response.read()

    yield ask
    connection.close()


@pytest.mark.parametrize("name", ["bytes", "file"])
def test_whole_and_parts(sample: None, get: Callable[..., tuple[int, str | None, bytes]], name: str) -> None:
    path = f"/sample/{name}"
    assert get(f"{path}?x=1") == (200, None, BODY)
    assert get(path, Range="bytes=1000-") == (206, "bytes 1000-1023/1024", BODY[1000:])
    assert get(path, Range="bytes=0-9") == (206, "bytes 0-9/1024", BODY[:10])
    assert get(path, Range="bytes=-5") == (206, "bytes 1019-1023/1024", BODY[-5:])
    assert get(path, Range="bytes=1024-") == (416, "bytes */1024", b"")
    assert get(path, Range="lines=1-2") == (200, None, BODY)


def test_not_there(sample: None, get: Callable[..., tuple[int, str | None, bytes]]) -> None:
    assert get("/sample/none")[0] == 404
    assert get("/nothing")[0] == 404


def test_one_source_a_path() -> None:
    files.serves("only-once")(lambda *_: None)
    try:
        with pytest.raises(ValueError, match="only-once"):
            files.serves("only-once")(lambda *_: None)
    finally:
        del files._SOURCES["only-once"]


def _context(ready: VirtualCamera) -> ssl.SSLContext:
    certificate = ClientCertificate.load(ready.vendor.p12, ready.vendor.p12_password.reveal())
    return client_context(certificate, ready.vendor.ca.read_bytes())


@pytest.mark.parametrize(
    ("head", "body", "answer"),
    [
        ("Transfer-Encoding: chunked", b"3\r\nsn=\r\n2;a=b\r\nxy\r\n0\r\nTrailer: 1\r\n\r\n", b'{"code":'),
        ("Content-Length: 5", b"sn=xy", b'{"code":'),
        ("Transfer-Encoding: chunked", b"x\r\n", b"HTTP/1.1 400"),
        ("Transfer-Encoding: chunked", b"fffffff\r\n", b"HTTP/1.1 413"),
        ("Transfer-Encoding: gzip", b"", b"HTTP/1.1 501"),
        ("Content-Length: -1", b"", b"HTTP/1.1 400"),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", b"", b"HTTP/1.1 400"),
    ],
)
def test_bodies_as_a_web_server_reads_them(
    ready: VirtualCamera, head: str, body: bytes, answer: bytes
) -> None:
    request = (
        f"POST /openapi/device/activate HTTP/1.1\r\nHost: x\r\n{head}\r\nConnection: close\r\n\r\n".encode()
    )
    with (
        socket.create_connection((ready.ip, ready.port), 10) as raw,
        _context(ready).wrap_socket(raw, server_hostname=ready.ip, suppress_ragged_eofs=False) as secure,
    ):
        secure.sendall(request + body)
        got = b""
        while piece := secure.recv(65_536):  # an end without close_notify would raise
            got += piece
    assert answer in got


def test_a_cut_connection_has_no_goodbye(ready: VirtualCamera) -> None:
    ready.fail("ragged")
    with (
        socket.create_connection((ready.ip, ready.port), 10) as raw,
        _context(ready).wrap_socket(raw, server_hostname=ready.ip, suppress_ragged_eofs=False) as secure,
    ):
        secure.sendall(b"POST /openapi/device/getInfo HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert b"Connection: close" in secure.recv(65_536)
        with pytest.raises(ssl.SSLEOFError):
            secure.recv(65_536)
