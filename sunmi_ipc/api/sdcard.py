"""``camera.sdcard``: the memory card."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConnectionFailed, DeviceError, OutcomeUnknown, ProvisionError, TlsError
from ..protocol.spec import INFERRED, SDK, C, Group, endpoint
from ..protocol.steps import Steps, pause, steps
from ..protocol.values import CardStatus

if TYPE_CHECKING:
    from ..models import ExternalStorage

#: Formatting takes about 15 s (A); after a restart services need up to a minute (S).
FORMAT_TIMEOUT_S = 90.0

#: What to do with a card that is not ready.
NEXT = {
    CardStatus.NONE: "There is no card: insert one.",
    CardStatus.BLANK: "The card is blank: 'ipc sdcard format' prepares it.",
    CardStatus.BROKEN: "The card is not recognised: replace it.",
    CardStatus.REMOVED: "The card was removed by software: take it out and put it back.",
}


class SdCard(Group[C], name="sdcard"):
    """The memory card."""

    @endpoint(
        "config/formatMemoryCard",
        evidence=SDK,
        params=INFERRED,
        codes={220, 221},
        destroys="every recording and every face on the camera's SD card",
        timeout_s=60,
    )
    def format(self) -> None:
        """Format the SD card; it takes about 15 s.

        The answer may come at once, or only when it is over (I): it is waited for up to 60 s. Read the status
        afterwards in either case.
        """

    @endpoint("config/getMemoryCardStatus", evidence=SDK, params=INFERRED, document="sdcard")
    def status(self) -> ExternalStorage:
        """Read the SD card's state. After a restart it may need up to a minute: try again."""

    @steps
    def wait_until_normal(
        self,
        *,
        timeout: float = FORMAT_TIMEOUT_S,
        interval: float = 1.0,
        on_poll: Callable[[ExternalStorage | None], None] = lambda status: None,
    ) -> Steps[ExternalStorage]:
        """Poll until the card is normal.

        Args:
            timeout: Give up after this many seconds.
            interval: Seconds between polls.
            on_poll: Called with each state, or None while the camera does not answer.

        Raises:
            ProvisionError: The card was not normal in time.

        """
        end = time.monotonic() + timeout
        state, answered = "not answering", False
        while True:
            try:
                status = yield from SdCard.status.ask()
            except (ConnectionFailed, DeviceError) as error:
                if isinstance(error, DeviceError) and error.code in (1, 5, 7):
                    raise
                on_poll(None)
            else:
                on_poll(status)
                answered = True
                if status.ready:
                    return status
                state = status.status.name.lower()
            if time.monotonic() + interval > end:
                raise ProvisionError(
                    "the SD card is not ready after {seconds:.0f} s (state: {state})",
                    step="sdcard",
                    hint="Take the card out and put it back, or replace it."
                    if answered
                    else "See that the camera has power and network; 'ipc sdcard status' says how the card is.",
                    seconds=timeout,
                    state=state,
                )
            yield from pause(interval)

    @steps
    def ensure_ready(
        self, *, allow_format: bool = False, timeout: float = FORMAT_TIMEOUT_S, interval: float = 1.0
    ) -> Steps[ExternalStorage]:
        """Bring the card into use: wait out a restart, and format a blank card where that is allowed.

        Args:
            allow_format: Whether a blank card may be formatted; a normal one never is.
            timeout: Seconds for each of waiting and formatting; after a restart a camera needs up to 60 (S).
            interval: Seconds between attempts.

        Raises:
            ProvisionError: No card, a broken one, or a blank one that may not be formatted.
            ConnectionFailed, DeviceError: The camera did not come back in time.

        """
        status = yield from _patient_status(time.monotonic() + timeout, interval)
        if status.status is CardStatus.BLANK and allow_format:
            return (yield from SdCard.format_and_wait.steps(self, timeout=timeout, interval=interval))
        if not status.ready:
            raise ProvisionError(
                "the SD card is not usable (state: {state})",
                step="sdcard",
                hint=NEXT.get(status.status, "Look at the card with 'ipc sdcard status'."),
                state=status.status.name.lower(),
            )
        return status

    @steps
    def format_and_wait(
        self,
        *,
        timeout: float = FORMAT_TIMEOUT_S,
        interval: float = 1.0,
        on_poll: Callable[[ExternalStorage | None], None] = lambda status: None,
    ) -> Steps[ExternalStorage]:
        """Format the card and wait until it is normal again. Destroys recordings and faces.

        Raises:
            ProvisionError: The card was not normal in time.
            OutcomeUnknown: Behind a station: it is not known whether the camera was told.
            DeviceError: The camera refused, or formatting failed (221).

        """
        try:
            yield from SdCard.format.ask()
        except (TlsError, OutcomeUnknown):  # (it may not even have reached the camera)
            raise
        except ConnectionFailed as error:
            if not error.sent:
                raise
            # The answer may come only when it is over, or never: the card's state tells.
        return (
            yield from SdCard.wait_until_normal.steps(
                self, timeout=timeout, interval=interval, on_poll=on_poll
            )
        )


def _patient_status(end: float, interval: float) -> Steps[ExternalStorage]:
    while True:
        try:
            return (yield from SdCard.status.ask())
        except TlsError:
            raise
        except (ConnectionFailed, DeviceError) as error:
            # Wrong credentials do not heal with time; services that are starting do.
            if isinstance(error, DeviceError) and error.code in (1, 2, 5, 7):
                raise
            if time.monotonic() + interval > end:
                raise
        yield from pause(interval)


__all__ = ["FORMAT_TIMEOUT_S", "NEXT", "CardStatus", "SdCard"]
