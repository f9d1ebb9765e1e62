"""The cloud's declarations: :class:`sunmi_ipc.protocol.spec.Endpoint` with what only the cloud has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..errors import ParameterError
from ..protocol.spec import ALL_MODELS, Endpoint, Evidence, Sign
from .fields import MAX_BODY, Matches

P = ParamSpec("P")
R = TypeVar("R")

#: The vendor's page lists these for nearly every endpoint.
COMMON = frozenset({5000, 5013, 5041})
#: Every signed call may answer these (documented on the page on authentication).
SIGNING = frozenset({5090, 5091, 5092})
#: A day begins first here: what is today there is today or tomorrow everywhere.
_EARLIEST_ZONE = timedelta(hours=14)


#: A longest period of twelve months, which are the calendar's: up to 366 days.
YEAR = timedelta(days=366)


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the first of the next month where that has no such day."""
    count = day.year * 12 + day.month - 1 + months
    try:
        return day.replace(year=count // 12, month=count % 12 + 1)
    except ValueError:
        return date((count + 1) // 12, (count + 1) % 12 + 1, 1)


class CloudEndpoint(Endpoint[P, R]):
    """One path of the cloud.

    ``shop``: whether the shop goes with it. ``shop_field``: which of its two names the page has for this one
    alone, empty where either is taken. ``in_development``: so marked by the vendor.
    ``longest``: the longest period of one call. ``past``: whether the period must end before today.
    ``meanings``: what a code means for this endpoint, as (meaning, hint), before the common table.
    """

    shop: bool
    shop_field: str
    in_development: bool
    longest: timedelta | None
    past: bool
    meanings: Mapping[int, tuple[str, str]]

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Refuse: an endpoint is called on a cloud."""
        raise TypeError(f"{self.key} is called on a cloud: cloud.{self.key}(...)")

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Check *values*, cameras and periods included; raises ParameterError, sends nothing."""
        self._check_pictures(values)
        try:
            made = super().check(values)
        except ParameterError as error:
            refused = next((p for p in self.parameters if p.name == error.name), None)
            rule = Matches.of(refused.annotation) if refused else None
            if rule is not None and not error.hint_template:
                error.hint_template = rule.words
            raise
        names = {p.name for p in self.parameters}
        if {"ipc_sn", "ipc_id"} <= names and not {"ipc_sn", "ipc_id"} & made.keys():
            raise ParameterError("{name}: missing", name="ipc_sn", hint="Give ipc_sn or ipc_id.")
        if {"start_time", "end_time"} <= names:
            self._check_period(made["start_time"], made["end_time"])
        return made

    def _check_pictures(self, values: Mapping[str, Any]) -> None:
        for p in self.parameters:
            value = values.get(p.name)
            if p.kind == "file" and isinstance(value, bytes) and len(value) >= MAX_BODY:
                raise ParameterError(
                    "{name}: the picture has {size} bytes, the service takes fewer than {most}",
                    name=p.name,
                    size=len(value),
                    most=MAX_BODY,
                    hint="Make it smaller: 640 pixels a side are plenty for a face.",
                )

    def _check_period(self, start: Any, end: Any) -> None:
        if end < start:
            raise ParameterError(
                "{name}: the period ends before it starts", name="end_time", hint="The earlier first."
            )
        # Days are inclusive: one day lasts from itself to itself.
        length = end - start if isinstance(start, datetime) else end - start + timedelta(days=1)
        if self.longest == YEAR and not isinstance(start, datetime):
            if end >= months_later(start, 12):
                raise _too_long(self.longest)
        elif self.longest is not None and length > self.longest:
            raise _too_long(self.longest)
        if self.past and end >= (datetime.now(UTC) + _EARLIEST_ZONE).date():
            raise ParameterError(
                "{name}: the last day must be before today", name="end_time", hint="End it yesterday."
            )


def _too_long(longest: timedelta) -> ParameterError:
    hint = "Ask for a shorter period, or use the method that splits it."
    if longest == YEAR:
        return ParameterError("{name}: one call takes at most 12 months", name="end_time", hint=hint)
    if longest.days and not longest.days % 7:
        return ParameterError(
            "{name}: one call takes at most {weeks} weeks",
            name="end_time",
            weeks=longest.days // 7,
            hint=hint,
        )
    if longest > timedelta(days=1):
        return ParameterError(
            "{name}: one call takes at most {days} days", name="end_time", days=longest.days, hint=hint
        )
    if longest == timedelta(days=1):
        return ParameterError("{name}: one call takes at most 24 hours", name="end_time", hint=hint)
    return ParameterError(
        "{name}: one call takes at most {seconds} seconds",
        name="end_time",
        seconds=longest.seconds,
        hint=hint,
    )


def in_words(period: timedelta) -> str:
    """``30 days``, ``24 hours``, ``3600 seconds``, as the vendor's page prints it."""
    if period == timedelta(days=1):
        return "24 hours"
    if period == YEAR:
        return "12 months"
    if period.days and not period.days % 7:
        return f"{period.days // 7} weeks"
    return f"{period.days} days" if period.days else f"{period.seconds} seconds"


def endpoint(
    path: str,
    *,
    codes: Iterable[int] = COMMON,
    meanings: Mapping[int, tuple[str, str]] | None = None,
    shop: bool = True,
    shop_field: str = "",
    in_development: bool = False,
    longest: timedelta | None = None,
    past: bool = False,
    destroys: str = "",
    timeout_s: float | None = None,
) -> Callable[[Callable[Concatenate[Any, P], R]], CloudEndpoint[P, R]]:
    """Declare an endpoint. All are documented by the vendor; what is not is said in the docstring.

    Args:
        path: The path behind ``/openapi/``.
        codes: Return codes that the page lists.
        meanings: Meaning and hint of codes that mean something of their own here.
        shop: Whether the shop goes with it.
        shop_field: The one name of the shop that the page has here, ``sunmi_shop_no`` or ``shop_id``.
        in_development: Whether the vendor's page marks it so.
        longest: The longest period of one call; days count the last one in.
        past: Whether the period must end before today.
        destroys: What is lost by calling it, in words; such a call is confirmed on the command line.
        timeout_s: How long the service may take, where that is longer than usual.

    """

    def declare(function: Callable[Concatenate[Any, P], R]) -> CloudEndpoint[P, R]:
        made = CloudEndpoint[P, R](
            function,
            path,
            evidence=Evidence.DOC,
            params=None,
            sign=Sign.SECRET,
            models=ALL_MODELS,
            codes=frozenset({0}) | frozenset(codes) | SIGNING,
            codes_evidence=Evidence.DOC,
            document="",
            safe=path.rpartition("/")[2].startswith(("get", "groupBy")),
            destroys=destroys,
            timeout_s=timeout_s,
            fill={},
            keeps=False,
        )
        made.shop_field = shop_field
        made.shop, made.in_development, made.longest, made.past = shop, in_development, longest, past
        made.meanings = dict(meanings or {})
        return made

    return declare
