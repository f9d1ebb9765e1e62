"""How tests wait for what happens elsewhere: in another thread, process, broker or database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


def eventually(condition: Callable[[], Any], seconds: float = 60.0, pause: float = 0.02) -> Any:
    """Wait until *condition* is true; what it is in the end.

    The time is for a machine that does much beside: who waits in vain fails later, who need not wait loses nothing.
    """
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        threading.Event().wait(pause)
    return value
