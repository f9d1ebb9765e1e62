"""The sockets through which one interface asks and listens."""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
import sys
import time
from collections.abc import Iterator

from .interfaces import Interface
from .packet import REQUEST

__all__ = ["Link", "bind_to"]

_BUFFER = 4 << 20  # five hundred cameras may answer within a few milliseconds
_IP_BOUND_IF = 25  # macOS: <netinet/in.h>


class Link:
    """One interface, open.

    A camera may answer to the port that was asked from or to port 10001, by unicast or broadcast.
    So there is a port of our own, which no other program can take answers from, and port 10001,
    shared with whoever else holds it; both of our address and of the broadcast addresses.

    Args:
        interface: Where to ask.
        port: The cameras' discovery port.

    Attributes:
        shared: Whether port 10001 could be had.
        asked: When a request went out last, by ``time.monotonic()``; 0 before.
        echoes: How often our own broadcast came back to port 10001. On Linux it comes in by the
            interface, as an answer would: where it does not, a firewall of this computer drops it.
        trouble: Errors of sending by number, in order of appearance.

    Raises:
        OSError: The interface went away, or its address cannot be bound.

    """

    interface: Interface
    port: int

    def __init__(self, interface: Interface, port: int) -> None:
        self.interface, self.port = interface, port
        self.asked: float = 0.0
        self.echoes: int = 0
        self.trouble: dict[int, int] = {}
        self._source = _private_loopback() if _splits_loopback(interface) else interface.ip
        self.sockets: list[socket.socket] = []
        self._from_port: socket.socket | None = None
        self.shared: bool = True
        try:
            self._own = self._open(self._source, 0)
            self._own_port: int = self._own.getsockname()[1]
            with self._unless_taken():
                self._from_port = self._open(self._source, port)
            for address in interface.broadcasts:
                with self._unless_taken():
                    self._open(address, port)
                with contextlib.suppress(OSError):
                    self._open(address, self._own_port)
        except BaseException:
            self.close()
            raise

    def _open(self, address: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            bind_to(sock, self.interface)
            if port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if sys.platform not in ("linux", "win32"):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            try:
                sock.bind((address, port))
            except OSError as error:
                # Windows does not bind to a broadcast address; its wildcard hears broadcasts.
                if error.errno != errno.EADDRNOTAVAIL or address == self._source:
                    raise
                sock.bind(("", port))
        except BaseException:
            sock.close()
            raise
        self.sockets.append(sock)
        return sock

    @contextlib.contextmanager
    def _unless_taken(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            self.shared = False

    def broadcast(self) -> None:
        """Send the request to every camera on this interface."""
        self.asked = time.monotonic()
        for address in self.interface.broadcasts or ("255.255.255.255",):
            self._send(self._own, address)
            # The vendor's client asks from port 10001. Twice is also once more where packets get lost.
            if self._from_port is not None and not self.interface.is_loopback:
                self._send(self._from_port, address)

    def ask(self, address: str, *, from_port: bool = False) -> None:
        """Send the request to one *address*, by unicast; *from_port*: from port 10001 if we have it."""
        self.asked = time.monotonic()
        self._send((from_port and self._from_port) or self._own, address)

    def _send(self, sock: socket.socket, address: str) -> None:
        try:
            sock.sendto(REQUEST, (address, self.port))
        except OSError as error:  # down, no route, queue full: the next round may do
            number = error.errno or 0
            self.trouble[number] = self.trouble.get(number, 0) + 1

    def is_echo(self, data: bytes, sender: tuple[str, int]) -> bool:
        """Whether *data* is our own request, come back to us."""
        echo = sender[0] == self._source and data == REQUEST
        self.echoes += echo
        return echo

    def close(self) -> None:
        """Close every socket."""
        for sock in self.sockets:
            sock.close()


def _splits_loopback(interface: Interface) -> bool:
    return sys.platform == "linux" and interface.ip == "127.0.0.1" and interface.prefix == 8


def _private_loopback() -> str:
    # Linux owns all of 127.0.0.0/8: with an address of its own, a scan shares no port with a virtual
    # camera on 127.0.0.1, nor with another scan.
    return f"127.254.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def bind_to(sock: socket.socket, interface: Interface) -> None:
    """Let *sock* use *interface* alone, where the system has a way to say so."""
    # Without it 255.255.255.255 leaves by the default route alone. Refused by old kernels to plain
    # users, who still have the subnet's broadcast.
    with contextlib.suppress(OSError):
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode())
        elif sys.platform == "darwin" and interface.index:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BOUND_IF, interface.index)
