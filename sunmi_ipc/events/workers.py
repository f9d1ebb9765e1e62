"""Threads that work in the background until they are told to stop: what deliveries and pictures share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

_log = logging.getLogger("sunmi_ipc")


class Workers:
    """Starts a thread for each of *targets*, which end when :attr:`stop` is set.

    Daemons, and no executor: its threads would keep a program from ending that forgot to close this. A target
    that fails is logged, and told to *failed*: nobody waits for a thread that is gone.
    """

    def __init__(
        self,
        name: str,
        targets: Sequence[Callable[[], None]],
        *,
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.stop: threading.Event = threading.Event()
        self._name, self._targets, self._failed = name, targets, failed
        self._threads = [
            threading.Thread(target=self._run, args=(t,), name=name, daemon=True) for t in targets
        ]

    def start(self) -> None:
        """Begin; apart from the making, so that a target finds its owner complete."""
        for thread in self._threads:
            thread.start()

    def _run(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:
            _log.exception("%s: a thread failed", self._name)
            self._failed(error)

    def join(self, grace: float | None = None) -> None:
        """Wait for all, *grace* seconds at most; None: however long."""
        deadline = None if grace is None else time.monotonic() + grace
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
