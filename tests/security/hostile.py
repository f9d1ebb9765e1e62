"""A server that speaks real TLS with a certificate we trust, and nothing else that we may rely on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from sunmi_ipc.camera import Camera
from sunmi_ipc.simulator import Vendor

Play = Callable[[ssl.SSLSocket], None]


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Status line and headers."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1", "replace")


def answer(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """A whole answer with the right length."""
    return head(f"Content-Length: {len(body)}", *lines, status=status) + body


class Hostile:
    """Plays one trick on every connection, once its request is read.

    Args:
        vendor: Whose certificate it shows, and whose clients it lets in.
        play: Gets the TLS socket; or the bytes to send.
        raw: Gets the bare TCP socket instead, before any TLS.
        context: Another TLS side.
        at: Where to listen.

    """

    def __init__(
        self,
        vendor: Vendor,
        play: Play | bytes = b"",
        *,
        raw: Callable[[socket.socket], None] | None = None,
        context: ssl.SSLContext | None = None,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.vendor, self.play, self.raw = vendor, play, raw
        self.context = context or vendor.server_context("FS101D8BS00106")
        self.requests: list[bytes] = []
        self.received = b""  # every byte that came out of TLS
        self.connections = 0
        self.closing = threading.Event()
        self._listener = socket.create_server(at)
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """``ip:port``."""
        return "{}:{}".format(*self._listener.getsockname())

    def camera(self, **options: Any) -> Camera:
        """A client that trusts this server."""
        settings: dict[str, Any] = {
            "app_id": self.vendor.app_id,
            "secret_key": self.vendor.secret_key,
            "p12": self.vendor.p12,
            "p12_password": self.vendor.p12_password,
            "ca": self.vendor.ca,
            "model": "FM020",
            "timeout": 5.0,
            "retries": 0,
        }
        return Camera(self.address, **settings | options)

    def drip(self, secure: ssl.SSLSocket | socket.socket, parts: Iterable[bytes], pause: float) -> None:
        """Send *parts*, one every *pause* seconds, for as long as somebody listens."""
        for part in parts:
            secure.sendall(part)
            if self.closing.wait(pause):
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection.dup())
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with contextlib.suppress(OSError, ValueError), connection:
            if self.raw is not None:
                self.raw(connection)
                return
            with self.context.wrap_socket(connection, server_side=True) as secure:
                while self._request(secure):
                    if isinstance(self.play, bytes):
                        secure.sendall(self.play)
                    else:
                        self.play(secure)

    def _request(self, secure: ssl.SSLSocket) -> bool:
        got = b""
        while b"\r\n\r\n" not in got:
            part = secure.recv(65_536)
            if not part:
                return False
            got += part
            self.received += part
        top, _, body = got.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in top.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )  # fmt: skip
        while len(body) < length:
            part = secure.recv(65_536)
            if not part:
                return False
            body += part
        self.requests.append(top + b"\r\n\r\n" + body)
        return True


class Stopwatch:
    """How long a block took."""

    seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started
