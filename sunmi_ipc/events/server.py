"""The HTTP side of the receiver: the standard library's request handler with the bounds that it lacks.

A request must arrive as a whole within a time, its head and its body have a largest size, only so many
connections are served at once, and none of them is anybody's for longer than he uses it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import queue
import re
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from .judge import MAX_HEAD, Head, Refused, answer

_log = logging.getLogger("sunmi_ipc")
_IDLE_S = 75.0
_HEAD = MAX_HEAD
_LINE = 8192
_SPARE_S = 10.0
_UNFINISHED_S = 1.0  # a request that took longer to arrive may have to give its place to another's


# The heads of cameras: POST, a path, fields of plain letters, each once; nothing that a reader could take otherwise.
_PLAIN = re.compile(
    rb"POST (/(?!/)[\x21-\x7e]*) HTTP/1\.1\r\n(?:[A-Za-z0-9-]{1,64}:[\x20-\x7e\t]{0,4096}\r\n){1,60}"
)
_OTHER = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
#: The answer to an event that is stored, by whether the connection is closed.
_TAKEN = {
    close: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
    % (len(answer(200)[0]), b"Connection: close\r\n" if close else b"", answer(200)[0])
    for close in (False, True)
}


class Application(Protocol):
    """What the server serves: a :class:`~sunmi_ipc.events.judge.Judge`."""

    read_timeout: float

    def admit(self, head: Head) -> tuple[int | None, int]:
        """A body's length (None: in chunks) and the most that it may have; raises Refused."""

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


class _Sink:
    """What is written goes out at once."""

    closed = False

    def __init__(self, sock: socket.socket) -> None:
        self.write = sock.sendall

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The socket is not the handler's to close."""


class _Handler(BaseHTTPRequestHandler):
    server: Server  # type: ignore[assignment]
    protocol_version = request_version = "HTTP/1.1"
    answered = False

    def setup(self) -> None:
        # Not the parent's: its files are others, and made for nothing for every connection.
        self.connection = self.request
        self.source = _Source(self.connection)
        self.rfile = self.reader = io.BufferedReader(self.source, 16384)
        self.wfile = cast("io.BufferedIOBase", _Sink(self.connection))

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
            if (plain := self._plain_head()) is not None:
                body = self._body(plain)
                self._take(body, plain.content_type)
                return
            head = self._head()
            self.raw_requestline = head.readline()
            if len(self.raw_requestline) > _LINE:
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            self.rfile = head  # what the parent parses is here already, and bounded
            try:
                parsed = self.parse_request()
            finally:
                self.rfile = self.reader
            if not parsed:
                return  # answered by send_error
            self._take(self._body(self._judged_by()), self.headers.get("Content-Type", ""))
        except TimeoutError:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, close=True)
        except Refused as refused:
            self._refuse(refused.status, close=refused.close)
        except HTTPException:
            self._refuse(HTTPStatus.BAD_REQUEST, close=True)

    def _take(self, body: bytes, content_type: str) -> None:
        self.server.mark(self.connection, idle=False, done=True)
        self.server.application.take(body, content_type, self.client_address[0])
        self._answer(HTTPStatus.OK)

    def _plain_head(self) -> Head | None:
        """A head as cameras send it: what decides of it, found at a glance; None for every other, which the parent reads.

        The parent takes a head for a letter with attachments, which costs more than all the rest of an event.
        """
        here = self.reader.peek(1)
        end = here.find(b"\r\n\r\n")
        if end < 0 or end + 4 > _HEAD or (found := _PLAIN.fullmatch(here, 0, end + 2)) is None:
            return None
        fields: dict[bytes, bytes] = {}
        for line in here[found.end(1) + 11 : end].split(b"\r\n"):  # behind " HTTP/1.1" and its end
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip(b" \t")
        # Twice the same, or what asks for another way of reading: that is the parent's.
        if not fields.keys().isdisjoint(_OTHER) or here.count(b"\r\n", 0, end) != len(fields):
            return None
        self.reader.read(end + 4)
        self.request_version = "HTTP/1.1"
        self.close_connection = fields.get(b"connection", b"").lower() == b"close"
        length = fields.get(b"content-length")
        return Head(
            "POST",
            found[1].decode("ascii").partition("?")[0],
            self.client_address[0],
            fields.get(b"content-type", b"").decode("ascii"),
            fields.get(b"content-encoding", b"").decode("ascii"),
            () if length is None else (length.decode("ascii"),),
        )

    def _head(self) -> io.BytesIO:
        """The request line and the headers, up to the empty line; empty lines before them do not count."""
        head = bytearray()
        read = 0
        while True:
            line = self.reader.readline(_HEAD - read + 1)
            read += len(line)
            if read > _HEAD:
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, close=True)
            if not line.endswith(b"\n"):
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            blank = line in (b"\r\n", b"\n")
            if head or not blank:
                head += line
            if blank and head:
                return io.BytesIO(head)

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

    def _answer(self, status: int) -> None:
        if self.server.crowded:
            self.close_connection = True
        self.connection.settimeout(self.server.application.read_timeout)
        if status == HTTPStatus.OK and self.request_version == "HTTP/1.1":
            self.wfile.write(_TAKEN[self.close_connection])
            self.answered = True
            return
        body, more = answer(status)
        head = f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n"
        if self.close_connection:
            head += "Connection: close\r\n"
        elif self.request_version == "HTTP/1.0":
            head += "Connection: keep-alive\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in more.items())
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
        self._answer(status)
        if close:
            self._drain()

    def _drain(self) -> None:
        """Read on for a moment: closing on unread bytes would reset the connection under our answer."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.source.deadline = min(self.source.deadline, time.monotonic() + 1.0)
            left = 1 << 20
            while left > 0 and (got := self.reader.read1(65536)):
                left -= len(got)
        except (OSError, ValueError):
            return

    def _judged_by(self) -> Head:
        return Head(
            self.command,
            self._target(),
            self.client_address[0],
            self.headers.get("Content-Type", ""),
            self.headers.get("Content-Encoding", ""),
            self.headers.get_all("Content-Length") or (),
            self.headers.get("Transfer-Encoding"),
        )

    def _body(self, head: Head) -> bytes:
        length, limit = self.server.application.admit(head)
        return self._chunks(limit) if length is None else self._exactly(length)

    def _target(self) -> str:
        """The path asked for; a whole URL in its place is as good (RFC 9112, 3.2.2)."""
        target = self.path
        if target.lower().startswith(("http://", "https://")):
            try:
                target = urlsplit(target).path or "/"
            except ValueError:
                return ""
        return target.partition("?")[0]

    def _exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(HTTPStatus.BAD_REQUEST, close=True)
        return body

    def _chunks(self, limit: int) -> bytes:
        body = bytearray()
        while True:
            line = self.rfile.readline(_LINE).partition(b";")[0].strip()
            try:
                size = int(line, 16) if line.isalnum() and len(line) < 16 else -1
            except ValueError:
                size = -1
            if size < 0:
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            if len(body) + size > limit:
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


class Server:
    """A waiting room and a bounded number of threads.

    A connection costs a thread from its first byte on, not before: until then it waits in the room, and
    where that is full the oldest of the address that has the most gives way. The same holds for the places:
    a camera that speaks gets one, whatever else is held open.
    """

    application: Application

    def __init__(self, address: tuple[str, int], limit: int) -> None:
        if not 0 <= address[1] <= 65535:
            raise OverflowError("port must be 0-65535")  # create_server would leave its socket open
        six = ":" in address[0]
        self._listener = socket.create_server(
            address,
            family=socket.AF_INET6 if six else socket.AF_INET,
            backlog=512,
            dualstack_ipv6=six and socket.has_dualstack_ipv6(),
        )
        self._listener.setblocking(False)
        self.server_address: tuple[str, int] = self._listener.getsockname()
        self._limit, self._room_limit = limit, max(64, min(512, 2 * limit))
        self._change = threading.Condition()
        self._connections: dict[socket.socket, _Place] = {}  # in the order in which they got their places
        self._held: Counter[str] = Counter()  # how many of them each address has
        self._room: dict[socket.socket, tuple[str, float]] = {}  # silent yet: address, since when
        self._ready: dict[str, deque[socket.socket]] = {}  # have spoken, and wait for a place
        self._closing = False
        self._free = 0  # threads that wait and that no connection was promised to
        self._waiting: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._clapper = socket.socketpair()
        for end in (self._bell, self._clapper):
            end.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)

    @property
    def crowded(self) -> bool:
        """Whether others wait for a place: then no connection is kept alive."""
        return self._closing or len(self._connections) >= self._limit or bool(self._ready)

    # -- the room: one thread --

    def serve_forever(self) -> None:
        """Take connections until :meth:`stop`."""
        while not self._closing:
            for key, _ in self._selector.select(0.25):
                sock = cast("socket.socket", key.fileobj)
                if sock is self._listener:
                    self._accept()
                elif sock is self._bell:
                    with contextlib.suppress(OSError):
                        self._bell.recv(4096)
                elif sock in self._room:  # not closed meanwhile, to make room for one accepted
                    self._spoken(sock)
            self._expire()
            self._place()
        self._empty()

    def _accept(self) -> None:
        for _ in range(128):
            try:
                sock, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # no more descriptors: those that say nothing give theirs back
                _log.warning("events: %s", error.strerror)
                if not self._end_silent():
                    time.sleep(0.05)
                return
            if len(self._room) >= self._room_limit:
                self._end_silent()
            self._room[sock] = (str(address[0]), time.monotonic())
            self._selector.register(sock, selectors.EVENT_READ)

    def _end_silent(self) -> bool:
        """Close the oldest silent connection of the address that has the most."""
        if not self._room:
            return False
        most = _heaviest(address for address, _ in self._room.values())
        self._leave(next(sock for sock, (address, _) in self._room.items() if address == most))
        return True

    def _leave(self, sock: socket.socket) -> None:
        del self._room[sock]
        self._selector.unregister(sock)
        sock.close()

    def _spoken(self, sock: socket.socket) -> None:
        gone = True
        with contextlib.suppress(OSError):
            gone = not sock.recv(1, socket.MSG_PEEK)
        if gone:
            self._leave(sock)
            return
        address, _ = self._room.pop(sock)
        self._selector.unregister(sock)
        waiting = sum(map(len, self._ready.values()))
        if waiting >= self._room_limit:
            most = max(self._ready, key=lambda a: len(self._ready[a]))
            self._ready[most].popleft().close()
        self._ready.setdefault(address, deque()).append(sock)

    def _expire(self) -> None:
        """Close what has been silent for as long as a whole request may take."""
        limit = time.monotonic() - self.application.read_timeout
        for sock in [s for s, (_, since) in self._room.items() if since < limit]:
            self._leave(sock)

    def _place(self) -> None:
        """Give places to those who have spoken, first to whom has the fewest."""
        with self._change:
            self._ready = {address: queue_ for address, queue_ in self._ready.items() if queue_}
            while self._ready and not self._closing:
                if len(self._connections) >= self._limit:
                    self._make_room(self._held)
                    return
                address = min(self._ready, key=lambda one: self._held[one])
                sock = self._ready[address].popleft()
                if not self._ready[address]:
                    del self._ready[address]
                sock.setblocking(True)
                self._connections[sock] = _Place(address, time.monotonic())
                self._held[address] += 1
                self._start(sock)

    def _make_room(self, held: Counter[str]) -> None:
        """End a connection that idles; else one that takes long over its request, of whoever holds the most.

        Whose place it was is told by the thread that serves it: the next is given then.
        """
        if any(place.ended for place in self._connections.values()):
            return
        if self._end_idle(1):
            return
        fewest = min(held[address] for address in self._ready)
        most, number = held.most_common(1)[0]
        limit = time.monotonic() - _UNFINISHED_S
        if number > fewest + 1 or number == len(self._connections):
            for sock, place in self._connections.items():
                if place.address == most and place.reading_since < limit:
                    self._end(sock, place)
                    return

    # -- the threads --

    def _start(self, sock: socket.socket) -> None:
        start = not self._free
        if not start:
            self._free -= 1
        self._waiting.put(sock)
        if start:
            try:
                threading.Thread(target=self._work, name="event-receiver", daemon=True).start()
            except RuntimeError:
                _log.error("events: no more threads to be had")  # the next that is free takes it

    def _work(self) -> None:
        """Serve one connection after another: a thread for each would cost cameras that keep none open."""
        while True:
            try:
                sock = self._waiting.get(timeout=_SPARE_S)
            except queue.Empty:
                with self._change:
                    if not self._free:
                        continue  # a connection is on its way to this thread
                    self._free -= 1
                    return
            if sock is None:
                return
            try:
                _Handler(sock, (self._connections[sock].address, 0), self)  # type: ignore[arg-type]
            except Exception:
                _log.exception("events: a request failed")
                self.application.count(0)
            finally:
                with self._change:
                    self._free += 1
                self._gone(sock)

    def _gone(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        sock.close()
        with self._change:
            address = self._connections.pop(sock).address
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
            self._change.notify_all()
            awaited = bool(self._ready)
        if awaited:  # else nobody waits for the place
            self._ring()

    def _ring(self) -> None:
        """Wake the room's thread."""
        with contextlib.suppress(OSError):
            self._clapper.send(b"\0")

    def mark(self, sock: socket.socket, *, idle: bool, done: bool = False) -> None:
        """Note whether *sock* waits for its next request (and may be closed to make room), reads one, or has one."""
        with self._change:
            place = self._connections[sock]
            place.idle = idle
            place.reading_since = time.monotonic() if not done else float("inf")
            if idle and self.crowded:
                self._end_idle(1)

    def has_ended(self, sock: socket.socket) -> bool:
        """Whether *sock* was closed to make room."""
        return self._connections[sock].ended

    def _end_idle(self, number: int) -> int:
        idle = [(s, p) for s, p in self._connections.items() if p.idle and not p.ended][:number]
        for sock, place in idle:
            self._end(sock, place)
        return len(idle)

    @staticmethod
    def _end(sock: socket.socket, place: _Place) -> None:
        place.ended = True
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RD)

    def _empty(self) -> None:
        for sock in [*self._room]:
            self._leave(sock)
        for waiting in self._ready.values():
            for sock in waiting:
                sock.close()
        self._ready = {}

    def stop(self) -> None:
        """Take no more, let the requests under way end, close."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._ring()

    def close(self) -> None:
        """After :meth:`stop`, when :meth:`serve_forever` has ended: wait for what is under way."""
        self._selector.close()
        self._listener.close()
        with self._change:
            self._end_idle(len(self._connections))
            self._change.wait_for(lambda: not self._connections, self.application.read_timeout + 15)
            for _ in range(self._free):
                self._waiting.put(None)
            self._free = 0
        self._bell.close()
        self._clapper.close()


@dataclass(slots=True)
class _Place:
    """A connection that is served."""

    address: str
    reading_since: float
    idle: bool = False
    ended: bool = False


def _heaviest(addresses: Iterable[str]) -> str:
    return Counter(addresses).most_common(1)[0][0]
