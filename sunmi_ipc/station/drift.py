"""What cameras are like, beside what the site file wants: told, and put right only where the file says so."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..fleet.journal import Journal
from ..fleet.outcome import Outcome, Standing
from ..fleet.run import run
from ..fleet.site import Slot, Wanted

if TYPE_CHECKING:
    from ..fleet.sitefile import Loaded as LoadedSite
    from .audit import Audit
    from .file import WatchTable
    from .roster import Connect, Member, Roster
    from .scheduler import Scheduler
    from .watch import Watch

_log = logging.getLogger("sunmi_ipc")
_FIRST_S, _JOBS, _AGAIN_S = 60.0, 4, 300.0


class Drift:
    """Compares on schedule, as the fleet's plan does; a job of the scheduler.

    Args:
        site: The site file.
        connect: Makes a client for an address.
        roster, watch, audit, scheduler: Of the station.
        settings: ``[watch]`` of the station file: how often, and what is put right.

    """

    def __init__(
        self,
        site: LoadedSite,
        connect: Connect,
        *,
        roster: Roster,
        watch: Watch,
        audit: Audit,
        scheduler: Scheduler,
        settings: WatchTable,
    ) -> None:
        self._site, self._connect, self._settings = site, connect, settings
        self._roster, self._watch, self._audit = roster, watch, audit
        scheduler.add("drift", self.compare, delay=min(_FIRST_S, settings.drift))

    def compare(self) -> float:
        """Compare every camera that is well enough; see what differs, put right what may be."""
        slots = [slot for member in self._roster.members() if (slot := self._placed(member)) is not None]
        if not slots:
            return min(_AGAIN_S, self._settings.drift)
        for outcome in self._run(slots, apply=False):
            keys = sorted({difference.setting for difference in outcome.differences})
            ours = [key for key in keys if key in self._settings.repair]
            if ours and outcome.sn:
                right = self._repair(outcome, slots, ours)
                keys = [key for key in keys if key not in right]
            if outcome.sn and outcome.standing not in (Standing.ABSENT, Standing.STOPPED):
                found: dict[str, dict[str, Any]] = {"drift": {"keys": ", ".join(keys)}} if keys else {}
                self._watch.tell(self._watch.judge.update(outcome.sn, found, ["drift"]))
        return self._settings.drift

    def _placed(self, member: Member) -> Slot | None:
        """What is wanted of a member, with where it is now; None for one that is not there."""
        last = self._watch.last(member)
        if (
            member.slot is None
            or not member.sn
            or last is None
            or last.silent
            or member.verified != member.address
        ):
            return None
        # A camera that was reset is told of as not activated; nothing is activated from here.
        wanted = member.slot.wanted.model_copy(update={"activate": False, "activation_code": None})
        return dataclasses.replace(member.slot, sn=member.sn, address=member.address, wanted=wanted)

    def _run(self, slots: Sequence[Slot], *, apply: bool) -> list[Outcome]:
        loaded = dataclasses.replace(self._site, slots=tuple(slots))
        with Journal(None) as journal:
            return list(
                run(loaded, self._connect, journal, apply=apply, jobs=_JOBS, agreed=frozenset(), record=False)
            )

    def _repair(self, outcome: Outcome, slots: Sequence[Slot], keys: Sequence[str]) -> list[str]:
        """Put right what the file allows, and nothing else. Returns: what is right now."""
        slot = next(slot for slot in slots if slot.sn == outcome.sn)
        wish: dict[str, Any] = {key: getattr(slot.wanted, key) for key in keys}
        narrow = dataclasses.replace(slot, wanted=Wanted.model_construct(activate=False, **wish))
        (after,) = self._run([narrow], apply=True)
        result = "ok" if after.standing is Standing.OK else str(after.standing)
        details = {"keys": list(keys), "problems": [p.message("en") for p in after.problems]}
        self._audit.record(
            "repair", who="station", origin="station", sn=outcome.sn, details=details, result=result
        )
        _log.warning("%s: %s put right: %s", outcome.sn, ", ".join(keys), result)
        return list(keys) if after.standing is Standing.OK else []
