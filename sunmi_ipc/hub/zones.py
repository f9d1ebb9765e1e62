"""How far a zone is from UTC, and from when until when: for databases that do not know zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
_WEEK = timedelta(days=7)


@lru_cache(maxsize=256)
def offsets(name: str) -> tuple[tuple[int, int, int], ...]:
    """Spans of one offset as (starts, ends, offset in seconds), Unix seconds, 2020 to 2044; none for no such zone."""
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder
        return ()
    spans: list[tuple[int, int, int]] = []
    begin, at = _FIRST, _FIRST
    while at < _LAST:
        after = min(at + _WEEK, _LAST)
        if _offset(zone, at) != _offset(zone, after):
            change = _between(zone, at, after)
            spans.append((_unix(begin), _unix(change), _offset(zone, at)))
            begin = at = change
        else:
            at = after
    spans.append((_unix(begin), _unix(_LAST), _offset(zone, begin)))
    return tuple(spans)


def _between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset changes."""
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _unix(at: datetime) -> int:
    return int(at.timestamp())
