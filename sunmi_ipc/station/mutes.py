"""Cameras of which nobody is told for a while: a ladder stands below them."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from .store import Store, StoreError


class Mutes:
    """Which cameras are muted, until when; in the store, so that another process may mute too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, float] = {}
        self._read = 0.0

    def set(self, sn: str, until: float, *, reason: str = "", who: str = "") -> None:
        """Tell nobody of *sn* before *until* (Unix seconds); raises StoreError."""
        self._store.write(("INSERT OR REPLACE INTO mutes VALUES (?, ?, ?, ?)", (sn, until, reason, who)))
        self._read = 0.0

    def end(self, sn: str) -> None:
        """Tell of *sn* again; raises StoreError."""
        self._store.write(("DELETE FROM mutes WHERE sn = ?", (sn,)))
        self._read = 0.0

    def until(self, sn: str) -> float:
        """Until when *sn* is muted, Unix seconds; 0 where it is not."""
        if time.monotonic() - self._read > 2.0:
            with contextlib.suppress(StoreError):  # what was known holds until it can be read again
                self._known = {entry["sn"]: entry["until"] for entry in self.list()}
            self._read = time.monotonic()
        until = self._known.get(sn, 0.0)
        return until if until > time.time() else 0.0

    def list(self) -> list[dict[str, Any]]:
        """Every mute that lasts."""
        rows = self._store.read("SELECT sn, until, reason, who FROM mutes WHERE until > ?", (time.time(),))
        return [dict(zip(("sn", "until", "reason", "who"), row, strict=True)) for row in rows]
