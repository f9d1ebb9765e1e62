"""A site's cameras, all at once: found by one scan, worked on as they are found."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..camera import split_address
from ..errors import CameraNotFound, ProvisionError, ShopUnreachable, SunmiIpcError
from .context import RunContext
from .finder import Finder
from .journal import Journal
from .outcome import Outcome, Problem
from .site import Slot
from .sitefile import Loaded
from .task import Task
from .throttle import Activations
from .way import Way

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera

_TICK_S = 0.1
# Of those that may be the camera of an entry without one: how many are kept, how many are judged by their
# certificate (more are a flood), how many at a time and for how many seconds; how many an error names.
_CANDIDATES, _JUDGED, _AT_ONCE, _GREET_S, _NAMED = 256, 64, 16, 5.0, 8
Look = Callable[..., "Camera"]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Of those who may be the camera of an entry, those whose certificate is approved."""

    approved: dict[str, DiscoveredCamera]


def _silent(outcome: Outcome, step: str) -> None:
    pass


def run(
    loaded: Loaded,
    connect: Callable[..., Camera],
    journal: Journal,
    *,
    apply: bool,
    record: bool = False,
    jobs: int | None = None,
    agreed: frozenset[tuple[str, str]] | None = None,
    finder: Finder | None = None,
    interfaces: list[str] | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[Outcome, str], None] = _silent,
    look: Look | None = None,
    way: Way | None = None,
) -> Generator[Outcome, None, None]:
    """Bring every camera of a site to what is wanted, or only look what would be done.

    Yields each camera's outcome as it is done; never raises for one camera. Leaving early, or setting
    *stop*, lets the calls under way end and begins no other; what was done is in the journal.

    Args:
        loaded: The site.
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        journal: Where each step is recorded; opened for writing where *apply*.
        apply: Whether to change anything.
        record: Whether to keep the outcomes in the journal; *apply* does.
        jobs: Cameras talked to at once; default: the site's.
        agreed: Camera (its key) and ``activate`` or ``format``: what the person has agreed to. Anything else
            of the kind is not done. None where all is allowed.
        finder: What finds them; default: one on *interfaces*.
        interfaces: To scan; None for all.
        stop: Set it to end the run.
        tell: Called from the cameras' threads as they go from step to step.
        look: As *connect*, for a look at a certificate: what it approves is not to be pinned. Default: *connect*.
        way: Is told whether the cameras are to be reached at all; says afterwards why the run ended early.

    """
    policy = loaded.site.apply
    known = {key: outcome["address"] for key, (_, outcome) in journal.outcomes().items()}
    known |= {slot.key: slot.address for slot in loaded.slots if slot.address}
    targets = [split_address(address)[0] for address in known.values() if address] + loaded.site.targets
    stop = stop or threading.Event()
    where = loaded.site.interfaces or interfaces
    with finder or Finder(interfaces=where, targets=targets, within=loaded.site.targets) as looking:
        context = RunContext(
            connect=connect,
            finder=looking,
            journal=journal,
            activations=Activations(journal, policy.activations_per_minute, policy.activation_quota),
            secrets=loaded.secrets,
            policy=policy,
            apply=apply,
            record=record or apply,
            slots=threading.Semaphore(jobs or policy.jobs),
            tell=tell,
            way=way or Way(policy.restart),
            stop=stop,
            agreed=agreed,
        )
        yield from _Dispatch(context, loaded.slots, look or connect).outcomes()


class _Dispatch:
    """Starts each camera's thread when the camera is found: absent ones take nothing.

    What is known of an entry is binding: its serial number, or the one that the journal has for it. An entry
    by MAC or model that has no camera yet gets one after a whole scan, and only where it is plain which.
    """

    def __init__(self, run: RunContext, slots: tuple[Slot, ...], look: Look) -> None:
        self._run, self._slots, self._look = run, slots, look
        self._events: queue.SimpleQueue[tuple[Slot | str, Any]] = queue.SimpleQueue()
        self._threads: dict[str, tuple[threading.Thread, Slot]] = {}
        self._watches: list[int] = []
        self._missing: dict[str, Slot] = {}
        self._open: dict[str, list[Slot]] = {}  # entries without a camera, by what is watched for
        self._candidates: dict[str, dict[str, DiscoveredCamera]] = {}
        self._judging: set[str] = set()
        self._taken: set[str] = set()

    def outcomes(self) -> Iterator[Outcome]:
        try:
            self._begin()
            yield from self._collect()
        except BaseException:  # left early: begin nothing more. At the end, *stop* is the caller's alone.
            self._run.stop.set()
            raise
        finally:
            self._look_no_more()
            for thread, _ in self._threads.values():
                thread.join()

    def _look_no_more(self) -> None:
        while self._watches:
            self._run.finder.forget(self._watches.pop())

    def _watch(self, key: str, what: Slot | str) -> None:
        hit = lambda camera: self._events.put((what, camera))  # noqa: E731
        # Whoever may be the camera of an open entry is to be heard.
        self._watches.append(self._run.finder.watch(key, 0.0, hit, whole=isinstance(what, str)))

    def _begin(self) -> None:
        """Start those whose address is known, look for the others."""
        named = {slot.sn for slot in self._slots if slot.sn}
        bound = {key: sn for key, sn in self._run.journal.bindings().items() if sn not in named}
        for slot in self._slots:
            if slot.sn and slot.address:
                self._start(slot, None)
                continue
            self._missing[slot.key] = slot
            if key := slot.sn or bound.get(slot.key):
                self._watch(key, slot)
            else:
                self._open.setdefault(slot.mac or f"any:{slot.any}", []).append(slot)
        for key in self._open:
            self._watch(key, key)
        self._taken = named | set(bound.values())

    def _start(self, slot: Slot, found: DiscoveredCamera | None) -> None:
        def work() -> None:
            try:
                outcome = Task(self._run, slot, found).run()
            except BaseException as error:  # a thread that ends without a word would be waited for for ever
                outcome = _failed(slot, _unexpected(type(error).__name__))
            self._events.put((slot, outcome))

        self._missing.pop(slot.key, None)
        thread = threading.Thread(target=work, name=f"fleet-{slot.key}", daemon=True)
        self._threads[slot.key] = thread, slot
        thread.start()

    def _collect(self) -> Iterator[Outcome]:
        end = time.monotonic() + self._run.policy.find
        told: set[str] = set()
        while len(told) < len(self._slots):
            dead = [slot for thread, slot in list(self._threads.values()) if not thread.is_alive()]
            try:
                what, value = self._events.get(timeout=_TICK_S)
            except queue.Empty:
                # Whatever became of a thread that is gone and has said nothing: it is not waited for.
                for slot in dead:
                    if slot.key not in told:
                        self._events.put((slot, _failed(slot, _unexpected("thread"))))
                what, value = "", None
            if isinstance(value, Outcome):
                if value.key not in told:
                    told.add(value.key)
                    yield value
            elif isinstance(what, str):
                self._hear(what, value)
            elif what.key in self._missing:
                self._start(what, value)
            self._share_out()
            if not self._missing:
                self._look_no_more()
            # An entry without a camera is dealt one after a whole scan, however short the time to look for it.
            ready = (self._run.finder.scans or not self._open) and not self._judging
            late = time.monotonic() >= end and ready
            if self._missing and (late or self._run.stop.is_set() or self._run.finder.error):
                for slot in self._missing.values():
                    told.add(slot.key)
                    yield self._absent(slot)
                self._missing.clear()
                self._open.clear()
                self._look_no_more()

    # -- entries without a camera ----------------------------------------------------------------------

    def _hear(self, key: str, value: DiscoveredCamera | _Verdict | None) -> None:
        """Somebody may be the camera of an open entry, or those that may be have been judged."""
        if isinstance(value, _Verdict):
            self._judging.discard(key)
            self._decide(key, value.approved, judged=True)
        elif value is not None and key in self._open:
            known = self._candidates.setdefault(key, {})
            if len(known) < _CANDIDATES:
                known.setdefault(value.sn, value)

    def _share_out(self) -> None:
        """Give open entries their cameras, after a whole scan."""
        if self._run.finder.scans:
            for key in self._candidates.keys() - self._judging:
                self._decide(key, self._candidates.pop(key))

    def _decide(self, key: str, candidates: dict[str, DiscoveredCamera], *, judged: bool = False) -> None:
        slots = self._open.get(key, [])
        # A MAC says which camera; that another entry means it too, it is told when it is reached.
        taken = set() if slots and slots[0].mac else self._taken
        found = {sn: camera for sn, camera in sorted(candidates.items()) if sn not in taken}
        if len(found) <= len(slots):
            for sn, camera in found.items():
                self._taken.add(sn)
                self._start(slots.pop(0), camera)
        elif slots and not judged and len(found) <= _JUDGED:
            self._judging.add(key)
            threading.Thread(target=self._judge, args=(key, found), name="fleet-judge", daemon=True).start()
        elif slots:
            # Which of them are meant only a person knows: made-up ones come first in any order.
            for slot in slots:
                del self._missing[slot.key]
                self._events.put((slot, self._kept(_failed(slot, _too_many(slot, found, len(slots))))))
            slots.clear()
        if not slots:
            self._open.pop(key, None)

    def _judge(self, key: str, found: dict[str, DiscoveredCamera]) -> None:
        """Leave those whose certificate is approved."""

        def approved(camera: DiscoveredCamera) -> bool:
            if self._run.stop.is_set():
                return False
            try:
                with self._look(camera.address, sn=camera.sn) as client:
                    client.greet(min(self._run.policy.timeout, _GREET_S))
            except SunmiIpcError:
                return False
            return True

        good: dict[str, DiscoveredCamera] = {}
        try:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fleet-judge") as pool:
                verdicts = list(pool.map(approved, found.values()))
            good = {sn: one for (sn, one), fine in zip(found.items(), verdicts, strict=True) if fine}
        finally:
            self._events.put((key, _Verdict(good)))

    def _absent(self, slot: Slot) -> Outcome:
        bound = "" if slot.sn else self._run.journal.bindings().get(slot.key, "")
        outcome = Outcome(slot.key, sn=slot.sn or bound, mac=slot.mac, model=slot.any)
        stopped = self._run.stop.is_set()
        if not stopped:
            error = self._run.finder.error or CameraNotFound(
                "the camera {sn} was not found",
                hint="Is it on and in this network? If another has taken its place: 'ipc fleet forget {sn}'."
                if bound
                else "Is it on and in this network? 'ipc scan' lists the cameras that answer.",
                sn=bound or slot.key,
            )
            if isinstance(error, CameraNotFound) or (
                isinstance(error, ShopUnreachable) and self._run.finder.scans
            ):
                outcome.problems.append(Problem.of(error, "reach"))
            else:
                raise error
        outcome.settle(absent=not stopped and not isinstance(error, ShopUnreachable), stopped=stopped)
        return self._kept(outcome)

    def _kept(self, outcome: Outcome) -> Outcome:
        """Have the journal keep an outcome; where it cannot, the outcome says so."""
        if self._run.record:
            try:
                self._run.journal.keep(outcome.key, outcome.sn, outcome.stored())
            except SunmiIpcError as error:
                outcome.problems.append(Problem.of(error, "reach"))
        return outcome


def _failed(slot: Slot, error: SunmiIpcError) -> Outcome:
    """The outcome of a camera that no work was done on."""
    outcome = Outcome(slot.key, sn=slot.sn, mac=slot.mac, model=slot.any, address=slot.address)
    outcome.problems.append(Problem.of(error, "reach"))
    outcome.settle()
    return outcome


def _unexpected(kind: str) -> SunmiIpcError:
    return SunmiIpcError("unexpected failure: {kind}", kind=kind)


def _too_many(slot: Slot, found: dict[str, DiscoveredCamera], entries: int) -> ProvisionError:
    listed = [f"{sn} ({camera.ip})" for sn, camera in found.items()]
    more = f", … +{len(listed) - _NAMED}" if len(listed) > _NAMED else ""
    return ProvisionError(
        "{count} cameras claim the MAC {what}: {cameras}"
        if slot.mac
        else "{count} cameras of model {what} answer, and the site file has {entries} entries for them: {cameras}",
        step="reach",
        hint="Name the right ones by serial number (sn = …); which is which only you can know.",
        count=len(found),
        what=slot.mac or slot.any,
        entries=entries,
        cameras=", ".join(listed[:_NAMED]) + more,
    )
