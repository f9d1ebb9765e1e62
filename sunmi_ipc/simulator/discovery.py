"""The virtual camera's side of discovery (protocol.md, section 2), with packing of its own."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable

from ..errors import ConfigError
from . import loop

PORT = 10001
REPLIES = ("sender", "port", "broadcast")
_MAGIC = b"\xff\xff\x33\xff"
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
Answerer = Callable[[tuple[str, int]], None]


def is_request(data: bytes) -> bool:
    """Whether *data* is a well-formed request."""
    if len(data) < 12 or data[:6] != _MAGIC + b"\x01\x01":
        return False
    (size,) = struct.unpack_from(">H", data, 6)
    return bool(len(data) == size + 12 and struct.pack(">I", zlib.crc32(data[:-4])) == data[-4:])


def response(values: dict[str, str]) -> bytes:
    """The datagram that answers a request."""
    payload = base64.standard_b64encode(json.dumps(values, ensure_ascii=False).encode())
    head = _MAGIC + struct.pack(">BBH", 1, 2, len(payload)) + payload
    return head + struct.pack(">I", zlib.crc32(head))


def reply_address(reply: str, sender: tuple[str, int], ip: str) -> tuple[str, int]:
    """Where an answer goes: which of these ways a real camera takes is not known.

    Args:
        reply: ``sender`` (to the port that asked), ``port`` (to the asker's port 10001), ``broadcast``
            (to everybody's port 10001).
        sender: Who asked.
        ip: The camera's own address.

    """
    if reply == "broadcast":
        return ("127.255.255.255" if ip.startswith("127.") else "255.255.255.255"), PORT
    return sender if reply == "sender" else (sender[0], PORT)


class _Broadcasts:
    """One socket of the process that hears broadcasts for all its virtual cameras."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answerers: list[Answerer] = []
        self._socket: socket.socket | None = None

    def join(self, answerer: Answerer) -> None:
        with self._lock:
            if self._socket is None:
                self._socket = udp_socket("0.0.0.0")  # noqa: S104 - broadcasts arrive nowhere else
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
                loop.acquire().add(self._socket, self._hear)
            self._answerers.append(answerer)

    def leave(self, answerer: Answerer) -> None:
        with self._lock:
            if answerer in self._answerers:
                self._answerers.remove(answerer)
            if not self._answerers and self._socket is not None:
                sock, self._socket = self._socket, None
                running = loop.acquire()
                running.remove(sock)
                loop.release()
                loop.release()

    def _hear(self, sock: socket.socket) -> None:
        data, ancillary, _, sender = sock.recvmsg(65_535, 128)
        if not is_request(data) or not _is_broadcast(ancillary):
            return
        for answer in list(self._answerers):
            answer(sender)


def _is_broadcast(ancillary: list[tuple[int, int, bytes]]) -> bool:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(data) >= 12:
            # What was sent to one address was sent to a camera's own socket.
            local, destination = data[4:8], data[8:12]
            return destination != local
    return True


BROADCASTS = _Broadcasts()


def udp_socket(address: str) -> socket.socket:
    """A socket on the discovery port, shared with the other cameras and clients of this machine.

    Raises:
        ConfigError: Another program holds the port and does not share it.

    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.bind((address, PORT))
    except OSError as error:
        sock.close()
        raise ConfigError(
            "{address}:{port} cannot be used: {reason}",
            hint="End the program that holds the UDP port.",
            address=address,
            port=PORT,
            reason=error.strerror or "",
        ) from None
    return sock
