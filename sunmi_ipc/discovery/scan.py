"""Ask every interface, and yield the cameras as they answer."""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypedDict

from ..errors import CameraNotFound, ParameterError
from ..protocol.serial import same_serial_number
from . import packet
from .broadcast import LinkReport, Links
from .camera import ACCESS_POINT, ODD_ANSWER, OTHER_NETWORK, UNSURE, DiscoveredCamera, observe
from .interfaces import named
from .reason import Reason
from .sightings import MOST_ANSWERS, Census, Roll, digest
from .sockets import Link
from .targets import Pace, at_once, expand

if TYPE_CHECKING:
    from ..link.tls import ClientCertificate
    from .probe import Prober

_log = logging.getLogger("sunmi_ipc.discovery")

__all__ = ["ScanReport", "discover", "find", "read"]

TIMEOUT_S = 2.4
"""The default, in all."""
ROUNDS_S = (0.0, 0.5, 1.0)
"""When the request goes out, as the vendor's own client does."""
# Most cameras answer within this: a search that ends by then never pays for loading zeroconf.
_MDNS_AFTER_S = 0.25
_PROBE_AFTER_S = 0.6
_SENDERS = 16
_CLAIMANTS = 16  # of one serial number that are looked at
_FEW = 256  # targets that are asked and tried within the default timeout


@dataclass
class ScanReport:
    """What a scan saw, beside what it yielded; filled while it runs, complete when it has ended.

    Attributes:
        rejected: Packets that were none of ours, by reason.
        rejected_from: Who sent them, by reason: the first 16 addresses.
        notes: What is worth telling a person.
        links: How each interface did.
        cameras: Every camera with all that is known of it by the end: ``discover`` yields a camera at
            its first answer, before a second address or a second claimant of its serial number shows.
        elapsed_s: Seconds that it took.

    """

    rejected: Counter[str] = field(default_factory=Counter)
    rejected_from: dict[str, list[str]] = field(default_factory=dict)
    notes: list[Reason] = field(default_factory=list)
    links: list[LinkReport] = field(default_factory=list)
    cameras: list[DiscoveredCamera] = field(default_factory=list)
    elapsed_s: float = 0.0

    def reject(self, reason: str, sender: str) -> None:
        """Count a packet that is none of ours."""
        self.rejected[reason] += 1
        senders = self.rejected_from.setdefault(reason, [])
        if sender not in senders and len(senders) < _SENDERS:
            senders.append(sender)


class SearchOptions(TypedDict, total=False):
    """The arguments of :func:`discover`, for who hands them on."""

    timeout: float | None
    expect: int | None
    interfaces: Sequence[str] | None
    targets: Sequence[str]
    access_point: bool
    mdns: bool
    certificate: ClientCertificate | None
    report: ScanReport | None
    every: bool


def discover(
    *,
    timeout: float | None = None,
    expect: int | None = None,
    interfaces: Sequence[str] | None = None,
    targets: Sequence[str] = (),
    access_point: bool = False,
    mdns: bool = True,
    certificate: ClientCertificate | None = None,
    report: ScanReport | None = None,
    every: bool = False,
) -> Iterator[DiscoveredCamera]:
    """Yield cameras as they answer.

    The request goes out at 0, 0.5 and 1 s. The scan ends when *expect* are found, or when nothing new
    has come for a third of *timeout* after the last request, or after *timeout*. With *expect* it waits
    for them until *timeout*, and asks on each second.

    Args:
        timeout: Seconds in all, over 0; default: 2.4, and more where the targets take longer to ask. The
            time that the caller takes for each camera is not counted.
        expect: Stop when this many were found, from 1.
        interfaces: Names or addresses; default: ``$SUNMI_IPC_INTERFACE``, else all but loopback.
        targets: Addresses and blocks (``192.168.1.0/24``) to ask one by one beside; at most 1,024
            addresses each. Where one answers no UDP, its HTTPS port is tried: 443, or the one named
            (``192.168.1.20:8443``).
        access_point: Ask 192.168.200.1 too: a camera on its own access point.
        mdns: Look for announcements by mDNS beside.
        certificate: A client certificate to show to HTTPS ports that do not tell whether they are a
            camera's.
        report: Filled while scanning.
        every: Yield each answer as it came, and not each camera at its first: to see whoever claims to be it.

    Raises:
        ParameterError: A bound is not kept, or a target or an interface is not what it should be; nothing
            was sent.

    """
    if expect is not None and expect < 1:
        raise ParameterError("{name}: out of range", name="expect", hint="Allowed: {bounds}.", bounds="1-")
    names = named(interfaces)
    asked = expand([*targets, *([ACCESS_POINT] if access_point else [])])
    scan = _Scan(
        names, asked, report if report is not None else ScanReport(), mdns, certificate, timeout, every
    )
    return scan.run(expect, patient=expect is not None)


class _Scan:
    """One scan: what is open, and what has been found."""

    def __init__(
        self,
        names: Sequence[str] | None,
        asked: dict[str, int],
        report: ScanReport,
        mdns: bool,
        certificate: ClientCertificate | None,
        timeout: float | None,
        every: bool = False,
    ) -> None:
        self._end = math.inf
        self._every = every  # yield each answer as it is, not each camera at its first
        if timeout is not None and not timeout > 0:
            raise ParameterError(
                "{name}: out of range", name="timeout", hint="Allowed: {bounds}.", bounds="> 0"
            )
        self._names, self._asked, self._report, self._timeout = names, asked, report, timeout
        self._mdns, self._certificate = mdns, certificate
        self._roll = Roll()
        self._held = 0.0  # seconds that who takes the cameras has kept us waiting: they do not count
        self._known: set[tuple[Link, tuple[str, int], bytes]] = set()  # by digest: an answer may be long
        self._census = Census()
        self._others: SimpleQueue[DiscoveredCamera] = SimpleQueue()

    def run(self, expect: int | None, *, patient: bool) -> Generator[DiscoveredCamera, None, None]:
        """The cameras, as they come."""
        began, timeout = time.monotonic(), self._timeout
        quiet_s = (timeout or TIMEOUT_S) / 3
        if timeout is None:
            timeout = max(TIMEOUT_S, self._duration())
        try:
            with ExitStack() as stack:
                loopback = any(IPv4Address(address).is_loopback for address in self._asked)
                links = Links(self._names, loopback=loopback, notes=self._report.notes)
                stack.enter_context(links)
                stack.callback(lambda: self._report.links.extend(links.reports()))
                # From here on: however long a busy computer took to open the sockets, it asks.
                started = time.monotonic()
                for camera in self._listen(links, stack, started, started + timeout, quiet_s, patient):
                    given = time.monotonic()
                    yield camera
                    self._hold(links, time.monotonic() - given)
                    if expect is not None and len(self._roll) >= expect:
                        return
        finally:
            self._report.cameras[:] = self._roll.cameras
            self._report.elapsed_s = time.monotonic() - began

    def end_in(self, seconds: float) -> None:
        """End the scan in *seconds*, if it would go on longer."""
        self._end = min(self._end, self._now() + seconds)

    def _now(self) -> float:
        return time.monotonic() - self._held

    def _hold(self, links: Links, seconds: float) -> None:
        self._held += seconds
        for link in links:
            link.asked += seconds

    def _duration(self) -> float:
        """Seconds that many targets take."""
        if len(self._asked) <= min(_FEW, at_once()):
            return 0
        from .probe import Prober

        asking = len(ROUNDS_S) * Pace.duration(len(self._asked))
        return max(asking, _PROBE_AFTER_S + Prober.duration(len(self._asked))) + 1.4

    def _listen(
        self, links: Links, stack: ExitStack, started: float, end: float, quiet_s: float, patient: bool
    ) -> Iterator[DiscoveredCamera]:
        rounds = _rounds(started, patient)
        due: float | None = next(rounds)
        mdns_at = started + _MDNS_AFTER_S if self._mdns else None
        probe_at = started + _PROBE_AFTER_S if self._asked else None
        prober: Prober | None = None
        number, news = 0, started
        pace = Pace(lambda address: links.ask(address, from_port=number % 2 == 0))
        while (now := self._now()) < (end := min(end, self._end)):
            if due is not None and now >= due:
                if number >= len(ROUNDS_S):  # a long wait: somebody may be plugging in a cable
                    links.refresh()
                links.broadcast()
                pace.extend(self._unanswered())
                due, number, news = next(rounds, None), number + 1, max(news, now)
            if mdns_at is not None and now >= mdns_at:
                mdns_at = None
                stack.callback(self._browse(links))
            if probe_at is not None and now >= probe_at:
                probe_at = None
                if targets := {address: self._asked[address] for address in self._unanswered()}:
                    prober = self._probe(links, targets)
                    stack.callback(prober.close)
            left = pace.step(now)
            if left is not None or (prober is not None and prober.busy):
                news = max(news, now)
            quiet_at = news + quiet_s if due is None and not patient else None
            if quiet_at is not None and now >= quiet_at:
                return
            wake = min(at for at in (end, due, mdns_at, probe_at, left, quiet_at) if at is not None)
            for data, sender, link in links.receive(wake - self._now()):
                if (camera := self._read(data, sender, link)) is not None:
                    news = self._now()
                    yield camera
            for camera in self._from_others():
                news = self._now()
                yield camera

    def _unanswered(self) -> list[str]:
        answered = {address for camera in self._roll.cameras for address in camera.addresses}
        return [address for address in self._asked if address not in answered]

    def _read(self, data: bytes, sender: tuple[str, int], link: Link) -> DiscoveredCamera | None:
        known = (link, sender, digest(data))
        if known in self._known:  # the same answer to the next round
            return None
        camera = read(data, sender[0], link, self._report, self._asked)
        if camera is None:
            return None
        if not self._census.admits(camera.sn, sender[0]):
            self._report.reject("too many cameras", sender[0])
            return None
        if len(self._known) < MOST_ANSWERS:
            self._known.add(known)
        return self._enter(camera)

    def _enter(self, seen: DiscoveredCamera) -> DiscoveredCamera | None:
        """Enter a sighting; the camera where that is news."""
        camera = self._roll.enter(seen)
        return seen if self._every else camera

    def _browse(self, links: Links) -> Callable[[], None]:
        from .mdns import Browser

        browser = Browser([link.interface for link in links], self._put(links), self._no_mdns)
        return browser.close

    def _no_mdns(self, reason: str) -> None:
        self._report.notes.append(Reason("mDNS cannot be used: {reason}", reason=reason))

    def _probe(self, links: Links, targets: dict[str, int]) -> Prober:
        from .probe import Prober

        ways = ((address, port, links.towards(address)) for address, port in targets.items())
        reachable = [
            (address, port, near[0].interface)
            for address, port, near in ways
            if near and near[0].interface.is_loopback == IPv4Address(address).is_loopback
        ]
        return Prober(reachable, self._put(links), certificate=self._certificate)

    def _put(self, links: Links) -> Callable[[DiscoveredCamera], None]:
        def put(camera: DiscoveredCamera) -> None:
            self._others.put(camera)
            links.wake()

        return put

    def _from_others(self) -> Iterator[DiscoveredCamera]:
        while True:
            try:
                seen = self._others.get_nowait()
            except Empty:
                return
            if not self._census.admits(seen.sn, seen.ip):
                self._report.reject("too many cameras", seen.ip)
            elif (camera := self._enter(seen)) is not None:
                yield camera


def _rounds(started: float, patient: bool) -> Iterator[float]:
    yield from (started + at for at in ROUNDS_S)
    if patient:  # somebody waits for a camera that may still be starting
        yield from (started + at for at in itertools.count(2))


def read(
    data: bytes, sender: str, link: Link, report: ScanReport, asked: Container[str]
) -> DiscoveredCamera | None:
    """The camera that sent *data*; None, and counted in *report*, where none did.

    One outside the interface's network is flagged, unless it is one of those *asked* by address.
    """
    try:
        parsed = packet.parse(data)
    except packet.BadPacket as bad:
        report.reject(bad.reason, sender)
        return None
    if parsed.kind == packet.Kind.REQUEST and not any(k.lower() == "deviceid" for k in parsed.payload):
        return None  # another client of this network looks for cameras too
    odd = [*parsed.odd, *(["type"] if parsed.kind == packet.Kind.REQUEST else [])]
    interface = link.interface
    camera = observe(
        parsed.payload,
        sender,
        odd=bool(odd),
        interface=interface.name,
        interface_ip=interface.ip,
        rtt_ms=round((time.monotonic() - link.asked) * 1000, 1),
    )
    if ODD_ANSWER in camera.flags:
        _log.info("%s: an odd answer (%s)", sender, ", ".join(odd) or "no serial number")
    if sender not in asked and IPv4Address(sender) not in interface.network:
        camera = replace(camera, flags=(*camera.flags, OTHER_NETWORK))
    return camera


def is_sn(camera: DiscoveredCamera, sn: str) -> bool:
    """Whether *sn* is the camera's serial number, however it is spelled."""
    return same_serial_number(camera.sn, sn)


def claimed_by_several(sn: str, claimants: Iterable[DiscoveredCamera]) -> ParameterError:
    """The error for a serial number of which nothing tells whose it is."""
    return ParameterError(
        "{sn} is claimed by more than one camera, at {addresses}",
        name="camera",
        sn=sn,
        addresses=", ".join(f"{one.ip}:{one.port}" for one in claimants),
        hint="Name the right one by its address (-c ADDRESS); the other is a stranger's, or was copied.",
    )


def not_found(sn: str) -> CameraNotFound:
    """The error for a camera that nobody answers as."""
    return CameraNotFound(
        "the camera {sn} was not found",
        hint="Is it on and in this network? 'ipc scan' lists the cameras that answer.",
        sn=sn,
    )


def said_to_be_elsewhere(camera: DiscoveredCamera) -> CameraNotFound:
    """The error for a camera of which somebody says that it is where nothing connects to by itself."""
    return CameraNotFound(
        "the camera {sn} was not found in this network; somebody says that it is at {address}",
        hint="If you know that address, name it: -c {address}.",
        sn=camera.sn,
        address=camera.address,
    )


def find(
    sn: str,
    *,
    timeout: float | None = None,
    interfaces: Sequence[str] | None = None,
    targets: Sequence[str] = (),
    mdns: bool = True,
    certificate: ClientCertificate | None = None,
    report: ScanReport | None = None,
    approve: Callable[[DiscoveredCamera], str] | None = None,
    linger: float = 0.0,
) -> DiscoveredCamera:
    """The camera of serial number *sn*, as soon as it answers; else it waits until *timeout*.

    Every spelling of a serial number is the same. Anybody in the network can claim one: of several that do,
    the first that *approve* takes is the camera. One whose address is in another network, or announced by
    somebody else, is left out, unless it is one of the *targets*. The other arguments are those of
    :func:`discover`.

    Args:
        sn: The serial number.
        timeout: As for :func:`discover`.
        interfaces: Likewise.
        targets: Likewise.
        mdns: Likewise.
        certificate: Likewise.
        report: Likewise.
        approve: What a claimant is known by, its certificate's fingerprint for example; ``""`` refuses it. The
            time that it takes is not counted. Default: every claimant is taken.
        linger: Seconds to listen on for a second claimant, known by something else, before the first one is
            taken.

    Raises:
        CameraNotFound: None of that serial number answered.
        ParameterError: Several claim it, and nothing tells which one it is; or as for :func:`discover`.

    """
    scan = _Scan(
        named(interfaces),
        asked := expand(targets),
        report if report is not None else ScanReport(),
        mdns,
        certificate,
        timeout,
        every=True,
    )
    taken: dict[str, DiscoveredCamera] = {}
    unsure: DiscoveredCamera | None = None
    judged: set[tuple[str, int]] = set()
    with closing(scan.run(None, patient=True)) as answers:
        for camera in answers:
            if not is_sn(camera, sn) or (camera.ip, camera.port) in judged:
                continue
            if camera.ip not in asked and not UNSURE.isdisjoint(camera.flags):
                unsure = camera
                continue
            if len(judged) >= _CLAIMANTS:
                break
            judged.add((camera.ip, camera.port))
            # Without anything to tell two claimants by, each address is one of its own.
            known = approve(camera) if approve is not None else f"{camera.ip}:{camera.port}"
            if known and not linger:
                return camera
            if known:
                if not taken:
                    scan.end_in(linger)
                taken.setdefault(known, camera)
    if len(taken) > 1:
        raise claimed_by_several(sn, taken.values())
    for camera in taken.values():
        return camera
    if unsure is not None:
        raise said_to_be_elsewhere(unsure)
    raise not_found(sn)
