"""Paged lists as iterators: each entry once, none left out, and an end, whatever the list does meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from ..errors import DeviceError, ReplyError
from ..protocol.steps import Give, Series, Steps, iterate, work

PAGE_SIZE = 50
#: A page beyond the last may be answered with these instead of an empty list.
_NO_SUCH_PAGE = frozenset({121, 122, 234, 235, 273})
#: A list that goes on and on: a card holds some ten thousand recordings, a camera 30,000 faces.
MAX_PAGES, MAX_ROWS = 20_000, 1_000_000
#: How often a list that has moved is read again.
_PASSES = 3


def pages(
    fetch: Callable[[int, int], Any],
    field: str,
    size: int = PAGE_SIZE,
    *,
    key: Callable[[Any], Hashable] = lambda entry: entry,
) -> Iterator[Any]:
    """As :func:`paged`, where *fetch* blocks and returns the page."""
    return iterate(None, paged(lambda number, many: work(fetch, number, many), field, size, key=key))


def paged(
    fetch: Callable[[int, int], Steps[Any]],
    field: str,
    size: int = PAGE_SIZE,
    *,
    key: Callable[[Any], Hashable] = lambda entry: entry,
    only: Callable[[Any], bool] = lambda entry: True,
) -> Series[Any]:
    """Every entry of a paged list, fetched as they are used.

    While a list is read, entries come and go, and all behind them move: one comes twice, another is skipped.
    So what is known is not given again, and where the list has moved it is read once more, to the same end.

    Args:
        fetch: The steps that read page *number* (from 1) of *size* entries. The camera may give fewer.
        field: The field that holds them.
        size: Entries a page.
        key: What an entry is known by.
        only: Which entries are given.

    Raises:
        ReplyError: The list has no end, or the camera says that it has entries and gives none.

    """
    seen: set[Hashable] = set()
    for _ in range(_PASSES):
        reading = _Pass(fetch, field, size, key, seen)
        yield from reading.entries(only)
        if not (yield from reading.moved()):
            return


class _Pass:
    """One reading of a list from its first page to its last."""

    def __init__(
        self,
        fetch: Callable[[int, int], Steps[Any]],
        field: str,
        size: int,
        key: Callable[[Any], Hashable],
        seen: set[Hashable],
    ) -> None:
        self._fetch, self._field, self._size, self._key, self._seen = fetch, field, size, key, seen
        self._again = bool(seen)
        self._first: list[Hashable] = []
        self._totals: set[int] = set()
        self._pages = 0
        self._doubled = False

    def entries(self, only: Callable[[Any], bool]) -> Series[Any]:
        """The entries that were not seen before."""
        count, idle, before, known = 0, 0, list[Hashable](), set[Hashable]()
        while True:
            page = yield from self._page(self._pages + 1, count)
            entries = [] if page is None else getattr(page, self._field)
            if page is None or not entries:
                if page is not None and self._pages == 0 and (page.total_num or 0) > 0:
                    raise ReplyError(
                        "the camera says that there are {count} entries, and gives none",
                        hint="The firmware may answer in another shape: '-vv' shows what came.",
                        count=page.total_num,
                    )
                return
            self._pages += 1
            keys = [self._key(entry) for entry in entries]
            if self._pages == 1:
                self._first = keys
            if keys == before:
                return  # the last page again, and again
            before = keys
            fresh = [(k, e) for k, e in zip(keys, entries, strict=True) if k not in self._seen]
            self._doubled |= len(fresh) < len(entries)
            for k, entry in fresh:
                if k not in self._seen:
                    self._seen.add(k)
                    if only(entry):
                        yield Give(entry)
            count += len(entries) + getattr(entries, "left_out", 0)
            total = page.total_num or 0
            self._totals.add(total)
            # Of this reading: when a list is read once more, nothing that was never seen is what is hoped for.
            idle = idle + 1 if known.issuperset(keys) else 0
            known.update(keys)
            if (total and count >= total) or idle > bool(total):
                return
            if self._pages >= MAX_PAGES or len(self._seen) > MAX_ROWS:
                raise ReplyError("the camera's list has no end")

    def _page(self, number: int, count: int) -> Steps[Any]:
        try:
            return (yield from self._fetch(number, self._size))
        except DeviceError as error:
            # Where no total was told, the page beyond the last is asked for, and may be refused in any way.
            guessed = number > 1 and self._totals <= {0} and count % self._size
            if number > 1 and (error.code in _NO_SUCH_PAGE or guessed):
                return None
            raise

    def moved(self) -> Steps[bool]:
        """Whether entries came or went while it was read."""
        if self._pages < 2:
            return False
        if len(self._totals) > 1 or (self._doubled and not self._again):
            return True
        page = yield from self._page(1, 0)
        return [self._key(entry) for entry in getattr(page, self._field)] != self._first
