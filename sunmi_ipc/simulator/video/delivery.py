"""How packets reach a client: in between the answers on its connection, or as datagrams."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Protocol

from .stream import Stream

#: Pictures that wait for a slow client before some are dropped.
_WAITING = 30
_REPORT_S = 5.0
_NTP_EPOCH = 2_208_988_800


class Transport(Protocol):
    """Where a session's packets go."""

    #: The ``Transport`` header of the answer to SETUP.
    header: str

    def send(self, packets: list[bytes], *, control: bool = False) -> None:
        """Send RTP packets, or RTCP ones (*control*). Raises OSError where nobody is there."""

    def close(self) -> None:
        """Give the sockets back."""


class Interleaved:
    """Within the RTSP connection."""

    def __init__(self, write: Callable[[bytes], None], channels: tuple[int, int]) -> None:
        self._write, self._channels = write, channels
        self.header: str = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"

    def send(self, packets: list[bytes], *, control: bool = False) -> None:
        """Send in one write."""
        head = b"$" + bytes([self._channels[control]])
        self._write(b"".join(head + len(packet).to_bytes(2) + packet for packet in packets))

    def close(self) -> None:
        """Nothing of its own to close."""


class Datagrams:
    """UDP from a pair of ports, the even one for RTP."""

    def __init__(self, ip: str, peer: str, ports: tuple[int, int]) -> None:
        self._sockets = _pair(ip)
        self._targets = [(peer, port) for port in ports]
        own = [sock.getsockname()[1] for sock in self._sockets]
        self.header: str = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={own[0]}-{own[1]}"

    def send(self, packets: list[bytes], *, control: bool = False) -> None:
        """Send with short rests, so that a picture of many packets does not overrun the client's buffer."""
        for count, packet in enumerate(packets, 1):
            self._sockets[control].sendto(packet, self._targets[control])
            if count % 16 == 0:
                time.sleep(0.001)

    def close(self) -> None:
        """Close the pair."""
        for sock in self._sockets:
            sock.close()


def _pair(ip: str) -> list[socket.socket]:
    for _ in range(50):
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            first.bind((ip, 0))
            port = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((ip, port + 1))
                return [first, second]
        first.close()
        second.close()
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


class Player:
    """Takes pictures from a stream and sends them from a thread, so that a slow client holds up nobody.

    Args:
        stream: Where the pictures come from.
        transport: Where they go.

    """

    def __init__(self, stream: Stream, transport: Transport) -> None:
        self._stream, self._transport = stream, transport
        self._queue: queue.Queue[list[bytes] | None] = queue.Queue(_WAITING)
        self._waiting_for_key = True
        self._packets = self._bytes = 0
        self._reported = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtual-camera-player", daemon=True)
        self._thread.start()
        stream.join(self._take)

    def stop(self) -> None:
        """Send nothing more; returns when the thread has ended."""
        self._stopped.set()
        self._stream.leave(self._take)
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(15)

    def _take(self, packets: list[bytes], key: bool) -> None:
        if not packets:
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=10)  # what waits is sent first
            return
        if self._waiting_for_key and not key:
            return
        try:
            self._queue.put_nowait(packets)
            self._waiting_for_key = False
        except queue.Full:
            self._waiting_for_key = True
            self._stream.refresh()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while (packets := self._queue.get()) is not None and not self._stopped.is_set():
                stamp = packets[0][4:8]
                now = time.monotonic()
                if now - self._reported >= _REPORT_S:
                    self._reported = now
                    self._transport.send([self._report(stamp)], control=True)
                self._transport.send(packets)
                self._packets += len(packets)
                self._bytes += sum(len(packet) - 12 for packet in packets)
            if packets is None and not self._stopped.is_set():
                bye = struct.pack(">BBHI", 0x81, 203, 1, self._stream.ssrc)
                self._transport.send([self._report(b"\0\0\0\0") + bye], control=True)
        self._stopped.set()
        self._stream.leave(self._take)

    def _report(self, stamp: bytes) -> bytes:
        """A sender report (RFC 3550): which wall-clock time a timestamp is."""
        now = time.time() + _NTP_EPOCH
        ntp = int(now * 2**32) & 0xFFFF_FFFF_FFFF_FFFF
        head = struct.pack(">BBHIQ", 0x80, 200, 6, self._stream.ssrc, ntp)
        return head + stamp + struct.pack(">II", self._packets, self._bytes & 0xFFFF_FFFF)
