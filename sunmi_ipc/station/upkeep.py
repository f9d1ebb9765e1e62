"""What the station does for itself: its own health, what it forgets, and the slow looks at events and people."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..events.clock import Clock
from .bridge_outbox import FORGET
from .store import Row, Store
from .validity import Ending, camera_ends, day, endings

if TYPE_CHECKING:
    from ..settings import Settings
    from .intake import Intake
    from .loading import Loaded
    from .roster import Roster
    from .scheduler import Scheduler
    from .watch import Watch

_OWN_S, _FLUSH_S, _TIDY_S, _SLOW_S = 10.0, 30.0, 600.0, 300.0
#: Files of certificates are read again so often, cameras' own looked at.
_FILES_S, _DAY_S = 3600.0, 86_400.0
#: So many events may wait for a sink before it is told.
_BACKLOG = 500
#: Where the clock of the run before is kept.
_CLOCK = "clock"
#: So many must pass before it means something that nobody enters.
_MANY = 20


def _last_seen(store: Store) -> tuple[float, float]:
    """What the clock said when the station ran last, and for how long it was not to be believed."""
    rows = store.read("SELECT body FROM notices WHERE key = ?", (_CLOCK,))
    try:
        last, doubt = json.loads(rows[0][0])
        return float(last), float(doubt)
    except (IndexError, ValueError, TypeError):
        return 0.0, 0.0


class Upkeep:
    """Jobs of the station that belong to no camera.

    Args:
        loaded, settings: The station file and the credentials.
        store, roster, watch, scheduler, intake: The station's parts.

    """

    def __init__(
        self,
        loaded: Loaded,
        settings: Settings,
        *,
        store: Store,
        roster: Roster,
        watch: Watch,
        scheduler: Scheduler,
        intake: Intake | None,
    ) -> None:
        self._loaded, self._settings, self._file = loaded, settings, loaded.file
        self._store, self._roster, self._watch = store, roster, watch
        self._scheduler, self._intake = scheduler, intake
        self._started = time.time()
        self._clock = Clock(*_last_seen(store))
        self._endings: list[Ending] = []
        self._look_again = 0.0

    def start(self) -> None:
        """Begin."""
        add = self._scheduler.add
        add("own health", self.own, delay=1.0)
        add("flush", self._flush, delay=_FLUSH_S)
        add("tidy", self.tidy, delay=60.0)
        add("quiet", self.quiet, delay=_SLOW_S)
        add("nobody enters", self.nobody_enters, delay=_SLOW_S)
        add("certificates of cameras", self.camera_certificates, delay=_SLOW_S)

    def own(self) -> float:
        """Look at the disk, the database, the events and the certificates."""
        found: dict[str, Mapping[str, Any]] = {}
        checked = {"disk", "database"}
        try:
            free = shutil.disk_usage(self._loaded.data).free >> 20
            if free < self._file.watch.disk:
                found["disk"] = {"megabytes": free, "path": str(self._loaded.data)}
        except OSError as error:
            found["disk"] = {"megabytes": 0, "path": error.strerror or ""}
        if self._store.problem:
            found["database"] = {"problem": self._store.problem}
        if self._intake is not None:
            checked |= {"sink", "events"}
            spool = self._intake.spool
            if spool.problem is not None:
                spool.try_again()
            if problem := spool.problem:
                found["events"] = {"problem": problem.message, "problem_zh": problem.localized("zh")[0]}
            for name, consumer in self._intake.figures()["consumers"].items():
                if consumer["backlog"] >= _BACKLOG:
                    found["sink"] = {"name": name, "count": consumer["backlog"]}
        self._certificates(found, checked)
        self._watch.tell(self._watch.judge.update("", found, checked))
        if self._store.waiting:
            self._store.tidy()
        return _OWN_S

    def _certificates(self, found: dict[str, Mapping[str, Any]], checked: set[str]) -> None:
        """Add what is to be said of the station's own certificates; the first to end speaks for all files."""
        if time.monotonic() >= self._look_again:
            self._look_again = time.monotonic() + _FILES_S
            self._endings = sorted(endings(self._loaded, self._settings), key=lambda e: e.at, reverse=True)
        for ending in self._endings:
            checked |= {ending.code, f"{ending.code}-over"}
            left = ending.at - time.time()
            if left < self._file.watch.certificate:
                over = f"{ending.code}-over"
                found.pop(ending.code, None)
                found.pop(over, None)
                found[ending.code if left > 0 else over] = {"when": day(ending.at), "path": ending.path}

    def camera_certificates(self) -> float:
        """Look at the certificates that cameras show: one that ends is trusted no more."""
        for member in self._roster.members():
            last = self._watch.last(member)
            if not member.sn or last is None or last.silent or member.verified != member.address:
                continue
            client = member.client
            ends = camera_ends(client, self._settings) if client is not None else None
            if ends is None:
                continue
            soon = ends - time.time() < self._file.watch.certificate
            found = {"camera-certificate": {"when": day(ends)}} if soon else {}
            self._watch.tell(self._watch.judge.update(member.sn, found, ["camera-certificate"]))
        return _DAY_S

    def _flush(self) -> float:
        self._watch.spans.flush()
        return _FLUSH_S

    def tidy(self) -> float:
        """Forget what is older than the file says, by a clock that is believed."""
        keep, now = self._file.keep, time.time()
        self._clock.look()
        kept = json.dumps([self._clock.last, self._clock.doubt])
        rows: list[Row] = [("INSERT OR REPLACE INTO notices (key, body) VALUES (?, ?)", (_CLOCK, kept))]
        if not self._clock.is_believed:
            self._store.tidy(rows)
            return _TIDY_S
        rows += [
            ("DELETE FROM counts WHERE start < ?", (int(now - keep.counts),)),
            ("DELETE FROM reasons WHERE until IS NOT NULL AND until < ?", (now - keep.verdicts,)),
            ("DELETE FROM spans WHERE end < ?", (now - keep.verdicts,)),
            ("DELETE FROM audit WHERE at < ?", (now - keep.audit,)),
            ("DELETE FROM mutes WHERE until < ?", (now,)),
        ]
        if self._file.broker is None:
            rows += FORGET
        self._store.tidy(rows)
        return _TIDY_S

    def quiet(self) -> float:
        """Look for cameras from which no event came in opening hours."""
        limit = self._file.watch.quiet
        if self._intake is None or not limit:
            return _SLOW_S
        now, zone, hours = time.time(), self._loaded.zone, self._file.station.hours
        newest = self._intake.newest()
        for member in self._roster.members():
            if not member.sn:
                continue
            since = max(newest.get(member.sn, 0.0), member.added, self._started)
            silent = hours.open_s(since, now, zone) if now - since > limit else 0.0
            found = {"quiet": {"hours": silent / 3600}} if silent >= limit else {}
            self._watch.tell(self._watch.judge.update(member.sn, found, ["quiet"]))
        return _SLOW_S

    def nobody_enters(self) -> float:
        """Look for doors that many pass and nobody enters while the shop is open."""
        limit = self._file.watch.nobody_enters
        if not self._file.counts.enabled or not limit:
            return _SLOW_S
        zone, hours, window = self._loaded.zone, self._file.station.hours, self._file.counts.window
        since = time.time() - limit - 86_400
        for member in self._roster.members():
            if not member.sn or not member.counts_people:
                continue
            seconds, entered, passed = 0, 0, 0
            for start, length, arrivals, passing in self._store.read(
                "SELECT start, seconds, arrivals, passing FROM counts WHERE sn = ? AND start >= ? AND state = 'counted'"
                " ORDER BY start DESC",
                (member.sn, since),
            ):
                if seconds >= limit:
                    break
                if hours.open_at(start + window / 2, zone):
                    seconds, entered, passed = seconds + length, entered + arrivals, passed + passing
            wrong = seconds >= limit and entered == 0 and passed >= _MANY
            found = {"nobody-enters": {"passing": passed, "hours": seconds / 3600}} if wrong else {}
            self._watch.tell(self._watch.judge.update(member.sn, found, ["nobody-enters"]))
        return _SLOW_S
