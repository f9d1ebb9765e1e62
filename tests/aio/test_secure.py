"""TLS over the event loop's plain connections: every cut, every alert, every piece of a record."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from sunmi_ipc import errors
from sunmi_ipc.aio.secure import TlsConnection
from sunmi_ipc.aio.transport import AsyncHttpsTransport
from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.protocol.wire import Outgoing
from sunmi_ipc.simulator import Vendor

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"code":0}'
ASK = Outgoing("device/getInfo", ())


@contextlib.contextmanager
def served(vendor: Vendor, talk: Callable[[ssl.SSLSocket], None], **options: int) -> Iterator[int]:
    """A server of one thread that shakes hands and then does as told, for every client."""
    context = vendor.server_context("C201000P00123")
    for name, value in options.items():
        setattr(context, name, value)
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ = True

        def serve() -> None:
            while open_:
                raw, _ = server.accept()
                with contextlib.suppress(OSError), raw:
                    raw.settimeout(5)
                    with context.wrap_socket(raw, server_side=True) as secure:
                        talk(secure)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            open_ = False
            socket.create_connection(server.getsockname()).close()
            thread.join(10)


def client(vendor: Vendor, port: int, **options: int) -> AsyncHttpsTransport:
    certificate = ClientCertificate.load(vendor.p12, vendor.p12_password)
    return AsyncHttpsTransport(
        "127.0.0.1", port, client_context(certificate, vendor.authority.pem), **options
    )


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as made:
        yield made


def ask(vendor: Vendor, port: int, **options: int) -> bytes:
    async def call() -> bytes:
        transport = client(vendor, port, **options)
        try:
            return (await transport.send(ASK, timeout=5)).body
        finally:
            await transport.close()

    return asyncio.run(call())


def reply(data: bytes, *, by: int = 1 << 20, goodbye: bool = False) -> Callable[[ssl.SSLSocket], None]:
    def talk(secure: ssl.SSLSocket) -> None:
        assert secure.recv(65_536).startswith(b"POST /openapi/device/getInfo HTTP/1.1\r\n")
        for start in range(0, len(data), by):
            secure.sendall(data[start : start + by])
        if goodbye:
            secure.unwrap()

    return talk


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("goodbye", [False, True])
def test_answers_with_and_without_an_end_of_their_own(
    vendor: Vendor, version: ssl.TLSVersion, goodbye: bool
) -> None:
    for data in (GOOD, b'HTTP/1.1 200 OK\r\n\r\n{"code":0}'):
        for by in (1, 1 << 20):
            with served(vendor, reply(data, by=by, goodbye=goodbye), maximum_version=version) as port:
                assert ask(vendor, port) == b'{"code":0}'


def test_a_large_answer_comes_whole_and_a_too_large_one_not_at_all(vendor: Vendor) -> None:
    body = random.randbytes(700_000)
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with served(vendor, reply(data)) as port:
        assert ask(vendor, port) == body
        with pytest.raises(errors.ReplyError, match="larger than 600000 bytes"):
            ask(vendor, port, max_answer=600_000)


def test_an_answer_that_is_cut_off(vendor: Vendor) -> None:
    for data in (b"", GOOD[:20], GOOD[:-1]):
        with (
            served(vendor, reply(data)) as port,
            pytest.raises(errors.ConnectionFailed, match="broke before"),
        ):
            ask(vendor, port)


def test_a_large_request_goes_out_whole(vendor: Vendor) -> None:
    seen: list[int] = []

    def talk(secure: ssl.SSLSocket) -> None:
        left = b""
        while b"\r\n\r\n" not in left:
            left += secure.recv(65_536)
        head, _, body = left.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += secure.recv(65_536)
        seen.append(len(body))
        secure.sendall(GOOD)

    async def call(port: int) -> None:
        transport = client(vendor, port)
        await transport.send(
            Outgoing("face/addFace", (), files=(("pic", random.randbytes(3_000_000)),)), timeout=20
        )
        await transport.close()

    with served(vendor, talk) as port:
        asyncio.run(call(port))
    assert seen[0] > 3_000_000


def test_what_is_no_tls_or_another_authority_is_told(vendor: Vendor) -> None:
    with (
        Vendor() as other,
        served(other, reply(GOOD)) as port,
        pytest.raises(errors.TlsError, match="not from the CA"),
    ):
        ask(vendor, port)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak_plainly() -> None:
            for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
                raw, _ = server.accept()
                with raw:
                    raw.recv(65_536)
                    raw.sendall(data)

        threading.Thread(target=speak_plainly, daemon=True).start()
        with pytest.raises(errors.TlsError):
            ask(vendor, server.getsockname()[1])
        with pytest.raises(errors.ConnectionFailed, match="broke before"):
            ask(vendor, server.getsockname()[1])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refused_client_certificate_is_told_as_such(vendor: Vendor, version: ssl.TLSVersion) -> None:
    async def call(port: int) -> None:
        transport = AsyncHttpsTransport("127.0.0.1", port, client_context(None, vendor.authority.pem))
        with pytest.raises(errors.TlsError) as caught:
            await transport.send(ASK, timeout=5)
        assert not caught.value.sent
        await transport.close()

    with served(vendor, reply(GOOD), maximum_version=version) as port:
        asyncio.run(call(port))


def test_what_nobody_asked_for_closes_the_connection(vendor: Vendor) -> None:
    ended = threading.Event()

    def talk(secure: ssl.SSLSocket) -> None:
        secure.recv(65_536)
        secure.sendall(GOOD)
        with contextlib.suppress(OSError):
            secure.sendall(b"HTTP/1.1 200 OK\r\n\r\nfor whoever asks next")
            secure.recv(1)
        ended.set()

    async def call(port: int) -> None:
        transport = client(vendor, port)
        assert (await transport.send(ASK, timeout=5)).status == 200
        assert await asyncio.to_thread(ended.wait, 5)
        assert (await transport.send(ASK, timeout=5)).body == b'{"code":0}'
        await transport.close()

    with served(vendor, talk) as port:
        asyncio.run(call(port))


def test_endless_tls_without_a_word_is_cut_off(vendor: Vendor) -> None:
    """Session tickets without end: no answer is awaited, so no deadline runs."""

    def talk(secure: ssl.SSLSocket) -> None:
        secure.recv(1)

    async def call(port: int) -> None:
        transport = client(vendor, port)
        await transport.greet(timeout=5)
        connection = transport._connection
        assert connection is not None
        async with asyncio.timeout(10):
            await connection.gone()
        assert not connection.open
        await transport.close()

    with served(vendor, talk, num_tickets=4000) as port:
        asyncio.run(call(port))


def test_whoever_inherits_must_say_what_becomes_of_what_arrives() -> None:
    async def make() -> None:
        connection = TlsConnection(client_context(None, None), "127.0.0.1")
        for call in (
            lambda: connection.received(b""),
            connection.ended,
            lambda: connection.failed(OSError()),
        ):
            with pytest.raises(NotImplementedError):
                call()
        assert connection.is_closing

    asyncio.run(make())
