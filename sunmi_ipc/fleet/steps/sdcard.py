"""See that there is a usable SD card; format a blank one where that is allowed."""

from __future__ import annotations

import time

from ...api.sdcard import FORMAT_TIMEOUT_S, NEXT
from ...errors import AccessDenied, ConnectionFailed, ProvisionError, ReplyError, SunmiIpcError, TlsError
from ...protocol.values import CardStatus
from ..contact import ATTEMPTS, Contact, heals
from ..journal import StepRecord
from ..throttle import Stopped, left_of

_POLL_S = 0.4


def prepare(contact: Contact) -> None:
    """Format a blank card where that is allowed, once: a format under way is waited for."""
    sn, journal, apply = contact.outcome.sn, contact.run.journal, contact.run.apply
    status = _status(contact)
    last = journal.last(sn, "format")
    if last is not None and last.state == "begun":
        if not apply and status is CardStatus.BLANK:
            contact.outcome.planned.append("format")
            return
        status = _await(contact, last)
    for _ in range(ATTEMPTS):
        if status is not CardStatus.BLANK or contact.slot.wanted.sdcard != "format-blank":
            break
        if not apply:
            contact.outcome.planned.append("format")
            return
        contact.agreed("format")
        number = journal.begin(contact.slot.key, sn, "format", "sdcard")
        try:
            contact.once(lambda camera: camera.sdcard.format())
        except Stopped:
            journal.end(number, "undone")
            raise
        except (ConnectionFailed, ReplyError) as error:
            if isinstance(error, TlsError | AccessDenied) and not error.sent:
                journal.end(number, "undone")
                raise
            # Else carried out or not: the card will tell.
        except SunmiIpcError as error:
            journal.end(number, "failed", error=error.message)
            if not heals(error):
                raise
            contact.pause(_POLL_S)
            status = _status(contact)
            continue
        else:
            journal.add(number, accepted=True)
        record = journal.last(sn, "format")
        assert record is not None
        status = _await(contact, record)
        if status is CardStatus.NORMAL:
            contact.outcome.done.append("format")
    if status is not CardStatus.NORMAL:
        raise ProvisionError(
            "the SD card is not usable (state: {state})",
            step="sdcard",
            hint=NEXT.get(status, "Look at the card with 'ipc sdcard status'."),
            state=status.name.lower(),
        )


def _status(contact: Contact) -> CardStatus:
    status = contact.ask(lambda camera: camera.sdcard.status()).status
    contact.outcome.card = status.name.lower()
    return status


def _await(contact: Contact, record: StepRecord) -> CardStatus:
    """Wait until a format has ended, or is certain not to have been carried out."""
    limit = FORMAT_TIMEOUT_S if record.detail.get("accepted") else contact.policy.settle
    settled = min(contact.end, time.monotonic() + left_of(limit, record.began))
    while True:
        status = _status(contact)
        if status is CardStatus.NORMAL:
            contact.run.journal.end(record.id)
            return status
        if status is not CardStatus.BLANK or time.monotonic() >= settled:
            contact.run.journal.end(record.id, "undone")
            return status
        contact.pause(_POLL_S)
