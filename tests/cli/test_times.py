"""Times and periods as people write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen.times import parse_days, parse_period, parse_when, zone
from typer.testing import CliRunner

from sunmi_ipc.errors import ParameterError

NOW = datetime(2026, 11, 24, 15, 30).astimezone()
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This computer is in Berlin."""
    if not hasattr(time, "tzset"):
        pytest.skip("the environment cannot set the time zone here")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:00", NOW.replace(hour=14, minute=0)),
        ("9:05:07", NOW.replace(hour=9, minute=5, second=7)),
        ("24:00", NOW.replace(hour=0, minute=0) + timedelta(days=1)),
        ("now", NOW),
        ("Yesterday  14:05", (NOW - timedelta(days=1)).replace(hour=14, minute=5)),
        ("昨天", (NOW - timedelta(days=1)).replace(hour=0, minute=0)),
        ("前天 8:00", (NOW - timedelta(days=2)).replace(hour=8, minute=0)),
        ("2026/11/1", NOW.replace(month=11, day=1, hour=0, minute=0)),
        ("2026/11/01 10:20", NOW.replace(month=11, day=1, hour=10, minute=20)),
        ("2026年11月1日 10:20", NOW.replace(month=11, day=1, hour=10, minute=20)),
        ("last week", NOW.replace(day=16, hour=0, minute=0)),
        ("上周", NOW.replace(day=16, hour=0, minute=0)),
        ("this week", NOW.replace(day=23, hour=0, minute=0)),
        ("上个月", NOW.replace(month=10, day=1, hour=0, minute=0)),
        ("-7d", NOW - timedelta(days=7)),
        ("-2h", NOW - timedelta(hours=2)),
        ("-1h30m", NOW - timedelta(minutes=90)),
        ("2d ago", NOW - timedelta(days=2)),
        ("2026-11-01", NOW.replace(month=11, day=1, hour=0, minute=0)),
        ("2026-11-01 10:20", NOW.replace(month=11, day=1, hour=10, minute=20)),
        ("2026-11-01T10:20:00+00:00", datetime(2026, 11, 1, 10, 20, tzinfo=UTC)),
        ("2026-11-01T10:20:00Z", datetime(2026, 11, 1, 10, 20, tzinfo=UTC)),
        ("1593029283", datetime.fromtimestamp(1593029283, UTC)),
    ],
)
def test_times_as_people_write_them(text: str, expected: datetime) -> None:
    assert parse_when(text, "--from", now=NOW) == expected
    assert parse_when(text, "--from", now=NOW).tzinfo is not None


@pytest.mark.parametrize(
    "text",
    ["", "soon", "25:00", "24:01", "14:60", "yesterday soon", "-2", "2h", "-999999w", "2026-13-01", "1"],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ParameterError, match="--from"):
        parse_when(text, "--from", now=NOW)


def test_in_a_zone() -> None:
    now = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # the 25th, 4 o'clock, in Shanghai
    assert parse_when("yesterday 14:00", "", now=now, tz=SHANGHAI) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert parse_when("2026-11-24T14:00", "", now=now, tz=SHANGHAI) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert parse_when("2026-11-24T14:00Z", "", tz=SHANGHAI) == datetime(2026, 11, 24, 14, tzinfo=UTC)


def test_the_offset_is_the_days_own(in_berlin: None) -> None:
    """Two days after the clocks went back, three days ago was still summer time."""
    now = datetime(2026, 10, 26, 12, 0, tzinfo=UTC)
    for tz in (None, BERLIN):
        assert parse_when("2026-10-24 14:00", "", now=now, tz=tz) == datetime(2026, 10, 24, 12, tzinfo=UTC)
        assert parse_when("前天 14:00", "", now=now, tz=tz) == datetime(2026, 10, 24, 12, tzinfo=UTC)
        assert parse_when("14:00", "", now=now, tz=tz) == datetime(2026, 10, 26, 13, tzinfo=UTC)


def test_hours_ago_are_hours_where_the_clocks_were_changed(in_berlin: None) -> None:
    """At 3:30 in winter time, an hour and a half ago it was 2:00 for the second time."""
    now = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    for tz in (None, BERLIN):
        assert parse_when("-90m", "", now=now, tz=tz) == datetime(2026, 10, 25, 1, tzinfo=UTC)
        start, end = parse_period("-3h", "", now=now, tz=tz)
        assert end - start == timedelta(hours=3)
        assert parse_period("today", "", now=now, tz=tz)[0] == datetime(2026, 10, 24, 22, tzinfo=UTC)


def test_the_hour_that_comes_twice(in_berlin: None) -> None:
    now = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 2:10 for the second time
    for tz in (None, BERLIN):
        first = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
        assert parse_period("02:50", "", now=now, tz=tz) == (first, now)
        assert parse_period("2026-10-25T02:50", "now", now=now, tz=tz) == (first, now)
        with pytest.raises(ParameterError):
            parse_period("2026-10-25T02:50+01:00", "now", now=now, tz=tz)


def test_the_hour_that_does_not_come(in_berlin: None) -> None:
    now = datetime(2026, 3, 29, 12, tzinfo=UTC)
    for tz in (None, BERLIN):
        assert parse_period("02:30", "03:45", now=now, tz=tz) == (
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 45, tzinfo=UTC),
        )


@pytest.mark.parametrize(
    ("text", "hours"), [("+08:00", 8), ("UTC+8", 8), ("-0330", -3.5), ("UTC", 0), ("Asia/Shanghai", 8)]
)
def test_zones(text: str, hours: float) -> None:
    tz = zone(text)
    assert tz is not None
    assert tz.utcoffset(datetime(2026, 11, 24)) == timedelta(hours=hours)
    assert zone("") is None


@pytest.mark.parametrize("text", ["Mars/Base", "+99:00", "../etc/passwd", "\0"])
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(ParameterError, match="--tz"):
        zone(text)


def test_periods() -> None:
    def hours(start: str, end: str) -> tuple[datetime, datetime]:
        return parse_period(start, end, now=NOW)

    midnight = NOW.replace(hour=0, minute=0)
    day = timedelta(days=1)
    assert hours("", "") == (midnight, NOW)
    assert hours("yesterday 14:00", "15:00") == (
        midnight - day + 14 * day / 24,
        midnight - day + 15 * day / 24,
    )
    assert hours("yesterday 22:00", "06:00") == (midnight - 2 * day / 24, midnight + 6 * day / 24)
    assert hours("yesterday", "24:00") == (midnight - day, midnight)
    assert hours("-2h", "-1h") == (NOW - 2 * day / 24, NOW - day / 24)
    for start, end in (("soon", ""), ("15:00", "14:00"), ("-1h", "-2h"), ("16:00", "")):
        with pytest.raises(ParameterError):
            hours(start, end)


def test_a_day_as_the_end_is_its_end() -> None:
    midnight = NOW.replace(hour=0, minute=0)
    day = timedelta(days=1)
    for text in ("yesterday", "2026-11-23", "2026/11/23", "昨天"):
        assert parse_period("2026-11-20", text, now=NOW) == (midnight - 4 * day, midnight)
    assert parse_period("yesterday", "today", now=NOW) == (midnight - day, NOW)
    assert parse_period("yesterday", "", now=NOW) == (midnight - day, NOW)


def test_a_bare_day_means_that_day_where_people_are_counted() -> None:
    midnight = NOW.replace(hour=0, minute=0)
    day = timedelta(days=1)

    def whole(start: str) -> tuple[datetime, datetime]:
        return parse_period(start, "", now=NOW, whole=True)

    assert whole("yesterday") == (midnight - day, midnight)
    assert whole("2026-11-20") == (midnight - 4 * day, midnight - 3 * day)
    assert whole("前天") == (midnight - 2 * day, midnight - day)
    assert whole("上周") == (midnight - 8 * day, midnight - day)
    assert whole("today") == whole("") == (midnight, NOW)
    assert whole("yesterday 14:00")[1] == whole("-3d")[1] == NOW


def test_days_of_the_cloud() -> None:
    today = date(2026, 11, 24)
    assert parse_days("", "", today) == (today, today)
    assert parse_days("yesterday", "", today) == (date(2026, 11, 23), date(2026, 11, 23))
    assert parse_days("2026-11-01", "", today) == (date(2026, 11, 1), date(2026, 11, 23))
    assert parse_days("上周", "", today) == (date(2026, 11, 16), date(2026, 11, 22))
    assert parse_days("last month", "", today) == (date(2026, 10, 1), date(2026, 10, 31))
    with pytest.raises(ParameterError) as caught:
        parse_days("2026-11-20", "2026-11-01", today)
    assert caught.value.hint == "Try --from 2026-11-01 --to 2026-11-20."


def test_a_period_that_has_not_begun_is_told_as_that() -> None:
    for ask in (
        lambda: parse_period("2026-12-24", "", now=NOW),
        lambda: parse_days("2026-12-24", "", NOW.date()),
    ):
        with pytest.raises(ParameterError, match=r"^--from: in the future"):
            ask()


def test_swapped_ends_are_named() -> None:
    with pytest.raises(ParameterError) as caught:
        parse_period("15:00", "14:00", now=NOW)
    assert caught.value.hint == "Try --from 14:00 --to 15:00."


def test_a_bad_time_ends_before_anything_is_sent() -> None:
    for bad in (["--from", "soon"], ["--tz", "Mars/Base"], ["--from", "15:00", "--to", "1h"]):
        done = CliRunner().invoke(app, ["flow", "arrivals", *bad, "-c", "127.0.0.1:1", "--json"])
        assert done.exit_code == 2
        assert bad[-2] in done.stdout
