"""Where there is footage, where there is none, and a day as a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sunmi_ipc.models import VideoRecord
from sunmi_ipc.video.timeline import CELLS, Stretch, days, gaps, placed, stretches, strip

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def record(start: float, end: float) -> VideoRecord:
    return VideoRecord(start_time=at(start), end_time=at(end))


def test_stretches_and_gaps() -> None:
    minute = 1 / 60
    found = stretches(
        [
            record(2, 3),
            record(1, 1 + minute),
            record(1 + minute, 1 + 2 * minute),
            record(1 + 2 * minute + 1 / 3600, 1.5),
        ]
    )
    assert found == [Stretch(at(1), at(1.5), 3), Stretch(at(2), at(3), 1)]
    assert found[0].duration == timedelta(minutes=30)
    assert gaps(found, at(0), at(3)) == [(at(0), at(1)), (at(1.5), at(2))]
    assert gaps([], at(0), at(3)) == [(at(0), at(3))]
    assert gaps(found, at(1), at(4)) == [(at(1.5), at(2)), (at(3), at(4))]


def test_recordings_that_overlap_are_one() -> None:
    assert stretches([record(1, 3), record(2, 2.5)]) == [Stretch(at(1), at(3), 2)]


def test_a_day_as_a_line() -> None:
    line = strip([Stretch(at(6), at(7.25), 1), Stretch(at(23.99), at(30), 1)], DAY, UTC)
    assert len(line) == CELLS
    assert line[12:16] == "██▄·"
    assert line[-1] == "▁"
    assert set(line[:12] + line[15:-1]) == {"·"}
    assert set(strip([Stretch(at(-24), at(48), 1)], DAY, UTC)) == {"█"}


def test_days_have_23_hours_too() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = datetime(2026, 3, 29, tzinfo=berlin)  # 2:00 to 3:00 does not exist
    line = strip([Stretch(spring, datetime(2026, 3, 30, tzinfo=berlin), 1)], spring, berlin)
    assert line == "████··" + "█" * 42
    assert days(spring, datetime(2026, 3, 31, tzinfo=berlin), berlin) == [
        spring,
        datetime(2026, 3, 30, tzinfo=berlin),
    ]


def test_a_half_hour_that_comes_twice_is_as_high_as_both() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    autumn = datetime(2026, 10, 25, tzinfo=berlin)  # 2:00 to 3:00 comes twice: from 0:00 and from 1:00 UTC
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)
    half = timedelta(minutes=30)
    line = strip([Stretch(first + 2 * half, first + 3 * half, 1)], autumn, berlin)
    assert line[5] == "▃"  # a third of 2:30 to 3:00, which is an hour and a half
    assert set(line[:5] + line[6:]) == {"·"}


def test_a_gap_is_as_long_as_it_was() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = placed(datetime(2026, 10, 25), berlin), placed(datetime(2026, 10, 26), berlin)
    ((begin, until),) = gaps([], start, end)
    assert until - begin == timedelta(hours=25)
