"""Talking to one camera of a fleet: patience with broken calls and restarts, and finding it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import (
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    ProvisionError,
    ReplyError,
    SunmiIpcError,
    TlsError,
)
from ..protocol.spec import Model
from .finder import SCAN_S, Finder
from .journal import Journal
from .outcome import Outcome, Problem, is_refusal
from .site import Policy, Slot
from .throttle import Activations, Stopped, pauses

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from .secret import Secrets

T = TypeVar("T")

#: Return codes that heal with time: services that are starting (60 s rule), a save that failed once.
HEALS = frozenset({3, 211, 232, 237, 278, 279})
#: Attempts at answers that are no answers.
ATTEMPTS = 5
#: A camera still answers for a moment after it was told to change networks.
_LEAVING_S = 0.3


@dataclass
class Crew:
    """What the cameras of a run share.

    Attributes:
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        finder, journal, activations, secrets, policy: See there.
        apply: Whether to change anything.
        record: Whether to keep the outcomes in the journal.
        slots: One for each camera that is talked to.
        stop: Set to end the run.
        tell: Called with the outcome so far and the step that begins.
        agreed: What may be destroyed, see :func:`sunmi_ipc.fleet.run.run`.
        claims: By serial number, which entry of the site file is at work on the camera.

    """

    connect: Callable[..., Camera]
    finder: Finder
    journal: Journal
    activations: Activations
    secrets: Secrets
    policy: Policy
    apply: bool
    record: bool
    slots: threading.Semaphore
    tell: Callable[[Outcome, str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    agreed: frozenset[tuple[str, str]] | None = None
    claims: dict[str, str] = field(default_factory=dict)


def heals(error: SunmiIpcError) -> bool:
    """Whether the same call may do better in a while."""
    if isinstance(error, TlsError) or is_refusal(error):
        return False
    if isinstance(error, DeviceError):
        return error.code in HEALS
    return isinstance(error, ConnectionFailed | ReplyError)


class Contact:
    """One camera, for one thread. Waiting takes none of the crew's slots.

    Args:
        crew: What it shares with the others.
        slot: What is wanted.
        found: Where it is, if discovery told; else the slot has an address.

    """

    def __init__(self, crew: Crew, slot: Slot, found: DiscoveredCamera | None = None) -> None:
        self._crew, self._slot, self._policy = crew, slot, crew.policy
        self.outcome = Outcome(slot.key, sn=slot.sn, mac=slot.mac, model=slot.any, address=slot.address)
        self._step = "reach"
        self._end = time.monotonic() + self._policy.deadline
        self._camera: Camera | None = None
        self._heard = found is not None
        self._replies: dict[str, Any] = {}
        if found is not None:
            self._take(found)

    def _begin(self, step: str) -> None:
        if self._crew.stop.is_set():
            raise Stopped
        self._step = step
        self._crew.tell(self.outcome, step)

    def _pause(self, seconds: float) -> None:
        if self._crew.stop.wait(max(0.0, min(seconds, self._end - time.monotonic()))):
            raise Stopped

    def _guarded(self, key: str, work: Callable[[], None]) -> None:
        """One setting's failure is its own, unless the camera is gone or takes us for strangers."""
        try:
            work()
        except (ConnectionFailed, NotActivatedError):
            raise
        except SunmiIpcError as error:
            self.outcome.problems.append(Problem.of(error, self._step, key))

    def _once(self, call: Callable[[Camera], T]) -> T:
        """Call, holding a slot."""
        assert self._camera is not None
        with self._crew.slots:
            if self._crew.stop.is_set():
                raise Stopped
            return call(self._camera)

    def _ask(self, call: Callable[[Camera], T]) -> T:
        """Call what may be repeated; wait out broken connections and a restart."""
        waits, began, attempts = pauses(self._policy.restart), time.monotonic(), 0
        while True:
            try:
                return self._once(call)
            except SunmiIpcError as error:
                attempts += 1
                pause = next(waits, None)
                if not heals(error) or pause is None or time.monotonic() >= self._end:
                    raise
                if isinstance(error, ReplyError) and attempts >= ATTEMPTS:
                    raise
                self._pause(pause)
                if isinstance(error, ConnectionFailed) and attempts > 2:
                    self._look(began, SCAN_S)

    def _agreed(self, step: str) -> None:
        """Go on only where the person was asked: the camera may have been out of reach at that time."""
        if self._crew.agreed is not None and (self._slot.key, step) not in self._crew.agreed:
            raise ProvisionError(
                "nobody was asked about this camera: it was not in reach, or different, when the plan was made",
                step=step,
                hint="Run 'ipc fleet apply' again.",
            )

    # -- reach ---------------------------------------------------------------------------------------

    def _take(self, found: DiscoveredCamera) -> None:
        out = self.outcome
        out.sn, out.mac, out.network = found.sn, found.mac or out.mac, found.network
        out.model, out.name, out.firmware = found.model or out.model, found.name, found.firmware
        out.address = found.ip if found.port == 443 else f"{found.ip}:{found.port}"

    def _connect(self) -> None:
        options: dict[str, Any] = {"timeout": self._policy.timeout, "retries": 1}
        if code := self._slot.wanted.activation_code:
            options["activation_code"] = self._crew.secrets.get(code)
        if self._camera is not None:
            self._camera.close()
        out = self.outcome
        known = next((m for m in Model if m in out.model.upper()), "")
        self._camera = self._crew.connect(out.address, sn=out.sn, model=known, **options)

    def _look(self, since: float, seconds: float) -> bool:
        """Look for the camera by discovery; whether it was seen after *since*."""
        if not self.outcome.sn:
            return False
        until = min(self._end, time.monotonic() + seconds)
        found = self._crew.finder.find(self.outcome.sn, since=since, until=until, stop=self._crew.stop)
        if self._crew.stop.is_set():
            raise Stopped
        if found is None:
            return False
        self._heard = True
        before = self.outcome.address
        self._take(found)
        if self.outcome.address != before:
            self._connect()
        return True

    def _find_again(self) -> None:
        """After a change of network: wait until discovery sees it again, then until it answers."""
        since = time.monotonic() + _LEAVING_S
        # One that no broadcast reaches is not waited for, but tried where it should be.
        patience = self._policy.restart + self._policy.find if self._heard else SCAN_S
        if not self._look(since, patience) and not self._slot.address:
            raise ProvisionError(
                "the camera did not come back within {seconds:.0f} s",
                step=self._step,
                hint="Check the password (a wrong one leaves the camera on its own access point SUNMI_XXXX), "
                "and that this computer is in the same network.",
                seconds=self._policy.restart + self._policy.find,
            )
        self._probe()

    def _claim(self) -> None:
        """Two entries may mean one camera, by serial number and by MAC: the first one has it."""
        sn = self.outcome.sn
        first = self._crew.claims.setdefault(sn, self._slot.key) if sn else self._slot.key
        if first != self._slot.key:
            raise ProvisionError(
                "the entry {key} of the site file is the same camera",
                step="reach",
                hint="Leave one of the two out of the site file.",
                key=first,
            )
        # Kept now that it has answered: not for a plan, nor for a stranger's camera that takes us for none of its own.
        if self._slot.any and self._crew.apply and self._crew.journal.bindings().get(self._slot.key) != sn:
            self._crew.journal.bind(self._slot.key, sn)

    def _probe(self) -> None:
        """Ask who it is; code 7 tells that it is not activated."""
        try:
            info = self._ask(lambda camera: camera.device.info())
        except NotActivatedError:
            self.outcome.activated = False
            return
        out = self.outcome
        if (wanted := self._slot.sn or out.sn) and info.sn != wanted:
            raise ProvisionError(
                "another camera is at this address: {sn}",
                step="reach",
                hint="Correct the address in the site file, or leave it out.",
                sn=info.sn,
            )
        out.activated, out.sn = True, info.sn
        out.model, out.name = info.model or out.model, info.name or out.name
        out.firmware, out.mac = info.software_version or out.firmware, info.mac or out.mac
        if info.name:
            self._replies["info"] = info
