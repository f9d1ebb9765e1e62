"""Files from a camera: GET over a kept connection that is judged like the camera's calls.

Written on ``http.client``: bytes go from the socket into one buffer and from there to their place.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import re
import socket
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, quote, urljoin

from ..deadline import Deadline
from ..errors import ConfigError, FileMissingError, ReplyError, SunmiIpcError
from ..link.guard import addresses, own_url
from ..link.tls import too_large
from ..link.transport import MAX_HEAD, explain_camera
from ..protocol import wire
from ..protocol.wire import Incoming
from .tlsio import Stream, TlsStream

if TYPE_CHECKING:
    from ..link.caller import Link

#: A camera that gives less than a buffer in so many seconds has stopped.
STALL_S = 30.0
#: A recording is of about a minute; one that never ends would fill the disk.
MAX_FILE = 4 * 1024**3
_CONNECT_S = 5.0
_BUFFER = 1_048_576
_MAX_ANSWER = 65_536
_SAFE = "/%:=&?~+!$,;'@()*[]|"


class _Head:
    """What ``http.client`` reads a head from: no more than :data:`MAX_HEAD` bytes, "100 continue" and all."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._room = stream, MAX_HEAD

    def readline(self, limit: int) -> bytes:
        line: bytes = self._stream.readline(min(limit, self._room + 1))
        self._room -= len(line)
        if self._room < 0:
            raise too_large(None)
        return line

    def close(self) -> None:
        self._stream.close()


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        stream: Any = self.fp
        self.fp: Any = _Head(stream)
        try:
            super().begin()
        finally:
            if self.fp is not None:  # http.client gives up what is no HTTP
                self.fp = stream


class Body:
    """An answer under way: a file, or its part from ``start`` on.

    Attributes:
        start: Where in the file it begins.
        total: Bytes of the whole file; None where the camera does not say.
        kind: Its content type.

    """

    start: int
    total: int | None

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: Stream,
        start: int,
        total: int | None,
    ) -> None:
        self.start, self.total = start, total
        self._socket = connection
        self.kind: str = response.headers.get("Content-Type", "")
        self._response = response
        self._at = start

    def pieces(self, buffer: bytearray | None = None) -> Iterator[memoryview]:
        """The bytes, a piece at a time; each is good until the next is asked for.

        Raises:
            http.client.IncompleteRead: It ended before its length (:meth:`Connection.get` translates it).

        """
        view = memoryview(buffer if buffer is not None else bytearray(_BUFFER))
        while count := self._into(view):
            yield view[:count]
        if self.total is not None and self._at != self.total:
            raise http.client.IncompleteRead(b"", self.total - self._at)

    def _into(self, view: memoryview) -> int:
        if self._response.isclosed():
            return 0
        self._socket.settimeout(STALL_S)
        count = self._response.readinto(view)
        self._at += count
        if self._at > MAX_FILE:
            raise ReplyError("the camera's file is larger than {limit} bytes", limit=MAX_FILE)
        return count

    @property
    def finished(self) -> bool:
        """Whether all of it was read, so that the connection can serve the next."""
        return self._response.isclosed()


class Connection:
    """One kept connection for files of one camera. For one thread; :meth:`abort` for any.

    Args:
        link: Whose certificate, CA or pin decides; links that lead elsewhere are refused.

    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._hosts = addresses(link.host)
        self._open: http.client.HTTPConnection | None = None
        self._where: tuple[str, str, int | None] | None = None
        self._socket: Stream | None = None
        self._path = ""
        self._aborted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next :meth:`get` opens a new one."""
        if self._open is not None:
            self._open.close()
        if self._socket is not None:  # an answer that ends the connection has made it its own
            self._socket.raw.close()
        self._open = self._socket = self._where = None

    def abort(self) -> None:
        """Cut the connection off for good, under a :meth:`get` in another thread, which then raises."""
        self._aborted = True
        if (sock := self._socket) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def get(self, url: str, *, start: int = 0) -> Iterator[Body]:
        """Ask for a file, or for its part from *start* on. A body not read to its end ends the connection.

        Args:
            url: From the camera; a path alone is taken as the camera's own.
            start: First byte wanted. The camera may ignore it: look at ``Body.start``.

        Raises:
            ReplyError: The link leads elsewhere, or the answer redirects or is of no use.
            FileMissingError: HTTP 404 or another status that is not the file.
            DeviceError: A return code in the file's place, as 236 for a clip that is not ready (I).
            ConnectionFailed, TlsError: As for calls.

        """
        link = self._link
        host = f"[{link.host}]" if ":" in link.host else link.host
        parts = own_url(urljoin(f"https://{host}:{link.port}/", url), self._hosts)
        started, handled = time.monotonic(), sys.exception()
        try:
            body = self._ask(parts, start)
            yield body
            if not body.finished:
                self.close()
        except SunmiIpcError as error:
            self.close()
            if error.camera is None and not isinstance(
                error, ConfigError
            ):  # this computer's disk is not its fault
                error.camera = link.address
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            failure = explain_camera(error, STALL_S, time.monotonic() - started, handled)
            failure.camera = link.address
            raise failure from error
        except BaseException:
            self.close()
            raise

    def _ask(self, parts: SplitResult, start: int) -> Body:
        self._path = parts.path.lstrip("/")
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
        headers = {"User-Agent": "sunmi-ipc", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        where = (parts.scheme, parts.hostname or "", parts.port)
        if self._where != where:
            self.close()
        if self._open is not None:
            # The camera may have closed a connection that was idle: that is no failure.
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._judge(self._send(where, target, headers), start)
            self.close()
        return self._judge(self._send(where, target, headers), start)

    def _send(
        self, where: tuple[str, str, int | None], target: str, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        if self._aborted:
            raise ConnectionAbortedError(errno.ECONNABORTED, "cut off")
        if self._open is None:
            scheme, host, port = where
            context, approve = self._link.tls if scheme == "https" else (None, None)
            deadline = Deadline(_CONNECT_S)
            sock = socket.create_connection((host, port or (443 if scheme == "https" else 80)), _CONNECT_S)
            if context is not None:
                self._socket = TlsStream(sock, context, approve, host, deadline)
                self._open = http.client.HTTPSConnection(host, port, context=context)
            else:
                self._socket, self._open = Stream(sock, deadline), http.client.HTTPConnection(host, port)
            self._open.response_class = _Response
            self._open.sock, self._where = self._socket, where
            if self._aborted:  # while the connection was being made
                raise ConnectionAbortedError(errno.ECONNABORTED, "cut off")
        assert self._socket is not None
        self._socket.settimeout(STALL_S)
        self._open.request("GET", target, headers=headers)
        return self._open.getresponse()

    def _judge(self, response: http.client.HTTPResponse, start: int) -> Body:
        if "json" in response.headers.get("Content-Type", "").lower():
            # In a file's place, an answer: what a camera that is not ready has to say (I).
            content = response.read(_MAX_ANSWER)
            wire.open_json(Incoming(200, dict(response.headers), content), path=self._path)
            raise ReplyError("the camera gave an answer instead of a file")
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise ReplyError("the answer is compressed, which was not asked for")
        assert self._socket is not None
        if response.length is None and not response.chunked and not isinstance(self._socket, TlsStream):
            # TLS says goodbye at the end of an answer without a length; bare TCP ends alike when it breaks.
            raise ReplyError("the camera does not say how long the file is: a part could pass for the whole")
        if response.status == 200:
            return Body(response, self._socket, 0, response.length)
        if response.status == 206:
            given = re.fullmatch(
                r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "").strip()
            )
            if given is None or int(given[1]) != start or int(given[2]) != int(given[3]) - 1:
                raise ReplyError("the camera gave another part of the file than was asked for")
            return Body(response, self._socket, start, int(given[3]))
        error = FileMissingError(
            "the camera does not give the file: HTTP status {status}",
            hint="It may have been overwritten: 'ipc video records' shows what there is.",
            status=response.status,
        )
        error.status = response.status
        raise error


def read(link: Link, url: str, *, limit: int) -> tuple[bytes, str]:
    """A small file whole, and its content type.

    Raises:
        ReplyError: It has more than *limit* bytes; else as :meth:`Connection.get`.

    """
    content = bytearray()
    with Connection(link) as connection, connection.get(url) as body:
        for piece in body.pieces():
            content += piece
            if len(content) > limit:
                raise ReplyError("the camera's file is larger than {limit} bytes", limit=limit)
    return bytes(content), body.kind
