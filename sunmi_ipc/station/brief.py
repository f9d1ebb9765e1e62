"""What the libraries behind a port log of requests and messages, as a line of ours: the terminal is its owner's.

They write a traceback for whatever goes wrong, as often as a stranger makes it go wrong, with his words in it.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger("sunmi_ipc")
#: The same is said again after so many seconds.
REPEAT_S = 60.0
_PLACES = 200
_OURS = Path(__file__).parent.parent


class Brief(logging.Filter):
    """For a library's logger: one line of ours, once a minute for each place; the traceback is for ``-vv``.

    What broke off before anything of ours was reached is what somebody has sent, and no more than a remark.

    Args:
        clock: Seconds; for tests.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say it in our log instead; nothing passes."""
        if record.levelno < logging.ERROR:
            return False
        error = record.exc_info[1] if record.exc_info else None
        place = _place(error)
        if error is None or place:
            what = f"{type(error).__name__}, {place}" if error is not None else record.getMessage()[:200]
            now = self._clock()
            if now - self._told.get(what, -REPEAT_S) >= REPEAT_S:
                if len(self._told) >= _PLACES:
                    self._told.clear()
                self._told[what] = now
                _log.warning("a request failed: %s", what)
        _log.debug("%s: a request failed", record.name, exc_info=record.exc_info or None)
        return False


def _place(error: BaseException | None) -> str:
    """Where of ours it went wrong; empty for nowhere."""
    for frame in reversed(traceback.extract_tb(error.__traceback__ if error is not None else None)):
        file = Path(frame.filename)
        if file.is_relative_to(_OURS) and file.name not in ("gate.py", "head.py", "said.py", "access.py"):
            return f"{file.relative_to(_OURS).as_posix()} line {frame.lineno}"
    return ""


def brief(*names: str) -> None:
    """Have these loggers say it so."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(one, Brief) for one in logger.filters):
            logger.addFilter(Brief())
