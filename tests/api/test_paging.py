"""Lists that move while they are read, and cameras that page as they like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest

from sunmi_ipc.api import paging
from sunmi_ipc.api.paging import pages
from sunmi_ipc.errors import DeviceError, ReplyError


@dataclass
class Page:
    rows: list[int]
    total_num: int | None = None


@dataclass
class Listing:
    """A camera's list; *change* is called before each page but the first."""

    rows: list[int]
    change: Callable[[list[int]], None] = lambda rows: None
    short: int = 0
    total: bool = True
    beyond: str = "error"
    code: int = 273
    asked: list[int] = field(default_factory=list)

    def __call__(self, number: int, size: int) -> Page:
        if self.asked:
            self.change(self.rows)
        self.asked.append(number)
        size = self.short or size
        last = max(1, -(-len(self.rows) // size))
        if self.beyond == "repeat":
            number = min(number, last)
        part = self.rows[(number - 1) * size : number * size]
        if not part and number > 1 and self.beyond == "error":
            raise DeviceError.of(self.code)
        return Page(part, len(self.rows) if self.total else None)


def read(listing: Listing, size: int = 10) -> list[int]:
    return list(pages(listing, "rows", size))


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 57])
@pytest.mark.parametrize("short", [0, 3, 7])
@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("beyond", ["error", "empty", "repeat"])
@pytest.mark.parametrize("code", [122, 234, 235])
def test_each_once_in_order_and_an_end(count: int, short: int, total: bool, beyond: str, code: int) -> None:
    listing = Listing(list(range(count)), short=short, total=total, beyond=beyond, code=code)
    assert read(listing) == list(range(count))
    assert len(listing.asked) < 60


def test_an_unknown_refusal_beyond_a_short_page_is_the_end() -> None:
    assert read(Listing(list(range(14)), total=False, code=2)) == list(range(14))
    with pytest.raises(DeviceError):
        read(Listing(list(range(20)), total=False, code=3))


def once(change: Callable[[list[int]], Any]) -> Callable[[list[int]], None]:
    left = [change]
    return lambda rows: left.pop()(rows) if left else None


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(
    ("change", "all_of"),
    [
        (lambda rows: rows.insert(0, 100), [*range(30), 100]),  # newest first: a new one
        (lambda rows: rows.pop(0), range(1, 30)),  # oldest first: the oldest goes
        (
            lambda rows: (rows.pop(0), rows.append(100)),
            [*range(1, 30), 100],
        ),  # a full card: one goes, one comes
        (lambda rows: rows.insert(15, 100), [*range(30), 100]),
        (lambda rows: rows.extend(range(100, 140)), [*range(30), *range(100, 140)]),
    ],
)
def test_a_list_that_moves_once(change: Callable[[list[int]], Any], all_of: Any, total: bool) -> None:
    got = read(Listing(list(range(30)), change=once(change), total=total))
    assert len(got) == len(set(got))
    assert set(got) >= set(all_of)


def test_a_list_that_never_rests_ends() -> None:
    numbers = iter(range(1000, 10_000_000))
    listing = Listing(list(range(100)), change=lambda rows: (rows.pop(0), rows.append(next(numbers))))  # type: ignore[func-returns-value]
    got = read(listing)
    assert len(got) == len(set(got))
    assert len(listing.asked) < 100


def test_a_list_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 50)
    with pytest.raises(ReplyError, match="no end"):
        list(pages(lambda number, size: Page([number * size + i for i in range(size)]), "rows", 10))


def test_as_they_are_used() -> None:
    listing = Listing(list(range(100)))
    assert list(islice(pages(listing, "rows", 10), 15)) == list(range(15))
    assert listing.asked == [1, 2]
