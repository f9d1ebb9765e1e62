"""How fields and parameters that we guess are called here: by spelling, by kind, by effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import product
from typing import Any

from .findings import wire_fields
from .outcome import Outcome

_WORDS = {
    "page_num": ("page_num", "page_no", "page", "page_index", "page_number"),
    "page_size": ("page_size", "limit", "size", "count", "page_count"),
    "start_time": ("start_time", "begin_time", "start", "begin", "from_time"),
    "end_time": ("end_time", "stop_time", "end", "finish_time", "to_time"),
    "faceid": ("faceid", "face_id", "id"),
    "group_name": ("group_name", "group", "name"),
    "num": ("num", "count", "limit"),
}
#: Which parameter a refusal is about (section 6).
_ABOUT = {
    265: "period", 266: "start_time", 267: "end_time", 268: "order", 269: "group_name", 273: "page_num",
    274: "page_size", 275: "faceid", 234: "page_num",
}  # fmt: skip


def camel(name: str) -> str:
    """``page_num`` as ``pageNum``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def plain(name: str) -> str:
    """A name without what spellings differ in."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def fields(model: type, data: Mapping[str, Any]) -> dict[str, str]:
    """Names of fields in *data* that stand for fields of *model*, by ours; where ours is there, nothing."""
    found: dict[str, str] = {}
    known = wire_fields(model)
    left = [str(name) for name in data if str(name) not in known]
    for name, inner in known.items():
        theirs = name if name in data else _match(name, left, data)
        if theirs is None:
            continue
        if theirs != name:
            found[name] = theirs
            left.remove(theirs)
        value = data[theirs]
        first = value[0] if isinstance(value, list) and value else value
        if inner is not None and isinstance(first, dict):
            found |= fields(inner, first)
    return found


def _match(name: str, left: list[str], data: Mapping[str, Any]) -> str | None:
    for other in left:
        if plain(other) == plain(name):
            return other
    likely = sorted(left, key=lambda o: -SequenceMatcher(None, plain(name), plain(o)).ratio())
    if likely and SequenceMatcher(None, plain(name), plain(likely[0])).ratio() >= 0.75:
        return likely[0]
    return None


def parameter_names(
    needed: list[str], ask: Callable[[dict[str, str]], Outcome], learnt: Mapping[str, str], limit: int = 16
) -> dict[str, str] | None:
    """How the parameters *needed* (by our wire names) are called here, tried until a call goes through.

    Args:
        needed: Our names.
        ask: Calls with these names, and says what came.
        learnt: What other endpoints of this camera have shown.
        limit: Calls at the most.

    Returns: the names by ours; None where none was taken.

    """
    tried: set[tuple[str, ...]] = set()

    def attempt(names: dict[str, str]) -> Outcome | None:
        key = tuple(names[n] for n in needed)
        if key in tried or len(set(key)) < len(key) or len(tried) >= limit:
            return None
        tried.add(key)
        return ask(names)

    for names in _guesses(needed, learnt):
        outcome = attempt(names)
        if outcome is not None and taken(outcome):
            return names
        if outcome is not None and (about := _ABOUT.get(outcome.number)) in needed and outcome.kind == "code":
            for word in _WORDS.get(about, ()):
                for spelt in dict.fromkeys((word, camel(word))):
                    again = attempt(names | {about: spelt})
                    if again is not None and taken(again):
                        return names | {about: spelt}
                    if again is not None and _ABOUT.get(again.number) != about:
                        names = names | {about: spelt}
                        break
    return None


def taken(outcome: Outcome) -> bool:
    """Whether a call went through: done, or refused for what there is and not for how it was asked."""
    return outcome.done or (
        outcome.kind == "code" and outcome.number in (121, 122, 204, 207, 220, 230, 235, 236, 280)
    )


def _guesses(needed: list[str], learnt: Mapping[str, str]) -> Iterator[dict[str, str]]:
    yield {n: learnt.get(n, n) for n in needed}
    yield {n: n for n in needed}
    yield {n: camel(n) for n in needed}
    yield {n: learnt.get(n, camel(n)) for n in needed}
    options = [
        [learnt[n]] if n in learnt else [s for w in _WORDS.get(n, (n,)) for s in (w, camel(w))]
        for n in needed
    ]
    for names in product(*[list(dict.fromkeys(o)) for o in options]):
        yield dict(zip(needed, names, strict=True))
