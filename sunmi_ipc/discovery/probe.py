"""Recognise a camera by its HTTPS port, where it answers no UDP.

What a camera's certificate says is not known. It is taken for one where the certificate bears a
serial number or the maker's name, or where it answers a call as a camera does, ``{"code": …}``
(both inferred). No credential is sent: the call is unsigned, and a client certificate is shown only
where one is given and the camera's own certificate did not tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from ..link.tls import ClientCertificate, allow_old, client_context
from .camera import DiscoveredCamera, serial_number_in
from .interfaces import Interface
from .sockets import bind_to
from .targets import BREATH_S, BURST, at_once

__all__ = ["Prober"]

# A lost SYN goes out again after 1 s.
_CONNECT_S, _ANSWER_S = 1.3, 2.0
_LIMIT = 65_536
_HANDSHAKE, _CERTIFICATE = 22, 11  # RFC 5246
_CALL = (
    b"POST /openapi/device/getInfo HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n"
)


class Prober:
    """Try HTTPS ports, all at once but for the pace, in a thread of its own.

    Args:
        targets: Addresses and ports, each with the interface that leads there: it is the only one used.
        found: Called with each camera, from another thread.
        certificate: A client certificate to show where nothing else tells.

    """

    def __init__(
        self,
        targets: Iterable[tuple[str, int, Interface]],
        found: Callable[[DiscoveredCamera], None],
        *,
        certificate: ClientCertificate | None = None,
    ) -> None:
        self._targets, self._found, self._certificate = list(targets), found, certificate
        self._talking, self._waiting = 0, len(self._targets)
        self._main: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="https-probe", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a target has not been tried yet, or an open port not been judged."""
        return self._talking + self._waiting > 0 and self._thread.is_alive()

    @staticmethod
    def duration(count: int) -> float:
        """Seconds that *count* silent targets take."""
        return -(-count // at_once()) * _CONNECT_S

    def close(self) -> None:
        """Stop; returns when every connection is closed."""
        with self._lock:
            self._closed = True
            if self._main is not None:
                loop, task = self._main
                loop.call_soon_threadsafe(task.cancel)
        self._thread.join(5)

    def _run(self) -> None:
        # The caller of close() cancels: that is no failure.
        with asyncio.Runner() as runner:
            try:
                runner.run(self._probe_all())
            except asyncio.CancelledError:
                return

    async def _probe_all(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        with self._lock:
            if self._closed:
                return
            self._main = asyncio.get_running_loop(), task
        try:
            gate = asyncio.Semaphore(at_once())
            async with asyncio.TaskGroup() as group:
                for number, (ip, port, way) in enumerate(self._targets):
                    if number % BURST == BURST - 1:
                        await asyncio.sleep(BREATH_S)
                    group.create_task(self._probe(gate, ip, port, way))
        finally:
            with self._lock:
                self._main = None

    async def _probe(self, gate: asyncio.Semaphore, ip: str, port: int, way: Interface) -> None:
        async with gate:
            self._waiting -= 1
            started = time.monotonic()
            sn = await self._recognise(ip, port, way, _anonymous())
            if sn is None and self._certificate is not None:
                context = client_context(self._certificate, None)
                sn = await self._recognise(ip, port, way, context)
        if sn is not None:
            self._found(
                DiscoveredCamera(
                    sn=sn,
                    ip=ip,
                    port=port,
                    interface=way.name,
                    interface_ip=way.ip,
                    source="https",
                    rtt_ms=round((time.monotonic() - started) * 1000, 1),
                    addresses=(ip,),
                )
            )

    async def _recognise(self, ip: str, port: int, way: Interface, context: ssl.SSLContext) -> str | None:
        """The serial number, ``""`` where it is a camera that does not tell it, None where it is none."""
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError:  # no more files: what else holds them goes first
            return None
        try:
            sock.setblocking(False)
            bind_to(sock, way)
            async with asyncio.timeout(_CONNECT_S):
                await asyncio.get_running_loop().sock_connect(sock, (ip, port))
            reader, writer = await asyncio.open_connection(sock=sock, limit=_LIMIT)
        except (OSError, TimeoutError):
            sock.close()
            return None
        except BaseException:
            sock.close()
            raise
        self._talking += 1
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await _judge(_Line(reader, writer, context), ip)
        except (OSError, TimeoutError, EOFError):
            return None
        finally:
            self._talking -= 1
            writer.transport.abort()


@dataclass
class _Line:
    """TLS by hand over a stream: so that a certificate is seen even where ours is missed.

    Up to TLS 1.2 the camera's certificate passes in the clear before it refuses us; in TLS 1.3 the
    handshake ends before it does.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    context: ssl.SSLContext

    def __post_init__(self) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self.context.wrap_bio(self._in, self._out)
        self.heard = b""

    async def _more(self) -> None:
        self.writer.write(self._out.read())
        data = await self.reader.read(16_384)
        if not data or len(self.heard) > 2 * _LIMIT:
            raise EOFError
        self.heard += data
        self._in.write(data)

    async def certificate(self) -> bytes:
        while True:
            try:
                self._tls.do_handshake()
                return self._tls.getpeercert(binary_form=True) or b""
            except ssl.SSLWantReadError:
                await self._more()

    async def ask(self, request: bytes) -> bytes:
        self._tls.write(request)
        answer = b""
        while len(answer) < _LIMIT:
            try:
                piece = self._tls.read(16_384)
            except ssl.SSLWantReadError:
                try:
                    await self._more()
                except EOFError:
                    break
                continue
            except ssl.SSLError:
                break
            if not piece:
                break
            answer += piece
        return answer


async def _judge(line: _Line, ip: str) -> str | None:
    try:
        certificate = await line.certificate()
    except (ssl.SSLError, EOFError):
        return _named(_certificate_in(line.heard))
    named = _named(certificate)
    if named is not None:
        return named
    return "" if _is_answer(await line.ask(_CALL % ip.encode())) else None


def _named(certificate: bytes) -> str | None:
    from cryptography import x509

    try:
        parsed = x509.load_der_x509_certificate(certificate)
        texts = [str(attribute.value) for name in (parsed.subject, parsed.issuer) for attribute in name]
        with contextlib.suppress(x509.ExtensionNotFound):
            names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            texts += [str(name.value) for name in names.value]
    except Exception:  # a stranger's certificate may be broken in many ways
        return None
    sn = next(filter(None, map(serial_number_in, texts)), "")
    return sn or ("" if any("sunmi" in text.lower() for text in texts) else None)


def _certificate_in(heard: bytes) -> bytes:
    """The first certificate that passes in the clear, up to TLS 1.2; empty where none does."""
    stream = b""
    while len(heard) >= 5 and heard[0] == _HANDSHAKE:
        size = int.from_bytes(heard[3:5])
        stream, heard = stream + heard[5 : 5 + size], heard[5 + size :]
    while len(stream) >= 4:
        kind, size = stream[0], int.from_bytes(stream[1:4])
        if kind == _CERTIFICATE:  # length of the list, length of the first, the first
            return stream[10 : 10 + int.from_bytes(stream[7:10])]
        stream = stream[4 + size :]
    return b""


def _is_answer(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200" not in head.partition(b"\r\n")[0]:
        return False
    start, end = body.find(b"{"), body.rfind(b"}")
    try:
        document = json.loads(body[start : end + 1])
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and str(document.get("code")).lstrip("-").isdigit()


@cache
def _anonymous() -> ssl.SSLContext:
    """Shake hands with anything, old or new: nothing is trusted, and nothing secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    allow_old(context)
    return context
