"""What the virtual cloud does on each call: the table that the other modules fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...protocol.spec import registry
from ..checks import Refused
from .host import Host
from .state import Shop

Play = Callable[[Host, Shop, dict[str, Any]], dict[str, Any] | None]
_PLAYS: dict[str, Play] = {}


def plays(path: str) -> Callable[[Play], Play]:
    """Register what a path does."""

    def register(play: Play) -> Play:
        _PLAYS[path] = play
        return play

    return register


def play_of(path: str) -> Play | None:
    """What a path does."""
    return _PLAYS.get(path)


def unplayed() -> list[str]:
    """Paths of the table that nothing plays."""
    return sorted(set(registry("cloud")) - set(_PLAYS))


def page(every: list[Any], values: dict[str, Any], field: str) -> dict[str, Any]:
    """One page of *every*; a page beyond the last is refused."""
    number, size = values.get("page_num", 1), values.get("page_size", 10)
    part = every[(number - 1) * size : number * size]
    if not part and number > 1:
        raise Refused(5013)
    return {"total_num": len(every), field: part}
