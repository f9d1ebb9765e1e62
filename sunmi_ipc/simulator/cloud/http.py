"""The virtual cloud's HTTPS: connections in threads of their own, faults in place of answers."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from .. import faults, http_body
from ..faults import Fault
from ..video import available
from . import streams
from .cameras import stream_allowed
from .checks import MOST_BYTES
from .host import Host


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The ``Date`` header, by the virtual cloud's clock."""
        return super().date_time_string(timestamp or int(time.time() + self.server.cloud.clock_offset))

    def do_POST(self) -> None:
        """Answer one call."""
        cloud = self.server.cloud
        try:
            body = http_body.read(self.headers, self.rfile, 4 * MOST_BYTES)
        except http_body.Unreadable as unreadable:
            self.close_connection = True
            self._send(unreadable.status, b"{}")
            return
        path = self.path.removeprefix("/openapi/")
        with cloud.at_work():
            if cloud.latency_s:
                cloud.closing.wait(cloud.latency_s)
            due = cloud.faults.take(path)
            if self._spoiled(due):
                return
            status, answer = cloud.answer(path, body, self.headers.get("Content-Type", ""))
        if any(fault.kind == "dirty" for fault in due):
            answer = faults.dirty(answer)
        self._send(status, json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())

    def do_GET(self) -> None:
        """Serve a picture, or a stream."""
        path, _, query = self.path.partition("?")
        if path.startswith(("/live/", "/playback/")):
            self._stream(path.removeprefix("/"), query)
            return
        picture = self.server.cloud.picture_at(self.path.partition("?")[0])
        if picture is None:
            self._send(404, b"{}")
        else:
            self._send(200, picture, "image/jpeg")

    def _stream(self, path: str, query: str) -> None:
        name = re.sub(r"(/\d+\.ts|\.\w+)$", "", path)
        key = parse_qs(query).get("auth_key", [""])[0]
        if not stream_allowed(name, key):
            self._send(403, b"{}")
            return
        if not path.endswith(".flv"):
            status, kind, body = streams.answer(path, query) or (404, "text/plain", b"")
            self._send(status, body, kind)
            return
        show = streams.show_of(name)
        if show is None or not available():
            self._send(503 if show else 404, b"{}")
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "video/x-flv")
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            streams.flv(show, self.wfile.write, self.server.cloud.closing)

    def _spoiled(self, due: list[Fault]) -> bool:
        for fault in due:
            if fault.kind == "delay":
                self.server.cloud.closing.wait(fault.value)
            elif fault.kind == "code":
                self._send(200, json.dumps({"code": int(fault.value), "msg": "failed"}).encode())
                return True
            elif fault.kind == "http":
                self._send(int(fault.value), b"{}")
                return True
            elif fault.kind == "drop":
                self.close_connection = True
                return True
            elif fault.kind in _SPOILED:
                self._send(200, _SPOILED[fault.kind])
                return True
        return False

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_SPOILED = {"garble": faults.GARBLED, "html": faults.HTML, "empty": b""}


class Server(socketserver.ThreadingTCPServer):
    """Accepts connections; each has a thread."""

    cloud: Host

    daemon_threads = allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], cloud: Host, context: ssl.SSLContext) -> None:
        self.cloud, self._tls = cloud, context
        self._open: set[socket.socket] = set()
        self._guard = threading.Condition()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands and serve, in the connection's own thread."""
        request.settimeout(60)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open.add(request)
        secure = None
        try:
            secure = self._tls.wrap_socket(request, server_side=True)
            with self._guard:
                self._open.discard(request)
                self._open.add(secure)
                if self.cloud.closing.is_set():
                    return
            Handler(secure, client_address, self)
            with contextlib.suppress(OSError, ValueError):  # TLS ends as RFC 8446 asks
                secure.setblocking(False)
                secure.unwrap()
        except (OSError, ValueError):
            pass  # a client's trouble with us is the client's affair
        finally:
            if secure is not None:
                secure.close()
            with self._guard:
                self._open.discard(request)
                if secure is not None:
                    self._open.discard(secure)
                self._guard.notify_all()

    def stop(self) -> None:
        """Take no more, cut what is open, wait until its threads are done."""
        self.shutdown()
        self.server_close()
        with self._guard:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._guard.wait_for(lambda: not self._open, 5)
