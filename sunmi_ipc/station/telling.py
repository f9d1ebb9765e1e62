"""What a station's brokers are told beside events: whether each camera answers, how it is, its people today.

All of it comes from what the watch and the counts have found: no camera is asked for it. People are those of the
windows that are over, since midnight of the shop's time zone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from .hours import day_bounds
from .report import demographics
from .store import Store, StoreError
from .verdict import BLAMED, Transition

if TYPE_CHECKING:
    from .loading import Loaded
    from .roster import Member, Roster
    from .scheduler import Scheduler
    from .watch import Watch

_JOB = "tell brokers"
_EVERY_S, _SOON_S = 15.0, 0.2
#: Whoever is there, it is not this camera, or nobody.
_AWAY = BLAMED | {"never-seen", "wrong-camera", "not-trusted"}


class Taker(Protocol):
    """Who is told; :class:`sunmi_ipc.events.mqtt.MqttSink` is one."""

    def people(self, sn: str, counts: Mapping[str, int]) -> None:
        """A camera's people since midnight."""

    def state(self, sn: str, values: Mapping[str, str]) -> None:
        """What a camera is like."""

    def availability(self, sn: str, online: bool) -> None:
        """Whether a camera answers."""


class Telling:
    """Tells takers what has changed, as a job of the scheduler, from :meth:`start` on.

    Args:
        loaded: The station file.
        store, roster, watch, scheduler: Of the station.
        takers: Who is told.

    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        store: Store,
        roster: Roster,
        watch: Watch,
        scheduler: Scheduler,
        takers: Sequence[Taker],
    ) -> None:
        self._zone, self._counting = loaded.zone, loaded.file.counts.enabled
        self._store, self._roster, self._watch, self._scheduler = store, roster, watch, scheduler
        self._takers = list(takers)
        self._told: dict[tuple[str, str], object] = {}

    def start(self) -> None:
        """Begin; a verdict that changes is told at once."""
        self._watch.subscribe(self._changed)
        self._scheduler.add(_JOB, self.round, delay=1.0)

    def _changed(self, told: Sequence[Transition]) -> None:
        self._scheduler.add(_JOB, self.round, delay=_SOON_S)

    def round(self) -> float:
        """Tell what has changed since the last round."""
        for member in self._roster.members():
            if member.sn and self._watch.last(member) is not None:
                self._tell(member)
        return _EVERY_S

    def _tell(self, member: Member) -> None:
        sn, status = member.sn, self._watch.camera(member)
        values = {"verdict": str(status.verdict), "name": member.name, "model": member.model}
        values |= {"firmware": member.firmware, "card": str(status.facts.get("card") or "")}
        values = {key: value for key, value in values.items() if value}
        if self._new(sn, "state", values):
            for taker in self._takers:
                taker.state(sn, values)
        online = not {reason.code for reason in status.reasons} & _AWAY
        if self._new(sn, "status", online):
            for taker in self._takers:
                taker.availability(sn, online)
        if self._counting and member.counts_people:
            people = None
            with contextlib.suppress(StoreError):  # the watch tells of it
                people = self.people_today(sn)
            if people is not None and self._new(sn, "people", people):
                for taker in self._takers:
                    taker.people(sn, people)

    def _new(self, sn: str, topic: str, value: object) -> bool:
        if self._told.get((sn, topic)) == value:
            return False
        self._told[sn, topic] = value
        return True

    def people_today(self, sn: str, now: float | None = None) -> dict[str, int] | None:
        """Who has come in (``total``, ``male``, ``female``), passed and left since the shop's midnight.

        Args:
            sn: The camera.
            now: Unix seconds; default: the present.

        Returns: None where nothing was ever counted.

        """
        now = time.time() if now is None else now
        start, end = day_bounds(datetime.fromtimestamp(now, self._zone).date(), self._zone)
        ((ever,),) = self._store.read(
            "SELECT count(*) FROM (SELECT 1 FROM counts WHERE sn = ? LIMIT 1)", (sn,)
        )
        if not ever:
            return None
        ((arrivals, leaving, passing),) = self._store.read(
            "SELECT sum(arrivals), sum(leaving), sum(passing) FROM counts WHERE sn = ? AND start >= ? AND start < ?",
            (sn, start, end),
        )
        ages = demographics(self._store, sn, start, end)
        return {
            "total": arrivals or 0,
            "male": sum(ages["male"]),
            "female": sum(ages["female"]),
            "passing": passing or 0,
            "leaving": leaving or 0,
        }
