"""The computer's IPv4 interfaces, as far as a broadcast cares."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from ..errors import ParameterError

__all__ = ["Interface", "chosen", "interfaces", "named", "source_address"]

_UP, _POINT_TO_POINT, _RUNNING = 0x1, 0x10, 0x40
_SIOCGIFFLAGS = 0x8913


@dataclass(frozen=True)
class Interface:
    """One IPv4 address of one interface.

    Attributes:
        name: As the system calls it: ``eth0``, ``lo``, ``Ethernet 2``.
        ip: Its own address.
        prefix: Length of the network's prefix, 0 to 32.
        index: The system's number of the interface, 0 where unknown.
        point_to_point: It has one peer and no broadcast, as most VPNs.
        linked: Its cable is plugged in, or its Wi-Fi joined, as far as the system tells (Linux).

    """

    name: str
    ip: str
    prefix: int
    index: int = 0
    point_to_point: bool = False
    linked: bool = field(default=True, compare=False)

    @cached_property
    def network(self) -> IPv4Network:
        """The subnet that its address is in."""
        return IPv4Network((self.ip, self.prefix), strict=False)

    @property
    def is_loopback(self) -> bool:
        """Whether it is the loopback interface."""
        return IPv4Address(self.ip).is_loopback

    @property
    def is_link_local(self) -> bool:
        """Whether it gave its address to itself, because nobody hands out any: 169.254.x.y."""
        return IPv4Address(self.ip).is_link_local

    @property
    def broadcasts(self) -> tuple[str, ...]:
        """Where a broadcast goes: 255.255.255.255 and the subnet's own; on loopback the latter only."""
        subnet = (str(self.network.broadcast_address),) if self.prefix < 31 else ()
        return subnet if self.is_loopback else ("255.255.255.255", *subnet)


def interfaces() -> list[Interface]:
    """Every IPv4 address on an interface that is up, loopback included."""
    import ifaddr

    found: list[Interface] = []
    for adapter in ifaddr.get_adapters():
        flags = _flags(adapter.name)
        if not flags & _UP:
            continue
        for address in adapter.ips:
            if isinstance(address.ip, str):
                point_to_point = bool(flags & _POINT_TO_POINT) or address.network_prefix >= 31
                found.append(
                    Interface(
                        _device(adapter.nice_name),
                        address.ip,
                        address.network_prefix,
                        adapter.index or 0,
                        point_to_point,
                        bool(flags & _RUNNING),
                    )
                )
    return found


def named(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The interfaces asked for: *names*, else ``$SUNMI_IPC_INTERFACE``, else ``None`` for all."""
    if names is not None:
        return tuple(names)
    wanted = tuple(filter(None, (n.strip() for n in os.environ.get("SUNMI_IPC_INTERFACE", "").split(","))))
    return wanted or None


def chosen(names: Sequence[str] | None, available: Sequence[Interface]) -> list[Interface]:
    """Those of *available* to scan: by name or address, or all but loopback.

    Raises:
        ParameterError: A named interface does not exist or is down.

    """
    if names is None:
        return [one for one in available if not one.is_loopback]
    for name in names:
        if not any(name in (one.name, one.ip) for one in available):
            known = ", ".join(sorted({one.name for one in available})) or "-"
            raise ParameterError(
                "there is no network interface {interface}, or it is down or without an IPv4 address",
                name="interface",
                interface=name,
                hint="There are: {known}.",
                known=known,
            )
    return [one for one in available if one.name in names or one.ip in names]


def source_address(destination: str) -> str | None:
    """Our address on the way to *destination* by the system's routes; ``None`` where there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a UDP socket only asks the routing table: nothing is sent.
            probe.connect((destination, 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


def _device(name: str) -> str:
    # On Linux an address may bear a label ("eth0:1"), which is not the name of an interface.
    return name.partition(":")[0] if sys.platform == "linux" else name


def _flags(name: str) -> int:
    if sys.platform != "linux":
        return _UP | _RUNNING  # elsewhere ifaddr lists what is configured; a dead one fails at the first send
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sh14x", name.encode()[:15], 0))
        except OSError:
            return 0  # it went away in between
    flags: int = struct.unpack_from("H", answer, 16)[0]
    return flags
