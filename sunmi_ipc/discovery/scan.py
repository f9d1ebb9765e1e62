"""Ask every interface, and yield the cameras as they answer."""

from __future__ import annotations

import contextlib
import selectors
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from ..errors import CameraNotFound, ParameterError
from . import packet
from .camera import ACCESS_POINT, DUPLICATE_SN, DiscoveredCamera, observe
from .interfaces import Interface, chosen, interfaces, named
from .link import Link

ROUNDS_S = (0.0, 0.5, 1.0)
_BURST, _BREATH_S, _BLOCK = 16, 0.005, 1024


@dataclass
class ScanReport:
    """What a scan saw beside cameras; filled while it runs."""

    rejected: Counter[str] = field(default_factory=Counter)
    elapsed_s: float = 0.0
    notes: list[str] = field(default_factory=list)


def discover(
    *,
    timeout: float = 2.4,
    expect: int | None = None,
    interfaces: Sequence[str] | None = None,
    targets: Sequence[str] = (),
    access_point: bool = False,
    report: ScanReport | None = None,
) -> Iterator[DiscoveredCamera]:
    """Yield cameras as they answer.

    Args:
        timeout: Seconds in all.
        expect: Stop when this many were found.
        interfaces: Names or addresses; default: ``$SUNMI_IPC_INTERFACE``, else all but loopback.
        targets: Addresses and blocks (``192.168.1.0/24``) to ask by unicast beside; at most 1,024 each.
        access_point: Ask 192.168.200.1 too.
        report: Filled while scanning.

    """
    report = report if report is not None else ScanReport()
    started = time.monotonic()
    end = started + timeout
    names = named(interfaces)
    asked = expand([*targets, *([ACCESS_POINT] if access_point else [])])
    found: dict[str, DiscoveredCamera] = {}
    todo: deque[str] = deque()
    rounds = [started + s for s in ROUNDS_S]
    with contextlib.ExitStack() as stack:
        links = []
        available = _available()
        wanted = chosen(names, available)
        if any(IPv4Address(address).is_loopback for address in asked):
            wanted += [one for one in available if one.is_loopback and one not in wanted]
        for one in wanted:
            link = Link(one, packet.PORT)
            stack.callback(link.close)
            links.append(link)
            if not link.shared:
                report.notes.append(f"{one.name}: port {packet.PORT} is held by another program")
        selector = stack.enter_context(selectors.DefaultSelector())
        for link in links:
            for sock in link.sockets:
                selector.register(sock, selectors.EVENT_READ, link)
        while (now := time.monotonic()) < end:
            if rounds and now >= rounds[0]:
                rounds.pop(0)
                for link in links:
                    link.broadcast()
                todo = deque(asked)
            for address in [todo.popleft() for _ in range(min(_BURST, len(todo)))]:
                for link in links:
                    link.ask(address)
            wake = min(rounds[0] if rounds else end, end)
            if todo:  # the rest after a breath: a cheap switch drops a flood
                wake = min(wake, time.monotonic() + _BREATH_S)
            for key, _ in selector.select(max(0.0, wake - time.monotonic())):
                link = key.data
                with contextlib.suppress(OSError):
                    while True:
                        data, sender = key.fileobj.recvfrom(65_535)  # type: ignore[union-attr]
                        camera = _read(data, sender, link, report, found)
                        if camera is not None:
                            yield camera
                            if expect is not None and len(found) >= expect:
                                report.elapsed_s = time.monotonic() - started
                                return
    report.elapsed_s = time.monotonic() - started


def expand(targets: Sequence[str]) -> list[str]:
    """Addresses and blocks as addresses, each once; raises ParameterError for anything else."""
    found: dict[str, None] = {}
    for target in targets:
        try:
            network = IPv4Network(target, strict=False)
        except ValueError:
            network = None
        if network is None or network.num_addresses > _BLOCK:
            raise ParameterError(
                "{name}: neither an address nor a block of at most 1,024",
                name="target",
                hint="For example 192.168.1.20 or 192.168.1.0/24.",
            )
        hosts = network.hosts() if network.num_addresses > 1 else iter([network.network_address])
        found |= dict.fromkeys(map(str, hosts))
    return list(found)


def _available() -> list[Interface]:
    return interfaces()


def _read(
    data: bytes, sender: tuple[str, int], link: Link, report: ScanReport, found: dict[str, DiscoveredCamera]
) -> DiscoveredCamera | None:
    if link.is_ours(sender):
        return None
    try:
        parsed = packet.parse(data)
        if parsed.kind is packet.Kind.REQUEST:
            return None
        camera = observe(
            parsed.payload, sender[0], interface=link.interface.name,
            rtt_ms=round((time.monotonic() - link.asked) * 1000, 1),
        )  # fmt: skip
    except packet.BadPacket as bad:
        report.rejected[bad.reason] += 1
        return None
    known = found.get(camera.sn)
    if known is None:
        found[camera.sn] = camera
        return camera
    if camera.mac != known.mac:
        found[camera.sn] = replace(known, flags=(*known.flags, DUPLICATE_SN))
    return None


def find(
    sn: str, *, timeout: float = 2.4, interfaces: Sequence[str] | None = None, targets: Sequence[str] = ()
) -> DiscoveredCamera:
    """The camera of serial number *sn*, as soon as it answers; raises CameraNotFound."""
    for camera in discover(timeout=timeout, interfaces=interfaces, targets=targets):
        if camera.sn == sn:
            return camera
    raise CameraNotFound(
        "the camera {sn} was not found",
        hint="Is it on and in this network? 'ipc scan' lists the cameras that answer.",
        sn=sn,
    )
