"""The port of station and console under those who send half of something, too much of it, or nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from sunmi_ipc.station.port import MAX_HEAD, Places, bounded

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the number of bytes that came; ``/early`` does so before they are here."""
    came, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        came += len(message.get("body", b""))
        more = message.get("more_body", False)
    said = str(came).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(said)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(params=["httptools", "h11"])
def port(request: pytest.FixtureRequest) -> Iterator[tuple[int, Places]]:
    import uvicorn

    module = pytest.importorskip(f"uvicorn.protocols.http.{request.param}_impl")
    base = {"httptools": "HttpToolsProtocol", "h11": "H11Protocol"}[request.param]
    places = Places(places=6, head_s=0.4, pause_s=0.3)
    listener = socket.create_server(("127.0.0.1", 0))
    protocol = bounded(places, getattr(module, base))
    server = uvicorn.Server(
        uvicorn.Config(application, log_config=None, lifespan="off", http=protocol, ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1], places
    server.should_exit = True
    thread.join(5)
    listener.close()


def to(port: int, data: bytes = b"", *, source: str = "127.0.0.1") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 3, (source, 0))
    made.sendall(data)
    return made


def said(one: socket.socket, seconds: float = 3.0) -> bytes:
    """All that comes until it is closed, or for so long."""
    one.settimeout(seconds)
    found = b""
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            found += data
    one.close()
    return found


def hears(one: socket.socket, wanted: bytes) -> bool:
    """Whether *wanted* comes; older uvicorns send head and body apart."""
    heard = b""
    while wanted not in heard and (data := one.recv(1000)):
        heard += data
    return wanted in heard


def test_what_never_comes_is_not_waited_for(port: tuple[int, Places]) -> None:
    number, places = port
    drips = [to(number), to(number, b"GET / HTTP/1.1\r\nX: "), to(number, GET[:-2])]
    body = to(number, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert all(b"408" in said(one) for one in drips)
    assert said(body) == b""
    # Two requests in a row, and a body that takes longer than a pause but goes on.
    one = to(number, GET)
    assert hears(one, b"\r\n\r\n0")
    one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
    for _ in range(5):
        time.sleep(0.1)
        one.sendall(b"x" * 6000)
    assert hears(one, b"\r\n\r\n30000")
    # One that was answered before its body came; the next on the same connection.
    one.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n")
    assert hears(one, b"\r\n\r\n0")
    one.close()
    end = time.monotonic() + 3
    while len(places) and time.monotonic() < end:
        time.sleep(0.02)
    assert len(places) == 0


def test_what_is_answered_early_may_be_followed_by_another(port: tuple[int, Places]) -> None:
    number, _ = port
    with to(number, b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n") as one:
        assert hears(one, b"\r\n\r\n0")
        one.sendall(b"123456789")
        time.sleep(0.05)
        one.sendall(GET)
        assert hears(one, b"\r\n\r\n0")


def test_a_head_has_an_end(port: tuple[int, Places]) -> None:
    number, _ = port
    for line in (b"X: " + b"a" * 4 * MAX_HEAD, b"X: y\r\n" * MAX_HEAD):
        one = to(number)
        with contextlib.suppress(OSError):
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + line)
        answer = said(one)
        # What is reset while it still sends may not see why.
        assert answer == b"" or answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    one = to(number, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
    assert hears(one, b"200 OK")
    one.close()


@pytest.mark.parametrize("port", ["httptools"], indirect=True)  # h11 reads one at a time
def test_requests_ahead_of_their_answers_are_few(port: tuple[int, Places]) -> None:
    number, _ = port
    one = to(number)
    with contextlib.suppress(OSError):
        one.sendall(GET * 2000)
    assert said(one, 1.0).count(b"200 OK") < 2000


def test_who_takes_many_places_loses_one(port: tuple[int, Places]) -> None:
    number, places = port
    many = [to(number) for _ in range(5)]
    other = to(number, b"GET / HT", source="127.0.0.2")
    time.sleep(0.05)
    new = to(number, GET, source="127.0.0.3")
    assert hears(new, b"200 OK")
    assert len(places) <= 6
    # His oldest gave way; another's, who has one alone, did not.
    assert said(many[0], 0.2) == b""
    other.sendall(GET[8:])
    assert hears(other, b"200 OK")
    for one in (*many, other, new):
        one.close()
