"""RTSP servers made by hand, with the ways and the malice of some."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av

#: Answers a request's text, or None for the usual answer.
Answer = Callable[[str, str], bytes | None]


def pictures(count: int, rate: int, size: tuple[int, int] = (160, 96)) -> list[list[bytes]]:
    """Access units of H.264, the first with a key frame, each as NAL units."""
    codec: Any = av.CodecContext.create("libx264", "w")
    (codec.width, codec.height), codec.pix_fmt, codec.time_base = size, "yuv420p", Fraction(1, rate)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10000", "x264-params": "scenecut=0"}
    units = []
    for number in range(count):
        frame = av.VideoFrame(*size, "yuv420p")
        for index, plane in enumerate(frame.planes):
            plane.update(bytes([number * 5 + index * 40 & 255]) * plane.buffer_size)
        frame.pts = number
        for packet in codec.encode(frame):
            units.append([unit for unit in re.split(rb"\x00\x00\x00?\x01", bytes(packet)) if unit])
    return units


class Server:
    """Plays a stream to each who asks.

    Args:
        keys: Seconds between two key frames.
        stop_after: Pictures after which it closes.
        sound: A sound of G.711 beside it; ``picture=False``: alone.
        udp: Over UDP alone.
        answer: Answers in place of the server.
        host: Where it listens.

    """

    def __init__(
        self,
        *,
        rate: int = 12,
        keys: float = 1.0,
        stop_after: int | None = None,
        sound: bool = False,
        picture: bool = True,
        udp: bool = False,
        answer: Answer | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.rate, self.stop_after, self.sound, self.picture, self.udp = rate, stop_after, sound, picture, udp
        self._answer = answer or (lambda method, text: None)
        self._units = pictures(int(keys * rate), rate)
        self.heard: list[str] = []
        self.connections = 0
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.url = f"rtsp://{host}:{self.port}/live.sdp"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._datagrams.close()

    def methods(self) -> list[str]:
        return [text.split()[0] for text in self.heard]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _describe(self) -> bytes:
        import base64

        sets = ",".join(base64.b64encode(u).decode() for u in self._units[0] if u[0] & 31 in (7, 8))
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "t=0 0", "m=video 0 RTP/AVP 96"]
        lines += ["a=rtpmap:96 H264/90000", f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}"]
        lines += ["a=control:track1"]
        if self.sound:
            lines += ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=control:track2"]
        return ("\r\n".join(lines) + "\r\n").encode()

    def _serve(self, sock: socket.socket) -> None:
        data, channel, targets = b"", 0, []
        with contextlib.suppress(OSError, AssertionError), sock:
            while True:
                while b"\r\n\r\n" not in data:
                    piece = sock.recv(4096)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                text = head.decode("latin-1")
                found = re.search(r"CSeq: *(\d+)", text)
                if found is None:
                    continue
                self.heard.append(text)
                method = text.split()[0]
                own = self._answer(method, text)
                if own is not None:
                    sock.sendall(own.replace(b"{CSEQ}", found[1].encode()))
                    continue
                extra, body = "", b""
                if method == "DESCRIBE":
                    body = self._describe()
                    extra = f"Content-Length: {len(body)}\r\n"
                if method == "SETUP":
                    ports = re.search(r"client_port=(\d+)", text)
                    if self.udp and ports is None:
                        sock.sendall(f"RTSP/1.0 461 No\r\nCSeq: {found[1]}\r\n\r\n".encode())
                        continue
                    if ports is not None:
                        targets.append(int(ports[1]))
                        extra = f"Session: 1\r\nTransport: RTP/AVP;unicast;client_port={ports[1]}-{int(ports[1]) + 1};server_port=6970-6971\r\n"
                    else:
                        extra = f"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}\r\n"
                    channel += 2
                sock.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {found[1]}\r\n{extra}\r\n".encode() + body)
                if method == "PLAY":
                    self._play(sock, targets)
                    return

    def _play(self, sock: socket.socket, targets: list[int]) -> None:
        began, number, sequence, sounds = time.monotonic(), 0, 0, 0
        datagrams = self._datagrams

        def give(channel: int, packet: bytes) -> None:
            if targets:
                datagrams.sendto(packet, ("127.0.0.1", targets[channel // 2]))
            else:
                sock.sendall(b"$" + bytes([channel]) + struct.pack(">H", len(packet)) + packet)

        while self.stop_after is None or number < self.stop_after:
            if self.picture:
                unit = self._units[number % len(self._units)]
                for place, nal in enumerate(unit):
                    mark = 0x80 if place == len(unit) - 1 else 0
                    stamp = number * 90_000 // self.rate
                    give(0, struct.pack(">BBHII", 0x80, mark | 96, sequence & 0xFFFF, stamp, 7) + nal)
                    sequence += 1
            if self.sound:
                for _ in range(50 // self.rate + 1):
                    head = struct.pack(">BBHII", 0x80, 8, sounds & 0xFFFF, sounds * 160, 9)
                    give(2, head + b"\xd5" * 160)
                    sounds += 1
            number += 1
            time.sleep(max(0.0, began + number / self.rate - time.monotonic()))
