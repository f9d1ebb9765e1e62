"""Tell a camera out of its box which network to join."""

from __future__ import annotations

from ...errors import ConnectionFailed, SunmiIpcError
from ..contact import ATTEMPTS, Contact, heals


def join(contact: Contact) -> None:
    """Tell an unactivated camera its network, and wait until it is back."""
    # Before the activation a camera does not tell its network: the journal knows what we told it.
    wifi, sn, journal = contact.slot.wanted.wifi, contact.outcome.sn, contact.run.journal
    assert wifi is not None
    last = journal.last(sn, "wifi")
    if last is not None and last.state == "done" and last.detail.get("ssid") == wifi.ssid:
        activated = journal.last(sn, "activate")
        if activated is None or activated.state != "done" or activated.id < last.id:
            return  # else it was reset since, and has forgotten
    if not contact.run.apply:
        contact.outcome.planned.append("wifi")
        return
    number = journal.begin(contact.slot.key, sn, "wifi", "wifi", ssid=wifi.ssid)
    password, sent = wifi.passphrase(contact.run.secrets), False
    for attempt in range(ATTEMPTS):
        try:
            contact.once(lambda camera: camera.wifi.set_without_auth(wifi.ssid, password))
        except SunmiIpcError as error:
            sent = sent or (error.sent and isinstance(error, ConnectionFailed))
            if sent and attempt == ATTEMPTS - 1:
                break  # no answer to this call is no failure: it will be found in the new network, or not
            if not heals(error) or attempt == ATTEMPTS - 1:
                journal.end(number, "failed", error=error.message)
                raise
            # It may have left with the answer unsaid, or not have heard: saying it again does no harm.
            contact.pause(0.3 * 2**attempt)
        else:
            break
    contact.find_again()
    journal.end(number)
    contact.outcome.done.append("wifi")
