"""Bytes to one camera under asyncio: one kept connection, one deadline, one size limit.

The connection is the event loop's own, TLS the ``ssl`` module's, and httptools (llhttp, the parser of Node and uvicorn)
reads the answers: it does no I/O and keeps nothing, so that the deadline, the size limits, the trust decision before
the first byte and what a cancellation does are all here, as in :mod:`sunmi_ipc.link.transport`. Measured for a
camera's usual answer: httptools takes 2 us, h11 160 us, which is a fifth of a whole call; aiohttp would bring a
session, cookies, redirections and a connector besides, each to be switched off (``benchmarks/aio.py`` has it beside us).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import re
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from urllib3 import HTTPHeaderDict

from ..errors import ExtraMissingError, ReplyError, SunmiIpcError
from ..link.tls import NOT_A_CAMERA, too_large
from ..link.transport import (
    FAULTS,
    MAX_ANSWER,
    MAX_HEAD,
    HeadLines,
    Malformed,
    encoded,
    explain_camera,
    refuses_us,
    show_answer,
    show_request,
)
from ..protocol.wire import Incoming, Outgoing
from .secure import TlsConnection

try:
    import httptools
except ModuleNotFoundError:
    raise ExtraMissingError(
        "this needs the library {library}, which is not installed", extra="aio", library="httptools"
    ) from None

T = TypeVar("T")
_log = logging.getLogger("sunmi_ipc.link.transport")
_MAX_HEADERS = 100
#: The empty line after a head.
_END = re.compile(rb"\n(\r?\n)")
#: What may surround an answer's body: chunk sizes, extensions, trailers.
_AROUND = 65_536
#: What TLS itself may say while nothing is asked: certificates, tickets, new keys.
_UNASKED = 262_144


class AsyncTransport(Protocol):
    """What an asyncio camera needs of the network."""

    async def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        """Send, and return the whole answer within *timeout* seconds, or raise a SunmiIpcError."""

    async def close(self) -> None:
        """Close the connection."""


class _Connection(TlsConnection):
    """One connection, and the answer that is awaited on it."""

    def __init__(self, context: ssl.SSLContext, host: str, max_answer: int) -> None:
        super().__init__(context, host)
        self._max = max_answer
        self._parser = self._new_parser()
        self._answer: asyncio.Future[Incoming] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        #: The head as it came, until it is whole.
        self._came = b""
        #: What is wrong with a head that is not whole yet.
        self._trouble: Exception | None = None
        self._raw = self._head = self._unasked = 0
        self._begun = self._has_end = self._chunked = False
        #: Whether the camera is the one that we trust.
        self.trusted: bool = False
        #: Whether anything of a request has gone out.
        self.sent: bool = False

    def _new_parser(self) -> Any:
        parser = httptools.HttpResponseParser(self)
        # A camera's little web server may end its lines as it likes: the threaded client takes such answers, too.
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_crlf_after_chunk=True,
            lenient_spaces_after_chunk_size=True,
            lenient_version=True,
        )
        return parser

    def data_received(self, data: bytes) -> None:
        """Decrypt, no more than there can be a reason for."""
        if self._answer is None:
            self._unasked += len(data)
            if self._unasked > _UNASKED:
                self.abort()
                return
        super().data_received(data)

    # -- what comes through TLS --

    def received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # nobody asked: whoever asks next would take it for his
            return
        self._raw += len(data)
        if not self._begun:
            self._came += data
        if self._trouble is not None:
            self._look_again(self._trouble)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._look_again(error)
        except httptools.HttpParserUpgrade:
            self.failed(Malformed("another protocol"))
        # What surrounds a body counts, too: chunk sizes, extensions, trailers.
        if self._raw > (self._max + _AROUND if self._begun else MAX_HEAD):
            self.failed(too_large(None))

    def _look_again(self, error: Exception) -> None:
        """The head's small faults may be mended; then it is read once more, with what came after it."""
        if (
            not self._begun
            and self._came.lstrip(b"\r\n").startswith(b"HTTP/")
            and not _END.search(self._came)
        ):
            self._trouble = error  # the rest of the head is to come
            if len(self._came) > MAX_HEAD:
                self.failed(too_large(None))
            return
        self._trouble = None
        mended = b"" if self._begun else _mended(self._came)
        if not mended or mended == self._came:
            self.failed(Malformed(str(error)))
            return
        self._came, self._parser = mended, self._new_parser()
        try:
            self._parser.feed_data(mended)
        except httptools.HttpParserError as again:
            self.failed(Malformed(str(again)))
        except httptools.HttpParserUpgrade:
            self.failed(Malformed("another protocol"))

    def ended(self) -> None:
        if self._chunked and self._answer is not None and not self._answer.done():
            with contextlib.suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
                self._parser.feed_data(b"\r\n\r\n")  # the last line may be missing
        if self._begun and not self._has_end:
            self._complete(keep=False)  # an answer without a length ends with the connection
        elif self._trouble is not None:
            self.failed(Malformed(str(self._trouble)))
        else:
            self.failed(http.client.RemoteDisconnected("the connection was closed"))
        self.abort()

    def failed(self, error: BaseException) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # -- called by the parser; what is raised here would reach us in its clothes --

    def on_message_begin(self) -> None:
        self._headers, self._body, self._head = [], bytearray(), 0
        self._begun = self._has_end = self._chunked = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        self._headers.append((name, value))
        if self._head > MAX_HEAD or len(self._headers) > _MAX_HEADERS:
            self.failed(too_large(None))

    def on_headers_complete(self) -> None:
        self._begun = True
        # The parser knows RTSP, too, and versions that are none.
        if (
            not self._came.lstrip(b"\r\n").startswith(b"HTTP/")
            or not self._parser.get_http_version().startswith(("1.", "0.9"))
            or self._parser.get_status_code() < 100
        ):
            self.failed(Malformed("no status line"))
        coding = b"identity"
        for name, value in self._headers:
            kind = name.lower()
            if kind in (b"content-length", b"transfer-encoding"):
                self._has_end = True
                self._chunked = self._chunked or kind == b"transfer-encoding"
            elif kind == b"content-encoding":
                coding = value.strip().lower()
        if coding not in (b"", b"identity"):
            self.failed(ReplyError("the answer is compressed, which was not asked for", hint=NOT_A_CAMERA))

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._max:
            self.failed(too_large(self._max))

    def on_message_complete(self) -> None:
        if 100 <= self._parser.get_status_code() < 200:
            self._begun = False  # on its way
            return
        self._complete(keep=self._parser.should_keep_alive())

    # -- called by the transport --

    @property
    def open(self) -> bool:
        """Whether another request may go out here."""
        return self.trusted and not self.is_closing

    async def ask(self, host: str, outgoing: Outgoing) -> Incoming:
        """Send a request, and return its answer."""
        body, kind = encoded(outgoing)
        # identity: a compressed answer could be a bomb, and nothing here is worth compressing.
        head = (
            f"POST {_target(outgoing.url_path)} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n"
            f"User-Agent: sunmi-ipc\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self.broken is not None:  # while the certificate was looked at
            raise self.broken
        self._raw, self._unasked, self._begun, self._came = 0, 0, False, b""
        self._trouble = None
        self._answer = asyncio.get_running_loop().create_future()
        self.sent = True  # a part may be gone even where this fails
        try:
            self.write(head.encode("ascii") + body)
            return await self._answer
        finally:
            self._answer = None

    def _complete(self, *, keep: bool) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # more than was asked for
            return
        headers = HTTPHeaderDict()
        for name, value in self._headers:
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        self._answer.set_result(Incoming(self._parser.get_status_code(), headers, bytes(self._body)))
        if not keep:
            self.abort()


def _mended(came: bytes) -> bytes:
    """An answer's beginning with its head's small faults mended; empty where they cannot be, or there is no end of a head."""
    found = _END.search(came)
    if found is None:
        return b""
    status, *fields = came[: found.start(1)].splitlines(keepends=True)
    lines = HeadLines()
    try:
        kept = [lines.take(line) for line in fields]
    except Malformed:
        return b""
    if any(line[:18].lower() == b"transfer-encoding:" for line in kept):  # which goes before a length
        kept = [line for line in kept if line[:15].lower() != b"content-length:"]
    return status + b"".join(kept) + came[found.start(1) :]


@lru_cache(maxsize=256)
def _target(path: str) -> str:
    """*path* as it stands in a request: a correction from a file may have anything in it."""
    return quote(path, safe="/%~")


class AsyncHttpsTransport:
    """HTTPS to one camera over one kept connection. One request at a time.

    A call that is cancelled, or that fails, closes the connection; the next opens another.

    Args:
        host: Address of the camera.
        port: HTTPS port.
        context: From :func:`sunmi_ipc.link.tls.client_context`.
        approve: Called in a thread with the camera's certificate (DER) at every handshake, before anything is
            sent; raises to refuse.
        max_answer: Bytes that an answer may have.

    """

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        *,
        approve: Callable[[bytes], None] | None = None,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._host, self._port = host, port
        shown = f"[{host}]" if ":" in host else host
        self.base: str = f"https://{shown}:{port}"
        self._named = shown if port == 443 else f"{shown}:{port}"
        self.context = context
        self._approve, self._max = approve, max_answer
        self._connection: _Connection | None = None

    async def close(self) -> None:
        """Close the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            await connection.gone()

    def abandon(self) -> None:
        """Forget the connection, whose event loop is no longer running."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(RuntimeError):
                connection.abort()

    async def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        """Send one request; see :class:`AsyncTransport`.

        Raises:
            ConnectionFailed: Not reachable, reset, or not done within *timeout* seconds.
            TlsError: Not the camera we trust, or our certificate was refused.
            ReplyError: The answer is too large or encoded in a way that was not asked for.

        """
        return await self._exchange(lambda: self._post(outgoing), timeout)

    async def greet(self, *, timeout: float) -> bytes:
        """Shake hands now; the connection is kept for the first call.

        Returns: the certificate (DER) that the camera shows; empty where a connection was open already.

        Raises:
            ConnectionFailed: Not reachable, or not done within *timeout* seconds.
            TlsError: Not the camera we trust, or our certificate was refused.

        """
        return await self._exchange(self._shake_hands, timeout)

    async def _shake_hands(self) -> bytes:
        was_open = self._connection is not None and self._connection.open
        connection = await self._opened()
        return b"" if was_open else connection.certificate()

    async def _exchange(self, work: Callable[[], Awaitable[T]], timeout: float) -> T:
        started, handled = time.monotonic(), sys.exception()
        if self._connection is not None:
            self._connection.sent = False
        try:
            async with asyncio.timeout(timeout):
                return await work()
        except SunmiIpcError as error:
            failure = error
        except FAULTS as error:
            failure = explain_camera(error, timeout, time.monotonic() - started, handled)
        except BaseException:  # cancelled: what was asked may still be answered, so nobody else may ask here
            if self._connection is not None:
                self._connection.abort()
            raise
        sent = self._connection is not None and self._connection.sent
        await self.close()
        # TLS 1.3 tells only after the request that our certificate is not taken; then nobody has read it.
        failure.sent = sent and not refuses_us(failure)
        # Raised here, and bare: the frames that it came through hold the signed request.
        raise failure.with_traceback(None)

    async def _opened(self) -> _Connection:
        if self._connection is not None and self._connection.open:
            return self._connection
        await self.close()
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self.context, self._host, self._max), self._host, self._port
        )
        # From here on it is ours to close, also where it is not approved.
        self._connection = connection
        await connection.shake_hands()
        if self._approve is not None:
            await asyncio.to_thread(self._approve, connection.certificate())
        connection.trusted = True
        return connection

    async def _post(self, outgoing: Outgoing) -> Incoming:
        show_request(self.base, outgoing)
        connection = await self._opened()
        incoming = await connection.ask(self._named, outgoing)
        show_answer(incoming)
        return incoming
