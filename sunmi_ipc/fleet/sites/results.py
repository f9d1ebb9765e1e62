"""What became of a shop in a run over many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...errors import SunmiIpcError
from ...i18n import Language
from ..outcome import Outcome, Problem, Standing
from .folder import Shop


class Verdict(StrEnum):
    """How a shop stands."""

    OK = "ok"  # every camera is as wanted
    DIFFERS = "differs"  # something is not, and nothing was done about it
    FAILED = "failed"  # a camera failed, is absent or refused something; or the file cannot be read
    STOPPED = "stopped"  # the run was ended while the shop was under way
    NOT_BEGUN = "not begun"  # its turn did not come
    DONE_BEFORE = "done before"  # an earlier apply of the same file brought it to what is wanted


@dataclass
class ShopResult:
    """One shop's part of a run.

    Attributes:
        shop: Which.
        outcomes: Its cameras', in the order of their keys.
        error: Why the shop as a whole could not be worked on.
        skipped: ``not begun`` or ``done before``; else None.
        wave: The wave it was in, from 1; 0 where there were none.
        seconds: How long it took.

    """

    shop: Shop
    outcomes: list[Outcome] = field(default_factory=list)
    error: SunmiIpcError | None = None
    skipped: Verdict | None = None
    wave: int = 0
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """How the shop stands."""
        if self.skipped is not None:
            return self.skipped
        if self.error is not None:
            return Verdict.FAILED
        found = {outcome.standing for outcome in self.outcomes}
        if found & {Standing.FAILED, Standing.ABSENT, Standing.REFUSED}:
            return Verdict.FAILED
        if Standing.STOPPED in found or not found:
            return Verdict.STOPPED
        return Verdict.DIFFERS if Standing.DIFFERS in found else Verdict.OK

    def counts(self) -> dict[str, int]:
        """Its cameras by standing, zeros left out."""
        found: dict[str, int] = {}
        for outcome in self.outcomes:
            found[str(outcome.standing)] = found.get(str(outcome.standing), 0) + 1
        return found

    def problem(self) -> Problem | None:
        """The first thing that somebody has to look at."""
        if self.error is not None:
            return Problem.of(self.error, "site file")
        return next((p for outcome in self.outcomes for p in outcome.problems), None)

    def as_dict(self, lang: Language) -> dict[str, Any]:
        """For ``--json``."""
        error = None
        if self.error is not None:
            error = Problem.of(self.error, "site file").as_dict(lang)
            error["others"] = [other.localized(lang)[0] for other in getattr(self.error, "others", ())]
        return {
            "site": self.shop.id,
            "name": self.shop.name,
            "file": str(self.shop.path),
            "verdict": str(self.verdict),
            "wave": self.wave or None,
            "cameras": [outcome.as_dict(lang) for outcome in self.outcomes],
            "counts": self.counts(),
            "error": error,
            "seconds": round(self.seconds, 2),
        }


def summary(results: Iterable[ShopResult]) -> dict[str, Any]:
    """Shops by verdict, and cameras by standing."""
    shops: dict[str, int] = {}
    cameras: dict[str, int] = {}
    count = 0
    for result in results:
        count += 1
        shops[str(result.verdict)] = shops.get(str(result.verdict), 0) + 1
        for standing, number in result.counts().items():
            cameras[standing] = cameras.get(standing, 0) + number
    return {"sites": count, "by_verdict": shops, "cameras": cameras}
