"""HTTP on one connection to a virtual camera, and the faults that spoil it."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any

from . import faults, files, http_body
from .host import Host
from .replay import RawAnswer

_MAX_BODY = 8 * 1024 * 1024


class Connection(BaseHTTPRequestHandler):
    """One connection to one virtual camera."""

    protocol_version = "HTTP/1.1"
    server_version = "sunmi"
    sys_version = ""

    def __init__(self, camera: Host, connection: ssl.SSLSocket, peer: Any) -> None:
        self.camera = camera
        #: Whether the connection ends as RFC 8446 asks, with close_notify, or is cut.
        self.polite: bool = True
        super().__init__(connection, peer, None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The camera's clock, right or wrong."""
        return formatdate(self.camera.clock() if timestamp is None else timestamp, usegmt=True)

    def do_GET(self) -> None:
        """Serve a picture, a clip or a recording, whole or in part."""
        path = self.path.partition("?")[0].removeprefix("/")
        due = self.camera.faults.take(path)
        self._manners(due)
        if self._spoiled(due):
            return
        content = self.camera.dumped_file(path) or files.find(self.camera, path)
        if content is None:
            self._send(404, faults.HTML, "text/html")
            return
        if content.status != 200:
            self._send(content.status, b"".join(content.chunks(0, content.size)), content.kind)
            return
        size = content.size
        asked = self.headers.get("Range", "")
        wanted = files.part(asked, size)
        if wanted is None:
            self._send(416, b"", content.kind, {"Content-Range": f"bytes */{size}"})
            return
        start, stop = wanted
        self.send_response(206 if asked and stop - start < size else 200)
        self.send_header("Content-Type", content.kind)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        if self.close_connection:
            self.send_header("Connection", "close")
        if asked and stop - start < size:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        for fault in due:
            if fault.kind == "cut":
                stop = min(start + (int(fault.value) or (stop - start) // 2), stop)
                self.close_connection = True
        for piece in content.chunks(start, stop):
            self.wfile.write(piece)

    def _manners(self, due: list[faults.Fault]) -> None:
        if any(fault.kind in faults.CUTS for fault in due):
            self.polite = False
        if any(fault.kind in ("goodbye", "ragged") for fault in due):
            self.close_connection = True

    def _spoiled(self, due: list[faults.Fault]) -> bool:
        """Play the faults that are due; whether one of them took the answer's place."""
        for fault in due:
            if fault.kind == "delay":
                self.camera.closing.wait(fault.value)
            elif fault.kind == "code":
                self._send(200, faults.encode({"code": int(fault.value)}))
                return True
            elif fault.kind in _SPOIL:
                _SPOIL[fault.kind](self, fault.value)
                return True
        return False

    def do_POST(self) -> None:
        """Answer one call."""
        try:
            body = http_body.read(self.headers, self.rfile, _MAX_BODY)
        except http_body.Unreadable as unreadable:
            self.close_connection = True
            self._send(unreadable.status, b"", "text/plain")
            return
        path = self.path.partition("?")[0].removeprefix("/openapi/")
        due = self.camera.faults.take(path, spare="cut")
        self._manners(due)
        if self._spoiled(due):
            return
        if not self.path.startswith("/openapi/"):
            self._send(404, faults.HTML, "text/html")
            return
        answer = self.camera.answer(path, body, self.headers.get("Content-Type", ""))
        if isinstance(answer, RawAnswer):
            self._send(answer.status, answer.text.encode(), headers=answer.headers)
            return
        quirks = self.camera.state.quirks
        dirty = any(fault.kind == "dirty" for fault in due)
        if dirty or "missing-fields" in quirks:
            answer = self.camera.thinned(path, answer)
        if dirty:
            answer = faults.dirty(answer)
            self.camera.state.told_unknown = True
        self.camera.hold(path, answer)
        if any(fault.kind == "lost" for fault in due):
            self.close_connection = True
        else:
            self._send(200, faults.encode(answer, raw="neighbours" in quirks))
        if answer.get("code") == 0:
            self.camera.after(path)

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.send_response(status)
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        # One write: head and body in one TLS record.
        sink, self.wfile = self.wfile, io.BytesIO()
        self.end_headers()
        head, self.wfile = self.wfile.getvalue(), sink
        self.wfile.write(head + body)

    def _drop(self, value: float) -> None:
        self.close_connection = True

    def _reset(self, value: float) -> None:
        self._send_part(b'{"code": 0, "da')
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def _send_part(self, part: bytes) -> None:
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + part
        )

    def _hang(self, value: float) -> None:
        self.camera.closing.wait(value or 60)
        self.close_connection = True

    def _drip(self, value: float) -> None:
        self._send_part(b"")
        with contextlib.suppress(OSError):
            for _ in range(500):
                if self.camera.closing.wait(value or 0.1):
                    break
                self.wfile.write(b" ")
        self.close_connection = True

    def _huge(self, value: float) -> None:
        size = int(value or 10_000_000)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        with contextlib.suppress(OSError):
            for _ in range(size // 65_536 + 1):
                self.wfile.write(b"9" * 65_536)
        self.close_connection = True


_SPOIL: dict[str, Callable[[Connection, float], None]] = {
    "drop": Connection._drop,
    "reset": Connection._reset,
    "hang": Connection._hang,
    "drip": Connection._drip,
    "huge": Connection._huge,
    "http": lambda h, value: h._send(int(value or 500), faults.HTML, "text/html"),
    "garble": lambda h, value: h._send(200, faults.GARBLED),
    "html": lambda h, value: h._send(200, faults.HTML, "text/html"),
    "empty": lambda h, value: h._send(200, b""),
}
