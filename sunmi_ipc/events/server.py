"""The HTTP side of the receiver: the standard library's server with the bounds that it lacks.

A request must arrive as a whole within a time, a body has a largest size, and only so many
connections are served at once.
"""

from __future__ import annotations

import contextlib
import io
import logging
import queue
import socket
import socketserver
import threading
import time
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

_log = logging.getLogger("sunmi_ipc")
_IDLE_S = 75.0
_LINE = 8192
_SPARE_S = 10.0


class Application(Protocol):
    """What the server serves."""

    path: str
    max_body: int
    read_timeout: float

    def take(self, body: bytes, content_type: str, source: str) -> None:
        """Take a POST's body; raises Refused."""

    def count(self, status: int) -> None:
        """Count a request that got *status*; 0 where the client went away."""


class _Source(io.RawIOBase):
    """A socket with a deadline for everything read: a client that drips bytes gains no time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer)


class Refused(Exception):
    """A request that gets *status*; the connection is closed where its rest cannot be read."""

    def __init__(self, status: int, *, close: bool = False) -> None:
        self.status, self.close = status, close


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = request_version = "HTTP/1.1"
    answered = False

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.source = _Source(self.connection)
        self.rfile = self.reader = io.BufferedReader(self.source, 65536)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.server.application.count(0)

    def handle_one_request(self) -> None:
        """Read, judge and answer one request; the parent's, with deadlines and without verbs."""
        application = self.server.application
        self.close_connection = True
        if not self._begins():
            return
        self.source.deadline = time.monotonic() + application.read_timeout
        try:
            self.raw_requestline = self.rfile.readline(_LINE + 1)
            if len(self.raw_requestline) > _LINE:
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            if not self.parse_request():
                return  # answered by send_error
            application.take(self._body(), self.headers.get("Content-Type", ""), self.client_address[0])
            self._answer(HTTPStatus.OK, b'{"code":0}')
        except TimeoutError:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, close=True)
        except Refused as refused:
            self._refuse(refused.status, close=refused.close)
        except HTTPException:
            self._refuse(HTTPStatus.BAD_REQUEST, close=True)

    def _begins(self) -> bool:
        """Wait for a request's first byte. Only a connection that had its answer may be closed for others."""
        self.source.deadline = time.monotonic() + (
            _IDLE_S if self.answered else self.server.application.read_timeout
        )
        self.server.mark(self.connection, idle=self.answered)
        try:
            return bool(self.reader.peek(1))
        except (TimeoutError, ValueError):
            return False
        finally:
            self.server.mark(self.connection, idle=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the parent could not parse."""
        self._refuse(HTTPStatus.BAD_REQUEST if code < 500 else code, close=True)

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug("events: %s " + format, self.client_address[0], *args)

    def version_string(self) -> str:
        return "sunmi-ipc"

    def _answer(self, status: int, body: bytes) -> None:
        if self.server.crowded:
            self.close_connection = True
        head = f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n"
        if self.close_connection:
            head += "Connection: close\r\n"
        elif self.request_version == "HTTP/1.0":
            head += "Connection: keep-alive\r\n"
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            head += "Retry-After: 5\r\n"
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            head += "Allow: POST\r\n"
        self.connection.settimeout(self.server.application.read_timeout)
        self.wfile.write(head.encode("ascii") + b"\r\n" + body)
        self.answered = True

    def _refuse(self, status: int, *, close: bool) -> None:
        application = self.server.application
        if status == HTTPStatus.BAD_REQUEST and self.server.has_ended(self.connection):
            status = HTTPStatus.SERVICE_UNAVAILABLE  # cut short by us, so not the camera's fault
        application.count(int(status))
        _log.info("events: %s: answered %d", self.client_address[0], status)
        if close:
            self.close_connection = True
        self._answer(status, b'{"code":%d}' % (2 if status < 500 else 3))
        if close:
            self._drain()

    def _drain(self) -> None:
        """Read on for a moment: closing on unread bytes would reset the connection under our answer."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.source.deadline = min(self.source.deadline, time.monotonic() + 1.0)
            left = 4 * self.server.application.max_body
            while left > 0 and (got := self.reader.read1(65536)):
                left -= len(got)
        except (OSError, ValueError):
            return

    def _body(self) -> bytes:
        wanted = self.server.application.path
        if wanted and self.path.partition("?")[0] != wanted:
            raise Refused(HTTPStatus.NOT_FOUND, close=True)
        if self.command != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, close=True)
        lengths = self.headers.get_all("Content-Length") or []
        if coding := self.headers.get("Transfer-Encoding"):
            # Both lengths at once is how requests are smuggled.
            if lengths or coding.strip().lower() != "chunked":
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            return self._chunks()
        if len(lengths) != 1 or not lengths[0].isascii() or not lengths[0].isdecimal():
            raise Refused(HTTPStatus.BAD_REQUEST, close=True)
        if len(lengths[0]) > 15 or (length := int(lengths[0])) > self.server.application.max_body:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(HTTPStatus.BAD_REQUEST, close=True)
        return body

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            line = self.rfile.readline(_LINE).partition(b";")[0].strip()
            try:
                size = int(line, 16) if line.isalnum() and len(line) < 16 else -1
            except ValueError:
                size = -1
            if size < 0:
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            if len(body) + size > self.server.application.max_body:
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
            if size:
                body += self._exactly(size)
            if size and self._exactly(2) != b"\r\n":
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            if not size:
                for _ in range(100):
                    if self.rfile.readline(_LINE).strip() == b"":
                        return bytes(body)
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)


class Server(socketserver.TCPServer):
    """A thread for each connection at a time, a bounded number of them."""

    allow_reuse_address = True
    request_queue_size = 512
    application: Application

    def __init__(self, address: tuple[str, int], limit: int) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._limit = limit
        self._change = threading.Condition()
        # Connections in the order in which they came: True while they wait for their next request,
        # None once they were closed to make room.
        self._connections: dict[socket.socket, bool | None] = {}
        self._closing = False
        self._free = 0  # threads that wait and that no connection was promised to
        self._waiting: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        super().__init__(address, _Handler)

    @property
    def crowded(self) -> bool:
        """Whether others wait for a place: then no connection is kept alive."""
        return self._closing or len(self._connections) >= self._limit

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, once there is a place for it. The others queue in the kernel."""
        with self._change:
            if len(self._connections) >= self._limit:
                self._end_idle(1)
            self._change.wait_for(lambda: len(self._connections) < self._limit or self._closing)
            if self._closing:
                self.shutdown_request(request)
                return
            self._connections[request] = False
            start = not self._free
            if not start:
                self._free -= 1
        self._waiting.put((request, client_address))
        if start:
            try:
                threading.Thread(target=self._work, name="event-receiver", daemon=True).start()
            except RuntimeError:
                _log.error("events: no more threads to be had")  # the next that is free takes it

    def _work(self) -> None:
        """Serve one connection after another: a thread for each would cost cameras that keep none open."""
        while True:
            try:
                request, client_address = self._waiting.get(timeout=_SPARE_S)
            except queue.Empty:
                with self._change:
                    if not self._free:
                        continue  # a connection is on its way to this thread
                    self._free -= 1
                    return
            if request is None:
                return
            try:
                self.finish_request(request, client_address)
            except Exception:
                _log.exception("events: a request failed")
                self.application.count(0)
            finally:
                with self._change:
                    self._free += 1
                self._gone(request)

    def _gone(self, request: socket.socket) -> None:
        self.shutdown_request(request)
        with self._change:
            del self._connections[request]
            self._change.notify_all()

    def mark(self, request: socket.socket, *, idle: bool) -> None:
        """Note whether *request* waits for its next request, and may be closed to make room."""
        with self._change:
            if self._connections[request] is not None:
                self._connections[request] = idle
            if idle and self.crowded:
                self._end_idle(1)

    def has_ended(self, request: socket.socket) -> bool:
        """Whether *request* was closed to make room."""
        return self._connections[request] is None

    def _end_idle(self, number: int) -> None:
        for request in [r for r, idle in self._connections.items() if idle][:number]:
            self._connections[request] = None
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RD)

    def stop(self) -> None:
        """Take no more, let the requests under way end, close."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self.shutdown()
        self.server_close()
        with self._change:
            self._end_idle(len(self._connections))
            self._change.wait_for(lambda: not self._connections, self.application.read_timeout + 15)
            for _ in range(self._free):
                self._waiting.put((None, None))
            self._free = 0
