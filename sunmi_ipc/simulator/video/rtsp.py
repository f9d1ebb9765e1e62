"""RTSP (RFC 2326) of a virtual camera: who asks, what may be seen, when it is sent.

No library on PyPI serves RTSP with authentication over both transports, so the conversation is our own;
the encoding and the cutting into RTP packets are PyAV's (libavformat).
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import socket
import threading
from typing import TYPE_CHECKING

from ..card import stream_key
from ..host import Host
from .message import Authentication, Malformed, Request, read_request, response

if TYPE_CHECKING:
    from .delivery import Player, Transport
    from .source import Source, Sources
    from .stream import Stream

_log = logging.getLogger("sunmi_ipc.simulator")
#: Where it listens if it can; a camera's own 554 needs more rights than tests have.
PORT = 8554
_IDLE_S = 60
_METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER")
Answer = tuple[int, list[tuple[str, str]], str]


class RtspServer:
    """Listens on one port for one camera; imports what draws and encodes when the first client asks."""

    def __init__(self, camera: Host) -> None:
        self.camera = camera
        self.listener: socket.socket = self._bind(camera.ip)
        self.port: int = self.listener.getsockname()[1]
        self._connections: set[_Connection] = set()
        self._sources: Sources | None = None
        self._lock = threading.Lock()

    @staticmethod
    def _bind(ip: str) -> socket.socket:
        for port in (PORT, 0):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((ip, port))
                listener.listen(64)
            except OSError:
                listener.close()
                if not port:
                    raise
                continue
            return listener
        raise AssertionError

    def accept(self, listener: socket.socket) -> None:
        """Serve the next client in a thread of its own."""
        sock, peer = listener.accept()
        if self.camera.away or self.camera.closing.is_set():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            return
        connection = _Connection(self, sock, peer[0])
        with self._lock:
            self._connections.add(connection)
        connection.thread.start()

    def sources(self) -> Sources:
        """What there is to see."""
        from .source import Sources

        with self._lock:
            if self._sources is None:
                self._sources = Sources(self.camera)
            return self._sources

    def gone(self, connection: _Connection) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._connections.discard(connection)

    def cut(self, *, wait: bool = False) -> None:
        """Break every connection; with *wait* return when no thread is left."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.cut()
        if not wait:
            return
        for connection in connections:
            connection.thread.join(15)
        if self._sources is not None:
            self._sources.close()


class _Connection:
    """One client: one TCP connection with at most one session."""

    def __init__(self, server: RtspServer, sock: socket.socket, peer: str) -> None:
        self._server, self._sock, self._peer = server, sock, peer
        video = server.camera.state.video
        self._authentication = Authentication(video.user, video.password)
        self._writing = threading.Lock()
        self._session = ""
        self._source: Source | None = None
        self._stream: Stream | None = None
        self._transport: Transport | None = None
        self._player: Player | None = None
        self.thread: threading.Thread = threading.Thread(
            target=self._serve, name="virtual-camera-rtsp", daemon=True
        )

    def cut(self) -> None:
        """Break the connection."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _write(self, data: bytes) -> None:
        with self._writing:
            self._sock.sendall(data)

    def _serve(self) -> None:
        self._sock.settimeout(_IDLE_S + 5)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self._sock.makefile("rb") as stream:
                while (request := read_request(stream)) is not None:
                    if request.method and not self._answer(request):
                        break
        except Malformed:
            with contextlib.suppress(OSError):
                self._write(response(400, []))
        except OSError:
            pass  # a broken client is the client's affair
        except Exception:
            _log.warning("a virtual camera's RTSP stumbled", exc_info=True)
            with contextlib.suppress(OSError):
                self._write(response(500, []))
        finally:
            self._tear_down()
            self._sock.close()
            self._server.gone(self)

    def _answer(self, request: Request) -> bool:
        """Answer one request; whether the connection goes on."""
        for fault in self._server.camera.faults.take("rtsp", named=True):
            if fault.kind == "delay":
                self._server.camera.closing.wait(fault.value)
            elif fault.kind == "hang":
                self._server.camera.closing.wait(fault.value or 60)
                return False
            else:
                return False
        status, headers, body = self._carry_out(request)
        if self._session and status == 200:
            headers = [*headers, ("Session", f"{self._session};timeout={_IDLE_S}")]
        sequence = [("CSeq", request.headers.get("cseq", "0")), ("Server", "sunmi")]
        self._write(response(status, [*sequence, *headers], body))
        if request.method == "TEARDOWN":
            self._session = ""
        if request.method == "PLAY" and status == 200 and self._player is None:
            # After the answer: no packet before it.
            from .delivery import Player

            assert self._stream is not None
            assert self._transport is not None
            self._player = Player(self._stream, self._transport)
        return True

    def _carry_out(self, request: Request) -> Answer:
        if request.version != "RTSP/1.0":
            return 505, [], ""
        if request.method == "OPTIONS":
            return 200, [("Public", ", ".join(_METHODS))], ""
        if request.method not in _METHODS:
            return 501, [], ""
        if not self._authentication.allows(request):
            return 401, self._authentication.challenges(), ""
        named = request.headers.get("session", "").partition(";")[0].strip()
        if named and named != self._session:
            return 454, [], ""
        if request.method in ("GET_PARAMETER", "SET_PARAMETER"):
            return 200, [], ""
        if request.method in ("DESCRIBE", "SETUP"):
            return self._open(request)
        if not self._session:
            return 454, [], ""
        return {"PLAY": self._play, "PAUSE": self._pause, "TEARDOWN": self._end}[request.method](request)

    def _open(self, request: Request) -> Answer:
        key, _, rest = request.path.partition("/")
        name = rest.partition("/")[0]
        source = None
        if key == stream_key(self._server.camera.state):
            source = self._server.sources().find(name)
        if source is None:
            return 404, [], ""
        if request.method == "DESCRIBE":
            base = request.url.rstrip("/") + "/"
            return 200, [("Content-Base", base), ("Content-Type", "application/sdp")], source.description
        if self._player is not None:
            return 455, [], ""
        transport = self._transport_for(request.headers.get("transport", ""))
        if transport is None:
            return 461, [], ""
        self._tear_down()
        self._transport, self._source, self._stream = transport, source, source.stream()
        self._session = self._session or secrets.token_hex(8)
        return 200, [("Transport", f"{transport.header};ssrc={self._stream.ssrc:08X}")], ""

    def _transport_for(self, header: str) -> Transport | None:
        from .delivery import Datagrams, Interleaved

        for offer in header.split(","):
            parts = [part.strip() for part in offer.split(";")]
            options = dict(part.partition("=")[::2] for part in parts[1:])
            if "multicast" in options:
                continue
            if parts[0].upper() == "RTP/AVP/TCP":
                channels = _numbers(options.get("interleaved", "0-1"), 255)
                if channels is not None:
                    return Interleaved(self._write, channels)
            elif parts[0].upper() in ("RTP/AVP", "RTP/AVP/UDP"):
                ports = _numbers(options.get("client_port", ""), 65_535)
                if ports is not None:
                    return Datagrams(self._server.camera.ip, self._peer, ports)
        return None

    def _play(self, request: Request) -> Answer:
        assert self._source is not None
        timeline = self._source.timeline
        if timeline is None:
            return 200, [("Range", "npt=now-")], ""
        match = re.match(r"npt=(\d+(?:\.\d+)?)-", request.headers.get("range", ""))
        if match is not None:
            if float(match[1]) >= timeline.seconds:
                return 457, [], ""
            self._stop()
            timeline.seek(float(match[1]))
        return 200, [("Range", f"npt={timeline.position:.3f}-{timeline.seconds:.3f}")], ""

    def _pause(self, request: Request) -> Answer:
        self._stop()
        return 200, [], ""

    def _end(self, request: Request) -> Answer:
        self._tear_down()
        return 200, [], ""

    def _stop(self) -> None:
        if self._player is not None:
            self._player.stop()
            self._player = None
            if self._source is not None and self._source.timeline is not None:
                assert self._stream is not None
                self._stream.close()
                self._source.timeline.seek(self._source.timeline.position)

    def _tear_down(self) -> None:
        self._stop()
        if self._transport is not None:
            self._transport.close()
        self._transport = self._source = self._stream = None


def _numbers(text: str, highest: int) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if max(first, second) <= highest else None
