"""Which one is it? Its light blinks, and is afterwards as it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..api.image import Image
from ..values import Flag01


def blink(
    image: Image, *, times: int = 5, pause: float = 0.5, rest: Callable[[float], object] = time.sleep
) -> None:
    """Switch the status light off and on *times* times, then as it was before, whatever happens meanwhile."""
    before = image.led().switch
    try:
        for _ in range(times):
            image.set_led(Flag01.OFF)
            rest(pause)
            image.set_led(Flag01.ON)
            rest(pause)
    finally:
        image.set_led(before)
