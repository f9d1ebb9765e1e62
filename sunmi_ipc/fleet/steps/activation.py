"""Activate a camera, once: an attempt without an answer is looked into before there is another."""

from __future__ import annotations

import time

from ...errors import (
    AccessDenied,
    AlreadyActivatedError,
    ConnectionFailed,
    ProvisionError,
    ReplyError,
    SunmiIpcError,
    TlsError,
)
from ..contact import HEALS, Contact
from ..journal import StepRecord
from ..throttle import Stopped, left_of, pauses

_OFFLINE, _POLL_S = 4, 0.4


def activate(contact: Contact) -> None:
    """Activate the camera; waits its turn at the activations' rate."""
    contact.agreed("activate")
    sn, run = contact.outcome.sn, contact.run
    journal = run.journal
    last = journal.last(sn, "activate")
    if last is not None and last.state == "begun":
        if _turned_out(contact, last):
            return
        run.activations.give_back()
    waits = pauses(contact.policy.restart)
    while True:
        wait = run.activations.take()
        contact.end += wait  # to stand in the queue is not the camera's fault, and the rate is kept
        contact.pause(wait)
        number = journal.begin(contact.slot.key, sn, "activate")
        try:
            contact.once(lambda camera: camera.device.activate(sn))
        except AlreadyActivatedError:
            run.activations.give_back()
            journal.end(number, "done", already=True)
        except Stopped:
            run.activations.give_back()
            journal.end(number, "undone")
            raise
        except (ConnectionFailed, ReplyError) as error:
            if isinstance(error, TlsError | AccessDenied) and not error.sent:
                run.activations.give_back()
                journal.end(number, "undone")
                raise
            record = journal.last(sn, "activate")
            assert record is not None
            if not _turned_out(contact, record):
                run.activations.give_back()
                if contact.late:
                    raise
                continue
        except SunmiIpcError as error:
            # Refused: not carried out. A camera that has just joined may not be on the internet yet.
            run.activations.give_back()
            journal.end(number, "failed", error=error.message)
            pause = next(waits, None)
            if getattr(error, "code", None) not in (_OFFLINE, *HEALS) or pause is None:
                raise
            contact.pause(pause)
            continue
        else:
            journal.end(number)
            contact.outcome.done.append("activate")
        contact.probe()
        return


def _turned_out(contact: Contact, record: StepRecord) -> bool:
    """Whether an activation without an answer was carried out; waits until that is certain."""
    settled = time.monotonic() + left_of(contact.policy.settle, record.began)
    while True:
        contact.probe()
        if contact.outcome.activated:
            contact.run.journal.end(record.id, "done", proved=True)
            contact.outcome.done.append("activate")
            return True
        if time.monotonic() >= settled:
            contact.run.journal.end(record.id, "undone")
            return False
        contact.pause(_POLL_S)
        if contact.late:
            raise ProvisionError(
                "whether the activation was carried out is not known yet",
                step="activate",
                hint="Run 'ipc fleet apply' again in a minute.",
            )
