"""Tell a camera out of its box which network to join, once it has said that it sees it."""

from __future__ import annotations

from ... import onboarding
from ...errors import ConnectionFailed, SunmiIpcError
from ...onboarding.wifi import AGAIN_S
from ..contact import ATTEMPTS, Contact, heals


def in_sight(contact: Contact) -> str:
    """Ask the camera for the networks in its sight, and return the wanted one's name as it hears it.

    A firmware that does not tell them is told its network all the same; the outcome says so.

    Raises:
        ParameterError: It is not in sight, or its password is missing, superfluous or impossible.

    """
    wifi = contact.slot.wanted.wifi
    assert wifi is not None

    def look() -> onboarding.View:
        return onboarding.seen(lambda: contact.ask(lambda camera: camera.wifi.networks()))

    view = look()
    if view.lacks(wifi.ssid) and not wifi.hidden:
        contact.pause(AGAIN_S)
        view = look()
    if view.networks is None and not wifi.hidden:
        contact.outcome.notes.append("networks in sight")
    secrets = contact.run.secrets
    onboarding.check(
        view,
        wifi.ssid,
        secrets.get(wifi.password).reveal(),
        hidden=wifi.hidden,
        as_is=secrets.as_is,
        in_file=True,
    )
    return view.heard(wifi.ssid)


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
    ssid = in_sight(contact)
    if not contact.run.apply:
        contact.outcome.planned.append("wifi")
        return
    number = journal.begin(contact.slot.key, sn, "wifi", "wifi", ssid=wifi.ssid)
    password, sent = wifi.passphrase(contact.run.secrets), False
    for attempt in range(ATTEMPTS):
        try:
            contact.once(lambda camera: camera.wifi.set_without_auth(ssid, password))
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
