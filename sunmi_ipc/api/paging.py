"""Paged lists as iterators."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from ..errors import DeviceError, ReplyError

PAGE_SIZE = 50
#: A page beyond the last may be answered with these instead of an empty list.
_NO_SUCH_PAGE = frozenset({122, 234, 273})
#: Pages of one list; the longest that is known has some 600.
MAX_PAGES = 5000
#: How often a list that moves is looked through again.
_PASSES = 4


def _itself(entry: Any) -> Hashable:
    return entry  # type: ignore[no-any-return]


def pages(
    fetch: Callable[[int, int], Any],
    field: str,
    size: int = PAGE_SIZE,
    *,
    key: Callable[[Any], Hashable] = _itself,
    again: Callable[[Any], Hashable] | None = None,
) -> Iterator[Any]:
    """Every entry of a paged list once, fetched as they are used, and none skipped where the list moves.

    A list changes while it is read: a new entry in front shifts all others to the next page, and one that
    goes shifts them back. So whatever was seen is not given twice; and where the total or the first page has
    changed when the end is reached, the list is looked through again for what was missed.

    Args:
        fetch: Reads page *number* (from 1) of *size* entries.
        field: The field that holds them.
        size: Entries a page; the camera may give fewer.
        key: What tells one entry from another.
        again: The same, for those found when it is looked again; default: *key*. A recording that is still
            written has another end then.

    Raises:
        ReplyError: The list does not end, or says that it has entries and gives none.

    """
    again = again or key
    seen: set[Hashable] = set()
    late: set[Hashable] = set()
    for turn in range(_PASSES):
        walk = _Walk(fetch, field, size, key)
        for entry in walk.entries():
            if key(entry) in seen or (turn and again(entry) in late):
                continue
            seen.add(key(entry))
            late.add(again(entry))
            yield entry
        if not walk.moved():
            return


class _Walk:
    """Once through the list, from its first page to its last."""

    def __init__(
        self, fetch: Callable[[int, int], Any], field: str, size: int, key: Callable[[Any], Hashable]
    ) -> None:
        self._fetch, self._field, self._size, self._key = fetch, field, size, key
        self._first: list[Hashable] = []
        self._totals: set[int] = set()
        self._pages = 0

    def entries(self) -> Iterator[Any]:
        count, before, known = 0, list[Hashable](), set[Hashable]()
        for number in range(1, MAX_PAGES + 1):
            try:
                page = self._fetch(number, self._size)
            except DeviceError as error:
                if number > 1 and error.code in _NO_SUCH_PAGE:
                    return
                raise
            entries, total = getattr(page, self._field), page.total_num
            keys = [self._key(entry) for entry in entries]
            if number == 1:
                self._first = keys
                if not entries and total > 0:
                    raise ReplyError(
                        "the camera says that there are {count} entries, and gives none",
                        hint="The firmware may answer in another shape: '-vv' shows what came.",
                        count=total,
                    )
            # Beyond its end, a list may give its last page again, or begin anew.
            if not entries or keys == before or (number > 2 and keys == self._first):
                return
            self._pages, self._totals = number, self._totals | {total}
            yield from entries
            count += len(entries) + getattr(entries, "left_out", 0)
            fresh = not known.issuperset(keys)
            known.update(keys)
            before = keys
            # A page may be shorter than asked for: only the total, where there is one, tells the end.
            if count >= total > 0 or (not total and not fresh):
                return
        raise ReplyError("the camera's list does not end", hint="Ask for a shorter time.")

    def moved(self) -> bool:
        """Whether the list has changed since its first page was read."""
        if self._pages < 2:
            return False
        if len(self._totals) > 1:
            return True
        try:
            page = self._fetch(1, self._size)
        except DeviceError:
            return False
        return [self._key(entry) for entry in getattr(page, self._field)] != self._first
