"""Periods longer than one call takes: split, asked for in parallel, joined, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import ceil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from ..errors import CloudError, ParameterError
from ..protocol.kinds import wanted
from ..protocol.spec import Caller, Endpoint
from .spec import YEAR, CloudEndpoint, months_later

if TYPE_CHECKING:
    from .models import Recording

R = TypeVar("R")
T = TypeVar("T")

#: What a part without anything may be answered with, where others have something.
NOTHING = frozenset({5013, 5087})


class Gatherer(Protocol):
    """What asks for many parts at once: a cloud."""

    def gather(self, endpoint: Endpoint[..., R], parts: Sequence[Mapping[str, Any]]) -> list[R | CloudError]:
        """Ask for every part, in parallel; the answers in order, a CloudError of ``NOTHING`` among them."""


def split_days(start: date, end: date, longest: timedelta) -> Iterator[tuple[date, date]]:
    """Spans of whole days that cover *start* to *end*, both included, without a day in two of them.

    Spans of whole weeks end on Sundays and those of a year with a month, so that no week or month is
    cut where it need not be.
    """
    while start <= end:
        last = start + longest - timedelta(days=1)
        if longest == YEAR:
            # Twelve months of the calendar, so that they end with one.
            last = months_later(start.replace(day=1), 12) - timedelta(days=1)
        elif longest.days % 7 == 0:
            last -= timedelta(days=(last.weekday() + 1) % 7)
        last = min(last, end)
        yield start, last
        start = last + timedelta(days=1)


def split_times(start: datetime, end: datetime, longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Spans that cover *start* to *end*; each begins where the one before ends, so nothing falls between."""
    first, last, step = int(start.timestamp()), ceil(end.timestamp()), int(longest.total_seconds())
    edges = [*range(first, last, step), last] if last > first else [first, first]
    for a, b in pairwise(edges):
        yield datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC)


def _order(start: Any, end: Any, kind: type) -> None:
    for name, value in (("start", start), ("end", end)):
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
            raise ParameterError(
                "{name}: wrong type, {wanted} is needed", name=name, wanted=wanted(kind.__name__)
            )
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ParameterError(
                "{name}: the time has no time zone",
                name=name,
                hint="Use an aware datetime, e.g. datetime.now().astimezone().",
            )
    if end < start:
        raise ParameterError(
            "{name}: the period ends before it starts", name="end", hint="The earlier first."
        )


def _longest(endpoint: Endpoint[..., Any]) -> timedelta:
    assert isinstance(endpoint, CloudEndpoint)
    assert endpoint.longest is not None
    return endpoint.longest


def _answers(caller: Caller, endpoint: Endpoint[..., R], parts: Sequence[Mapping[str, Any]]) -> list[R]:
    """The answers of the parts that have one; raises where none has."""
    answers = cast(Gatherer, caller).gather(endpoint, parts)
    found = [a for a in answers if not isinstance(a, CloudError)]
    if not found:
        raise next(a for a in answers if isinstance(a, CloudError))
    return found


def join_days(caller: Caller, endpoint: Endpoint[..., R], start: date, end: date) -> R:
    """The answer of *endpoint* for any period of days, first and last included."""
    _order(start, end, date)
    spans = split_days(start, end, _longest(endpoint))
    answers = _answers(caller, endpoint, [{"start_time": a, "end_time": b} for a, b in spans])
    return cast(R, cast(Any, type(answers[0])).joined(answers))


def join_windows(
    caller: Caller,
    endpoint: Endpoint[..., Any],
    start: datetime,
    end: datetime,
    camera: Mapping[str, str],
) -> tuple[Recording, ...]:
    """The recordings of any period, each once, by time."""
    _order(start, end, datetime)
    spans = split_times(start, end, _longest(endpoint))
    answers = _answers(caller, endpoint, [{"start_time": a, "end_time": b, **camera} for a, b in spans])
    # What lies on a seam is in both answers; its URL may be signed anew, so it does not tell.
    found = {(r.ipc_id, r.start_time, r.end_time): r for a in reversed(answers) for r in a.video_list}
    return tuple(sorted(found.values(), key=lambda r: (r.start_time, r.end_time, r.ipc_id)))


def none_beyond(fetch: Callable[[int, int], Any], field: str) -> Callable[[int, int], Any]:
    """*fetch*, with an empty page where the service says that there is no data beyond the last one."""

    def read(number: int, size: int) -> Any:
        try:
            return fetch(number, size)
        except CloudError as error:
            if number == 1 or error.code not in NOTHING:
                raise
            return SimpleNamespace(total_num=0, **{field: ()})

    return read


def once(items: Iterable[T], key: Callable[[T], Any], remember: int = 1000) -> Iterator[T]:
    """*items* without repeats among the latest *remember*: new entries push old ones onto the next page."""
    seen: dict[Any, None] = {}
    for item in items:
        if (name := key(item)) in seen:
            continue
        seen[name] = None
        if len(seen) > remember:
            del seen[next(iter(seen))]
        yield item
