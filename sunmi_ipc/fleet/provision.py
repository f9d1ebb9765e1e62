"""From the box to an activated camera with a card: the steps that may not be repeated blindly."""

from __future__ import annotations

import time

from ..api.sdcard import FORMAT_TIMEOUT_S, NEXT
from ..errors import (
    AlreadyActivatedError,
    ConnectionFailed,
    ProvisionError,
    ReplyError,
    SunmiIpcError,
    TlsError,
)
from ..protocol.values import CardStatus
from .contact import ATTEMPTS, HEALS, Contact, heals
from .journal import StepRecord
from .throttle import Stopped, pauses

_OFFLINE, _POLL_S = 4, 0.4


def _left(record: StepRecord, seconds: float) -> float:
    """What is left of *seconds* since a step began; all of them where the clock was set back meanwhile."""
    return min(max(0.0, record.began + seconds - time.time()), seconds)


class Provision(Contact):
    """Wi-Fi, activation, SD card."""

    # -- Wi-Fi ---------------------------------------------------------------------------------------

    def _join(self) -> None:
        """Tell an unactivated camera its network, and wait until it is back."""
        # Before the activation a camera does not tell its network: the journal knows what we told it.
        wifi, sn = self._slot.wanted.wifi, self.outcome.sn
        assert wifi is not None
        last = self._crew.journal.last(sn, "wifi")
        if last is not None and last.state == "done" and last.detail.get("ssid") == wifi.ssid:
            activated = self._crew.journal.last(sn, "activate")
            if activated is None or activated.state != "done" or activated.id < last.id:
                return  # else it was reset since, and has forgotten
        if not self._crew.apply:
            self.outcome.planned.append("wifi")
            return
        number = self._crew.journal.begin(self._slot.key, sn, "wifi", "wifi", ssid=wifi.ssid)
        password = self._crew.secrets.get(wifi.password)
        for attempt in range(ATTEMPTS):
            try:
                self._once(lambda camera: camera.wifi.set_without_auth(wifi.ssid, password))
            except SunmiIpcError as error:
                if not heals(error) or attempt == ATTEMPTS - 1:
                    self._crew.journal.end(number, "failed", error=error.message)
                    raise
                # It may have left with the answer unsaid, or not have heard: saying it again does no harm.
                self._pause(0.3 * 2**attempt)
            else:
                break
        self._find_again()
        self._crew.journal.end(number)
        self.outcome.done.append("wifi")

    # -- activation ----------------------------------------------------------------------------------

    def _activate(self) -> None:
        """Activate, once: an attempt without an answer is looked into before there is another."""
        self._agreed("activate")
        sn, journal = self.outcome.sn, self._crew.journal
        last = journal.last(sn, "activate")
        if last is not None and last.state == "begun":
            if self._turned_out(last):
                return
            self._crew.activations.give_back()
        waits = pauses(self._policy.restart)
        while True:
            wait = self._crew.activations.take()
            self._end += wait  # to stand in the queue is not the camera's fault, and the rate is kept
            self._pause(wait)
            number = journal.begin(self._slot.key, sn, "activate")
            try:
                self._once(lambda camera: camera.device.activate(sn))
            except AlreadyActivatedError:
                self._crew.activations.give_back()
                journal.end(number, "done", already=True)
            except (Stopped, TlsError):  # nothing was sent
                self._crew.activations.give_back()
                journal.end(number, "undone")
                raise
            except (ConnectionFailed, ReplyError):
                record = journal.last(sn, "activate")
                assert record is not None
                if not self._turned_out(record):
                    self._crew.activations.give_back()
                    if time.monotonic() >= self._end:
                        raise
                    continue
            except SunmiIpcError as error:
                # Refused: not carried out. A camera that has just joined may not be on the internet yet.
                self._crew.activations.give_back()
                journal.end(number, "failed", error=error.message)
                pause = next(waits, None)
                if getattr(error, "code", None) not in (_OFFLINE, *HEALS) or pause is None:
                    raise
                self._pause(pause)
                continue
            else:
                journal.end(number)
                self.outcome.done.append("activate")
            self._probe()
            return

    def _turned_out(self, record: StepRecord) -> bool:
        """Whether an activation without an answer was carried out; waits until that is certain."""
        settled = time.monotonic() + _left(record, self._policy.settle)
        while True:
            self._probe()
            if self.outcome.activated:
                self._crew.journal.end(record.id, "done", proved=True)
                self.outcome.done.append("activate")
                return True
            if time.monotonic() >= settled:
                self._crew.journal.end(record.id, "undone")
                return False
            self._pause(_POLL_S)
            if time.monotonic() >= self._end:
                raise ProvisionError(
                    "whether the activation was carried out is not known yet",
                    step="activate",
                    hint="Run 'ipc fleet apply' again in a minute.",
                )

    # -- SD card -------------------------------------------------------------------------------------

    def _status(self) -> CardStatus:
        status = self._ask(lambda camera: camera.sdcard.status()).status
        self.outcome.card = status.name.lower()
        return status

    def _card(self) -> None:
        """Format a blank card where that is allowed, once: a format under way is waited for."""
        sn, journal = self.outcome.sn, self._crew.journal
        status = self._status()
        last = journal.last(sn, "format")
        if last is not None and last.state == "begun":
            if not self._crew.apply and status is CardStatus.BLANK:
                self.outcome.planned.append("format")
                return
            status = self._await_card(last)
        for _ in range(ATTEMPTS):
            if status is not CardStatus.BLANK or self._slot.wanted.sdcard != "format-blank":
                break
            if not self._crew.apply:
                self.outcome.planned.append("format")
                return
            self._agreed("format")
            number = journal.begin(self._slot.key, sn, "format", "sdcard")
            try:
                self._once(lambda camera: camera.sdcard.format())
            except (Stopped, TlsError):  # nothing was sent
                journal.end(number, "undone")
                raise
            except (ConnectionFailed, ReplyError):
                pass  # carried out or not: the card will tell
            except SunmiIpcError as error:
                journal.end(number, "failed", error=error.message)
                if not heals(error):
                    raise
                self._pause(_POLL_S)
                status = self._status()
                continue
            else:
                journal.add(number, accepted=True)
            record = journal.last(sn, "format")
            assert record is not None
            status = self._await_card(record)
            if status is CardStatus.NORMAL:
                self.outcome.done.append("format")
        if status is not CardStatus.NORMAL:
            raise ProvisionError(
                "the SD card is not usable (state: {state})",
                step="sdcard",
                hint=NEXT.get(status, "Look at the card with 'ipc sdcard status'."),
                state=status.name.lower(),
            )

    def _await_card(self, record: StepRecord) -> CardStatus:
        """Wait until a format has ended, or is certain not to have been carried out."""
        limit = FORMAT_TIMEOUT_S if record.detail.get("accepted") else self._policy.settle
        settled = min(self._end, time.monotonic() + _left(record, limit))
        while True:
            status = self._status()
            if status is CardStatus.NORMAL:
                self._crew.journal.end(record.id)
                return status
            if status is not CardStatus.BLANK or time.monotonic() >= settled:
                self._crew.journal.end(record.id, "undone")
                return status
            self._pause(_POLL_S)
