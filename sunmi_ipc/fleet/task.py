"""One camera's way from what it is to what is wanted: the steps, in their order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import DeviceError, SunmiIpcError
from .contact import Contact
from .outcome import Outcome, Problem
from .steps import activation, reach, sdcard, wifi
from .steps.configure import Configure
from .throttle import Stopped

if TYPE_CHECKING:
    from ..discovery import DiscoveredCamera
    from .context import RunContext
    from .site import Slot


class Task:
    """One camera of a run: :meth:`run` it in a thread of its own.

    Args:
        run: What it shares with the others.
        slot: What is wanted.
        found: Where it is, if discovery told; else the slot has an address.

    """

    def __init__(self, run: RunContext, slot: Slot, found: DiscoveredCamera | None = None) -> None:
        self._context = run
        self._contact = Contact(run, slot, found)

    def run(self) -> Outcome:
        """Do the work; whatever happens, an outcome comes of it, and the journal has it."""
        contact, outcome, started = self._contact, self._contact.outcome, time.monotonic()
        contact.end = started + contact.policy.deadline
        stopped = False
        try:
            self._work()
        except Stopped:
            stopped = True
        except SunmiIpcError as error:
            outcome.problems.append(Problem.of(error, contact.step))
        except Exception as error:  # one camera's trouble stays its own
            failure = SunmiIpcError("unexpected failure: {kind}", kind=type(error).__name__)
            outcome.problems.append(Problem.of(failure, contact.step))
        finally:
            contact.close()
        outcome.seconds = time.monotonic() - started
        outcome.settle(stopped=stopped)
        if self._context.record:
            try:
                self._context.journal.keep(contact.slot.key, outcome.sn, outcome.stored())
            except SunmiIpcError as error:  # a full disk: told, and the run comes to its end
                outcome.problems.append(Problem.of(error, contact.step))
                outcome.settle(stopped=stopped)
        return outcome

    def _work(self) -> None:
        contact = self._contact
        wanted, settings = contact.slot.wanted, Configure(contact)
        reach.reach(contact)
        if wanted.wifi is not None:
            contact.begin("wifi")
            if contact.outcome.activated:
                settings.wifi()
            else:
                wifi.join(contact)
        if not contact.outcome.activated:
            contact.begin("activate")
            if wanted.activate is False:
                raise DeviceError.of(7)
            if not self._context.apply:
                contact.outcome.planned.append("activate")
                settings.plan_blindly()
                return
            activation.activate(contact)
        if wanted.sdcard in ("require", "format-blank"):
            contact.begin("sd card")
            contact.guarded("sdcard", lambda: sdcard.prepare(contact))
        settings.all()
        settings.verify()
