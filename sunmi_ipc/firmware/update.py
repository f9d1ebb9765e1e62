"""Follow a camera through its update: there, gone, back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import ConnectionFailed, DeviceError, ProvisionError, ReplyError, TlsError

Step = Literal["gone", "back", "gone again"]

#: An FM020, with its second processor, takes 4 to 6 minutes (I); the vendor's own limit for it is 680 s (W).
BACK_TIMEOUT_S = 720.0


@dataclass(frozen=True, slots=True)
class Update:
    """What was seen of an update.

    Attributes:
        before: Firmware version before.
        after: Firmware version after.
        away_s: Seconds that the camera did not answer.

    """

    before: str
    after: str
    away_s: float

    @property
    def changed(self) -> bool:
        """Whether the version is another; an image of the same version leaves it as it is."""
        return self.before != self.after


def follow(
    version: Callable[[], str],
    *,
    gone_timeout: float = 600.0,
    back_timeout: float = BACK_TIMEOUT_S,
    interval: float = 1.0,
    settle: float = 5.0,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Update:
    """Wait until a camera has left the network and come back.

    Args:
        version: Reads the camera's firmware version, e.g. ``lambda: camera.device.info().software_version``.
        gone_timeout: Seconds to wait until it leaves: as long as somebody needs to put the card in.
        back_timeout: Seconds to wait until it is back.
        interval: Seconds between attempts.
        settle: Seconds that it must go on answering: a camera restarts between the steps of an update.
        on_step: Told what happened.

    Raises:
        ProvisionError: It did not leave, or did not come back, in time.
        SunmiIpcError: It does not answer at the beginning.

    """
    before = version()
    end = time.monotonic() + gone_timeout
    while _answer(version) is not None:
        if time.monotonic() > end:
            raise ProvisionError(
                "the camera did not leave the network within {seconds:.0f} s",
                step="gone",
                hint="Switch it off, put the card in, switch it on; then start again.",
                seconds=gone_timeout,
            )
        time.sleep(interval)
    gone = time.monotonic()
    on_step("gone")
    while True:
        back, after = _await_back(version, gone + back_timeout, back_timeout, interval)
        if back > gone + 2 * back_timeout:
            raise _restless(back - gone)
        on_step("back")
        steady = time.monotonic() + settle
        while after is not None and time.monotonic() < steady:
            time.sleep(min(interval, settle))
            after = _answer(version)
        if after is not None:
            return Update(before, after, back - gone)
        on_step("gone again")


def _restless(seconds: float) -> ProvisionError:
    return ProvisionError(
        "the camera comes and goes for {seconds:.0f} s now",
        step="back",
        done=("gone",),
        hint="Its power or its network may be weak. Leave it alone for ten minutes, then look at 'ipc info'.",
        seconds=seconds,
    )


def _await_back(
    version: Callable[[], str], end: float, seconds: float, interval: float
) -> tuple[float, str | None]:
    while True:
        if (after := _answer(version)) is not None:
            return time.monotonic(), after
        if time.monotonic() > end:
            raise ProvisionError(
                "the camera did not come back within {seconds:.0f} s",
                step="back",
                done=("gone",),
                hint="While its LED is red it is updating: wait. If it blinks green it has lost its network: "
                "set it up again. If it stays dark or red, the image or the card was refused.",
                seconds=seconds,
            )
        time.sleep(interval)


def _answer(version: Callable[[], str]) -> str | None:
    try:
        return version()
    except TlsError:
        raise
    except (ConnectionFailed, ReplyError, DeviceError):
        return None  # services that are starting refuse, or answer with something else
