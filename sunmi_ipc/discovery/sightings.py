"""The cameras seen so far, each once, in however many ways it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from ..protocol.serial import same_serial_number
from .camera import DUPLICATE_SN, FAR, IP_MISMATCH, ODD_ANSWER, OTHER_NETWORK, RELAYED, DiscoveredCamera

__all__ = ["MOST_ANSWERS", "Census", "Roll", "digest", "near", "places"]

MOST_ANSWERS = 65_536
"""Answers that are known again byte by byte; more than that are read anew each time."""
_CLAIMANTS = 16
# Anybody in the network can make up serial numbers. A shop has tens of cameras; a test has some hundred on
# one address.
_MOST, _MOST_OF_ONE = 4096, 1024
_ADDRESSES = 16  # of one camera
_SAID = ("mac", "model", "name", "firmware", "network", "claimed_ip")


def digest(data: bytes) -> bytes:
    """What a datagram is known by again, in 16 bytes."""
    return blake2b(data, digest_size=16).digest()


class Census:
    """Bounds how many serial numbers are taken in: 4,096 in all, 1,024 from one address."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._of_one: Counter[str] = Counter()

    def admits(self, sn: str, sender: str) -> bool:
        """Whether there is room for *sn*, said by *sender*; what is known has its room."""
        name = sn or sender
        if name in self._known:
            return True
        if len(self._known) >= _MOST or self._of_one[sender] >= _MOST_OF_ONE:
            return False
        self._known[name] = sender
        self._of_one[sender] += 1
        return True

    def forget(self, sn: str) -> None:
        """Give the room of *sn* to others."""
        sender = self._known.pop(sn, None)
        if sender is not None:
            self._of_one[sender] -= 1
            if not self._of_one[sender]:
                del self._of_one[sender]


class Roll:
    """Enter sightings, read cameras.

    Sightings of one serial number are one camera, unless they tell different MACs (or, where they
    tell none, different models, firmware or names): then two cameras claim that serial number, and
    both are flagged; of more than 16 the rest is left out, so that a flood of made-up answers cannot hold
    up a scan. A sighting without a serial number belongs to the camera at its address.
    """

    def __init__(self) -> None:
        self._cameras: list[DiscoveredCamera] = []
        self._by_sn: dict[str, list[int]] = {}
        self._by_address: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self._cameras)

    @property
    def cameras(self) -> list[DiscoveredCamera]:
        """Every camera, in the order of appearance, with all that is known of it by now."""
        return list(self._cameras)

    def enter(self, seen: DiscoveredCamera) -> DiscoveredCamera | None:
        """Enter a sighting; the camera where it is a new one or has just got its serial number, else None."""
        place = self._place_of(seen)
        if place is not None:
            known = self._cameras[place]
            self._put(place, merged := _merged(known, seen))
            return merged if merged.sn != known.sn else None
        others = self._by_sn.get(seen.sn, []) if seen.sn else []
        if len(others) >= _CLAIMANTS:
            return None
        if others:
            seen = _flagged(seen)
            for other in others:
                self._cameras[other] = _flagged(self._cameras[other])
        self._cameras.append(seen)
        self._put(len(self._cameras) - 1, seen)
        return seen

    def _place_of(self, seen: DiscoveredCamera) -> int | None:
        at_address = self._by_address.get((seen.ip, seen.port))
        if not seen.sn:
            return at_address
        for place in self._by_sn.get(seen.sn, ()):
            if _same(self._cameras[place], seen):
                return place
        # What only the HTTPS port had shown has a serial number now.
        return at_address if at_address is not None and not self._cameras[at_address].sn else None

    def _put(self, place: int, camera: DiscoveredCamera) -> None:
        self._cameras[place] = camera
        if camera.sn and place not in (places := self._by_sn.setdefault(camera.sn, [])):
            places.append(place)
        for address in camera.addresses:
            self._by_address[address, camera.port] = place


def places(cameras: Iterable[DiscoveredCamera], sn: str) -> list[DiscoveredCamera]:
    """Where somebody answers under the serial number *sn*: each address once, in the order of appearance.

    One that somebody else names, or of another network, is none to connect to.
    """
    found: dict[str, DiscoveredCamera] = {}
    for camera in cameras:
        if same_serial_number(camera.sn, sn) and FAR.isdisjoint(camera.flags):
            for ip in near(camera) or (camera.ip,):
                one = replace(camera, ip=ip, addresses=(ip,), far=())
                found.setdefault(one.address, one)
    return list(found.values())[:_ADDRESSES]


def _same(known: DiscoveredCamera, seen: DiscoveredCamera) -> bool:
    if {known.source, seen.source} == {"udp"} and known.port != seen.port and seen.ip not in known.addresses:
        return False  # one camera has one port, whatever its addresses
    if known.mac and seen.mac:
        return known.mac == seen.mac
    pairs = [(getattr(known, name), getattr(seen, name)) for name in ("model", "firmware", "name")]
    return all(one == other for one, other in pairs if one and other)


def _merged(known: DiscoveredCamera, seen: DiscoveredCamera) -> DiscoveredCamera:
    # An answer to our own request tells more, and surer, than mDNS or a certificate.
    better, other = (seen, known) if _rank(seen) > _rank(known) else (known, seen)
    addresses = tuple(dict.fromkeys((*better.addresses, *other.addresses)))[:_ADDRESSES]
    here = {*near(known), *near(seen)}
    said = {name: getattr(better, name) or getattr(other, name) for name in _SAID}
    far = tuple(address for address in addresses if address not in here)
    merged = replace(better, sn=better.sn or other.sn, addresses=addresses, far=far, **said)
    flags = dict.fromkeys((*known.flags, *seen.flags))
    if merged.claimed_ip in ("", *addresses):
        flags.pop(IP_MISMATCH, None)  # it also answers from the address that it claims
    for flag in (OTHER_NETWORK, RELAYED, ODD_ANSWER):
        if flag not in better.flags:
            flags.pop(flag, None)
    return replace(merged, flags=tuple(flags))


def near(camera: DiscoveredCamera) -> tuple[str, ...]:
    """The addresses at which it answered itself, in our network."""
    if not FAR.isdisjoint(camera.flags):
        return ()
    return tuple(address for address in camera.addresses if address not in camera.far)


def _rank(camera: DiscoveredCamera) -> tuple[int, bool]:
    return {"udp": 2, "ap": 2, "mdns": 1}.get(camera.source, 0), FAR.isdisjoint(camera.flags)


def _flagged(camera: DiscoveredCamera) -> DiscoveredCamera:
    return replace(camera, flags=tuple(dict.fromkeys((*camera.flags, DUPLICATE_SN))))
