"""Know at any time which cameras are there."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Self

from ..errors import ParameterError
from .broadcast import Links
from .camera import DiscoveredCamera
from .interfaces import named
from .scan import ROUNDS_S, ScanReport, read
from .sightings import Census, Roll, digest
from .sockets import Link
from .targets import Pace, expand

__all__ = ["Change", "ChangeKind", "Tracker"]

_log = logging.getLogger("sunmi_ipc.discovery")


class ChangeKind(StrEnum):
    """What happened to a camera."""

    ONLINE = "online"
    CHANGED = "changed"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: ``online``, ``changed`` or ``offline``.
        camera: The camera as it is now; one that went offline as it was last.
        before: As it was before, where it changed.
        at: When, Unix seconds.

    """

    kind: ChangeKind
    camera: DiscoveredCamera
    before: DiscoveredCamera | None = None
    at: float = 0.0

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the attributes that changed."""
        if self.before is None:
            return ()
        before = self.before
        return tuple(
            name
            for name in DiscoveredCamera.__slots__
            if name != "rtt_ms" and getattr(before, name) != getattr(self.camera, name)
        )


_Place = tuple[str, str]  # interface and sender
# A camera answers on a few interfaces; changes that nobody takes are let go, the oldest first.
_PLACES, _UNTAKEN = 64, 16_384


@dataclass(slots=True)
class _Sighting:
    camera: DiscoveredCamera
    digest: bytes
    round: int


class Tracker:
    """Ask every *interval* seconds, and tell what changes.

    A camera is online at its first answer, and offline when it has missed *missed* rounds one after
    another: a lost packet or a busy Wi-Fi is no change. Interfaces may come and go while it runs.

    Use it as a context manager. Changes come to *on_change*, and to whoever iterates; an iteration
    begins with the cameras that are there already, and ends when the tracker is closed::

        with Tracker() as tracker:
            for change in tracker:
                print(change.kind, change.camera.sn)

    Args:
        interval: Seconds between rounds, from 0.1.
        missed: Rounds without an answer that make a camera offline, from 1.
        interfaces: As for :func:`~sunmi_ipc.discovery.discover`; looked up anew at each round.
        targets: Addresses and blocks to ask one by one beside.
        on_change: Called with each :class:`Change`, from the tracker's thread.

    Attributes:
        report: Rejected packets and notes.

    Raises:
        ParameterError: A bound is not kept, or a target is none. :meth:`start` raises it for an
            interface that does not exist.

    """

    def __init__(
        self,
        *,
        interval: float = 5.0,
        missed: int = 3,
        interfaces: Sequence[str] | None = None,
        targets: Sequence[str] = (),
        on_change: Callable[[Change], None] | None = None,
    ) -> None:
        if not 0.1 <= interval <= 3600:
            raise ParameterError(
                "{name}: out of range", name="interval", hint="Allowed: {bounds}.", bounds="0.1-3600"
            )
        if missed < 1:
            raise ParameterError(
                "{name}: out of range", name="missed", hint="Allowed: {bounds}.", bounds="1-"
            )
        self.report: ScanReport = ScanReport()
        self._interval, self._missed, self._on_change = interval, missed, on_change
        self._names, self._targets = named(interfaces), expand(targets)
        self._round = 0
        self._sightings: dict[str, dict[_Place, _Sighting]] = {}
        self._heard: dict[tuple[_Place, bytes], _Sighting] = {}
        self._census = Census()
        self._lock = threading.Condition()
        self._cameras: dict[str, list[DiscoveredCamera]] = {}
        self._waiting: list[deque[Change]] = []
        self._closing = False
        self._links: Links | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin; returns at once."""
        loopback = any(IPv4Address(address).is_loopback for address in self._targets)
        self._links = Links(self._names, loopback=loopback, notes=self.report.notes)
        self._thread = threading.Thread(target=self._run, name="tracker", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End; iterations end too."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        if self._links is not None and self._thread is not None:
            self._links.wake()
            if threading.current_thread() is not self._thread:
                self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cameras(self) -> list[DiscoveredCamera]:
        """The cameras that are online."""
        with self._lock:
            return [camera for cameras in self._cameras.values() for camera in cameras]

    def __iter__(self) -> Iterator[Change]:
        """Yield changes until the tracker is closed, those that are online first."""
        mine = self.follow()
        try:
            while True:
                with self._lock:
                    while not mine and not self._closing:
                        # With a timeout, so that Ctrl-C gets through on every platform.
                        self._lock.wait(1)
                    if not mine:
                        return
                    change = mine.popleft()
                yield change
        finally:
            self.unfollow(mine)

    def follow(self) -> deque[Change]:
        """Where every change is put from now on, at the end: the cameras that are online are in it already."""
        now, mine = time.time(), deque[Change](maxlen=_UNTAKEN)
        with self._lock:
            for cameras in self._cameras.values():
                mine.extend(Change(ChangeKind.ONLINE, camera, None, now) for camera in cameras)
            self._waiting.append(mine)
        return mine

    def unfollow(self, changes: deque[Change]) -> None:
        """Put no more changes there."""
        with self._lock:
            self._waiting[:] = [one for one in self._waiting if one is not changes]

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        links = self._links
        assert links is not None
        quick = list(ROUNDS_S[1:])
        pace = Pace(lambda address: links.ask(address, from_port=self._round % 2 == 0))
        try:
            while not self._closing:
                started = time.monotonic()
                self._round += 1
                self._expire()
                if links.refresh() and self._round > 1:
                    quick = list(ROUNDS_S[1:])
                self._ask(links, pace)
                # Somebody new in the network: ask again soon, as a scan does.
                for at in [at for at in quick if at < self._interval]:
                    self._hear_until(links, started + at, pace)
                    self._ask(links, pace)
                quick.clear()
                self._hear_until(links, started + self._interval, pace)
        except Exception:
            _log.exception("the tracker stopped")
        finally:
            links.close()
            with self._lock:
                self._closing = True
                self._lock.notify_all()

    def _ask(self, links: Links, pace: Pace) -> None:
        if not self._closing:
            links.broadcast()
            pace.extend(self._targets)

    def _hear_until(self, links: Links, until: float, pace: Pace) -> None:
        while not self._closing:
            now = time.monotonic()
            left = pace.step(now)
            if now >= until and left is None:
                return
            for data, sender, link in links.receive((left or until) - now):
                self._hear(data, sender[0], link)

    def _hear(self, data: bytes, sender: str, link: Link) -> None:
        place = (link.interface.name, sender)
        # What came before, byte for byte, needs no second look: most of what comes.
        seen = digest(data)
        if (known := self._heard.get((place, seen))) is not None:
            known.round = self._round
            return
        camera = read(data, sender, link, self.report, self._targets)
        if camera is None:
            return
        key = camera.sn or sender  # one that tells no serial number is known by its address
        if not self._census.admits(key, sender):
            self.report.reject("too many cameras", sender)
            return
        sightings = self._sightings.setdefault(key, {})
        old = sightings.get(place)
        if old is None and len(sightings) >= _PLACES:
            self.report.reject("too many cameras", sender)
            return
        if old is not None:
            del self._heard[place, old.digest]
        self._heard[place, seen] = sightings[place] = _Sighting(camera, seen, self._round)
        self._tell(key)

    def _expire(self) -> None:
        """Drop who has missed too many of the rounds that are over."""
        for sn, sightings in list(self._sightings.items()):
            gone = [p for p, s in sightings.items() if self._round - 1 - s.round >= self._missed]
            if gone:
                for place in gone:
                    del self._heard[place, sightings.pop(place).digest]
                if not sightings:
                    del self._sightings[sn]
                    self._census.forget(sn)
                self._tell(sn)

    def _tell(self, sn: str) -> None:
        """Compare what is known of *sn* with what was told, and tell the difference."""
        roll = Roll()
        for sighting in self._sightings.get(sn, {}).values():
            roll.enter(sighting.camera)
        now, changes = time.time(), []
        with self._lock:
            before = self._cameras.pop(sn, [])
            if roll.cameras:
                self._cameras[sn] = roll.cameras
            for camera, known in _matched(roll.cameras, before):
                if known is None:
                    changes.append(Change(ChangeKind.ONLINE, camera, None, now))
                elif replace(known, rtt_ms=0) != replace(camera, rtt_ms=0):
                    changes.append(Change(ChangeKind.CHANGED, camera, known, now))
            changes += [Change(ChangeKind.OFFLINE, camera, None, now) for camera in before]
            for waiting in self._waiting:
                waiting.extend(changes)
            self._lock.notify_all()
        for change in changes:
            if self._on_change is not None:
                try:
                    self._on_change(change)
                except Exception:
                    _log.exception("on_change failed")


def _matched(
    now: list[DiscoveredCamera], before: list[DiscoveredCamera]
) -> list[tuple[DiscoveredCamera, DiscoveredCamera | None]]:
    """Cameras of one serial number, each with what it was; who has been matched leaves *before*."""
    found: dict[int, DiscoveredCamera] = {}
    for wanted in (3, 2, 1):
        for place, camera in enumerate(now):
            known = next((one for one in before if _likeness(camera, one) == wanted), None)
            if place not in found and known is not None:
                found[place] = known
                before.remove(known)
    return [(camera, found.get(place)) for place, camera in enumerate(now)]


def _likeness(one: DiscoveredCamera, other: DiscoveredCamera) -> int:
    """How surely two of one serial number are one camera; 0: they are two."""
    if one.mac and other.mac:
        return 3 if one.mac == other.mac else 0
    return 2 if one.ip == other.ip else 1
