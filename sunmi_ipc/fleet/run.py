"""A site's cameras, all at once: found by one scan, worked on as they are found."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from ..camera import split_address
from ..errors import CameraNotFound
from .context import RunContext
from .finder import Finder
from .journal import Journal
from .outcome import Outcome, Problem
from .site import Slot
from .sitefile import Loaded
from .task import Task
from .throttle import Activations

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera

_TICK_S = 0.1


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

    """
    policy = loaded.site.apply
    known = {key: outcome["address"] for key, (_, outcome) in journal.outcomes().items()}
    known |= {slot.key: slot.address for slot in loaded.slots if slot.address}
    targets = [split_address(address)[0] for address in known.values() if address]
    stop = stop or threading.Event()
    with finder or Finder(interfaces=interfaces, targets=targets) as looking:
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
            stop=stop,
            agreed=agreed,
        )
        yield from _Dispatch(context, loaded.slots).outcomes()


class _Dispatch:
    """Starts each camera's thread when the camera is found: absent ones take nothing."""

    def __init__(self, run: RunContext, slots: tuple[Slot, ...]) -> None:
        self._run, self._slots = run, slots
        self._events: queue.SimpleQueue[tuple[Slot | str, Any]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._watches: list[int] = []
        self._open: dict[str, list[Slot]] = {}
        self._candidates: dict[str, DiscoveredCamera] = {}
        self._taken: set[str] = set()

    def outcomes(self) -> Iterator[Outcome]:
        try:
            yield from self._collect(self._begin())
        except BaseException:  # left early: begin nothing more. At the end, *stop* is the caller's alone.
            self._run.stop.set()
            raise
        finally:
            self._look_no_more()
            for thread in self._threads:
                thread.join()

    def _look_no_more(self) -> None:
        while self._watches:
            self._run.finder.forget(self._watches.pop())

    def _watch(self, key: str, what: Slot | str) -> None:
        hit = lambda camera: self._events.put((what, camera))  # noqa: E731
        self._watches.append(self._run.finder.watch(key, 0.0, hit))

    def _begin(self) -> dict[str, Slot]:
        """Start those whose address is known, look for the others. Returns: those looked for, by key."""
        named = {slot.sn for slot in self._slots}
        bound = {key: sn for key, sn in self._run.journal.bindings().items() if sn not in named}
        missing: dict[str, Slot] = {}
        for slot in self._slots:
            if slot.sn and slot.address:
                self._start(slot, None)
                continue
            missing[slot.key] = slot
            if key := slot.sn or slot.mac or bound.get(slot.key):
                self._watch(key, slot)
            else:
                self._open.setdefault(slot.any, []).append(slot)
        for model in self._open:
            self._watch(f"any:{model}", model)
        self._taken = named | set(bound.values()) | {s.mac for s in self._slots}
        return missing

    def _start(self, slot: Slot, found: DiscoveredCamera | None) -> None:
        def work() -> None:
            self._events.put((slot, Task(self._run, slot, found).run()))

        thread = threading.Thread(target=work, name=f"fleet-{slot.key}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _collect(self, missing: dict[str, Slot]) -> Iterator[Outcome]:
        end = time.monotonic() + self._run.policy.find
        left = len(self._slots)
        while left:
            try:
                what, value = self._events.get(timeout=_TICK_S)
            except queue.Empty:
                what, value = "", None
            if isinstance(value, Outcome):
                left -= 1
                yield value
            elif isinstance(what, str):
                if value is not None:
                    self._candidates[value.sn] = value
            elif what.key in missing:
                del missing[what.key]
                self._start(what, value)
            if self._open:
                self._share_out(missing)
            if not missing:
                self._look_no_more()
            # An "any" entry is dealt its camera after a whole scan, however short the time to look for it.
            late = time.monotonic() >= end and (self._run.finder.scans or not self._open)
            if missing and (late or self._run.stop.is_set() or self._run.finder.error):
                for slot in missing.values():
                    left -= 1
                    yield self._absent(slot)
                missing.clear()
                self._open.clear()
                self._look_no_more()

    def _share_out(self, missing: dict[str, Slot]) -> None:
        """Give "any" entries their cameras, after a whole scan, in the order of serial numbers."""
        if not self._run.finder.scans:
            return
        for sn, camera in sorted(self._candidates.items()):
            model = next((model for model in self._open if model in camera.model.upper()), "")
            if self._open.get(model) and not {sn, camera.mac or sn} & self._taken:
                slot = self._open[model].pop(0)
                self._taken.add(sn)
                del missing[slot.key]
                self._start(slot, camera)
        self._candidates.clear()
        self._open = {model: slots for model, slots in self._open.items() if slots}

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
            if isinstance(error, CameraNotFound):
                outcome.problems.append(Problem.of(error, "reach"))
            else:
                raise error
        outcome.settle(absent=not stopped, stopped=stopped)
        if self._run.record:
            self._run.journal.keep(slot.key, outcome.sn, outcome.stored())
        return outcome
