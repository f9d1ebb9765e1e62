"""Paged lists as iterators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import DeviceError

PAGE_SIZE = 50
#: A page beyond the last may be answered with these instead of an empty list.
_NO_SUCH_PAGE = frozenset({122, 234, 273})


def pages(fetch: Callable[[int, int], Any], field: str, size: int = PAGE_SIZE) -> Iterator[Any]:
    """Every entry of a paged list, fetched as they are used.

    Args:
        fetch: Reads page *number* (from 1) of *size* entries.
        field: The field that holds them.
        size: Entries a page.

    """
    number, seen = 1, 0
    while True:
        try:
            page = fetch(number, size)
        except DeviceError as error:
            if number > 1 and error.code in _NO_SUCH_PAGE:
                return
            raise
        entries = getattr(page, field)
        yield from entries
        seen += len(entries)
        total = page.total_num
        # A camera that says no total, or a wrong one, still ends with a short page.
        if not entries or (total and seen >= total) or (not total and len(entries) < size):
            return
        number += 1
