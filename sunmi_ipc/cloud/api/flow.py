"""``cloud.flow``: people who come and pass, counted by the shop's cameras (FM020).

Days are the shop's. Periods are given by first and last day, both included; longer ones than a call
allows are split, asked for in parallel and joined.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ...protocol.spec import Group
from ..fields import FromDay, ToDay
from ..periods import join_days
from ..spec import YEAR, endpoint

if TYPE_CHECKING:
    from ..models import (
        DayTrend,
        Frequencies,
        GenderAges,
        HourTrend,
        MonthTrend,
        TagAges,
        TagTotals,
        TodayHours,
        TodayTotals,
        WeekTrend,
    )

_MONTH = timedelta(days=30)


class Flow(Group, name="flow", api="cloud"):
    """People who come and pass."""

    @endpoint("passengerFlow/stat/today/getLatest")
    def today(self) -> TodayTotals:
        """Count today's people so far; at most 15 seconds old."""

    @endpoint("passengerFlow/stat/today/groupByTag")
    def today_by_tag(self) -> TagAges:
        """Count today's strangers, regulars and members by age range."""

    @endpoint("passengerFlow/stat/today/groupByGender")
    def today_by_gender(self) -> GenderAges:
        """Count today's men and women by age range."""

    @endpoint("passengerFlow/stat/today/getTrendByHour")
    def today_by_hour(self) -> TodayHours:
        """Count today's people by hour."""

    @endpoint("passengerFlow/stat/history/groupByTag", longest=_MONTH)
    def by_tag_window(self, start_time: FromDay, end_time: ToDay) -> TagTotals:
        """Count strangers, regulars and members of at most 30 days; ``by_tag`` takes any period."""

    @endpoint("passengerFlow/stat/history/groupByGender", longest=_MONTH)
    def by_gender_window(self, start_time: FromDay, end_time: ToDay) -> GenderAges:
        """Count men and women by age range in at most 30 days; ``by_gender`` takes any period."""

    @endpoint("passengerFlow/stat/history/getTrendByHour", longest=timedelta(days=1))
    def by_hour_window(self, start_time: FromDay, end_time: ToDay) -> HourTrend:
        """Count people by hour of one day; ``by_hour`` takes any period."""

    @endpoint("passengerFlow/stat/history/getTrendByDay", longest=_MONTH)
    def by_day_window(self, start_time: FromDay, end_time: ToDay) -> DayTrend:
        """Count people by day of at most 30 days; ``by_day`` takes any period."""

    @endpoint(
        "passengerFlow/stat/history/getTrendByWeek",
        longest=timedelta(weeks=12),
        shop_field="shop_id",
        in_development=True,
    )
    def by_week_window(self, start_time: FromDay, end_time: ToDay) -> WeekTrend:
        """Count people by week of at most 12 weeks; ``by_week`` takes any period."""

    @endpoint(
        "passengerFlow/stat/history/getTrendByMonth", longest=YEAR, shop_field="shop_id", in_development=True
    )
    def by_month_window(self, start_time: FromDay, end_time: ToDay) -> MonthTrend:
        """Count people by month of at most 12 months; ``by_month`` takes any period."""

    @endpoint(
        "passengerFlow/stat/history/person/frequency/getList",
        codes={5025, 5041},
        longest=_MONTH,
        shop_field="sunmi_shop_no",
        past=True,
    )
    def frequency(self, start_time: FromDay, end_time: ToDay) -> Frequencies:
        """Count people by how often they came in at most 30 days that end before today.

        Longer periods cannot be joined: whoever came in two parts would be counted twice.
        """

    def by_tag(self, start: date, end: date) -> TagTotals:
        """Strangers, regulars and members of any period; ``uniq_…`` is None where it was split."""
        return join_days(self._caller, Flow.by_tag_window, start, end)

    def by_gender(self, start: date, end: date) -> GenderAges:
        """Men and women by age range in any period; ``uniq_…`` is None where it was split."""
        return join_days(self._caller, Flow.by_gender_window, start, end)

    def by_hour(self, start: date, end: date) -> HourTrend:
        """People by hour of any period."""
        return join_days(self._caller, Flow.by_hour_window, start, end)

    def by_day(self, start: date, end: date) -> DayTrend:
        """People by day of any period."""
        return join_days(self._caller, Flow.by_day_window, start, end)

    def by_week(self, start: date, end: date) -> WeekTrend:
        """People by week of any period (in development at the vendor's)."""
        return join_days(self._caller, Flow.by_week_window, start, end)

    def by_month(self, start: date, end: date) -> MonthTrend:
        """People by month of any period (in development at the vendor's)."""
        return join_days(self._caller, Flow.by_month_window, start, end)
