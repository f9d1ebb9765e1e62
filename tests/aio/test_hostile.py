"""A hostile camera under asyncio: every trick of the threaded client's tests, all at once in one loop.

The attacker owns the camera: its certificate is trusted. Each call ends by its deadline with an error of ours,
follows nothing, and leaves neither socket nor task; together they take next to no processor time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain, repeat

import pytest

from sunmi_ipc import errors
from sunmi_ipc.aio import AsyncCamera
from sunmi_ipc.simulator import Vendor
from tests.security.hostile import Hostile, answer, head

DEADLINE = 0.6
OK = b'{"code":0,"data":{"sn":"FS101D8BS00106"}}'
CHUNKED = head("Transfer-Encoding: chunked")


def drip(*start: bytes, then: bytes) -> Callable[[ssl.SSLSocket], None]:
    """A piece now and then, for far longer than any deadline."""

    def play(secure: ssl.SSLSocket) -> None:
        for part in chain(start, repeat(then, 500)):
            secure.sendall(part)
            time.sleep(0.02)

    return play


def flood(start: bytes, block: bytes) -> Callable[[ssl.SSLSocket], None]:
    def play(secure: ssl.SSLSocket) -> None:
        secure.sendall(start)
        for _ in range(600):
            secure.sendall(block * (16_000 // len(block)))

    return play


def goodbye(start: bytes) -> Callable[[ssl.SSLSocket], None]:
    """TLS's close_notify, after which the connection itself stays open."""

    def play(secure: ssl.SSLSocket) -> None:
        if start:
            secure.sendall(start)
        secure.settimeout(DEADLINE * 3)
        with suppress(OSError):
            secure.unwrap()

    return play


def silence(_: socket.socket) -> None:
    time.sleep(DEADLINE * 3)


def drip_handshake(connection: socket.socket) -> None:
    connection.recv(4096)
    with suppress(OSError):
        for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + b"a" * 500:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)


TRICKS: dict[str, Callable[[ssl.SSLSocket], None] | bytes] = {
    "goodbye at once": goodbye(b""),
    "goodbye in the head": goodbye(head("Content-Length: 9")[:20]),
    "goodbye after the head": goodbye(head("Content-Length: 900")),
    "goodbye in the body": goodbye(head("Content-Length: 900") + OK),
    "goodbye in a chunk": goodbye(CHUNKED + b"ff\r\nabc"),
    "silence": silence,
    "drip in the status": drip(b"HTTP/1.1 200 ", then=b"x"),
    "drip in a header": drip(b"HTTP/1.1 200 OK\r\nX: ", then=b"x"),
    "drip of headers": drip(b"HTTP/1.1 200 OK\r\n", then=b"X: y\r\n"),
    "drip in the body": drip(head("Content-Length: 99999"), then=b"9"),
    "drip without a length": drip(head(), then=b" "),
    "drip of chunks": drip(CHUNKED, then=b"1\r\n \r\n"),
    "drip in a chunk's extension": drip(CHUNKED + b"1;", then=b"x"),
    "drip of trailers": drip(CHUNKED + b"0\r\n", then=b"X: y\r\n"),
    "drip of 100 Continue": drip(then=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drip of empty lines": drip(then=b"\r\n"),
    "flood of trailers": flood(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "flood in a trailer": flood(CHUNKED + b"0\r\nX: ", b"y"),
    "flood of 100 Continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "length of -1": head("Content-Length: -1") + OK,
    "length with a plus": head("Content-Length: +41") + OK,
    "length of nothing": head("Content-Length: ") + OK,
    "length beyond numbers": head("Content-Length: " + "9" * 40) + OK,
    "two lengths": head("Content-Length: 10", "Content-Length: 41") + OK,
    "length and chunks": head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunk of -1": CHUNKED + b"-1\r\n" + OK,
    "chunk beyond numbers": CHUNKED + b"f" * 40 + b"\r\n" + OK,
    "another protocol": head("Upgrade: x", "Connection: upgrade", status="101 Switching") + OK,
    "asks for a password": answer(OK, 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized"),
}
RAW = {"silence in the handshake": silence, "drip in the handshake": drip_handshake}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as made:
        yield made


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_every_trick_ends_by_the_deadline_and_leaves_nothing(vendor: Vendor) -> None:
    told: dict[str, BaseException | None] = {}

    async def call(name: str, camera: AsyncCamera) -> None:
        try:
            await camera.device.info()
            told[name] = None
        except Exception as error:
            told[name] = error
        finally:
            await camera.close()

    async def all_at_once(servers: dict[str, Hostile]) -> None:
        cameras = {
            name: AsyncCamera(
                server.address,
                app_id=vendor.app_id,
                secret_key=vendor.secret_key,
                p12=vendor.p12,
                p12_password=vendor.p12_password,
                ca=vendor.ca,
                model="FM020",
                timeout=DEADLINE,
                retries=0,
            )
            for name, server in servers.items()
        }
        for camera in cameras.values():
            await asyncio.to_thread(lambda camera=camera: camera.tls)
        before, began, busy = descriptors(), time.monotonic(), time.thread_time()
        await asyncio.gather(*(call(name, camera) for name, camera in cameras.items()))
        # A hang or a spin would last until the servers give up, ten seconds; the slack is a busy machine's.
        assert time.monotonic() - began < DEADLINE * 1.1 + 8
        assert time.thread_time() - busy < 1.5
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        # Ours are closed; the servers in this process may still hold an end and its copy for each.
        assert descriptors() - before <= 2 * len(servers)
        for server in servers.values():
            server.closing.set()

    with ExitStack() as stack:
        servers = {name: stack.enter_context(Hostile(vendor, play)) for name, play in TRICKS.items()}
        servers |= {name: stack.enter_context(Hostile(vendor, raw=play)) for name, play in RAW.items()}
        asyncio.run(all_at_once(servers))
    assert set(told) == set(servers)
    for name, error in told.items():
        assert isinstance(error, errors.SunmiIpcError), (name, error)
        assert vendor.secret_key not in repr(error), name
    assert all(server.connections == 1 for server in servers.values())


def asker(vendor: Vendor, address: str) -> AsyncCamera:
    return AsyncCamera(
        address,
        app_id=vendor.app_id,
        secret_key=vendor.secret_key,
        p12=vendor.p12,
        p12_password=vendor.p12_password,
        ca=vendor.ca,
        model="FM020",
        timeout=5,
        retries=0,
    )


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_no_redirection_is_followed(vendor: Vendor, status: str) -> None:
    with Hostile(vendor, answer(OK)) as elsewhere:
        where = f"Location: https://u:p@{elsewhere.address}/openapi/device/getInfo"
        with Hostile(vendor, answer(OK, where, status=status)) as hostile:

            async def call() -> None:
                async with asker(vendor, hostile.address) as camera:
                    await camera.device.info()

            with pytest.raises(errors.ReplyError, match=f"HTTP status {status[:3]}"):
                asyncio.run(call())
        assert not elsewhere.connections


BROKE = "the connection broke before the whole answer was there"
NO_HTTP = "what came is no answer in HTTP"
TOLD = {
    "garbage": (b"\x00\xff" * 40, NO_HTTP),
    "another server": (b"SSH-2.0-OpenSSH_9.2\r\n", NO_HTTP),
    "a bare body": (OK, NO_HTTP),
    "a status in words": (b"HTTP/1.1 fine OK\r\n\r\n", NO_HTTP),
    "another version": (b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}", NO_HTTP),
    "a chunk's length": (CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n", NO_HTTP),
    "two lengths": (head("Content-Length: 2", "Content-Length: 3") + b"{}x", NO_HTTP),
    "half a body": (head("Content-Length: 100") + OK, BROKE),
    "half a chunk": (CHUNKED + b"10\r\nhi", BROKE),
    "nothing": (b"", BROKE),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "the answer's head, or what surrounds its body, is too large"),
    "ends of lines": (b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(OK) + OK, ""),
}  # fmt: skip


@pytest.mark.parametrize("trick", TOLD)
def test_both_colours_tell_what_happened(vendor: Vendor, trick: str) -> None:
    sent, wanted = TOLD[trick]

    def play(secure: ssl.SSLSocket) -> None:
        with suppress(OSError):
            secure.sendall(sent)
            secure.shutdown(socket.SHUT_RDWR)

    async def call(camera: AsyncCamera) -> None:
        async with camera:
            await camera.device.info()

    with Hostile(vendor, play) as server:
        for ask in (
            lambda: server.camera().device.info(),
            lambda: asyncio.run(call(asker(vendor, server.address))),
        ):
            if not wanted:
                ask()
                continue
            with pytest.raises(errors.SunmiIpcError) as caught:
                ask()
            assert caught.value.template == wanted
            assert caught.value.sent


SIZE = len(OK)
#: A camera's small faults: both colours take the answer all the same.
TAKEN = {
    "an empty line before": b"\r\n" + answer(OK),
    "a byte after": answer(OK) + b"\0",
    "a line that is no field": head("Server", f"Content-Length: {SIZE}") + OK,
    "a field without a name": head(": x", f"Content-Length: {SIZE}") + OK,
    "a name with other letters": head("\u00e4: x", f"Content-Length: {SIZE}") + OK,
    "a blank before the colon": head(f"Content-Length : {SIZE}") + OK,
    "zeros before a length": head(f"Content-Length: 00{SIZE}") + OK,
    "a length twice": head(f"Content-Length: {SIZE}", f"content-length:{SIZE}") + OK,
    "a length twice in a line": head(f"Content-Length: {SIZE}, {SIZE}") + OK,
    "chunks and a length": head("Content-Length: 5", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (SIZE, OK),
    "identity": head("Transfer-Encoding: identity", f"Content-Length: {SIZE}") + OK,
    "no length": head() + OK,
    "chunks without the last line": CHUNKED + b"%x\r\n%s\r\n0\r\n" % (SIZE, OK),
    "another 1.x": b"HTTP/1.2 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + OK,
}  # fmt: skip
#: What does not say where the answer ends, or has no end: neither takes it, and both say the same.
NOT_TAKEN = {
    "half a status line": (b"HTTP/1.1 20", BROKE),
    "a status line alone": (b"HTTP/1.1 200 OK\r\n", BROKE),
    "half a field": (b"HTTP/1.1 200 OK\r\nContent-Ty", BROKE),
    "a head without its last line": (b"HTTP/1.1 200 OK\r\nServer: x\r\n", BROKE),
    "half a length": (head(f"Content-Length: {SIZE}")[:-5], BROKE),
    "an empty length": (head("Content-Length: ") + OK, NO_HTTP),
    "a length of -1": (head("Content-Length: -1") + OK, NO_HTTP),
    "a length with a sign": (head(f"Content-Length: +{SIZE}") + OK, NO_HTTP),
    "a length with an underscore": (head("Content-Length: 4_1") + OK, NO_HTTP),
    "a length in words": (head("Content-Length: many") + OK, NO_HTTP),
    "a length beyond numbers": (head("Content-Length: " + "9" * 40) + OK, BROKE),
    "two lengths in a line": (head(f"Content-Length: {SIZE}, 10") + OK, NO_HTTP),
    "a blank before": (b" " + answer(OK), NO_HTTP),
    "another protocol": (answer(OK).replace(b"HTTP/1.1", b"RTSP/1.0"), NO_HTTP),
    "no status": (answer(OK, status="099 OK"), NO_HTTP),
}


def of_both(vendor: Vendor, sent: bytes) -> list[str]:
    """What cameras of both colours make of an answer: its serial number, or what they say."""

    def play(secure: ssl.SSLSocket) -> None:
        with suppress(OSError):
            secure.sendall(sent)
            secure.unwrap()

    async def call(address: str) -> str:
        async with asker(vendor, address) as camera:
            return (await camera.device.info()).sn

    found = []
    with Hostile(vendor, play) as server:
        for ask in (lambda: server.camera().device.info().sn, lambda: asyncio.run(call(server.address))):
            try:
                found.append(ask())
            except errors.ConnectionFailed as error:
                found.append(error.message)
    return found


@pytest.mark.parametrize("fault", TAKEN)
def test_both_colours_take_small_faults(vendor: Vendor, fault: str) -> None:
    assert of_both(vendor, TAKEN[fault]) == ["FS101D8BS00106"] * 2


@pytest.mark.parametrize("fault", NOT_TAKEN)
def test_neither_colour_takes_half_a_head_or_an_unclear_end(vendor: Vendor, fault: str) -> None:
    sent, wanted = NOT_TAKEN[fault]
    assert of_both(vendor, sent) == [wanted] * 2


@pytest.mark.parametrize("split", range(1, len(head("Server", "Content-Length: 41", "Content-Length: 41"))))
def test_a_mended_head_may_come_in_pieces(split: int) -> None:
    """Wherever its pieces part, it is the same answer."""
    from sunmi_ipc.aio.transport import _Connection

    whole = head("Server", f"Content-Length: {SIZE}", f"Content-Length: {SIZE}") + OK

    async def read() -> bytes:
        connection = _Connection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "x", 10_000)
        connection._answer = asyncio.get_running_loop().create_future()
        connection.received(whole[:split])
        connection.received(whole[split:])
        return (await asyncio.wait_for(connection._answer, 1)).body

    assert asyncio.run(read()) == OK
