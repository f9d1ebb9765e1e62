"""Long periods: split, asked for in parallel, joined, nothing doubled and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunmi_ipc import errors
from sunmi_ipc.cloud.api.flow import Flow
from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.cloud.periods import once, split_days, split_times
from sunmi_ipc.errors import ParameterError
from sunmi_ipc.simulator.cloud import VirtualCloud, connect

DAY = timedelta(days=1)
TODAY = datetime.now().astimezone().date()
YESTERDAY = TODAY - DAY
BY_DAY = "passengerFlow/stat/history/getTrendByDay"


@settings(deadline=None)
@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 900), st.sampled_from([1, 30, 84, 366]))
def test_days_are_covered_once_each(start: date, length: int, most: int) -> None:
    end = start + length * DAY
    spans = list(split_days(start, end, most * DAY))
    covered = [a + n * DAY for a, b in spans for n in range((b - a).days + 1)]
    assert covered == [start + n * DAY for n in range(length + 1)]
    assert all((b - a).days < most for a, b in spans)
    if most == 84:
        assert all(b.weekday() == 6 for _, b in spans[:-1])
    if most == 366:
        assert all((b + DAY).day == 1 for _, b in spans[:-1])


@settings(deadline=None)
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.floats(0, 500_000),
)
def test_moments_are_covered_without_a_gap(start: datetime, seconds: float) -> None:
    end = start + timedelta(seconds=seconds)
    spans = list(split_times(start, end, timedelta(seconds=3600)))
    assert spans[0][0] <= start
    assert spans[-1][1] >= end
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all(timedelta(0) <= b - a <= timedelta(seconds=3600) for a, b in spans)


def test_a_year_by_day_is_13_calls_in_parallel(services: Callable[..., VirtualCloud]) -> None:
    service = services(latency_s=0.05)
    told: list[tuple[int, int]] = []
    with connect(service, on_part=lambda done, every: told.append((done, every))) as cloud:
        year = cloud.flow.by_day(YESTERDAY - 364 * DAY, YESTERDAY)
    assert [p.time for p in year.count_list] == [YESTERDAY - n * DAY for n in range(364, -1, -1)]
    assert service.counts[BY_DAY] == 13
    assert 1 < service.busiest <= 8
    assert told[-1] == (13, 13)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_every_view_of_a_long_period_agrees(cloud: Cloud) -> None:
    start, end = YESTERDAY - 99 * DAY, YESTERDAY
    days = cloud.flow.by_day(start, end).count_list
    whole = sum(p.total_count for p in days)
    tags = cloud.flow.by_tag(start, end)
    assert tags.total_count == whole == tags.stranger_count + tags.regular_count + tags.member_count
    assert tags.pass_count is not None
    assert abs(tags.pass_count - sum(p.pass_count or 0 for p in days)) < 100  # rounded by day
    genders = cloud.flow.by_gender(start, end).count_list
    assert [g.age_range for g in genders] == list(range(1, 9))
    assert sum(g.male_count + g.female_count for g in genders) == whole
    assert sum(w.total_count for w in cloud.flow.by_week(start, end).count_list) == whole
    months = cloud.flow.by_month(start, end).count_list
    assert sum(m.total_count for m in months) == whole
    assert len({m.time for m in months}) == len(months)
    week = cloud.flow.by_hour(end - 6 * DAY, end).count_list
    assert len(week) == 7 * 24
    assert sum(h.total_count for h in week) == sum(p.total_count for p in days[-7:])


def test_weeks_and_months_come_once_over_years(cloud: Cloud) -> None:
    start = YESTERDAY - 760 * DAY
    for trend in (cloud.flow.by_week(start, YESTERDAY), cloud.flow.by_month(start, YESTERDAY)):
        times = [p.time for p in trend.count_list]
        assert times == sorted(set(times))
    total = sum(p.total_count for p in cloud.flow.by_day(start, YESTERDAY).count_list)
    assert sum(p.total_count for p in cloud.flow.by_week(start, YESTERDAY).count_list) == total


def test_people_counted_once_are_not_added_up(cloud: Cloud) -> None:
    short = cloud.flow.by_tag(YESTERDAY - 29 * DAY, YESTERDAY)
    assert short.uniq_total_count is not None
    assert 0 < short.uniq_total_count < short.total_count
    long = cloud.flow.by_tag(YESTERDAY - 30 * DAY, YESTERDAY)
    assert long.uniq_total_count is None
    assert cloud.flow.by_gender(YESTERDAY - 30 * DAY, YESTERDAY).count_list[3].uniq_male_count is None
    with pytest.raises(errors.ParameterError, match="at most 30 days"):
        cloud.flow.frequency(YESTERDAY - 30 * DAY, YESTERDAY)
    frequencies = cloud.flow.frequency(YESTERDAY - 29 * DAY, YESTERDAY).frequency_list
    regular = sum(f.frequency * f.regular_uniq_count for f in frequencies)
    assert regular == short.regular_count


def test_recordings_on_the_seams_come_once(cloud: Cloud, service: VirtualCloud) -> None:
    camera = service.devices()[0]
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end = hour - timedelta(hours=1)
    start = end - timedelta(hours=6)
    found = cloud.media.recordings(start, end, ipc_sn=camera.sn)
    assert service.counts["media/video/getList"] == 6
    begins = [r.start_time for r in found]
    assert begins == sorted(set(begins))
    # One lies on every seam, and both answers have it.
    assert any(r.start_time < start + timedelta(hours=1) < r.end_time for r in found)
    singles = {
        r.start_time
        for n in range(6)
        for r in cloud.media.recordings_window(
            start + timedelta(hours=n), start + timedelta(hours=n + 1), ipc_sn=camera.sn
        ).video_list
    }
    assert set(begins) == singles


def test_motions_of_all_pages(cloud: Cloud, service: VirtualCloud) -> None:
    now = datetime.now(UTC)
    found = list(cloud.media.motions(now - timedelta(days=2), now, ipc_sn=service.devices()[0].sn))
    # Five pages, and the first again: a list may have moved meanwhile.
    assert service.counts["media/motionDetection/getList"] == 6
    assert len({m.detect_time for m in found}) == len(found) > 400


def test_parts_without_data_are_empty_unless_all_are(cloud: Cloud, service: VirtualCloud) -> None:
    opened = service.shop.opened
    trend = cloud.flow.by_day(opened - 100 * DAY, opened + 9 * DAY)
    assert trend.count_list[-1].time == opened + 9 * DAY
    with pytest.raises(errors.CloudNotFoundError):
        cloud.flow.by_day(opened - 100 * DAY, opened - 40 * DAY)


def test_the_first_other_error_ends_it(services: Callable[..., VirtualCloud]) -> None:
    service = services(latency_s=0.05)
    with connect(service, parallel=2) as cloud:
        service.fail("code", 5000, path=BY_DAY)
        with pytest.raises(errors.CloudNotReadyError):
            cloud.flow.by_day(YESTERDAY - 364 * DAY, YESTERDAY)
    assert service.counts[BY_DAY] < 12  # the rest was not asked for


@pytest.mark.parametrize("bad", [(TODAY, YESTERDAY), ("2026-01-01", TODAY), (datetime.now(UTC), TODAY)])
def test_bad_periods_are_refused_before_sending(
    cloud: Cloud, service: VirtualCloud, bad: tuple[date, date]
) -> None:
    with pytest.raises(errors.ParameterError):
        cloud.flow.by_day(*bad)
    with pytest.raises(errors.ParameterError):
        cloud.flow.by_day_window(*bad)
    assert not service.counts


def test_times_need_a_zone_and_an_order(cloud: Cloud, service: VirtualCloud) -> None:
    now = datetime.now(UTC)
    for start, end in ((datetime.now(), now), (now, now - DAY)):
        with pytest.raises(errors.ParameterError):
            cloud.media.recordings(start, end, ipc_sn="FS101D8BS00001")
        with pytest.raises(errors.ParameterError):
            cloud.media.recordings_window(start, end, ipc_sn="FS101D8BS00001")
    with pytest.raises(errors.ParameterError, match="at most 3600 seconds"):
        cloud.media.recordings_window(now - timedelta(seconds=3601), now, ipc_sn="FS101D8BS00001")
    with pytest.raises(errors.ParameterError, match="at most 24 hours"):
        cloud.flow.by_hour_window(YESTERDAY - DAY, YESTERDAY)
    with pytest.raises(errors.ParameterError, match="before today"):
        cloud.flow.frequency(YESTERDAY, TODAY + 2 * DAY)
    assert not service.counts


def test_memory_of_what_came_is_bounded() -> None:
    assert list(once([1, 2, 1, 3], lambda x: x)) == [1, 2, 3]
    assert list(once([1, 2, 3, 1], lambda x: x, remember=2)) == [1, 2, 3, 1]


def test_parallel_parts_take_a_part_of_the_time(services: Callable[..., VirtualCloud]) -> None:
    """Not timed: what was under way at once is counted."""
    service = services(latency_s=0.1)
    with connect(service, parallel=13) as cloud:
        cloud.flow.by_day(YESTERDAY - 364 * DAY, YESTERDAY)
        assert service.busiest > 6
    service.busiest = 0
    with connect(service, parallel=1) as cloud:
        cloud.flow.by_day(YESTERDAY - 89 * DAY, YESTERDAY)
    assert service.busiest == 1


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        (date(2024, 1, 1), date(2024, 12, 31), True),  # a leap year: 366 days
        (date(2025, 1, 1), date(2025, 12, 31), True),
        (date(2025, 1, 1), date(2026, 1, 1), False),  # 366 days, but more than twelve months
        (date(2025, 3, 15), date(2026, 3, 14), True),
        (date(2025, 3, 15), date(2026, 3, 15), False),
        (date(2024, 2, 29), date(2025, 2, 28), True),
    ],
)
def test_twelve_months_are_the_calendars(start: date, end: date, good: bool) -> None:
    values = {"start_time": start, "end_time": end}
    if good:
        Flow.by_month_window.check(values)
    else:
        with pytest.raises(ParameterError, match="12 months"):
            Flow.by_month_window.check(values)


@pytest.mark.parametrize("start", [date(2023, 1, 1) + timedelta(days=37 * n) for n in range(20)])
def test_parts_of_years_are_whole_months_and_allowed(start: date) -> None:
    end = start + timedelta(days=1000)
    spans = list(split_days(start, end, Flow.by_month_window.longest))
    assert spans[0][0] == start
    assert spans[-1][1] == end
    for (_, a), (b, _) in pairwise(spans):
        assert b == a + timedelta(days=1)
        assert b.day == 1
    for first, last in spans:
        Flow.by_month_window.check({"start_time": first, "end_time": last})


def test_weeks_are_at_most_twelve() -> None:
    start = date(2025, 1, 6)
    Flow.by_week_window.check({"start_time": start, "end_time": start + timedelta(days=83)})
    with pytest.raises(ParameterError, match="12 weeks"):
        Flow.by_week_window.check({"start_time": start, "end_time": start + timedelta(days=84)})


@pytest.mark.parametrize(
    ("given", "month", "day", "often"),
    [
        ({"shop_no": "1", "shop_id": "x"}, {"shop_id": "x"}, {"sunmi_shop_no": "1"}, {"sunmi_shop_no": "1"}),
        ({"shop_no": "1"}, {"sunmi_shop_no": "1"}, {"sunmi_shop_no": "1"}, {"sunmi_shop_no": "1"}),
        ({"shop_id": "x"}, {"shop_id": "x"}, {"shop_id": "x"}, {"shop_id": "x"}),
    ],
)
def test_which_name_of_the_shop_goes_along(given: Any, month: Any, day: Any, often: Any) -> None:
    cloud = Cloud(app_id="a", secret_key="b", **given)
    for endpoint, wanted in (
        (Flow.by_month_window, month),
        (Flow.by_week_window, month),
        (Flow.by_day_window, day),
        (Flow.frequency, often),
    ):
        assert cloud._shop_of(endpoint) == wanted
