"""Kinds of messages that the broker does not take: each waits by itself, and the rest goes on.

A broker's access list may refuse one topic and take the others. Some brokers say so; others end the connection at
such a message, and a station that sent it again with each connection would never be online.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from ..broker.connection import LOST

#: So often must the connection end with nothing but messages of one kind on their way before that kind waits.
BREAKS = 2
#: Seconds until a kind is tried again; doubles from the first to the second.
FIRST_S, LONGEST_S = 30.0, 300.0


@dataclass(slots=True)
class _Wait:
    problem: str
    until: float
    pause: float


class Refusals:
    """What the broker does not take. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breaks: Counter[str] = Counter()
        self._waits: dict[str, _Wait] = {}

    def taken(self, kind: str) -> None:
        """The broker has taken a message of this kind."""
        with self._lock:
            self._breaks.pop(kind, None)
            self._waits.pop(kind, None)

    def not_taken(self, kind: str, problem: str) -> None:
        """The broker has refused one (*problem* says why), or the connection ended while it was on its way."""
        with self._lock:
            self._breaks[kind] += 1
            # A broker that ends the connection for one kind does so for another.
            strict = any(other.problem == LOST for other in self._waits.values())
            if problem == LOST and self._breaks[kind] < (1 if strict else BREAKS):
                return
            before = self._waits.get(kind)
            pause = FIRST_S if before is None else min(LONGEST_S, before.pause * 2)
            self._waits[kind] = _Wait(problem, time.monotonic() + pause, pause)

    def waits(self, kind: str) -> bool:
        """Whether messages of this kind are not to be sent now."""
        with self._lock:
            found = self._waits.get(kind)
            return found is not None and found.until > time.monotonic()

    def told(self) -> dict[str, str]:
        """Why the broker does not take a kind, by kind."""
        with self._lock:
            return {kind: found.problem for kind, found in self._waits.items()}
