"""One fetch of a picture or clip from its camera: whom it may ask, and what bounds it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from ..atomic import whole
from ..errors import ReplyError
from ..link.guard import own_url, plain_address

_CONNECT_S = 3.0
_LOOK_BYTES = 1 << 20
_KINDS = ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n", ".png"))

#: How to trust a camera's https: its context, and who approves its certificate (``sunmi_ipc.link.tls``).
Trust = tuple[ssl.SSLContext, Callable[[bytes], None] | None]


class Refused(Exception):
    """Not to be fetched; no use in trying again."""


class Lost(Exception):
    """Not to be had now. ``unreachable``: the camera did not even take the connection."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


def camera_address(url: str, known: Collection[str], *, https: bool) -> str:
    """The address that *url* leads to, where it is one of *known*.

    Raises:
        Refused: Another address, a name, another scheme, credentials, or https while that is off.

    """
    try:
        parts = own_url(url, known)
        host = plain_address(parts.hostname or "")
    except ReplyError as error:
        raise Refused(error.message) from None
    except ValueError:
        raise Refused("not a URL with an IP address") from None
    if parts.scheme == "https" and not https:
        raise Refused("https, and no TLS settings were given")
    return host


def fetch(
    url: str,
    stem: Path,
    *,
    trust: Trust | None,
    max_bytes: int,
    timeout: float,
    full: Callable[[], str] = lambda: "",
) -> Path:
    """Fetch *url* into a file whose name is *stem* and a suffix for what it is; one attempt.

    Redirections are not followed.

    Args:
        url: One that :func:`camera_address` has passed.
        stem: The file's path without a suffix.
        trust: For https.
        max_bytes: Size above which it is refused.
        timeout: Seconds for all of it.
        full: Why nothing may be saved, asked now and then; empty while there is room.

    Raises:
        Refused: Too large, no room, redirected, or the certificate is not the camera's.
        Lost: Not to be had now.
        TlsError: The certificate was not approved.

    """
    parts = urlsplit(url)
    host, limit = plain_address(parts.hostname or ""), min(_CONNECT_S, timeout)
    approve: Callable[[bytes], None] | None = None
    if parts.scheme == "https" and trust is not None:
        context, approve = trust
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=limit, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=limit)
    target = quote(
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="/%:=&?~+!$,;'@()*[]|"
    )
    deadline = time.monotonic() + timeout
    watch: threading.Timer | None = None
    try:
        sock = _connect(connection)
        if approve is not None:
            approve(sock.getpeercert(binary_form=True) or b"" if isinstance(sock, ssl.SSLSocket) else b"")
        # A socket's timeout is per read: a camera that drips bytes would hold a worker.
        watch = threading.Timer(timeout, _cut, (sock,))
        watch.daemon = True
        watch.start()
        connection.request("GET", target, headers={"User-Agent": "sunmi-ipc", "Accept-Encoding": "identity"})
        return _save(connection.getresponse(), stem, max_bytes, deadline, full)
    except (OSError, http.client.HTTPException) as error:
        raise Lost(getattr(error, "strerror", None) or type(error).__name__) from None
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def _save(
    response: http.client.HTTPResponse,
    stem: Path,
    max_bytes: int,
    deadline: float,
    full: Callable[[], str],
) -> Path:
    if 300 <= response.status < 400:
        raise Refused("redirected")
    if response.status != 200:
        raise Lost(f"HTTP {response.status}")
    if (response.length or 0) > max_bytes:
        raise Refused("too large")
    first = response.read(12)
    if not first:
        raise Lost("empty")
    suffix = next((suffix for magic, suffix in _KINDS if first.startswith(magic)), ".bin")
    path = stem.with_name(stem.name + (".mp4" if first[4:8] == b"ftyp" else suffix))

    def chunks() -> Iterator[bytes]:
        yield first
        while chunk := response.read(65536):
            yield chunk
        if time.monotonic() > deadline:
            raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)

    write(path, chunks(), max_bytes, full)
    return path


def _connect(connection: http.client.HTTPConnection) -> socket.socket:
    try:
        connection.connect()
    except ssl.SSLError as error:
        raise Refused(f"TLS: {error.reason}") from None
    except OSError as error:
        raise Lost(error.strerror or type(error).__name__, unreachable=True) from None
    sock: socket.socket = connection.sock
    return sock


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def write(path: Path, chunks: Iterable[bytes], limit: int, full: Callable[[], str] = lambda: "") -> None:
    """Write a whole file or none; faces are personal data, so for this user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole(path) as file:
        size = looked = 0
        if reason := full():
            raise Refused(reason)
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise Refused("too large")
            if size - looked > _LOOK_BYTES:
                looked = size
                file.flush()
                if reason := full():
                    raise Refused(reason)
            file.write(chunk)
