"""Which cameras belong to the station, where each is now, and one client for each.

A camera is known by its serial number. Addresses are handed out anew, and anybody may answer discovery in a
camera's name: a client is handed out only after the camera at its present address has said, over TLS that we
trust, that it is the one; see :meth:`Roster.camera`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ..deadline import Deadline
from ..discovery import OTHER_NETWORK, Change, ChangeKind, DiscoveredCamera, Tracker
from ..discovery.scan import not_found
from ..discovery.sightings import places
from ..errors import CameraNotFound, ConnectionFailed, ReplyError, TlsError
from ..protocol.serial import spelt
from ..protocol.spec import Model
from .scheduler import STRANGER
from .store import Store

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery.claims import Claims
    from ..fleet.site import Slot
    from ..fleet.sitefile import Loaded as LoadedSite
    from ..models import DeviceInfo

_log = logging.getLogger("sunmi_ipc")
#: A look finds out whether a camera answers; it must not hold a thread for long.
CALL_S = 6.0
#: Where the camera is not where it was, others that claim to be it are tried for so long.
_ELSEWHERE_S = 10.0
#: After so many seconds a camera proves again who it is before it is called.
PROOF_S = 20.0
#: Whether a camera was seen is written so often where nothing else changes.
_SEEN_S = 600.0
Connect = Callable[..., "Camera"]


class WrongCamera(ConnectionFailed):
    """Another camera answers at the address; nothing else was asked of it."""


@dataclass(slots=True)
class Member:
    """A camera of the station.

    Attributes:
        sn: Serial number; empty while a site file's entry has not got its camera.
        key: What it is called where it has no serial number yet: MAC or ``any:FM020#1``.
        mac, model, name, firmware: As it says, or as the site file says.
        address: ``host`` or ``host:port`` where it is, or was last; empty where it was never seen.
        online: Whether discovery hears it; None where nobody has asked yet.
        seen: When it last answered anything, Unix seconds; 0: never.
        slot: What the site file wants of it.
        verified: The address at which it has proved who it is.
        good: The address at which it did so last, in an earlier run too.

    """

    sn: str
    key: str = ""
    mac: str = ""
    model: str = ""
    name: str = ""
    firmware: str = ""
    network: str = ""
    address: str = ""
    online: bool | None = None
    seen: float = 0.0
    added: float = 0.0
    slot: Slot | None = None
    verified: str = ""
    good: str = ""
    bound: bool = False  # whether the file, the journal or an earlier proof says which one it is
    heard: float = 0.0  # since when discovery hears it, time.monotonic()
    turn: int = 0  # at which of those that claim to be it the next look begins
    checked: float = 0.0  # when it last proved itself, time.monotonic()
    flags: tuple[str, ...] = ()
    kept: tuple[Any, ...] = (0.0,)
    client: Camera | None = field(default=None, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.sn or self.key

    def owner(self) -> str:
        """Whose its jobs are, for the scheduler: its own, once it has proved itself or a file names it.

        Until then those of all at its address are one's: anybody can make up cameras by the hundred.
        """
        if self.good or (self.slot is not None and self.slot.sn):
            return self.key
        return f"{STRANGER}{self.address.rpartition(':')[0] or self.address}"

    @property
    def counts_people(self) -> bool:
        """Whether its model counts people."""
        return Model.read(self.model) is Model.FM020

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "sn": self.sn,
            "mac": self.mac,
            "model": self.model,
            "name": self.name,
            "firmware": self.firmware,
            "address": self.address,
            "online": self.online,
            "seen": self.seen or None,
        }


class Roster:
    """The cameras of a station. Thread-safe; a context manager that starts and ends discovery.

    Args:
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        claims: Who judges those that claim a serial number, as :meth:`sunmi_ipc.settings.Settings.claims`.
        store: Remembers cameras, so that one that is away at the start is missed.
        site: A site file: its cameras alone belong here; None: all that discovery finds.
        bindings: Serial numbers that entries without one have got already, by the entry's key.
        interval: Seconds between rounds of discovery.
        interfaces: As for :func:`sunmi_ipc.discovery.discover`.
        on_change: Called with a member that is new, or has moved, from the thread that found out.

    """

    on_change: Callable[[Member], None]

    def __init__(
        self,
        connect: Connect,
        store: Store,
        *,
        site: LoadedSite | None = None,
        bindings: Mapping[str, str] | None = None,
        interval: float = 30.0,
        interfaces: Sequence[str] | None = None,
        on_change: Callable[[Member], None] = lambda member: None,
        claims: Callable[[str], Claims[Any]] | None = None,
    ) -> None:
        self._claims = claims
        self._connect, self._store, self._site, self.on_change = connect, store, site, on_change
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()
        targets = []
        for slot in site.slots if site else ():
            sn = slot.sn or (bindings or {}).get(slot.key, "")
            member = Member(sn, slot.key, slot.mac, slot.any, slot=slot, address=slot.address)
            member.name = (slot.wanted.name and slot.name_for(sn)) or "" if sn else ""
            member.bound = bool(sn)
            self._members[slot.key] = member
            if slot.address:
                targets.append(slot.address.partition(":")[0])
        self._remember()
        self._tracker = Tracker(
            interval=max(interval, 0.1), interfaces=interfaces, targets=targets, on_change=self._heard
        )

    def __enter__(self) -> Self:
        return self.start()

    def start(self) -> Self:
        """Begin to discover; returns at once."""
        self._tracker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End discovery, and every client's connection."""
        self._tracker.close()
        for member in self.members():
            if member.client is not None:
                member.client.close()

    # -- who belongs here -----------------------------------------------------------------------------

    def members(self) -> list[Member]:
        """Every camera of the station, in the order of the site file, else of serial numbers."""
        with self._lock:
            every = list(self._members.values())
        return every if self._site else sorted(every, key=lambda member: member.sn)

    def member(self, sn: str) -> Member:
        """The camera of this serial number; raises CameraNotFound."""
        sn = spelt(sn)
        with self._lock:
            for member in self._members.values():
                if sn and member.sn == sn:
                    return member
        raise CameraNotFound(
            "the station has no camera {sn}", hint="'ipc watch' lists those that it has.", sn=sn
        )

    def forget(self, sn: str) -> None:
        """The camera belongs here no more, until discovery finds it again; raises CameraNotFound."""
        member = self.member(sn)
        sn = member.sn
        with self._lock:
            if self._site is None:
                self._members.pop(member.key or member.sn, None)
            elif member.slot is not None and not member.slot.sn:  # its entry takes another
                member.sn = member.address = member.verified = member.good = ""
                member.mac, member.bound = member.slot.mac, False
        self._store.later(("DELETE FROM cameras WHERE sn = ?", (sn,)))
        if member.client is not None:
            member.client.close()

    def _remember(self) -> None:
        rows = self._store.read(
            "SELECT sn, mac, model, name, firmware, address, added, seen FROM cameras ORDER BY added, sn"
        )
        for sn, mac, model, name, firmware, address, added, seen in rows:
            member = next((m for m in self._members.values() if sn == m.sn or (mac and mac == m.mac)), None)
            if member is None and self._site is None:
                member = self._members.setdefault(sn, Member(sn, sn))
            if member is None:  # an entry keeps the camera that it has got
                kind = Model.read(model)
                free = (m for m in self._members.values() if m.slot and not m.sn and not m.mac)
                member = next((m for m in free if m.slot and kind and m.slot.any == kind), None)
            if member is None:
                continue  # of an older site file
            member.sn, member.mac, member.firmware = sn, mac or member.mac, firmware
            member.model, member.name = model or member.model, member.name or name
            member.address, member.added, member.seen = member.address or address, added, seen
            member.good, member.bound = address, True

    # -- where it is ----------------------------------------------------------------------------------

    def _heard(self, change: Change) -> None:
        """What discovery tells, in its thread: where a camera says it is, not yet whether it is the one."""
        found = change.camera
        with self._lock:
            member = self._of(found)
            if member is None:
                return
            if change.kind is ChangeKind.OFFLINE:
                # Its twin at another address may be the real one.
                member.online = any(c.sn == found.sn for c in self._tracker.cameras)
                if self._site is None and not member.seen and not member.online:
                    # It said that it was there, never proved it, and has gone: it was none of ours.
                    self._members.pop(member.key, None)
                return
            member.heard = member.heard or time.monotonic()
            member.online, member.flags, member.network = True, found.flags, found.network
            member.mac, member.model = found.mac or member.mac, found.model or member.model
            member.firmware = found.firmware or member.firmware
            if member.slot is None or not member.slot.wanted.name:
                member.name = found.name or member.name
            address = found.address
            fixed = member.slot.address if member.slot else ""
            moved = address != member.address and not fixed and OTHER_NETWORK not in found.flags
            if moved and member.verified == member.address and member.address in self._claimants(member):
                moved = False  # several claim one serial number: the one that has proved it keeps it
            if moved:
                _log.info("%s is at %s now", member.sn, address)
                member.address = address
        self.on_change(member)

    def _of(self, found: DiscoveredCamera) -> Member | None:
        """The member that *found* is; new ones are taken in where the station takes all that it finds."""
        for member in self._members.values():
            if found.sn == member.sn or (not member.sn and member.mac and found.mac == member.mac):
                member.sn = found.sn
                return member
        if not found.sn:
            return None
        if self._site is None:
            return self._members.setdefault(found.sn, Member(found.sn, found.sn, added=time.time()))
        for member in self._members.values():
            slot = member.slot
            if slot and not member.sn and not slot.mac and _may_be(slot, found):
                member.sn = found.sn
                return member
        return None

    # -- talking to it --------------------------------------------------------------------------------

    def camera(self, sn: str) -> Camera:
        """A client for the camera of this serial number, at its present address.

        Where it has not proved yet that it is the one there, it is asked for that first.

        Raises:
            CameraNotFound: No such member, or nobody knows where it is.
            WrongCamera: Another camera answers there.
            SunmiIpcError: It does not answer, is not trusted, or is not activated.

        """
        member = self.member(sn)
        client = self.client(member)
        # Addresses are handed out anew without a word: proof does not last.
        if member.verified != member.address or time.monotonic() - member.checked > PROOF_S:
            self.verify(member, client)
        return client

    def client(self, member: Member) -> Camera:
        """Its client whether it has proved itself or not: for :meth:`verify` alone."""
        with member.lock:
            if not member.address:
                raise not_found(member.sn or member.key)
            if member.client is None:
                model = Model.read(member.model) or ""
                member.client = self._connect(
                    member.address, sn=member.sn, model=model, timeout=CALL_S, retries=0
                )
            elif member.client.address != member.address:
                member.verified = ""
                member.client.move(member.address)
            return member.client

    def verify(self, member: Member, client: Camera) -> DeviceInfo:
        """Ask who is there, and remember the answer; raises as :meth:`camera`.

        Anybody may claim to be the camera, and first: where the one at its address is not, or does not
        answer, the others are asked, and the address at which it proved itself last.
        """
        self._first_contact(member, client)
        others = [one for one in self._claimants(member).values() if one.address != client.address]
        try:
            return self._ask(member, client)
        except (TlsError, ConnectionFailed):
            here, deadline = client.address, Deadline(_ELSEWHERE_S)
            addresses = [one.address for one in others]
            member.turn = member.turn % max(1, len(addresses))
            addresses = [*addresses[member.turn :], *addresses[: member.turn]]
            fixed = member.slot is not None and member.slot.address
            if member.good not in ("", here, *addresses) and not fixed:
                addresses.insert(0, member.good)
            for address in addresses:
                if deadline.passed:
                    break
                member.turn += address != member.good
                self._go(member, client, address)
                try:
                    return self._ask(member, client)
                except (TlsError, ConnectionFailed):
                    continue
            self._go(member, client, here)
            self._give_way(member)
            raise

    def _first_contact(self, member: Member, client: Camera) -> None:
        """Where nothing tells the camera from others yet, several that claim to be it are a person's question."""
        if member.good or self._claims is None or not self._claimants(member):
            return
        with self._claims(member.sn) as claims:
            if claims.proven:
                return
            time.sleep(max(0.0, member.heard + claims.linger - time.monotonic()))
            if len(claimants := list(self._claimants(member).values())) > 1:
                self._go(member, client, claims.settle(claimants).address)

    def _claimants(self, member: Member) -> dict[str, DiscoveredCamera]:
        """Who answers under its serial number now, by address; nobody where a person has named the address."""
        if not member.sn or (member.slot is not None and member.slot.address):
            return {}
        return {one.address: one for one in places(self._tracker.cameras, member.sn)}

    def _give_way(self, member: Member) -> None:
        """An entry without a serial number went to one who cannot prove himself: the next who may be it has it."""
        slot = member.slot
        if slot is None or slot.address or member.bound:
            return
        with self._lock:
            taken = {one.sn for one in self._members.values()}
            fit = {
                camera.sn: camera
                for camera in self._tracker.cameras
                if camera.serial_number and camera.sn not in taken and _may_be(slot, camera)
            }
            if not fit:
                return
            member.sn = min((sn for sn in fit if sn > member.sn), default=min(fit))
            member.address = member.verified = ""
            member.mac, client, member.client = slot.mac, member.client, None
        if client is not None:
            client.close()
        self._heard(Change(ChangeKind.ONLINE, fit[member.sn]))

    @staticmethod
    def _go(member: Member, client: Camera, address: str) -> None:
        if client.address != address:
            with member.lock:
                member.address = address
                client.move(address)

    def _ask(self, member: Member, client: Camera) -> DeviceInfo:
        address = client.address
        try:
            info: DeviceInfo = client.device.info()
        except ReplyError:
            member.verified = ""
            raise
        if member.sn and info.sn != member.sn:
            member.verified = ""
            client.close()
            raise WrongCamera(
                "another camera, {other}, answers at the address of {sn}",
                hint="Two cameras with one address, or one that was swapped: correct the site file, or wait for discovery.",
                sn=member.sn,
                other=info.sn,
            )
        member.sn = info.sn
        member.model, member.firmware = info.model or member.model, info.software_version or member.firmware
        if member.slot is None or not member.slot.wanted.name:
            member.name = info.name or member.name
        member.mac = info.mac or member.mac
        member.verified, member.good, member.bound = address, address, True
        member.checked, member.seen = time.monotonic(), time.time()
        self.keep(member)
        return info

    def keep(self, member: Member) -> None:
        """Remember it over restarts, where something of it has changed."""
        added = member.added = member.added or time.time()
        values = (member.sn, member.mac, member.model, member.name, member.firmware, member.verified)
        if member.kept[1:] == values and member.seen - member.kept[0] < _SEEN_S:
            return
        member.kept = (member.seen, *values)
        self._store.later(
            (
                "INSERT INTO cameras VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sn) DO UPDATE SET mac = excluded.mac,"
                " model = excluded.model, name = excluded.name, firmware = excluded.firmware,"
                " address = excluded.address, seen = excluded.seen",
                (*values, int(added), int(member.seen)),
            )
        )


def _may_be(slot: Slot, camera: DiscoveredCamera) -> bool:
    """Whether an entry without a serial number may mean *camera*."""
    if slot.mac:
        return slot.mac == camera.mac
    return bool(slot.any) and slot.any == Model.read(camera.model)
