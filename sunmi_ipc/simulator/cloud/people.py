"""People flow in the virtual cloud; the people themselves are in :mod:`.flows`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from ..checks import Refused
from . import flows
from .flows import Flows
from .handlers import plays
from .host import Host
from .state import Shop


def _people(shop: Shop) -> Flows:
    return Flows(shop.no, shop.opened, datetime.now().astimezone())


def _period(shop: Shop, values: dict[str, Any], most: int, *, wrong: int = 5020, past: bool = False) -> Any:
    """First and last day and the people between; periods out of bounds are refused with *wrong*."""
    try:
        if not all(re.fullmatch(r"\d{4}-\d\d-\d\d", values[n]) for n in ("start_time", "end_time")):
            raise ValueError
        start, end = (date.fromisoformat(values[n]) for n in ("start_time", "end_time"))
    except ValueError:
        raise Refused(wrong) from None
    if not 0 <= (end - start).days < most or (past and end >= datetime.now().astimezone().date()):
        raise Refused(wrong)
    people = _people(shop)
    if people.empty(end):
        raise Refused(5013 if not past else wrong)
    return start, end, people


def _today(shop: Shop) -> tuple[date, Flows]:
    now = datetime.now().astimezone()
    return now.date(), Flows(shop.no, shop.opened, now)


@plays("passengerFlow/stat/today/getLatest")
def _latest(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return flows.totals(people.day(day))


@plays("passengerFlow/stat/today/groupByTag")
def _today_tags(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return {"count_list": flows.tags_by_age(people.day(day))}


@plays("passengerFlow/stat/today/groupByGender")
def _today_genders(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, people = _today(shop)
    return {"count_list": flows.genders_by_age([(day, people.day(day))], unique=False)}


@plays("passengerFlow/stat/today/getTrendByHour")
def _today_hours(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now().astimezone()
    people = Flows(shop.no, shop.opened, now)
    return {
        "count_list": [
            {"time": f"{now.date()} {hour:02}:00", **flows.totals(people.hour(now.date(), hour))}
            for hour in range(now.hour + 1)
        ]
    }


@plays("passengerFlow/stat/history/groupByTag")
def _tags(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return flows.tags(list(people.days(start, end)))


@plays("passengerFlow/stat/history/groupByGender")
def _genders(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return {"count_list": flows.genders_by_age(list(people.days(start, end)), unique=True)}


@plays("passengerFlow/stat/history/getTrendByHour")
def _hours(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    day, _, people = _period(shop, values, 1)
    # The hour without its nought, as on the page.
    return {
        "count_list": [
            {"time": f"{day} {hour}:00", **flows.tags([(day, people.hour(day, hour))])} for hour in range(24)
        ]
    }


@plays("passengerFlow/stat/history/getTrendByDay")
def _days(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30)
    return {
        "count_list": [
            {"time": str(day), **flows.tags([(day, visitors)])} for day, visitors in people.days(start, end)
        ]
    }


def _grouped(days: Any, name: Callable[[date], str]) -> dict[str, Any]:
    spans: dict[str, list[Any]] = {}
    for day, visitors in days:
        spans.setdefault(name(day), []).append((day, visitors))
    wanted = ("total_count", "regular_count", "stranger_count", "member_count")
    return {
        "count_list": [
            {"time": key, **{k: v for k, v in flows.tags(span, unique=False).items() if k in wanted}}
            for key, span in spans.items()
        ]
    }


@plays("passengerFlow/stat/history/getTrendByWeek")
def _weeks(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 84)
    return _grouped(people.days(start, end), lambda day: str(day - timedelta(days=day.weekday())))


@plays("passengerFlow/stat/history/getTrendByMonth")
def _months(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 366)
    months = 12 * (end.year - start.year) + end.month - start.month
    if months > 12 or (months == 12 and end.day >= start.day):
        raise Refused(5020)
    return _grouped(people.days(start, end), lambda day: f"{day:%Y-%m}")


@plays("passengerFlow/stat/history/person/frequency/getList")
def _frequency(cloud: Host, shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    start, end, people = _period(shop, values, 30, wrong=5025, past=True)
    return {"frequency_list": flows.frequencies(list(people.days(start, end)))}
