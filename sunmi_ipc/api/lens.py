"""``camera.lens``: zoom and focus motors (FS)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ParameterError, ProvisionError
from ..protocol.fields import Focus, Percent, Zoom
from ..protocol.spec import FS, INFERRED, SDK, C, Group, endpoint
from ..protocol.steps import Steps, pause, steps

if TYPE_CHECKING:
    from ..models import LensConfiguration

#: The longest that a motor was seen to run (A).
MOTOR_TIMEOUT_S = 18.0


class Lens(Group[C], name="lens", title="zoom and focus"):
    """Zoom and focus motors."""

    @endpoint("config/getLensConf", evidence=INFERRED, models=FS, document="lens")
    def show(self) -> LensConfiguration:
        """Read zoom, focus, their maxima, and the autofocus point."""

    @endpoint("config/setZoom", evidence=SDK, params=INFERRED, models=FS, codes={110}, timeout_s=20)
    def set_zoom(self, zoom: Zoom) -> None:
        """Move the zoom motor; the picture focuses by itself afterwards. Up to 18 s."""

    @endpoint("config/manualFocus", evidence=SDK, params=INFERRED, models=FS, codes={111}, timeout_s=20)
    def set_focus(self, focus: Focus) -> None:
        """Move the focus motor. Up to 13 s."""

    @endpoint("config/autoFocus", evidence=INFERRED, models=FS, codes={112}, timeout_s=20)
    def autofocus(self, focused_x: Percent = 50, focused_y: Percent = 50) -> None:
        """Focus on a point of the picture. Up to 13 s."""

    @endpoint("config/resetLens", evidence=INFERRED, models=FS, timeout_s=20)
    def reset(self) -> None:
        """Bring both motors to their starting position. Up to 18 s."""

    @steps
    def zoom(self, value: int | str) -> Steps[int]:
        """Zoom to ``N``, by ``"+N"`` or ``"-N"`` steps, or to ``"N%"``.

        Steps and percentages are kept within the camera's own limits; an absolute value beyond
        them is refused before anything is sent. Returns: the position asked for.

        Raises:
            ParameterError: Not of that form, or beyond the camera's maximum.

        """
        lens = yield from Lens.show.ask()
        target = position(value, lens.zoom, lens.max_zoom, "zoom")
        yield from Lens.set_zoom.ask(target)
        return target

    @steps
    def focus(self, value: int | str) -> Steps[int]:
        """Focus to ``N``, by ``"+N"`` or ``"-N"`` steps, or to ``"N%"``; as :meth:`zoom`."""
        lens = yield from Lens.show.ask()
        target = position(value, lens.focus, lens.max_focus, "focus")
        yield from Lens.set_focus.ask(target)
        return target

    @steps
    def wait_until_rest(
        self,
        *,
        timeout: float = MOTOR_TIMEOUT_S,
        interval: float = 0.3,
        on_poll: Callable[[LensConfiguration], None] = lambda lens: None,
    ) -> Steps[LensConfiguration]:
        """Poll until two readings agree; raises ProvisionError where the motors still run after *timeout* s."""
        end = time.monotonic() + timeout
        before: LensConfiguration | None = None
        while True:
            lens = yield from Lens.show.ask()
            on_poll(lens)
            if lens == before:
                return lens
            if time.monotonic() + interval > end:
                raise ProvisionError(
                    "the lens still moves after {seconds:.0f} s",
                    step="lens",
                    hint="Try again.",
                    seconds=timeout,
                )
            before = lens
            yield from pause(interval)


def position(value: int | str, now: int, limit: int, name: str) -> int:
    """Where ``N``, ``+N``, ``-N`` or ``N%`` leads from *now*, 0 to *limit*.

    Raises:
        ParameterError: Not of that form, or an absolute value or percentage beyond the limits.

    """
    text = str(value).strip()
    number = text.removesuffix("%").removeprefix("+").removeprefix("-")
    relative = isinstance(value, str) and text[:1] in ("+", "-")
    if not (number.isascii() and number.isdecimal()) or (relative and text.endswith("%")) or len(number) > 9:
        raise ParameterError("{name}: not a position", name=name, hint="Write N, +N, -N or N%.")
    if relative:
        step = int(number) if text[0] == "+" else -int(number)
        return min(max(now + step, 0), limit)
    target = round(limit * int(number) / 100) if text.endswith("%") else int(text)
    if not 0 <= target <= limit:
        raise ParameterError(
            "{name}: beyond the camera's limits", name=name, hint="Allowed: {bounds}.", bounds=f"0-{limit}"
        )
    return target
