"""Between FFmpeg and the camera's video service: the connection is ours, and so are its bounds.

FFmpeg follows a redirection to any host and answers whoever asks there with user and password, reads a
body of any length, and starts its timeout anew with every packet. It is therefore given an address on this
computer, and what it says there goes to the camera alone; user and password are put in on the way. The whole
opening has one deadline, and while it plays, so has each picture: a stream of sound alone ends, too.
"""

from __future__ import annotations

import contextlib
import math
import re
import secrets
import selectors
import socket
import threading
from collections import deque
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from ..deadline import Deadline
from ..errors import StreamError, SunmiIpcError
from .address import RtspAddress
from .describe import silent
from .rtsp import Authentication, Malformed, Message, Parser, refused

#: Bytes that wait for a slow reader; beyond, the camera has to wait.
_WAITING = 1_048_576
_PIECE = 262_144
#: How often a request is said again for a challenge.
_TRIES = 3


@dataclass(slots=True)
class _Asked:
    """A request on its way, and the number that FFmpeg gave it."""

    request: Message
    number: str
    tries: int = 1


class Relay:
    """One conversation over RTSP. A context manager: inside, :attr:`url` is FFmpeg's address.

    Args:
        address: The camera's stream; nothing but its host is ever connected to.
        timeout: Seconds for all of the opening; later, without a picture (see :meth:`alive`).

    Raises:
        StreamError: The camera's video service does not answer.

    """

    def __init__(self, address: RtspAddress, *, timeout: float) -> None:
        self._address, self._timeout = address, timeout
        self._parts = urlsplit(address.bare)
        self._authentication = Authentication(address)
        self._deadline = Deadline(timeout)
        #: Why it ended, where it was not FFmpeg's wish.
        self.failure: SunmiIpcError | None = None
        #: The last status that was no success; 0 where there was none.
        self.status: int = 0
        self._number = 0
        self._asked: deque[_Asked] = deque()
        self._playing = False
        self._stop = threading.Event()
        try:
            self._camera = socket.create_connection(
                (self._parts.hostname or "", self._parts.port or 554), self._deadline.left()
            )
        except OSError as error:
            raise silent(self._parts.hostname, error) from None
        self._local: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        # Others on this computer may find the port, but not the token; the listener closes with the first.
        self._prefix = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{secrets.token_urlsafe(18)}"
        self._own = f"{self._parts.scheme}://{self._parts.netloc}"
        query = f"?{self._parts.query}" if self._parts.query else ""
        self.url: str = f"{self._prefix}{self._parts.path or '/'}{query}"
        self._thread = threading.Thread(target=self._run, name="rtsp", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation; FFmpeg's goodbye, if it has said one, still goes to the camera."""
        if self._local is not None and self._thread.ident is not None:
            self._thread.join(0.5)
        self._stop.set()
        for sock in (self._local, self._camera):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join()
        self._listener.close()
        self._camera.close()

    def alive(self) -> None:
        """A picture came: the next has its time from now."""
        self._deadline = Deadline(self._timeout)

    def rest(self) -> None:
        """Whoever reads is busy with something else: no picture is waited for."""
        self._deadline = Deadline(math.inf)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._converse()
        except Malformed:
            self._fail(silent(self._parts.hostname, Malformed()))
        except TimeoutError:
            self._fail(
                StreamError(
                    "no picture came within {seconds:.3g} s",
                    hint="The stream may have sound alone, or the camera may be busy: try again.",
                    camera=self._parts.hostname,
                    seconds=self._timeout,
                )
                if self._playing
                else silent(self._parts.hostname, TimeoutError())
            )
        except OSError as error:
            self._fail(silent(self._parts.hostname, error))
        finally:
            # FFmpeg waits on it, and ends.
            for sock in (self._local, self._camera):
                if sock is not None:
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)
                    sock.close()

    def _fail(self, error: SunmiIpcError) -> None:
        if not self._stop.is_set() and self.failure is None:
            self.failure = error

    def _converse(self) -> None:
        self._listener.settimeout(0.2)
        parsers = {"local": Parser(), "camera": Parser()}
        while not self._accepted(parsers["local"]):
            self._check()
        assert self._local is not None
        waiting = {"local": bytearray(), "camera": bytearray()}
        sockets = {"local": self._local, "camera": self._camera}
        for sock in sockets.values():
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with selectors.DefaultSelector() as selector:
            for name, sock in sockets.items():
                selector.register(sock, selectors.EVENT_READ, name)
            self._from_local(parsers["local"], waiting)
            while True:
                self._check()
                for name, other in (("local", "camera"), ("camera", "local")):
                    events = selectors.EVENT_READ if len(waiting[other]) < _WAITING else 0
                    events |= selectors.EVENT_WRITE if waiting[name] else 0
                    # A socket with nothing to wait for is left out: select takes no empty set of events.
                    if events and sockets[name] in selector.get_map():
                        selector.modify(sockets[name], events, name)
                    elif events:
                        selector.register(sockets[name], events, name)
                    elif sockets[name] in selector.get_map():
                        selector.unregister(sockets[name])
                for key, ready in selector.select(self._deadline.left(0.2)):
                    if ready & selectors.EVENT_WRITE:
                        with contextlib.suppress(BlockingIOError):
                            sent = sockets[key.data].send(waiting[key.data][:_PIECE])
                            del waiting[key.data][:sent]
                    if ready & selectors.EVENT_READ:
                        with contextlib.suppress(BlockingIOError):
                            data = sockets[key.data].recv(_PIECE)
                            if not data:
                                self._from_local(parsers["local"], waiting)
                                self._ended(key.data, waiting)
                                return
                            parsers[key.data].feed(data)
                if not self._from_camera(parsers["camera"], waiting):
                    return
                self._from_local(parsers["local"], waiting)

    def _check(self) -> None:
        if self._stop.is_set():
            raise ConnectionAbortedError
        self._deadline.check()

    def _ended(self, who: str, waiting: dict[str, bytearray]) -> None:
        """One side has closed; its last words still go to the other."""
        assert self._local is not None
        other, name = (self._local, "local") if who == "camera" else (self._camera, "camera")
        with contextlib.suppress(OSError):
            other.settimeout(1.0)
            other.sendall(waiting[name])
        if who == "camera" and not self._playing:
            self._fail(silent(self._parts.hostname, ConnectionError()))

    def _accepted(self, parser: Parser) -> bool:
        """Wait for FFmpeg; who does not know the token is sent away."""
        try:
            sock, _ = self._listener.accept()
        except TimeoutError:
            return False
        sock.settimeout(max(self._deadline.left(2), 0.1))
        try:
            data = sock.recv(8_192, socket.MSG_PEEK)
        except OSError:
            data = b""
        if self._prefix.encode() not in data:
            sock.close()
            return False
        self._listener.close()
        self._local = sock
        return True

    def _from_local(self, parser: Parser, waiting: dict[str, bytearray]) -> None:
        while (item := parser.next()) is not None:
            if isinstance(item, bytes):
                waiting["camera"] += item
            elif item.status:  # an answer to a question of the camera
                waiting["camera"] += item.pack()
            else:
                method, _, rest = item.first.partition(" ")
                url, _, version = rest.rpartition(" ")
                if url.startswith(self._prefix):
                    url = self._own + url[len(self._prefix) :]
                item.first = f"{method} {url} {version}"
                item.headers = [(k, v) for k, v in item.headers if k.lower() != "authorization"]
                asked = _Asked(item, item.get("cseq"))
                waiting["camera"] += self._packed(asked)

    def _packed(self, asked: _Asked) -> bytes:
        request = asked.request
        self._number += 1
        request.put("CSeq", str(self._number))
        url = request.first.split(" ")[1]
        said = self._authentication.header(request.method, url)
        if said:
            request.put("Authorization", said)
        self._asked.append(asked)
        return request.pack()

    def _from_camera(self, parser: Parser, waiting: dict[str, bytearray]) -> bool:
        """Pass on what the camera says; whether the conversation goes on."""
        while (item := parser.next()) is not None:
            if isinstance(item, bytes):
                waiting["local"] += item
            elif not item.status:
                waiting["local"] += item.pack()
            elif item.status >= 200 and not self._answered(item, waiting):
                return False
        return True

    def _answered(self, answer: Message, waiting: dict[str, bytearray]) -> bool:
        if not self._asked:
            return True  # to nothing that was asked
        asked = self._asked.popleft()
        if answer.status == 401 and asked.tries < _TRIES and self._authentication.take(answer):
            asked.tries += 1
            waiting["camera"] += self._packed(asked)
            return True
        if answer.status >= 300:
            self.status = 0 if self._playing else answer.status
            if 300 <= answer.status < 400 or answer.status in (401, 403):
                self._fail(refused(self._address, answer.status))
                return False
        elif asked.request.method == "PLAY":
            self._playing, self.status = True, 0
            self.alive()
        transport = answer.get("transport")
        if transport:
            # FFmpeg sends datagrams to whatever address stands here: it is the camera's.
            kept = [p for p in transport.split(";") if not re.match(r"\s*(source|destination)\s*=", p)]
            if "TCP" not in kept[0].upper():
                kept.append(f"source={self._camera.getpeername()[0]}")
            answer.put("Transport", ";".join(kept))
        answer.put("CSeq", asked.number)
        waiting["local"] += answer.pack()
        return True
