"""A day of recordings as a strip: where there is footage, and what happened in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby

from ..models import VideoRecord
from ..video.timeline import placed, stretches


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of footage, as shares of the day (0 to 1)."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something happened: where in the day (0 to 1), ``motion`` or ``face``."""

    at: float
    kind: str


@dataclass(frozen=True)
class Day:
    """A day's recordings.

    Attributes:
        start, end: Its midnights.
        records: The recordings, the earliest first.

    """

    start: datetime
    end: datetime
    records: tuple[VideoRecord, ...] = ()

    @classmethod
    def of(cls, day: date, records: Iterable[VideoRecord] = (), tz: tzinfo | None = None) -> Day:
        """The day *day* in *tz* (None: this computer's)."""
        return cls(
            placed(datetime.combine(day, time()), tz),
            placed(datetime.combine(day + timedelta(days=1), time()), tz),
            tuple(sorted(records, key=lambda r: r.start_time)),
        )

    def share(self, moment: datetime) -> float:
        """Where in the day a moment is, 0 to 1."""
        return min(1.0, max(0.0, (moment - self.start) / (self.end - self.start)))

    def moment(self, share: float) -> datetime:
        """The moment at a share of the day."""
        return self.start + (self.end - self.start) * min(1.0, max(0.0, share))

    @property
    def pieces(self) -> list[Piece]:
        """Where there is footage."""
        return [Piece(self.share(s.start), self.share(s.end)) for s in stretches(self.records)]

    def marks(self, events: Iterable[tuple[datetime, str]], *, apart: float = 1 / 288) -> list[Mark]:
        """Events as marks: of one kind no more than one in five minutes."""
        shares = sorted((self.share(at), kind) for at, kind in events if self.start <= at < self.end)
        slots = sorted({(int(share / apart), kind) for share, kind in shares})
        return [Mark((slot + 0.5) * apart, kind) for (slot, kind), _ in groupby(slots)]

    def at(self, moment: datetime) -> VideoRecord | None:
        """The recording that holds *moment*, else the next one; None where none follows."""
        return next((r for r in self.records if r.end_time > moment), None)
