"""People in, out and passing, by camera and quarter hour; a gap is told from a zero.

A camera is asked for windows that are over, once each, and for those that are missing, as far back as the file
says: what it still knows after an outage is restored. How a window without people is to be read follows from
the watch's record (:mod:`.spans`) and, where nobody looked, from the camera's own recordings: whoever recorded,
had a card and counted.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConnectionFailed, DeviceError, NotSupportedError, SunmiIpcError, UnsupportedError
from .coverage import recorded_in, weighed
from .look import problem_of
from .verdict import REACH

if TYPE_CHECKING:
    from ..camera import Camera
    from ..models import PeopleStatCollection
    from .file import CountsTable
    from .roster import Member, Roster
    from .scheduler import Scheduler
    from .store import Store
    from .watch import Watch

_log = logging.getLogger("sunmi_ipc")
HOUR_S = 3600
KINDS = ("arrivals", "leaving", "passing")
#: Start or end time refused: the camera no longer knows that time.
_TOO_OLD = frozenset({266, 267})
#: A camera's clock is allowed for beyond this; below it, windows would overlap by the header's whole second.
_CLOCK_S = 60.0
_AGAIN_S, _NEVER_S = 30.0, 3600.0


class Coarse(Exception):
    """The camera answers for longer than it was asked for."""


@dataclass(slots=True)
class _Todo:
    """What of one camera is to be asked."""

    window: int
    asked: int  # end of the newest window that was taken up
    missing: deque[int] = field(default_factory=deque)


class Counts:
    """Counts the people of a roster's cameras, as jobs of the scheduler.

    Args:
        store: Where counts are kept.
        roster, watch, scheduler: Of the station.
        settings: ``[counts]`` of the station file.

    """

    def __init__(
        self, store: Store, roster: Roster, watch: Watch, scheduler: Scheduler, settings: CountsTable
    ) -> None:
        self._store, self._roster, self._watch, self._scheduler = store, roster, watch, scheduler
        self.settings = settings
        # A look after the window's end must have told how the camera was.
        self._settle = max(settings.settle, min(1.5 * watch.settings.interval, settings.window / 2))
        self._todo: dict[str, _Todo] = {}
        self._known: set[str] = set()
        #: People since the station was started, by serial number and direction.
        self.totals: Counter[tuple[str, str]] = Counter()

    def add(self, member: Member) -> None:
        """Count at a member from now on; again where it is new or back."""
        self._known.add(member.key)
        delay = 1.0 + len(self._todo) % 60 * 0.1
        self._scheduler.add(f"count {member.key}", lambda: self._job(member), owner=member.owner, delay=delay)

    def known(self, member: Member) -> bool:
        """Whether the camera is being counted at."""
        return member.key in self._known

    def missing(self, member: Member) -> int:
        """How many windows that are over have not been asked for yet."""
        todo = self._todo.get(member.key)
        return len(todo.missing) if todo else 0

    # -- what is to be asked --------------------------------------------------------------------------

    def _job(self, member: Member) -> float | None:
        if member not in self._roster.members():
            self._todo.pop(member.key, None)
            self._known.discard(member.key)
            return None
        if not member.sn or not member.model:
            return _AGAIN_S
        if not member.counts_people:
            return _NEVER_S
        todo = self._take_up(member)
        wait = self._until_next(todo)
        if not todo.missing:
            return wait
        last = self._watch.last(member)
        if last is None or last.found.keys() & REACH or member.verified != member.address:
            return min(_AGAIN_S, self._watch.settings.interval)
        # The newest first, for those who look now; then the oldest, which the camera forgets first.
        newest = todo.missing[-1] + 2 * todo.window > time.time() - self._settle
        start = todo.missing.pop() if newest else todo.missing.popleft()
        found: dict[str, dict[str, str]] = {}
        again = self.settings.pause
        try:
            self.ask(member, start, todo.window)
        except Coarse:
            self._widen(member, todo, start)
        except ConnectionFailed:
            todo.missing.append(start) if newest else todo.missing.appendleft(start)
            return _AGAIN_S
        except SunmiIpcError as error:
            todo.missing.append(start) if newest else todo.missing.appendleft(start)
            found["not-counting"] = problem_of(error)
            again = _NEVER_S if isinstance(error, UnsupportedError | NotSupportedError) else 5 * _AGAIN_S
        self._watch.tell(self._watch.judge.update(member.sn, found, ["not-counting"]))
        return again if todo.missing else self._until_next(todo)

    def _take_up(self, member: Member) -> _Todo:
        """The camera's list, with the windows that have ended since."""
        now, todo = time.time(), self._todo.get(member.key)
        horizon = now - self.settings.backfill
        if todo is None:
            window = self._kept_window(member)
            first = int(max(horizon, 0) // window + 1) * window
            todo = self._todo[member.key] = _Todo(window, first)
            have = {
                start
                for (start,) in self._store.read(
                    "SELECT start FROM counts WHERE sn = ? AND start >= ?", (member.sn, first)
                )
            }
        else:
            have = set()
        while todo.asked + todo.window + self._settle <= now:
            if todo.asked not in have:
                todo.missing.append(todo.asked)
            todo.asked += todo.window
        while todo.missing and todo.missing[0] < horizon:
            todo.missing.popleft()
        return todo

    def _kept_window(self, member: Member) -> int:
        """The window that this camera was last counted by, where it took none as short as is wished."""
        rows = self._store.read(
            "SELECT seconds FROM counts WHERE sn = ? ORDER BY start DESC LIMIT 1", (member.sn,)
        )
        return (
            max(self.settings.window, int(rows[0][0]))
            if rows and rows[0][0] == HOUR_S
            else self.settings.window
        )

    def _until_next(self, todo: _Todo) -> float:
        return max(0.5, todo.asked + todo.window + self._settle - time.time() + len(self._todo) % 20 * 0.2)

    def _widen(self, member: Member, todo: _Todo, start: int) -> None:
        if todo.window >= HOUR_S:
            raise_coarse = SunmiIpcError("the camera counts by more than an hour", camera=member.address)
            self._watch.tell(
                self._watch.judge.update(
                    member.sn, {"not-counting": problem_of(raise_coarse)}, ["not-counting"]
                )
            )
            return
        _log.info("%s counts people by the hour", member.sn)
        starts = {s - s % HOUR_S for s in (start, *todo.missing)}
        todo.window, todo.asked = HOUR_S, todo.asked - todo.asked % HOUR_S
        todo.missing = deque(sorted(s for s in starts if s + HOUR_S + self._settle <= time.time()))

    # -- asking ---------------------------------------------------------------------------------------

    def ask(self, member: Member, start: int, seconds: int) -> None:
        """Ask a camera for one window and keep the answer.

        Raises:
            Coarse: It answers for more than the window.
            SunmiIpcError: It does not answer, or refuses.

        """
        camera = self._roster.camera(member.sn)
        ahead = camera.clock_ahead or 0.0
        shift = round(ahead) if abs(ahead) > _CLOCK_S else 0
        first, last = (datetime.fromtimestamp(t + shift, UTC) for t in (start, start + seconds))
        try:
            answers = [getattr(camera.people_flow, kind)(first, last) for kind in KINDS]
        except DeviceError as error:
            if error.code not in _TOO_OLD or start > time.time() - 2 * seconds - self._settle:
                raise
            self._keep(member.sn, start, seconds, [0, 0, 0], 0.0, {})
            return
        totals = [_total(answer, start + shift, seconds) for answer in answers]
        covered = self._covered(camera, member.sn, start, seconds, shift, sum(totals))
        self._keep(member.sn, start, seconds, totals, covered, _people(answers[0]))

    def _covered(self, camera: Camera, sn: str, start: int, seconds: int, shift: int, people: int) -> float:
        known = self._watch.spans.within(sn, start, start + seconds)
        period = float(start), float(start + seconds)
        weighing = weighed(period, known)
        if not weighing.unknown:
            return weighing.covered
        clips = recorded_in(camera, start, start + seconds, shift)
        return weighing.with_recordings(clips, people)

    def _keep(
        self, sn: str, start: int, seconds: int, totals: Sequence[int], covered: float, people: dict[str, Any]
    ) -> None:
        for kind, number in zip(KINDS, totals, strict=True):
            self.totals[sn, kind] += number
        state = "counted" if covered >= 0.98 * seconds else "partial" if covered >= 1 else "gap"
        self._store.later(
            (
                "INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (sn, start, seconds, *totals, round(covered), state, int(time.time()), json.dumps(people)),
            )
        )


def _total(answer: PeopleStatCollection, start: int, seconds: int) -> int:
    """The people of a window; raises Coarse."""
    units = answer.stat_list
    for unit in units:
        first, last = unit.start_time.timestamp(), unit.end_time.timestamp()
        if first < start - 1 or last > start + seconds + 1:
            raise Coarse
    return sum(unit.total for unit in units) if units else answer.total


def _people(answer: PeopleStatCollection) -> dict[str, list[int]]:
    """Those who came in by gender and age range, eight numbers each; empty where the camera does not say."""
    sums: dict[str, list[int]] = {}
    for unit in answer.stat_list:
        for gender, numbers in (("male", unit.male_num_stat), ("female", unit.female_num_stat)):
            if any(numbers):
                before = sums.setdefault(gender, [0] * 8)
                sums[gender] = [a + b for a, b in zip(before, [*numbers, *[0] * 8], strict=False)]
    return sums
