"""Every camera looked at, again and again: its verdict, and who is told of a change."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from .file import WatchTable
from .judge import Judge
from .lines import LINE, Lines
from .look import Look, look
from .mutes import Mutes
from .roster import Member, Roster
from .scheduler import Scheduler
from .spans import Spans
from .store import Store
from .verdict import BLAMED, CameraStatus, Level, StationStatus, Transition, by_severity, highest, worst

_log = logging.getLogger("sunmi_ipc")
#: Recordings are asked for at every so many looks.
_RECORDING_EVERY = 5
#: A camera that does not answer is looked at again after this part of the interval.
_SOON = 6
Told = Callable[[Sequence[Transition]], None]


class Watch:
    """Looks at a roster's cameras until :meth:`close`.

    Args:
        roster: The cameras.
        store: Where verdicts are kept.
        scheduler: What runs the looks.
        settings: How closely to look; ``[watch]`` of the station file.
        site: The site's name.

    Attributes:
        judge: What is the matter with whom.
        spans: When which camera could count.
        mutes: Of which cameras nobody is told.

    """

    roster: Roster
    site: str
    settings: WatchTable

    def __init__(
        self,
        roster: Roster,
        store: Store,
        scheduler: Scheduler,
        *,
        settings: WatchTable | None = None,
        site: str = "",
    ) -> None:
        self.roster, self.site, self.settings = roster, site, settings or WatchTable()
        self.judge: Judge = Judge(store)
        self.spans: Spans = Spans(store, join=max(2.5 * self.settings.interval, 30.0))
        self.mutes: Mutes = Mutes(store)
        self._scheduler = scheduler
        self._told: list[Told] = []
        self._looks: dict[str, Look] = {}
        self._rounds: dict[str, int] = {}
        self.lines: Lines = Lines(roster, self.judge, self._looks, settings=self.settings, tell=self.tell)
        self._first = threading.Condition()

    def start(self) -> None:
        """Begin to look, each camera at its own moment of the interval."""
        for member in self.roster.members():
            self.add(member)

    def add(self, member: Member) -> None:
        """Look at a member from now on; one that is new or has moved is looked at at once."""
        new = member.key not in self._rounds
        self._rounds.setdefault(member.key, 0)
        if new or member.verified != member.address:
            few = len(self._rounds) <= 8
            spread = 0.0 if few else random.uniform(0.0, min(self.settings.interval, 10.0))  # noqa: S311
            self._scheduler.add(
                f"look {member.key}", lambda: self._job(member), owner=member.owner, delay=spread
            )

    def subscribe(self, told: Told) -> None:
        """Have *told* called with what began and ended, from the thread that saw it."""
        self._told.append(told)

    def unsubscribe(self, told: Told) -> None:
        """Call *told* no more."""
        if told in self._told:
            self._told.remove(told)

    # -- looking --------------------------------------------------------------------------------------

    def look(self, member: Member) -> Look:
        """Look at a camera now, take in what is found, and tell."""
        rounds = self._rounds[member.key] = self._rounds.get(member.key, 0) + 1
        with_recordings = rounds % _RECORDING_EVERY == 1 or "no-recording" in self._codes(member)
        made = look(
            self.roster,
            member,
            clock=self.settings.clock,
            recording=self.settings.recording if with_recordings else 0.0,
        )
        since: dict[str, float] = {}
        if made.silent:
            since = dict.fromkeys(BLAMED, self.lines.explain(member, made))
        elif "never-seen" not in made.found:
            self.tell(self.lines.back(member))
        last = self._looks.get(member.key)
        made.facts = {**(last.facts if last else {}), "answer_ms": None, **made.facts}
        self._looks[member.key] = made
        if member.sn:
            self.spans.look(member.sn, made.state, made.at)
            if member.key != member.sn and self.judge.reasons(member.key):
                self.judge.forget(member.key)  # the entry of the file has got its camera
        self.tell(self.judge.update(_who(member), made.found, made.checked, at=made.at, since=since))
        with self._first:
            self._first.notify_all()
        return made

    def _job(self, member: Member) -> float | None:
        if member not in self.roster.members():
            self.forget(member)
            return None
        made = self.look(member)
        if made.silent and self.lines.undecided(member):
            return max(self.settings.interval / _SOON, 0.2)
        return self.settings.interval

    def _codes(self, member: Member) -> set[str]:
        return {reason.code for reason in self.judge.reasons(_who(member))}

    def last(self, member: Member) -> Look | None:
        """The newest look at a camera."""
        return self._looks.get(member.key)

    def tell(self, told: Sequence[Transition]) -> None:
        """Hand on what began and ended."""
        for transition in told:
            what = "began" if transition.began else "ended"
            _log.info("%s: %s: %s", transition.sn or "station", what, transition.reason.text("en"))
        if told:
            for listener in list(self._told):
                try:
                    listener(told)
                except Exception:
                    _log.exception("who wants to know of changes failed")

    # -- what is known --------------------------------------------------------------------------------

    def camera(self, member: Member) -> CameraStatus:
        """How a camera is."""
        who = _who(member)
        reasons = self.judge.reasons(who)
        last = self._looks.get(member.key)
        verdict = worst(reasons) if last is not None or reasons else Level.UNKNOWN
        return CameraStatus(
            who, member.name, member.address, member.model, member.firmware, verdict, reasons,
            self.mutes.until(who), member.seen, dict(last.facts) if last else {},
        )  # fmt: skip

    def status(self) -> StationStatus:
        """How the shop is."""
        cameras = tuple(self.camera(member) for member in self.roster.members())
        own = by_severity(
            reason
            for who, reasons in self.judge.everybody().items()
            if who[:1] in ("", LINE)
            for reason in reasons
        )
        verdict = highest([worst(own), *(camera.verdict for camera in cameras)])
        return StationStatus(self.site, verdict, cameras, own)

    def wait_for_looks(self, timeout: float, *, looks: int = 1) -> bool:
        """Wait until every member was looked at *looks* times; whether that was so in time."""
        end = time.monotonic() + timeout
        with self._first:
            while True:
                every = [self._rounds.get(m.key, 0) for m in self.roster.members()]
                if every and min(every) >= looks:
                    return True
                if (
                    not self._first.wait(max(0.0, min(1.0, end - time.monotonic())))
                    and time.monotonic() >= end
                ):
                    return False

    def forget(self, member: Member) -> None:
        """The member has left."""
        self._scheduler.drop(f"look {member.key}")
        self.judge.forget(_who(member))
        self._looks.pop(member.key, None)
        self._rounds.pop(member.key, None)


def _who(member: Member) -> str:
    return member.sn or member.key
