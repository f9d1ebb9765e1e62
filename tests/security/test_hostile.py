"""A hostile camera: whatever it sends, the client ends in time, in little memory, with one clear error.

Every test here talks to a server over real TLS whose certificate we trust: the attacker owns the camera.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.simulator import Vendor

from .hostile import Hostile, Stopwatch, answer, head

#: Seconds of a call in these tests, and the slack that a machine busy with other tests needs beside the ten
#: per cent; every drip here would go on for minutes. benchmarks/hostile.py shows the ten per cent.
DEADLINE, SLACK = 0.6, 3.0
MB = 1_000_000
OK = b'{"code":0,"data":{"sn":"FS101D8BS00106"}}'


def refused(
    hostile: Hostile, error: type[errors.SunmiIpcError], word: str, *, timeout: float = 15.0, **options: Any
) -> errors.SunmiIpcError:
    """The error of one call; it must come in time, in little memory and on one line."""
    with hostile, hostile.camera(timeout=timeout, **options) as camera:
        camera._transport  # noqa: B018 - certificates are loaded once, before memory is measured
        tracemalloc.start()
        try:
            with Stopwatch() as watch, pytest.raises(error, match=word) as caught:
                camera.device.info()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert watch.seconds <= timeout * 1.1 + SLACK
    assert peak < 20 * MB
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    assert caught.value.hint
    return caught.value


# -- size -----------------------------------------------------------------------------------------


def flood(secure: ssl.SSLSocket, start: bytes, block: bytes, size: int = 30 * MB) -> None:
    secure.sendall(start)
    for _ in range(size // len(block)):
        secure.sendall(block)


@pytest.mark.parametrize(
    "start",
    [
        head("Content-Length: 30000000"),
        head("Content-Length: 999999999999999999999"),
        head("Connection: close"),
    ],
    ids=["honest length", "absurd length", "no length"],
)
def test_an_answer_above_4_mb_is_not_read_to_its_end(vendor: Vendor, start: bytes) -> None:
    hostile = Hostile(vendor, lambda s: flood(s, start, b"9" * 65_536))
    refused(hostile, errors.ReplyError, "larger than 4194304 bytes")


def test_an_answer_of_4_mb_is_read(vendor: Vendor) -> None:
    body = b'{"code":0,"data":{"sn":"' + b"9" * (4 * 1024 * 1024 - 28) + b'"}}'
    with Hostile(vendor, answer(body)) as hostile, hostile.camera() as camera:
        # Read whole, but no more of it is kept than a serial number can be.
        assert len(camera.device.info().sn) == 256


def chunks(size: int) -> bytes:
    return b"%x\r\n" % size + b" " * size + b"\r\n"


@pytest.mark.parametrize(
    ("block", "word"),
    [
        (chunks(16_384), "larger than"),
        (chunks(24) * 2000, "larger than|too large"),
        (b"1;" + b"x" * 60_000 + b"\r\n \r\n", "too large"),
        (b"0" * 65_536, "too large|broke"),
    ],
    ids=["big", "tiny", "extensions", "one size line without end"],
)
def test_endless_chunks(vendor: Vendor, block: bytes, word: str) -> None:
    start = head("Transfer-Encoding: chunked")
    hostile = Hostile(vendor, lambda s: flood(s, start, block))
    refused(hostile, errors.SunmiIpcError, word)


def test_endless_trailers(vendor: Vendor) -> None:
    start = head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n"
    hostile = Hostile(vendor, lambda s: flood(s, start, b"X: " + b"y" * 60_000 + b"\r\n"))
    refused(hostile, errors.SunmiIpcError, "too large|broke")


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 65_536),
        (b"HTTP/1.1 200 ", b"O" * 65_536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=" + b"b" * 500 + b"\r\n"),
    ],
    ids=["many", "one long", "status line", "continue for ever", "cookies"],
)
def test_headers_above_64_kb(vendor: Vendor, start: bytes, block: bytes) -> None:
    hostile = Hostile(vendor, lambda s: flood(s, start, block))
    error = refused(hostile, errors.SunmiIpcError, ".")
    assert isinstance(error, errors.ReplyError | errors.ConnectionFailed)


def test_a_head_is_not_read_beyond_its_limit(vendor: Vendor) -> None:
    sent = 0

    def play(secure: ssl.SSLSocket) -> None:
        nonlocal sent
        secure.sendall(b"HTTP/1.1 200 OK\r\n")
        while sent < 30 * MB:
            secure.sendall(b"X: " + b"y" * 700 + b"\r\n")
            sent += 705

    # Fewer than the hundred lines that the standard library itself allows, each shorter than its 64 KiB.
    block = b"".join(b"X%d: " % i + b"y" * 60_000 + b"\r\n" for i in range(60))
    refused(Hostile(vendor, head()[:-2] + block + b"\r\n" + OK), errors.ReplyError, "head.*too large")
    refused(Hostile(vendor, play), errors.SunmiIpcError, ".")
    # What the sockets' buffers took, and no more.
    assert sent < 20 * MB


# -- cost and depth -------------------------------------------------------------------------------

EMOJI = "\U0001f600".encode()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"[" * 100_000, "holds too much|too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b'{"code":0,"data":' + b"[" * 40 + b"]" * 40 + b"}", "nested too deeply"),
        (b'{"code":0,"data":[' + b"[]," * 1_300_000 + b"[]]}", "holds too much"),
        (b'{"code":0,"data":[' + b"{}," * 1_300_000 + b"{}]}", "holds too much"),
        (b'{"code":0,"data":[' + b"1.5," * 1_000_000 + b"1]}", "holds too much"),
        (b'{"code":0,"data":{"sn":"' + b"x" * 4_000_000 + EMOJI + b'"}}', "holds too much"),
        (b" " * 4_000_000 + EMOJI, "holds too much|not JSON"),
        (b'{"code":' + b"9" * 4_000_000 + b"}", "number that cannot be used"),
        (b'{"code":0,"data":{"sn":' + b"9" * 4_000_000 + b"}}", "number that cannot be used"),
        (b'{"code":0,"data":{"sn":"' + b"\\u0041" * 600_000, "not JSON"),
    ],
    ids=["open lists", "deep objects", "deep enough", "lists", "objects", "numbers", "emoji", "blanks", "code", "int",
         "open string"],
)  # fmt: skip
def test_json_that_would_cost_too_much(vendor: Vendor, body: bytes, word: str) -> None:
    refused(Hostile(vendor, answer(body)), errors.ReplyError, word)


def test_a_list_as_long_as_any_real_one_is_read(vendor: Vendor) -> None:
    rows = [
        {"faceid": f"face{i:08d}", "group_name": "VIP", "arrive_time": 1_700_000_000 + i} for i in range(4000)
    ]
    body = json.dumps({"code": 0, "data": {"total_num": 4000, "face_list": rows}}).encode()
    with Hostile(vendor, answer(body)) as hostile, hostile.camera() as camera:
        camera._transport  # noqa: B018
        tracemalloc.start()
        assert len(camera.faces.list_page("VIP").face_list) == 4000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 * MB


# -- time -----------------------------------------------------------------------------------------


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for i in range(len(data)):
        yield data[i : i + 1]


@pytest.mark.parametrize(
    "parts",
    [
        lambda: byte_by_byte(head("X: " + "y" * 5000)),
        lambda: chain([head("Content-Length: 5000")], repeat(b" ")),
        lambda: chain([head("Transfer-Encoding: chunked")], repeat(b"1\r\n \r\n")),
        lambda: chain([head("Connection: close")], repeat(b" ")),
        lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda: repeat(b""),
    ],
    ids=["head", "body", "chunks", "no length", "continue", "silence"],
)
def test_a_slow_drip_ends_at_the_deadline(vendor: Vendor, parts: Callable[[], Iterator[bytes]]) -> None:
    hostile = Hostile(vendor)
    hostile.play = lambda secure: hostile.drip(secure, parts(), 0.02)
    refused(hostile, errors.ConnectionFailed, "no complete answer", timeout=DEADLINE)


def test_a_slow_drip_ends_at_the_deadline_for_a_call_that_needs_another_first(vendor: Vendor) -> None:
    """The lens exists on one model only: the model is asked first, and both have one deadline."""
    hostile = Hostile(vendor)
    hostile.play = lambda secure: hostile.drip(secure, chain(byte_by_byte(answer(OK)), repeat(b" ")), 0.003)
    with (
        hostile,
        hostile.camera(timeout=DEADLINE, model="") as camera,
        Stopwatch() as watch,
        pytest.raises(errors.SunmiIpcError),
    ):
        camera.people_flow.door_line()
    assert watch.seconds <= DEADLINE * 1.1 + SLACK


def test_a_slow_drip_in_the_handshake(vendor: Vendor) -> None:
    # A TLS record of 16,000 bytes, one at a time.
    record = b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c" + b"\x03" * 16_000
    hostile = Hostile(vendor, raw=lambda sock: hostile.drip(sock, byte_by_byte(record), 0.01))
    refused(hostile, errors.ConnectionFailed, "no complete answer", timeout=DEADLINE)


def test_silence_in_the_handshake(vendor: Vendor) -> None:
    hostile = Hostile(vendor, raw=lambda sock: hostile.drip(sock, repeat(b""), 0.05))
    refused(hostile, errors.ConnectionFailed, "no complete answer", timeout=DEADLINE)


def test_retries_share_the_deadline(vendor: Vendor) -> None:
    """Each attempt breaks after a while: together they end where one would."""
    hostile = Hostile(vendor)

    def play(secure: ssl.SSLSocket) -> None:
        hostile.closing.wait(DEADLINE * 0.6)
        secure.shutdown(socket.SHUT_RDWR)

    hostile.play = play
    refused(hostile, errors.ConnectionFailed, ".", timeout=DEADLINE, retries=2)


# -- redirections, compression, cookies -----------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_redirections_are_not_followed(vendor: Vendor, status: str) -> None:
    with Hostile(vendor, answer(OK)) as other:
        for target in (
            f"https://{other.address}/openapi/device/getInfo",
            "file:///etc/passwd",
            "http://[",
            "/again",
        ):
            hostile = Hostile(vendor, answer(OK, f"Location: {target}", status=status))
            refused(hostile, errors.ReplyError, f"HTTP status {status[:3]}")
            assert hostile.connections == len(hostile.requests) == 1
        assert other.connections == 0


BOMB = gzip.compress(b" " * (60 * MB), 6)


@pytest.mark.parametrize(
    ("lines", "status", "word"),
    [
        (("Content-Encoding: gzip",), "200 OK", "compressed"),
        (("Content-Encoding: GZIP ",), "200 OK", "compressed"),
        (("Content-Encoding: identity, gzip",), "200 OK", "compressed"),
        (("Content-Encoding: deflate",), "200 OK", "compressed"),
        (("Content-Encoding: br",), "200 OK", "compressed"),
        ((), "200 OK", "not UTF-8|not JSON"),
        (("Content-Encoding: gzip", "Location: /again"), "302 Found", "compressed|302"),
        (("Content-Encoding: gzip",), "500 Error", "compressed|500"),
    ],
)
def test_compression_bombs_are_not_unpacked(
    vendor: Vendor, lines: tuple[str, ...], status: str, word: str
) -> None:
    """60 MB in 60 kB. requests unpacks those of redirections even where it does not follow them."""
    assert len(BOMB) < MB / 10
    refused(Hostile(vendor, answer(BOMB, *lines, status=status)), errors.ReplyError, word)


def test_compression_by_transfer_encoding_is_not_unpacked(vendor: Vendor) -> None:
    body = b"%x\r\n" % len(BOMB) + BOMB + b"\r\n0\r\n\r\n"
    hostile = Hostile(vendor, head("Transfer-Encoding: gzip, chunked", "Connection: close") + body)
    refused(hostile, errors.SunmiIpcError, ".")


def test_cookies_are_neither_kept_nor_sent(vendor: Vendor) -> None:
    cookies = [f"Set-Cookie: c{i}=v; Path=/; Domain=127.0.0.1; Max-Age=99999" for i in range(50)]
    cookies += ["Set-Cookie: a=b", "Set-Cookie2: x=y; Version=1", "Set-Cookie: ;;;=" + "\x01" * 30]
    with Hostile(vendor, answer(OK, *cookies)) as hostile, hostile.camera() as camera:
        for _ in range(2):
            camera.device.info()
    assert len(hostile.requests) == 2
    assert not any(b"cookie" in request.lower() for request in hostile.requests)


# -- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"code":0}'.encode("utf-16"), "not UTF-8|not JSON"),
        (b'{"code":NaN}', "not JSON"),
        (b'{"code":1e999}', "number that cannot be used"),
        (b'{"code":0.5}', "no return code"),
        (b'{"code":true}', "no return code"),
        (b'{"code":[0]}', "no return code"),
    ],
)
def test_bytes_that_are_no_text(vendor: Vendor, body: bytes, word: str) -> None:
    refused(Hostile(vendor, answer(body)), errors.ReplyError, word)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"\\ud800", "\ufffd"),
        (b"\\udfff", "\ufffd"),
        (b"a\\ud800b", "a\ufffdb"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd"),
        (b"a\x00b", "a\ufffdb"),
        (b"a\x1b[2Jb", "a\ufffd[2Jb"),
        (b"a\xe2\x80\xaeb", "a\ufffdb"),
        ("前门".encode("gbk"), "前门"),
        ("前门".encode(), "前门"),
        (b"\\ud83d\\ude00", "\U0001f600"),
    ],
)
def test_a_text_that_is_none_harms_nothing(vendor: Vendor, sent: bytes, shown: str) -> None:
    body = b'{"code":0,"data":{"sn":"FS101D8BS00106","name":"' + sent + b'"}}'
    with Hostile(vendor, answer(body)) as hostile, hostile.camera() as camera:
        info = camera.device.info()
        raw = camera.call("device/getInfo")
    json.dumps(info.as_dict(), ensure_ascii=False).encode()
    json.dumps(raw, ensure_ascii=False).encode()
    assert info.name.isprintable()
    assert set(info.name) <= set(shown)


# -- not HTTP, not TLS ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 1000,
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_what_is_no_http(vendor: Vendor, sent: bytes) -> None:
    def play(secure: ssl.SSLSocket) -> None:
        secure.sendall(sent)
        secure.shutdown(socket.SHUT_RDWR)

    error = refused(Hostile(vendor, play), errors.SunmiIpcError, ".")
    assert isinstance(error, errors.ReplyError | errors.ConnectionFailed)


def test_what_is_no_tls(vendor: Vendor) -> None:
    def greet(sock: socket.socket) -> None:
        sock.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 10)
        sock.recv(1000)

    refused(Hostile(vendor, raw=greet), errors.TlsError, "TLS|old")


def test_endless_session_tickets(vendor: Vendor) -> None:
    """Messages that TLS handles by itself are time and bytes, too."""
    context = vendor.server_context("FS101D8BS00106")
    context.num_tickets = 20_000
    hostile = Hostile(vendor, context=context)
    hostile.play = lambda secure: hostile.drip(secure, repeat(b""), 0.05)
    refused(hostile, errors.ConnectionFailed, "no complete answer", timeout=DEADLINE)


def test_the_clouds_redirections_are_not_read_either(vendor: Vendor) -> None:
    """The same session serves the vendor's cloud."""
    from sunmi_ipc.cloud.transport import _Connection, context
    from sunmi_ipc.link.web import DeafSession

    session = _Connection("https://store.example", context("")).session
    assert isinstance(session, DeafSession)
    session.close()
