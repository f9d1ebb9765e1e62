"""Talking to one camera of a fleet: patience with broken calls and restarts, and finding it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import (
    AccessDenied,
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    ProvisionError,
    ReplyError,
    ShopUnreachable,
    SunmiIpcError,
    TlsError,
)
from ..protocol.serial import same_serial_number
from ..protocol.spec import Model
from .finder import SCAN_S
from .outcome import Outcome, Problem, is_refusal
from .site import hex_digits
from .throttle import Stopped, pauses

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from .context import RunContext
    from .site import Policy, Slot

T = TypeVar("T")


class OtherCamera(ProvisionError):
    """What answers at the address is not the camera that is meant."""


#: Return codes that heal with time: services that are starting (60 s rule), a save that failed once.
HEALS = frozenset({3, 211, 232, 237, 278, 279})
#: Attempts at answers that are no answers.
ATTEMPTS = 5
#: A camera still answers for a moment after it was told to change networks.
_LEAVING_S = 0.3
#: Who waits sees so soon that the run is over.
_LOOK_UP_S = 0.5
#: How long somebody else is waited for who claims to be the camera.
_CLAIMANTS_S = 4.0


def heals(error: SunmiIpcError) -> bool:
    """Whether the same call may do better in a while."""
    if isinstance(error, TlsError | AccessDenied) or is_refusal(error):
        return False
    if isinstance(error, DeviceError):
        return error.code in HEALS
    return isinstance(error, ConnectionFailed | ReplyError)


class Contact:
    """One camera, for one thread. Waiting takes none of the run's slots.

    The steps (``fleet/steps``) do their work through it.

    Args:
        run: What it shares with the others.
        slot: What is wanted.
        found: Where it is, if discovery told; else the slot has an address.

    Attributes:
        outcome: What became of the camera so far.
        step: The step that is under way.
        end: When the time for this camera is over, by ``time.monotonic()``.
        replies: What was read, by source: settings of one source are read once.

    """

    run: RunContext
    slot: Slot
    policy: Policy

    def __init__(self, run: RunContext, slot: Slot, found: DiscoveredCamera | None = None) -> None:
        self.run, self.slot, self.policy = run, slot, run.policy
        self.outcome: Outcome = Outcome(
            slot.key, sn=slot.sn, mac=slot.mac, model=slot.any, address=slot.address
        )
        self.step: str = "reach"
        self.end: float = time.monotonic() + self.policy.deadline
        self.replies: dict[str, Any] = {}
        self._camera: Camera | None = None
        #: Whether discovery hears it: one that no broadcast reaches is not waited for.
        self.heard: bool = found is not None
        #: Addresses where somebody else answers under this camera's name.
        self.refused: set[str] = set()
        if found is not None:
            self.take(found)

    def close(self) -> None:
        """Close the connection."""
        if self._camera is not None:
            self._camera.close()

    # -- the course of the work -----------------------------------------------------------------------

    def begin(self, step: str) -> None:
        """A step begins; raises :class:`Stopped` where the run is to end."""
        if self.run.stop.is_set():
            raise Stopped
        self.run.way.check()
        self.step = step
        self.run.tell(self.outcome, step)

    def pause(self, seconds: float) -> None:
        """Wait, at most until this camera's time is over."""
        end = min(time.monotonic() + seconds, self.end)
        while True:
            self.run.way.check()
            left = end - time.monotonic()
            if self.run.stop.wait(max(0.0, min(left, _LOOK_UP_S))):
                raise Stopped
            if left <= _LOOK_UP_S:
                return

    @property
    def late(self) -> bool:
        """Whether this camera's time is over."""
        return time.monotonic() >= self.end

    def guarded(self, key: str, work: Callable[[], None]) -> None:
        """One setting's failure is its own, unless the camera is gone or takes us for strangers."""
        try:
            work()
        except (ConnectionFailed, NotActivatedError):
            raise
        except SunmiIpcError as error:
            self.outcome.problems.append(Problem.of(error, self.step, key))

    def agreed(self, step: str) -> None:
        """Go on only where the person was asked: the camera may have been out of reach at that time."""
        if self.run.agreed is not None and (self.slot.key, step) not in self.run.agreed:
            raise ProvisionError(
                "nobody was asked about this camera: it was not in reach, or different, when the plan was made",
                step=step,
                hint="Run 'ipc fleet apply' again.",
            )

    # -- calls ----------------------------------------------------------------------------------------

    def once(self, call: Callable[[Camera], T]) -> T:
        """Call, holding a slot."""
        assert self._camera is not None
        way = self.run.way
        with self.run.slots:
            if self.run.stop.is_set():
                raise Stopped
            way.check()
            began = time.monotonic()
            try:
                answer = call(self._camera)
            except ShopUnreachable as error:
                way.closed(error, began)
                raise
            way.open()
            return answer

    def ask(self, call: Callable[[Camera], T]) -> T:
        """Call what may be repeated; wait out broken connections and a restart."""
        waits, began, attempts = pauses(self.policy.restart), time.monotonic(), 0
        while True:
            try:
                return self.once(call)
            except SunmiIpcError as error:
                attempts += 1
                pause = next(waits, None)
                if not heals(error) or pause is None or self.late:
                    raise
                if isinstance(error, ReplyError) and attempts >= ATTEMPTS:
                    raise
                self.pause(pause)
                if isinstance(error, ConnectionFailed) and attempts > 2:
                    self.look(began, SCAN_S)

    def probe(self) -> None:
        """Ask who it is; code 7 tells that it is not activated."""
        try:
            info = self.ask(lambda camera: camera.device.info())
        except NotActivatedError:
            self.outcome.activated = False
            return
        out = self.outcome
        if (wanted := self.slot.sn or out.sn) and not same_serial_number(info.sn, wanted):
            raise OtherCamera(
                "another camera is at this address: {sn}",
                step="reach",
                hint="Correct the address in the site file, or leave it out.",
                sn=info.sn,
            )
        if self.slot.mac and info.mac and hex_digits(info.mac) != hex_digits(self.slot.mac):
            raise OtherCamera(
                "the camera that answers has another MAC: {mac}",
                step="reach",
                hint="Name the camera by its serial number; somebody answers under its MAC.",
                mac=info.mac,
            )
        out.activated, out.sn = True, wanted or info.sn
        out.model, out.name = info.model or out.model, info.name or out.name
        out.firmware, out.mac = info.software_version or out.firmware, info.mac or out.mac
        if info.name:
            self.replies["info"] = info

    # -- where it is ----------------------------------------------------------------------------------

    def take(self, found: DiscoveredCamera) -> None:
        """Go by what discovery tells."""
        out = self.outcome
        out.sn, out.mac, out.network = found.sn, found.mac or out.mac, found.network
        out.model, out.name, out.firmware = found.model or out.model, found.name, found.firmware
        out.address = found.address

    def connect(self) -> None:
        """Make a client for the camera's address."""
        options: dict[str, Any] = {"timeout": self.policy.timeout, "retries": 1}
        if code := self.slot.wanted.activation_code:
            options["activation_code"] = self.run.secrets.get(code)
        self.close()
        out = self.outcome
        known = Model.read(out.model) or ""
        self._camera = self.run.connect(out.address, sn=out.sn, model=known, **options)

    def look(self, since: float, seconds: float) -> bool:
        """Look for the camera by discovery; whether it was seen after *since*."""
        if not self.outcome.sn:
            return False
        until = min(self.end, time.monotonic() + seconds)
        # Where somebody else answers under its name is no place to look; of several others the next one.
        besides = self.refused | ({self.outcome.address} if self._crowded() else set())
        found = self.run.finder.find(
            self.outcome.sn, since=since, until=until, stop=self.run.stop, besides=besides
        )
        if self.run.stop.is_set():
            raise Stopped
        if found is None:
            return False
        self.heard = True
        before = self.outcome.address
        self.take(found)
        if self.outcome.address != before:
            self.connect()
        return True

    def _crowded(self) -> bool:
        """Whether several addresses answer under its name."""
        return len(self.run.finder.places(self.outcome.sn) - self.refused) > 1

    def elsewhere(self) -> bool:
        """Somebody else is at this address: go to the next that claims to be the camera; whether there is one.

        The last is the address where it was in the last run.
        """
        out = self.outcome
        if not out.sn or self.slot.address:
            return False  # a person has named the address
        self.refused.add(out.address)
        until = min(self.end, time.monotonic() + min(self.policy.find, _CLAIMANTS_S))
        found = self.run.finder.find(out.sn, since=0.0, until=until, stop=self.run.stop, besides=self.refused)
        if self.run.stop.is_set():
            raise Stopped
        if found is not None:
            self.take(found)
            return True
        _, last = self.run.journal.outcomes().get(self.slot.key, (0.0, {}))
        if (address := last.get("address", "")) and address not in self.refused:
            out.address = address
            return True
        return False

    def find_again(self) -> None:
        """After a change of network: wait until discovery sees it again, then until it answers."""
        since = time.monotonic() + _LEAVING_S
        # One that no broadcast reaches is not waited for, but tried where it should be.
        patience = self.policy.restart + self.policy.find if self.heard else SCAN_S
        if not self.look(since, patience) and not self.slot.address:
            raise ProvisionError(
                "the camera did not come back within {seconds:.0f} s",
                step=self.step,
                hint="Check the password (a wrong one leaves the camera on its own access point SUNMI_XXXX), "
                "and that this computer is in the same network.",
                seconds=self.policy.restart + self.policy.find,
            )
        self.probe()
