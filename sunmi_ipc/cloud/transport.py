"""HTTPS to the cloud, verified as any web site is. One connection is used by one call at a time."""

from __future__ import annotations

import logging
import queue
import ssl
import sys
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies

from ..errors import ReplyError, SunmiIpcError, TlsError
from ..link.tls import CALL, CameraSocket, certificates_in, kind_of_file, modern, read_ca
from ..link.transport import FAULTS, explain
from ..link.web import DeafSession, PlainAdapter
from ..protocol.wire import Incoming
from ..redact import MASK, is_secret
from .wire import Request

_log = logging.getLogger("sunmi_ipc.cloud")
#: A page of a hundred faces is some 40 kB.
MAX_ANSWER = 16 * 1024 * 1024
_CHUNK = 65_536
#: Pictures lie on storage behind the service: a redirection or two on the way.
_REDIRECTIONS = 5
_HINT = "Is this computer online? Behind a proxy, set HTTPS_PROXY; SUNMI_IPC_CLOUD_URL names another service."
_TRUST = "For a service of your own (a virtual cloud), point SUNMI_IPC_CLOUD_CA at its CA file."


def context(ca: str = "") -> ssl.SSLContext:
    """Trust in the system's CAs, or in *ca* (a PEM or DER file) alone; the host name is checked."""
    made = modern(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    made.sslsocket_class = CameraSocket  # for the deadline it keeps
    if ca:
        data = read_ca(ca)
        try:
            made.load_verify_locations(cadata=certificates_in(data))
        except (ssl.SSLError, ValueError):
            raise TlsError(
                "the CA file holds no certificate, but {reason}", hint=_TRUST, reason=kind_of_file(data)
            ) from None
        return made
    made.load_default_certs()
    if not made.cert_store_stats()["x509_ca"]:
        # No store of one file: requests' own list stands in, beside the system's folder if it has one.
        made.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return made


class _Adapter(HTTPAdapter):
    """Hands our TLS context to urllib3, whatever requests thinks of it."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Connect with our context."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._trust}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context alone decides."""


class _Connection:
    def __init__(self, base: str, trust: ssl.SSLContext) -> None:
        self.session = DeafSession()
        self.session.trust_env = False  # no .netrc, no REQUESTS_CA_BUNDLE; proxies are asked for below
        self.session.proxies.update(get_environ_proxies(base))
        self.session.headers.clear()
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.mount("https://", _Adapter(trust))
        self.session.mount("http://", PlainAdapter())


class CloudTransport:
    """Connections to one service; as many as calls run at once, kept for the next.

    Args:
        base: ``https://host[:port]/openapi``.
        ca: A CA file to trust instead of the system's.

    """

    base: str

    def __init__(self, base: str, *, ca: str = "", max_answer: int = MAX_ANSWER) -> None:
        self.base, self._max = base.rstrip("/"), max_answer
        self._context = context(ca)
        self._idle: queue.LifoQueue[_Connection] = queue.LifoQueue()

    def close(self) -> None:
        """Close the connections that are idle."""
        while True:
            try:
                self._idle.get_nowait().session.close()
            except queue.Empty:
                return

    def send(self, request: Request, *, timeout: float) -> Incoming:
        """Send, and return the whole answer within *timeout* seconds.

        Raises:
            ConnectionFailed: Not reachable, reset, or not done in time.
            TlsError: The service's certificate is not one that is trusted.
            ReplyError: The answer is too large.

        """
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = _Connection(self.base, self._context)
        started, handled = time.monotonic(), sys.exception()
        CALL.deadline, CALL.room = started + timeout, self._max + _CHUNK
        try:
            answer = self._post(connection.session, request, timeout)
        except SunmiIpcError as error:
            failure = error
        except FAULTS as error:
            failure = _explain(error, timeout, time.monotonic() - started, handled)
        except BaseException:
            connection.session.close()
            raise
        else:
            self._idle.put(connection)
            return answer
        finally:
            CALL.deadline = CALL.room = None
        connection.session.close()
        # Raised here, and bare: the frames that it came through hold the signed request.
        raise failure.with_traceback(None)

    def _post(self, session: requests.Session, request: Request, timeout: float) -> Incoming:
        headers = {
            "Accept-Encoding": "identity",
            "User-Agent": "sunmi-ipc",
            "Content-Type": request.content_type,
        }
        if _log.isEnabledFor(logging.DEBUG):
            shown = "&".join(f"{k}={MASK if is_secret(k) else v}" for k, v in request.fields)
            _log.debug("POST %s/%s %s", self.base, request.path, shown[:2000])
        with session.post(
            f"{self.base}/{request.path}",
            data=request.body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            verify=True,
        ) as response:
            content = self._read(response)
        _log.debug("HTTP %s, %d bytes", response.status_code, len(content))
        return Incoming(response.status_code, response.headers, content)

    def fetch(self, url: str, *, timeout: float) -> bytes:
        """The file at *url*, of at most 16 MB; ``https://`` is verified as the service is.

        A few redirections are followed, never from ``https`` to ``http``; nothing but the address is sent.

        Raises:
            ConnectionFailed, TlsError: as :meth:`send`.
            ReplyError: The file is not there, or too large.

        """
        connection = _Connection(self.base, self._context)
        started, handled = time.monotonic(), sys.exception()
        CALL.deadline, CALL.room = started + timeout, self._max + _CHUNK
        try:
            for _ in range(_REDIRECTIONS):
                content, url = self._get(connection.session, url, timeout)
                if not url:
                    return content
            raise ReplyError("the file's address leads from one to the next without an end")
        except FAULTS as error:
            raise _explain(error, timeout, time.monotonic() - started, handled) from None
        finally:
            CALL.deadline = CALL.room = None
            connection.session.close()

    def _get(self, session: requests.Session, url: str, timeout: float) -> tuple[bytes, str]:
        """The file, or the address that it has moved to."""
        with session.get(
            url,
            headers={"Accept-Encoding": "identity", "User-Agent": "sunmi-ipc"},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code in (301, 302, 303, 307, 308):
                target = urljoin(url, response.headers.get("Location", ""))
                if urlsplit(target).scheme not in ("https", urlsplit(url).scheme):
                    raise ReplyError("the file's address leads to one of another kind, which is not followed")
                return b"", target
            if response.status_code != 200:
                raise ReplyError(
                    "HTTP status {status} instead of the file",
                    hint="The address may be too old: ask for a new one.",
                    status=response.status_code,
                )
            return self._read(response), ""

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > self._max:
                raise ReplyError("the answer is larger than {limit} bytes", limit=self._max)
        return bytes(content)


def _explain(
    error: BaseException, timeout: float, elapsed: float, handled: BaseException | None
) -> SunmiIpcError:
    return explain(error, timeout, elapsed, hint=_HINT, unverified=_unverified, tls=_tls, handled=handled)


def _unverified(error: ssl.SSLCertVerificationError) -> TlsError:
    return TlsError(
        "the cloud's certificate is not trusted: {reason}",
        hint=_TRUST,
        reason=error.verify_message or "verification failed",
    )


def _tls(error: ssl.SSLError) -> TlsError:
    return TlsError(
        "the TLS connection failed ({reason})", hint=_HINT, reason=error.reason or "unknown reason"
    )
