"""Plausible people: the same shop and day always have the same visitors, and every view agrees."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

from ..flow import HOURS

#: People by number: strangers come once, regulars and members (faces of the shop's own groups) again.
_STRANGERS, _REGULARS, _MEMBERS = 1000, 250, 60
_TAGS = ("stranger",) * _STRANGERS + ("regular",) * _REGULARS + ("member",) * _MEMBERS
_WEIGHTS = [3] * _STRANGERS + [4] * _REGULARS + [8] * _MEMBERS
_CUMULATED = list(accumulate(_WEIGHTS))
_AGES = (2, 3, 5, 12, 10, 8, 5, 3)
_DICE = random.Random("people")  # noqa: S311 - the same people every time
_AGE = _DICE.choices(range(1, 9), _AGES, k=len(_TAGS))
_MALE = [_DICE.random() < 0.48 for _ in _TAGS]
_TAG_NAMES = ("total", "regular", "stranger", "member")


@lru_cache(maxsize=1024)
def _day(shop_no: str, day: int) -> tuple[array[int], ...]:
    """Who came in each hour, by number."""
    die = random.Random(f"{shop_no}/{day}")  # noqa: S311 - the same day, the same people
    busy = 1.3 if day % 7 in (5, 6) else 1.0
    hours = []
    for usual in HOURS:
        expected = usual * busy
        count = max(0, round(die.gauss(expected, expected**0.5)))
        hours.append(array("H", die.choices(range(len(_TAGS)), cum_weights=_CUMULATED, k=count)))
    return tuple(hours)


class Flows:
    """The people of one shop.

    Args:
        shop_no: Whose.
        opened: The first day with people.
        now: The shop's wall clock.

    """

    def __init__(self, shop_no: str, opened: date, now: datetime) -> None:
        self._shop, self._opened, self._now = shop_no, opened, now

    def hour(self, day: date, hour: int) -> list[int]:
        """Who came in an hour; of the present one, its part so far."""
        if day < self._opened or (day, hour) > (self._now.date(), self._now.hour):
            return []
        people = _day(self._shop, day.toordinal())[hour]
        if (day, hour) == (self._now.date(), self._now.hour):
            return list(people[: len(people) * self._now.minute // 60])
        return list(people)

    def day(self, day: date) -> list[int]:
        """Who came on a day, in order."""
        return [p for hour in range(24) for p in self.hour(day, hour)]

    def days(self, start: date, end: date) -> Iterator[tuple[date, list[int]]]:
        """Every day of a period with its people."""
        for offset in range((end - start).days + 1):
            yield start + timedelta(days=offset), self.day(start + timedelta(days=offset))

    def empty(self, end: date) -> bool:
        """Whether a period that ends on *end* lies before the opening."""
        return end < self._opened


def _beside(people: list[int]) -> dict[str, int]:
    """Those whose faces were not seen, and those who passed: shares of the others."""
    # By person, so that hours add up to days, and days to weeks.
    return {
        "pass_count": 3 * len(people) + sum(person % 7 == 0 for person in people),
        "unexposed_count": sum(person % 20 == 0 for person in people),
    }


def _identities(days: list[tuple[date, list[int]]]) -> Counter[tuple[str, Any]]:
    """How often each person came: a stranger of another day is another person."""
    return Counter((_TAGS[p], p if p >= _STRANGERS else (day, p)) for day, people in days for p in people)


def totals(people: list[int]) -> dict[str, int]:
    """Today's totals."""
    return {"total_count": len(people), **_beside(people)}


def tags(days: list[tuple[date, list[int]]], *, unique: bool = True) -> dict[str, int]:
    """Visits by tag, and people once."""
    every = [p for _, people in days for p in people]
    visits = Counter(_TAGS[p] for p in every)
    visits["total"] = len(every)
    made = {f"{name}_count": visits[name] for name in _TAG_NAMES}
    if unique:
        once = Counter(tag for tag, _ in _identities(days))
        once["total"] = sum(once.values())
        made |= {f"uniq_{name}_count": once[name] for name in _TAG_NAMES}
    return made | _beside(every)


def tags_by_age(people: list[int]) -> list[dict[str, int]]:
    """Visits by age range and tag."""
    counts = Counter((_AGE[p], _TAGS[p]) for p in people)
    return [
        {"age_range": age, **{f"{t}_count": counts[age, t] for t in ("stranger", "regular", "member")}}
        for age in range(1, 9)
    ]


def genders_by_age(days: list[tuple[date, list[int]]], *, unique: bool) -> list[dict[str, int]]:
    """Visits by age range and gender, and people once where *unique*."""
    visits: Counter[tuple[int, str, str]] = Counter()
    once: Counter[tuple[int, str, str]] = Counter()
    for (tag, who), count in _identities(days).items():
        person = who if isinstance(who, int) else who[1]
        for kind in {"", "_regular" if tag == "regular" else "", "_member" if tag == "member" else ""}:
            key = (_AGE[person], "male" if _MALE[person] else "female", kind)
            visits[key] += count
            once[key] += 1
    rows = []
    for age in range(1, 9):
        row = {"age_range": age}
        for prefix, counts in (("", visits), *((("uniq_", once),) if unique else ())):
            for gender in ("male", "female"):
                for kind in ("", "_regular", "_member"):
                    row[f"{prefix}{gender}{kind}_count"] = counts[age, gender, kind]
        rows.append(row)
    return rows


def frequencies(days: list[tuple[date, list[int]]]) -> list[dict[str, int]]:
    """How many people came so many times, 1 to 50 as on the page."""
    counts = Counter((tag, min(n, 50)) for (tag, _), n in _identities(days).items())
    return [
        {
            "frequency": n,
            "stranger_uniq_count": counts["stranger", n],
            "regular_uniq_count": counts["regular", n],
            "member_uniq_count": counts["member", n],
        }
        for n in range(1, 51)
    ]
