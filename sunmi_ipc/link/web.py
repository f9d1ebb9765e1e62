"""HTTP to servers that are no cameras: a call has an end, whatever the server does."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from .tls import CALL, CameraSocket

#: What a server answers to something that it only takes is shorter, in bytes, head and all.
_LONGEST = 1 << 20


class DeafSession(requests.Session):
    """A session that has never heard of redirections.

    ``allow_redirects=False`` is not enough: requests then still reads the redirection's whole body,
    decompressed and without a limit, to prepare the next request.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere."""
        return None


class _PlainSocket(socket.socket):
    """A socket without TLS that keeps the call's deadline and room, as :class:`CameraSocket` does with it."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive within the deadline, and no more than there is room for."""
        CALL.keep_deadline(self)
        return CALL.take(super().recv_into(buffer, nbytes, flags))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send within the deadline."""
        CALL.keep_deadline(self)
        super().sendall(data, flags)


class _PlainConnection(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        made = _PlainSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        made.settimeout(timeout)
        return made


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class PlainAdapter(HTTPAdapter):
    """Without TLS: its sockets keep the call's deadline and room."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": urllib3.HTTPSConnectionPool}


class _TlsAdapter(PlainAdapter):
    """Trust as requests has it, ``REQUESTS_CA_BUNDLE`` included; the sockets are ours."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use our sockets."""
        super().init_poolmanager(*args, **kwargs | {"ssl_context": _context()})

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        """Through a proxy, too."""
        return super().proxy_manager_for(proxy, **kwargs | {"ssl_context": _context()})


def _context() -> Any:
    made = create_urllib3_context()
    made.sslsocket_class = CameraSocket  # for the deadline it keeps
    return made


def session() -> DeafSession:
    """A session for a server that is given something, and whose answer is within :func:`within`."""
    made = DeafSession()
    made.headers["User-Agent"] = "sunmi-ipc"
    made.mount("https://", _TlsAdapter())
    made.mount("http://", PlainAdapter())
    return made


@contextlib.contextmanager
def within(seconds: float, *, silence: float) -> Iterator[None]:
    """End what this thread asks of a :func:`session`.

    A time-out of requests alone starts anew with each piece: a head that drips, or ``100 Continue`` without an
    end, holds a thread for ever.

    Args:
        seconds: In all.
        silence: Without a byte.

    Raises:
        TimeoutError, ReplyError: Inside the block, also as what ``requests`` makes of the first.

    """
    CALL.deadline, CALL.silence, CALL.room = time.monotonic() + seconds, silence, _LONGEST
    try:
        yield
    finally:
        CALL.deadline = CALL.silence = CALL.room = None
