"""Cameras that announce themselves by mDNS: a second source, in a thread of its own.

Whether and under which service type a camera announces itself is not known. So every type in the
network is looked at, and a service is a camera's where its name, host or TXT record bears a serial
number.

Anybody can announce any host as a camera. So an address counts where it is in an interface's network and
the announcement of the host came from that very address; every other is flagged, and not connected to.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .camera import OTHER_NETWORK, RELAYED, DiscoveredCamera, serial_number_in
from .interfaces import Interface
from .targets import HTTPS

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

__all__ = ["Browser"]

_log = logging.getLogger("sunmi_ipc.discovery")
_ALL_TYPES = "_services._dns-sd._udp.local."
#: Asked for at once, without waiting for the list of types; the usual ones of cameras.
_TYPES = ("_http._tcp.local.", "_https._tcp.local.", "_rtsp._tcp.local.")
_MAX_TYPES = 64
_REQUEST_MS = 700
_MAX_ASKERS = 32
_MAX_SPEAKERS = 4096
_START_S = 5.0


class _Overheard(asyncio.DatagramProtocol):
    """Notes who announces which host, and hands everything on to zeroconf, which does not keep the sender."""

    def __init__(self, inner: asyncio.DatagramProtocol, speakers: set[tuple[str, str]]) -> None:
        self._inner, self._speakers = inner, speakers

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        try:
            self._note(data, str(addr[0]))
        except Exception as error:  # zeroconf judges what it can read
            _log.debug("mDNS packet not read (%s)", type(error).__name__)
        self._inner.datagram_received(data, addr)

    def _note(self, data: bytes, sender: str) -> None:
        from zeroconf import DNSAddress, DNSIncoming  # type: ignore[attr-defined]

        address = socket.inet_aton(sender)
        if address in data and len(self._speakers) < _MAX_SPEAKERS:
            for record in DNSIncoming(data).answers():
                if isinstance(record, DNSAddress) and record.address == address:
                    self._speakers.add((record.name.lower(), sender))

    def error_received(self, exc: Exception) -> None:
        self._inner.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)


def _overhear(zeroconf: Zeroconf, speakers: set[tuple[str, str]]) -> None:
    """Listen in on *zeroconf*'s sockets; without it, every announcement is taken for a relayed one."""

    async def listen_in() -> None:
        await zeroconf.async_wait_for_start()
        for wrapped in zeroconf.engine.readers:
            transport = wrapped.transport
            inner: Any = transport.get_protocol()  # compiled: no subclass of asyncio's by isinstance
            transport.set_protocol(_Overheard(inner, speakers))

    try:
        assert zeroconf.loop is not None
        asyncio.run_coroutine_threadsafe(listen_in(), zeroconf.loop).result(_START_S)
    except Exception as error:  # another version of zeroconf
        _log.info("mDNS senders cannot be told (%s)", type(error).__name__)


class Browser:
    """Look for cameras by mDNS until closed.

    Args:
        interfaces: Where; nothing goes out elsewhere.
        found: Called with each camera, from another thread.
        failed: Called with the reason where mDNS cannot be used.

    """

    def __init__(
        self,
        interfaces: Sequence[Interface],
        found: Callable[[DiscoveredCamera], None],
        failed: Callable[[str], None],
    ) -> None:
        self._interfaces = [one for one in interfaces if one.is_loopback or not one.point_to_point]
        self._found, self._failed = found, failed
        self._started = time.monotonic()
        self._closing = threading.Event()
        self._types: set[str] = set(_TYPES)
        self._unasked: SimpleQueue[ServiceInfo | None] = SimpleQueue()
        self._askers: list[threading.Thread] = []
        self._browsers: list[Any] = []
        self._speakers: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, name="mdns", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; the thread closes its sockets, at once unless it is still loading zeroconf."""
        self._closing.set()
        self._thread.join(0.1)

    def _run(self) -> None:
        if not self._interfaces:
            return
        # Imported here, in the thread: it takes longer than most cameras take to answer.
        from zeroconf import IPVersion, ServiceBrowser, Zeroconf

        if self._closing.is_set():
            return
        try:
            zeroconf = Zeroconf(interfaces=[one.ip for one in self._interfaces], ip_version=IPVersion.V4Only)
        except (OSError, RuntimeError) as error:
            self._failed(getattr(error, "strerror", None) or type(error).__name__)
            return
        try:
            _overhear(zeroconf, self._speakers)
            self._browsers.append(ServiceBrowser(zeroconf, [_ALL_TYPES, *_TYPES], handlers=[self._seen]))
            self._closing.wait()
            for browser in self._browsers:
                browser.cancel()
        finally:
            loop = zeroconf.loop
            zeroconf.close()
            for _ in self._askers:
                self._unasked.put(None)
            for asker in self._askers:
                asker.join(1)
            if loop is not None and not loop.is_running():
                loop.close()  # older zeroconfs leave it to the garbage collector, sockets and all

    def _seen(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: Any) -> None:
        if self._closing.is_set():
            return
        if service_type == _ALL_TYPES:
            if name not in self._types and len(self._types) < _MAX_TYPES:
                self._types.add(name)
                self._browse(zeroconf, name)
        elif state_change.name != "Removed":
            self._look_at(zeroconf, service_type, name)

    def _browse(self, zeroconf: Zeroconf, service_type: str) -> None:
        from zeroconf import ServiceBrowser

        try:
            self._browsers.append(ServiceBrowser(zeroconf, service_type, handlers=[self._seen]))
        except Exception as error:  # a malformed type is somebody else's mistake
            _log.debug("mDNS type left out (%s)", type(error).__name__)

    def _look_at(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        from zeroconf import ServiceInfo

        try:
            info = ServiceInfo(service_type, name)
            if info.load_from_cache(zeroconf):
                self._report(info)
                return
        except Exception as error:
            _log.debug("mDNS answer left out (%s)", type(error).__name__)
            return
        # Asked for in threads: one that does not answer must not hold up the others.
        self._unasked.put(info)
        if len(self._askers) < _MAX_ASKERS:
            asker = threading.Thread(target=self._ask, args=(zeroconf,), name="mdns-ask", daemon=True)
            self._askers.append(asker)
            asker.start()

    def _ask(self, zeroconf: Zeroconf) -> None:
        while (info := self._unasked.get()) is not None and not self._closing.is_set():
            try:
                if info.request(zeroconf, _REQUEST_MS) and not self._closing.is_set():
                    self._report(info)
            except Exception as error:  # closed meanwhile, or nonsense in the answer
                _log.debug("mDNS answer left out (%s)", type(error).__name__)

    def _report(self, info: ServiceInfo) -> None:
        texts = [info.name, info.server or ""]
        for key, value in info.properties.items():
            texts += [part.decode(errors="replace") for part in (key, value or b"")]
        sn = next(filter(None, map(serial_number_in, texts)), "")
        place = self._place(info) if sn else None
        if place is None:
            return
        ip, interface, near = place
        flags = [] if near else [OTHER_NETWORK]
        if ((info.server or "").lower(), ip) not in self._speakers:
            flags.append(RELAYED)
        self._found(
            DiscoveredCamera(
                sn=sn,
                ip=ip,
                port=info.port if info.type.startswith("_https.") and info.port else HTTPS,
                interface=interface.name,
                interface_ip=interface.ip,
                source="mdns",
                rtt_ms=round((time.monotonic() - self._started) * 1000, 1),
                addresses=(ip,),
                flags=tuple(flags),
            )
        )

    def _place(self, info: ServiceInfo) -> tuple[str, Interface, bool] | None:
        """The address to show, the interface that leads there, and whether it is in that one's network."""
        from zeroconf import IPVersion

        addresses = [IPv4Address(text) for text in info.parsed_addresses(IPVersion.V4Only)]
        for address in addresses:
            for interface in self._interfaces:
                if address in interface.network and str(address) != interface.ip:
                    return str(address), interface, True
        for address in addresses:
            if not (address.is_loopback or address.is_multicast or address.is_unspecified):
                return str(address), self._interfaces[0], False
        return None
