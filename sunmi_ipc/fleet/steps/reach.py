"""The first step: connect, ask who it is, and see that no other entry means the same camera.

Anybody in the network can answer under a camera's serial number, and first. Who does counts once its
certificate was approved and it has said who it is; else the others are tried that claim to be the camera.
"""

from __future__ import annotations

from ...errors import ConnectionFailed, ProvisionError, TlsError
from ..contact import Contact, OtherCamera


def reach(contact: Contact) -> None:
    """Connect to the camera, and claim it for its entry of the site file."""
    contact.begin("reach")
    first: TlsError | OtherCamera | None = None
    sn = contact.outcome.sn
    while True:
        contact.connect()
        try:
            contact.probe()
            break
        except (TlsError, OtherCamera) as error:
            first = first or error
            contact.outcome.sn = sn
            if not contact.elsewhere():
                raise first from None
        except ConnectionFailed:
            if first is not None:
                raise first from None
            raise
    _claim(contact)


def _claim(contact: Contact) -> None:
    """Two entries may mean one camera, by serial number and by MAC: the first one has it."""
    run, slot, sn = contact.run, contact.slot, contact.outcome.sn
    first = run.claims.setdefault(sn, slot.key) if sn else slot.key
    if first != slot.key:
        raise ProvisionError(
            "the entry {key} of the site file is the same camera",
            step="reach",
            hint="Leave one of the two out of the site file.",
            key=first,
        )
    # Kept now that it has answered: not for a plan, nor for a stranger's camera that takes us for none of its own.
    if not slot.sn and run.apply and run.journal.bindings().get(slot.key) != sn:
        run.journal.bind(slot.key, sn)
