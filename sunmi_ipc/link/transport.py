"""Bytes over the network, and nothing else: one kept connection, one deadline, one size limit."""

from __future__ import annotations

import http.client
import io
import logging
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import urllib3

from ..errors import ConnectionFailed, ReplyError, SunmiIpcError, TlsError
from ..protocol.wire import Incoming, Outgoing
from ..redact import printable, redact_text
from .tls import CALL, NOT_A_CAMERA, OLD_TLS_HINT, OLD_TLS_REASON, too_large

T = TypeVar("T")

_log = logging.getLogger("sunmi_ipc.link.transport")

#: Answers are a few kilobytes; a camera that sends more is broken or hostile.
MAX_ANSWER = 4 * 1024 * 1024
#: Status line and headers; http.client alone would take 100 lines of 64 KiB, and any number of "continue".
MAX_HEAD = 64 * 1024
_CHUNK = 65_536
#: How much of an answer ``-vv`` shows.
_SHOWN = 2000
_REACH_HINT = "Is it on and in this network? 'ipc scan' lists the cameras that answer."


#: What urllib3 and the system raise when an exchange breaks (requests' errors are OSError, too);
#: :func:`explain` has words for each.
FAULTS = (
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class Transport(Protocol):
    """What a camera needs of the network."""

    def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        """Send, and return the whole answer within *timeout* seconds, or raise a SunmiIpcError."""

    def close(self) -> None:
        """Close the connection."""


class Malformed(http.client.HTTPException):
    """What came breaks the rules of HTTP."""


#: What a field's name consists of (RFC 9110, 5.6.2).
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: A length beyond all numbers: it is the bound on answers that ends those.
_ENDLESS = b"9" * 18


class HeadLines:
    """The lines of an answer's fields, one by one: small faults are mended, an unclear length is refused.

    A line that is no field is left out; a length that is told twice alike is told once. One that is no number, or
    two that differ, do not say where the answer ends.
    """

    def __init__(self) -> None:
        self._length = b""

    def take(self, line: bytes) -> bytes:
        """*line* as it should be, with its end; empty: left out. Raises Malformed."""
        if line[:1] in b" \t\r\n":  # goes on, or is the end
            return line
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if not colon or _NAME.fullmatch(name) is None:
            return b""
        if name.lower() == b"transfer-encoding" and b"chunked" not in value.lower():
            return b""  # "identity", as older servers say, and what was not asked for
        if name.lower() == b"content-length":
            for number in value.split(b","):
                digits = number.strip()
                if not digits.isdigit():
                    raise Malformed("a length that is no number")
                digits = digits.lstrip(b"0") or b"0"
                known, self._length = self._length, digits if len(digits) < len(_ENDLESS) else _ENDLESS
                if known and known != self._length:
                    raise Malformed("two lengths")
            if known:
                return b""
            value = b" " + self._length + b"\r\n"
        return name + b":" + value


class _Head:
    """A file of which a head is read, line by line; ``http.client`` would take half a one for a whole."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file, self._lines = file, HeadLines()
        self._begun = False

    def readline(self, limit: int = -1) -> bytes:
        """The next line that counts."""
        while line := self._file.readline(limit):
            if not line.endswith(b"\n"):
                if len(line) == limit or not (self._begun or b"HTTP/".startswith(line[:5])):
                    return line  # too long, or something else altogether, as the caller will see
                break
            if not self._begun:
                if line.strip(b"\r\n"):
                    if line[:1].isspace():
                        raise Malformed("no status line")
                    self._begun, self._lines = True, HeadLines()
                    return line
            elif taken := self._lines.take(line):
                self._begun = bool(line.strip(b"\r\n"))
                return taken
        if line or self._begun:
            raise http.client.RemoteDisconnected("the connection ended within the head")
        return b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Response(http.client.HTTPResponse):
    """An answer whose head and body have a size limit each, kept at the socket."""

    def begin(self) -> None:
        if self.headers is not None:  # as inherited: read already
            return
        room, CALL.room = CALL.room, MAX_HEAD
        file = self.fp
        self.fp = head = _Head(file)
        try:
            super().begin()
        finally:
            if self.fp is head:
                self.fp = file
        # The body's limit covers what is around it, too: chunk sizes, extensions, trailers.
        CALL.room = room

    def _read_status(self) -> tuple[str, int, str]:
        """As inherited, with every interim answer passed over; it knows 100 alone, but not 102 and 103."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status in (100, 101) or not 100 <= status < 200:
                return version, status, reason
            while self.fp.readline(MAX_HEAD) not in (b"\r\n", b"\n", b""):
                pass  # within the head's room


class _Connection(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        super().connect()
        # By CA, by pin, or waved through with a warning of our own: urllib3's would come on every call.
        self.is_verified = True


class _Pool(urllib3.HTTPSConnectionPool):
    """One kept connection, made with our TLS context, which alone decides whom to trust."""

    ConnectionCls = _Connection


class HttpsTransport:
    """HTTPS to one camera over one kept connection. Not for use by two threads at once.

    urllib3 without ``requests`` above it: what a session merges, prepares and remembers for every
    request is two thirds of what a small call costs, and no camera has cookies, redirections or proxies.

    Args:
        host: Address of the camera.
        port: HTTPS port.
        context: From :func:`sunmi_ipc.link.tls.client_context`.
        approve: Called with the camera's certificate (DER) at every handshake; raises to refuse.

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
        self._host, self._port = f"[{host}]" if ":" in host else host, port
        self.base: str = f"https://{self._host}:{port}"
        self.context = context
        self._approve, self._max = approve, max_answer
        self._pool: _Pool | None = None

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        """Send one request; see :class:`Transport`.

        Raises:
            ConnectionFailed: Not reachable, reset, or not done within *timeout* seconds.
            TlsError: Not the camera we trust, or our certificate was refused.
            ReplyError: The answer is too large or encoded in a way that was not asked for.

        """
        return self._exchange(lambda: self._post(outgoing, timeout), timeout)

    def greet(self, *, timeout: float) -> bytes:
        """Shake hands now; the connection is kept for the first call.

        Returns: the certificate (DER) that the camera shows; empty where a connection was open already.

        Raises:
            ConnectionFailed: Not reachable, or not done within *timeout* seconds.
            TlsError: Not the camera we trust, or our certificate was refused.

        """
        return self._exchange(lambda: self._shake_hands(timeout), timeout)

    def _shake_hands(self, timeout: float) -> bytes:
        pool = self._opened()
        connection = pool._get_conn()
        shown = b""
        try:
            if connection.is_closed:
                connection.timeout = timeout
                connection.connect()
                secure = getattr(connection, "sock", None)
                shown = (secure.getpeercert(binary_form=True) if secure is not None else b"") or b""
        finally:
            pool._put_conn(connection)
        return shown

    def _exchange(self, work: Callable[[], T], timeout: float) -> T:
        started, handled = time.monotonic(), sys.exception()
        CALL.deadline, CALL.approve, CALL.room = started + timeout, self._approve, self._max + _CHUNK
        CALL.sent = False
        try:
            return work()
        except SunmiIpcError as error:
            failure = error
        except FAULTS as error:
            failure = explain_camera(error, timeout, time.monotonic() - started, handled)
        finally:
            CALL.deadline = CALL.approve = CALL.room = None
        self.close()
        # TLS 1.3 tells only after the request that our certificate is not taken; then nobody has read it.
        failure.sent = CALL.sent and not refuses_us(failure)
        # Raised here, and bare: the frames that it came through hold the signed request.
        raise failure.with_traceback(None)

    def _opened(self) -> _Pool:
        if self._pool is None:
            self._pool = _Pool(
                self._host, self._port, maxsize=1, ssl_context=self.context, assert_hostname=False
            )
        return self._pool

    def _post(self, outgoing: Outgoing, timeout: float) -> Incoming:
        show_request(self.base, outgoing)
        body, kind = encoded(outgoing)
        response = self._opened().urlopen(
            "POST",
            outgoing.url_path,
            body,
            # identity: a compressed answer could be a bomb, and nothing here is worth compressing.
            {"Accept-Encoding": "identity", "User-Agent": "sunmi-ipc", "Content-Type": kind},
            retries=False,
            redirect=False,
            timeout=timeout,
            preload_content=False,
        )
        try:
            content = self._read(response)
        finally:
            response.close()
        incoming = Incoming(response.status, response.headers, content)
        show_answer(incoming)
        return incoming

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise ReplyError("the answer is compressed, which was not asked for", hint=NOT_A_CAMERA)
        content = bytearray()
        # read1-like chunks keep the deadline in play; decode_content stays off.
        for chunk in response.stream(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > self._max:
                raise too_large(self._max)
        return bytes(content)


def encoded(outgoing: Outgoing) -> tuple[bytes, str]:
    """The body of a request, and its content type."""
    if not outgoing.files:
        return outgoing.body, "application/x-www-form-urlencoded"
    parts = [(name, (name, data, "application/octet-stream")) for name, data in outgoing.files]
    return urllib3.encode_multipart_formdata([*outgoing.revealed, *parts])


def show_request(base: str, outgoing: Outgoing) -> None:
    """Log what is sent, secrets masked."""
    if _log.isEnabledFor(logging.DEBUG):
        fields = "&".join(f"{k}={v}" for k, v in outgoing.fields)
        _log.debug("POST %s%s %s", base, outgoing.url_path, fields)


def show_answer(incoming: Incoming) -> None:
    """Log the beginning of what came, secrets masked."""
    if _log.isEnabledFor(logging.DEBUG):
        shown = redact_text(incoming.body[:_SHOWN].decode("utf-8", "replace"))
        _log.debug("HTTP %s, %d bytes: %s", incoming.status, len(incoming.body), printable(shown))


def _chain(error: BaseException, handled: BaseException | None = None) -> list[BaseException]:
    """The error with everything that it wraps: causes, contexts, reasons and arguments.

    Only what this exchange itself raised: an exchange may be made while somebody handles an earlier error
    (``except DeviceError: camera.device.info()``), which Python then appends as the context of ours. Such a
    one is *handled*, which was being handled when the exchange began, or was caught in a frame that is still
    running, above the one that asks here.
    """
    running = set()
    frame = sys._getframe(1)
    while frame is not None:
        running.add(frame)
        frame = frame.f_back  # type: ignore[assignment]
    own = error.__traceback__.tb_frame if error.__traceback__ else None
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop()
        if not isinstance(item, BaseException) or item in found or item is handled:
            continue
        caught = item.__traceback__.tb_frame if item.__traceback__ else None
        if item is not error and caught is not own and caught in running:
            continue
        found.append(item)
        todo += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return found


def refuses_us(failure: SunmiIpcError) -> bool:
    """Whether the camera has refused our certificate."""
    return isinstance(failure, TlsError) and bool(_OUR_CERTIFICATE.search(str(failure.values.get("reason"))))


def explain(
    error: BaseException,
    timeout: float,
    elapsed: float,
    *,
    hint: str,
    unverified: Callable[[ssl.SSLCertVerificationError], TlsError],
    tls: Callable[[ssl.SSLError], TlsError],
    handled: BaseException | None = None,
) -> SunmiIpcError:
    """What broke an exchange, in words.

    Args:
        error: One of :data:`FAULTS`.
        timeout: Seconds that the exchange was allowed.
        elapsed: Seconds that it took.
        hint: What to do where the other side was not reached.
        unverified: Words for a certificate that is not trusted.
        tls: Words for any other failure of TLS.
        handled: What was being handled when the exchange began (``sys.exception()``): somebody else's.

    """
    chain = _chain(error, handled)
    for item in chain:
        if isinstance(item, SunmiIpcError):
            return item
    if any(_too_many(item) for item in chain):
        return too_large(None)
    for item in chain:
        if isinstance(item, ssl.SSLCertVerificationError):
            return unverified(item)
    for item in chain:
        if isinstance(item, ssl.SSLError) and not isinstance(item, ssl.SSLEOFError | TimeoutError):
            return tls(item)
    if any(isinstance(i, TimeoutError | socket.timeout) for i in chain):
        return ConnectionFailed(
            "no complete answer within {seconds:.3g} s", hint=hint, seconds=min(timeout, max(elapsed, 0.001))
        )
    for item in chain:
        if isinstance(item, ConnectionRefusedError):
            return ConnectionFailed("the connection was refused", hint=hint)
    for item in chain:
        # Of ssl's errors only the end in the middle is left here; its text is OpenSSL's, and its number no system's.
        if isinstance(item, OSError) and not isinstance(item, ssl.SSLError) and item.errno and item.strerror:
            return ConnectionFailed("the connection failed: {reason}", hint=hint, reason=item.strerror)
    if any(_malformed(item) for item in chain):
        return ConnectionFailed("what came is no answer in HTTP", hint=hint)
    return ConnectionFailed("the connection broke before the whole answer was there", hint=hint)


def _malformed(error: BaseException) -> bool:
    """Whether it was the answer that was wrong, and not the connection that ended in its middle."""
    if isinstance(error, http.client.RemoteDisconnected):
        return False  # by inheritance a bad status line, as nothing came
    return isinstance(
        error,
        Malformed
        | http.client.BadStatusLine
        | http.client.UnknownProtocol
        | urllib3.exceptions.InvalidChunkLength
        | urllib3.exceptions.InvalidHeader,
    )


def _too_many(error: BaseException) -> bool:
    """Whether ``http.client`` gave up on a head: more than 100 headers, or (3.14) interim answers."""
    return isinstance(error, http.client.HTTPException) and str(error).startswith("got more than")


def explain_camera(
    error: BaseException, timeout: float, elapsed: float, handled: BaseException | None = None
) -> SunmiIpcError:
    """What broke an exchange with a camera, in words; see :func:`explain`."""
    return explain(
        error, timeout, elapsed, hint=_REACH_HINT, unverified=_unverified, tls=_tls, handled=handled
    )


#: X509_V_ERR: key or digest too weak for the security level; not yet valid, expired.
_WEAK = frozenset({66, 67, 68})
_DATES = frozenset({9, 10})
#: X509_V_ERR_INVALID_PURPOSE.
_PURPOSE = 26
#: Alerts with which a camera refuses our certificate, by OpenSSL's names.
_OUR_CERTIFICATE = re.compile("ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|ALERT_HANDSHAKE_FAILURE")


def _unverified(error: ssl.SSLCertVerificationError) -> TlsError:
    reason = error.verify_message or "verification failed"
    if error.verify_code in _WEAK:
        return TlsError(
            "the camera's certificate is of an old kind that is off by default ({reason})",
            hint=OLD_TLS_HINT,
            reason=reason,
            sn="SN",
        )
    if error.verify_code in _DATES:
        return TlsError(
            "the camera's certificate is not valid today: {reason}",
            hint="Check this computer's clock. If it is right, accept this camera's certificate all the same: "
            "'ipc trust accept {sn}'.",
            reason=reason,
            sn="SN",
        )
    if error.verify_code == _PURPOSE:
        return TlsError(
            "the camera's certificate is from that CA, but was issued for another purpose: {reason}",
            hint="Some makers use one kind of certificate for everything. Accept this camera's all the same: "
            "'ipc trust accept {sn}'.",
            reason=reason,
            sn="SN",
        )
    return TlsError(
        "the camera's certificate is not from the CA you gave: {reason}",
        hint="Is this the right camera, and the right CA file (SUNMI_IPC_CA)? If you know why it has another "
        "certificate, 'ipc trust accept {sn}' takes it.",
        reason=reason,
        sn="SN",  # whose it is, the caller knows
    )


def _tls(error: ssl.SSLError) -> TlsError:
    reason = (getattr(error, "reason", None) or "").upper()
    if OLD_TLS_REASON.search(reason):
        return TlsError(
            "the camera speaks an old TLS that is off by default ({reason})", hint=OLD_TLS_HINT, reason=reason
        )
    if reason.endswith("ALERT_HANDSHAKE_FAILURE"):
        return TlsError(
            "the camera broke off the handshake ({reason})",
            hint="Either it does not take our client certificate (see SUNMI_IPC_P12), or it speaks an old TLS: "
            "if it is of 2019 or 2020, allow that with --tls legacy (SUNMI_IPC_TLS=legacy).",
            reason=reason,
        )
    if _OUR_CERTIFICATE.search(reason):
        return TlsError(
            "the camera refused our client certificate ({reason})",
            hint="Is this the openapi.p12 that the vendor gave you for these cameras? See SUNMI_IPC_P12.",
            reason=reason,
        )
    return TlsError(
        "the TLS connection failed ({reason})",
        hint="Is there a SUNMI camera at this address and port? 'ipc scan' lists them.",
        reason=reason or str(error) or type(error).__name__,
    )
