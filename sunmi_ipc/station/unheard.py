"""Topics that nobody has subscribed to yet: what belongs there waits, and now and then one message asks again.

A broker throws away what nobody has ever subscribed to, and says so (MQTT 5, reason 0x10). For counts, events and
alerts that is no delivery: the hub may come later.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

#: Seconds until it is asked again; doubles from the first to the second.
FIRST_S, LONGEST_S = 15.0, 120.0


@dataclass(slots=True)
class _Hold:
    until: float
    pause: float


class Unheard:
    """What nobody hears. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holds: dict[tuple[str, str], _Hold] = {}
        #: The kinds of messages that nobody hears, in order.
        self.kinds: tuple[str, ...] = ()

    def told(self, kind: str, sn: str) -> None:
        """The broker says that nobody hears this topic."""
        now = time.monotonic()
        with self._lock:
            held = self._holds.get((kind, sn))
            if held is not None and held.until > now:  # another of the same batch
                return
            pause = FIRST_S if held is None else min(LONGEST_S, held.pause * 2)
            self._holds[kind, sn] = _Hold(now + pause, pause)
            self._count()

    def heard(self, kind: str, sn: str) -> None:
        """Somebody hears this topic; who came may hear the others, too."""
        with self._lock:
            if self._holds.pop((kind, sn), None) is not None:
                for held in self._holds.values():
                    held.until = 0.0
                self._count()

    def waiting(self) -> list[tuple[str, str]]:
        """The topics that are not tried now, by kind and serial number."""
        now = time.monotonic()
        with self._lock:
            return [topic for topic, held in self._holds.items() if held.until > now]

    def asks(self, kind: str, sn: str) -> bool:
        """Whether a topic was not heard, so that one message asks before the others follow."""
        with self._lock:
            return (kind, sn) in self._holds

    def clear(self) -> None:
        """A new connection: everything is tried anew."""
        with self._lock:
            self._holds.clear()
            self._count()

    def _count(self) -> None:
        self.kinds = tuple(sorted({kind for kind, _ in self._holds}))
