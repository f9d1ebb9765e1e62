"""From what looks find to what is told: hysteresis, and the record of every beginning and end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from .store import Row, Store
from .verdict import KINDS, Level, Reason, Transition, by_severity, worst


class Judge:
    """What is the matter with whom, and since when; kept in the store over restarts. Thread-safe.

    Args:
        store: Where beginnings and ends are written.
        looks: More looks than their kind asks for, by code.

    """

    def __init__(self, store: Store, *, looks: Mapping[str, int] | None = None) -> None:
        self._store, self._looks = store, dict(looks or {})
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Reason] = {}
        #: How often, and since when, something was seen that is not told yet.
        self._strikes: dict[tuple[str, str], tuple[int, float]] = {}
        self._missed: dict[tuple[str, str], int] = {}
        for sn, code, since, details in store.read(
            "SELECT sn, code, since, details FROM reasons WHERE until IS NULL ORDER BY since"
        ):
            if code in KINDS:
                self._open[sn, code] = Reason(code, since, json.loads(details))

    def update(
        self,
        sn: str,
        found: Mapping[str, Mapping[str, Any]],
        checked: Collection[str],
        *,
        at: float | None = None,
        since: Mapping[str, float] | None = None,
    ) -> list[Transition]:
        """Take in what one look has found.

        Args:
            sn: The camera; empty for the station.
            found: Details by the code of what is the matter.
            checked: Every code that the look was able to see; others stay as they are.
            at: When it was, Unix seconds; default: now.
            since: Since when it has been so, where that is known, by code.

        Returns: what began and what ended.

        """
        at = time.time() if at is None else at
        told: list[Transition] = []
        rows: list[Row] = []
        with self._lock:
            for code in {*checked, *found}:
                key = sn, code
                if code in found:
                    self._missed.pop(key, None)
                    if (old := self._open.get(key)) is not None:
                        self._open[key] = Reason(code, old.since, dict(found[code]))
                        continue
                    count, first = self._strikes.get(key, (0, at))
                    count += 1
                    if count < max(self._looks.get(code, 0), KINDS[code].looks):
                        self._strikes[key] = count, first
                        continue
                    self._strikes.pop(key, None)
                    reason = self._open[key] = Reason(code, (since or {}).get(code, first), dict(found[code]))
                    told.append(Transition(sn, reason, True, at))
                    rows.append(_begun(sn, reason))
                else:
                    self._strikes.pop(key, None)
                    if (old := self._open.get(key)) is None:
                        continue
                    self._missed[key] = self._missed.get(key, 0) + 1
                    if self._missed[key] >= KINDS[code].clear:
                        del self._open[key], self._missed[key]
                        told.append(Transition(sn, old, False, at))
                        rows.append(_ended(sn, code, at))
        if rows:
            self._store.later(*rows)
        return told

    def pending(self, sn: str) -> bool:
        """Whether something was seen that is not told yet."""
        with self._lock:
            return any(who == sn for who, _ in self._strikes)

    def forget(self, sn: str) -> None:
        """Nothing is the matter any more with a camera that has left the station."""
        with self._lock:
            gone = [key for key in self._open if key[0] == sn]
            for key in gone:
                del self._open[key]
        if gone:
            self._store.later(*(_ended(sn, code, time.time()) for _, code in gone))

    def reasons(self, sn: str) -> tuple[Reason, ...]:
        """What is the matter with a camera, or with the station (empty), the worst first."""
        with self._lock:
            return by_severity(reason for (who, _), reason in self._open.items() if who == sn)

    def everybody(self) -> dict[str, list[Reason]]:
        """Reasons by serial number."""
        found: dict[str, list[Reason]] = {}
        with self._lock:
            for (sn, _), reason in self._open.items():
                found.setdefault(sn, []).append(reason)
        return found

    def level(self, sn: str) -> Level:
        """The verdict on a camera."""
        return worst(self.reasons(sn))

    def history(self, sn: str | None = None, *, limit: int = 200) -> list[dict[str, Any]]:
        """What was the matter, newest first: of a camera, of the station (empty), or of all (None)."""
        rows = self._store.read(
            "SELECT sn, code, level, since, until, details FROM reasons WHERE ? IS NULL OR sn = ?"
            " ORDER BY id DESC LIMIT ?",
            (sn, sn, limit),
        )
        return [
            {
                "sn": who,
                "code": code,
                "level": level,
                "text": Reason(code, since, json.loads(details)).text(),
                "since": since,
                "until": until,
            }
            for who, code, level, since, until, details in rows
        ]


def _begun(sn: str, reason: Reason) -> Row:
    details = json.dumps(dict(reason.details), ensure_ascii=False, default=str)
    return (
        "INSERT INTO reasons (sn, code, level, since, details) VALUES (?, ?, ?, ?, ?)",
        (sn, reason.code, str(reason.level), reason.since, details),
    )


def _ended(sn: str, code: str, at: float) -> Row:
    return ("UPDATE reasons SET until = ? WHERE sn = ? AND code = ? AND until IS NULL", (at, sn, code))
