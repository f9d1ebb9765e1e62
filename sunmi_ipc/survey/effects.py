"""Whether a parameter has an effect: a page size that bites, another page, a period that shortens.

A camera that passes over what it does not know takes any name for a parameter; what it answers with tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .outcome import Outcome

#: In the order in which they are looked at: a second page shows best where pages are small.
SHOWN = ("page_size", "page_num", "start_time", "end_time")
_SHORT_S = 60


def narrower(name: str, values: Mapping[str, str]) -> dict[str, str] | None:
    """*values* with another value for *name* that must show; None where there is none."""
    if name == "page_size":
        return {**values, name: "1"}
    if name == "page_num":
        return {**values, name: "2", "page_size": "1"} if "page_size" in values else None
    if "start_time" not in values or "end_time" not in values:
        return None
    start, end = int(values["start_time"]), int(values["end_time"])
    if end - start <= 2 * _SHORT_S:
        return None
    return {**values, name: str(end - _SHORT_S if name == "start_time" else start + _SHORT_S)}


def bites(name: str, before: Outcome, after: Outcome) -> bool | None:
    """Whether the narrower value of *name* shows; None where what came before leaves it open."""
    whole, part = rows(before), rows(after)
    if len(whole) < 2 or not (after.done or name == "page_num"):
        return None
    if name == "page_num":
        return part[:1] != whole[:1]
    return len(part) < len(whole)


def rows(outcome: Outcome) -> list[Any]:
    """The entries of the list in an answer, if there is one."""
    data = outcome.data if isinstance(outcome.data, dict) else {}
    return next((value for value in data.values() if isinstance(value, list)), [])
