"""Every chosen interface, open at once."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Self

from ..errors import ParameterError
from . import packet
from .interfaces import Interface, chosen, interfaces, source_address
from .reason import Reason
from .sockets import Link

__all__ = ["LinkReport", "Links"]

_AT_ONCE = 256  # datagrams from one socket before the others get their turn


@dataclass(frozen=True)
class LinkReport:
    """How an interface did.

    Attributes:
        interface: Which.
        shared: Whether port 10001 could be had.
        echoes: How often our own broadcast was heard.
        trouble: Errors of sending (``errno``), and how often.

    """

    interface: Interface
    shared: bool = True
    echoes: int = 0
    trouble: dict[int, int] = field(default_factory=dict)


class Links:
    """Ask on every chosen interface, hear on every one.

    Args:
        names: The interfaces, by name or address; None for all but loopback.
        loopback: Open loopback too (an address on it is asked).
        notes: Takes what is worth telling.
        patient: Names that do not exist (yet) are no error.

    Raises:
        ParameterError: A named interface does not exist.

    """

    def __init__(
        self,
        names: Sequence[str] | None,
        *,
        loopback: bool = False,
        notes: list[Reason] | None = None,
        patient: bool = False,
    ) -> None:
        self._names, self._loopback = names, loopback
        self._notes = notes if notes is not None else []
        self._links: dict[Interface, Link] = {}
        self._routes: dict[str, list[Link]] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        try:
            self.refresh(patient=patient)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._links.values()))

    def refresh(self, *, patient: bool = True) -> bool:
        """Open interfaces that have come, close those that have gone; whether any has come."""
        available = interfaces()
        try:
            wanted = chosen(self._names, available)
        except ParameterError:
            if not patient:
                raise
            wanted = [one for one in available if {one.name, one.ip} & set(self._names or ())]
        if self._loopback:
            wanted += [one for one in available if one.is_loopback and one not in wanted]
        self._routes.clear()
        for gone in self._links.keys() - set(wanted):
            self._drop(self._links.pop(gone))
        new = [one for one in wanted if one not in self._links]
        return any([self._add(one) for one in new])

    def _add(self, interface: Interface) -> bool:
        try:
            link = Link(interface, packet.PORT)
        except OSError as error:  # it went away in between, or has no room for us
            reason = error.strerror or type(error).__name__
            note = Reason("{interface} cannot be used: {reason}", interface=_shown(interface), reason=reason)
            if note not in self._notes:
                self._notes.append(note)
            return False
        for sock in link.sockets:
            self._selector.register(sock, selectors.EVENT_READ, link)
        self._links[interface] = link
        if not link.shared:
            note = Reason(
                "{interface}: another program holds UDP port {port}; answers to that port go to it",
                interface=_shown(interface),
                port=packet.PORT,
            )
            if note not in self._notes:
                self._notes.append(note)
        return True

    def _drop(self, link: Link) -> None:
        for sock in link.sockets:
            self._selector.unregister(sock)
        link.close()

    def broadcast(self) -> None:
        """Ask every camera on every interface."""
        for link in self._links.values():
            link.broadcast()

    def ask(self, address: str, *, from_port: bool = False) -> None:
        """Ask one *address*, through the interface that leads there."""
        if address not in self._routes:
            self._routes[address] = self.towards(address)
        for link in self._routes[address]:
            link.ask(address, from_port=from_port)

    def towards(self, address: str) -> list[Link]:
        """The links to *address*: those in its subnet, else the one that the system's routes name, else all.

        A datagram for elsewhere on a link bound to its interface would be looked for there by ARP.
        """
        links = list(self._links.values())
        target = IPv4Address(address)
        near = [link for link in links if target in link.interface.network]
        if near or target.is_loopback:
            return near
        source = source_address(address)
        return [link for link in links if link.interface.ip == source] or links

    def receive(self, timeout: float) -> Iterator[tuple[bytes, tuple[str, int], Link]]:
        """The datagrams that come within *timeout* seconds, our own requests left out; returns after the first lot."""
        for key, _ in self._selector.select(max(0.0, timeout)):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake_read.recv(4096)
                continue
            sock, link = key.fileobj, key.data
            assert isinstance(sock, socket.socket)
            with contextlib.suppress(OSError):
                for _ in range(_AT_ONCE):
                    data, sender = sock.recvfrom(packet.MAX_SIZE)
                    if not link.is_echo(data, sender):
                        yield data, sender, link

    def wake(self) -> None:
        """Let :meth:`receive` return at once; from any thread."""
        with contextlib.suppress(OSError):
            self._wake_write.send(b"x")

    def reports(self) -> list[LinkReport]:
        """How each interface did."""
        return [
            LinkReport(link.interface, link.shared, link.echoes, dict(link.trouble))
            for link in self._links.values()
        ]

    def close(self) -> None:
        """Close everything."""
        for link in self._links.values():
            link.close()
        self._links.clear()
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()


def _shown(interface: Interface) -> str:
    return f"{interface.name} {interface.ip}"
