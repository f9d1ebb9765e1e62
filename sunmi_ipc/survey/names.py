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


#: Refusals for who asks, for what this model is, or for what it lacks at the moment.
_OTHER_REASONS = frozenset({1, 5, 6, 7, 12, 13, 211, 220, 232, 237})


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
    needed: list[str],
    required: set[str],
    ask: Callable[[dict[str, str]], Outcome],
    learnt: Mapping[str, str],
    codes: Mapping[str, int] | None = None,
    limit: int = 24,
) -> dict[str, str] | None:
    """How the parameters *needed* (by our wire names) are called here, tried until calls go through.

    What is not required is left out first, and then tried one by one.

    Args:
        needed: Our names.
        required: Those without which there is no answer.
        ask: Calls with these names, and says what came.
        learnt: What other endpoints of this camera have shown.
        codes: The return code that says of each one that it is wrong, by our names.
        limit: Calls at the most.

    Returns: the names by ours, of those that were taken; None where not even what is required was.

    """
    tried: dict[tuple[tuple[str, str], ...], bool] = {}
    refusals: dict[tuple[tuple[str, str], ...], Outcome] = {}
    ended = False

    def goes(names: dict[str, str]) -> bool:
        key = tuple(sorted(names.items()))
        nonlocal ended
        if len(set(names.values())) < len(names):
            return False
        if key not in tried:
            if ended or len(tried) >= limit:
                return False
            outcome = ask(names)
            tried[key], refusals[key] = taken(outcome), outcome
            ended = not tried[key] and not of_names(outcome)
        return tried[key]

    for whole in (
        {n: learnt.get(n, n) for n in needed},
        {n: n for n in needed},
        {n: camel(n) for n in needed},
    ):
        if goes(whole):
            return whole
    must = [n for n in needed if n in required]
    found = _pointed(must, learnt, codes or {}, goes, refusals) or next(
        (names for names in _guesses(must, learnt) if goes(names)), None
    )
    if found is None:
        return None
    for name in needed:
        if name not in found:
            spelt = (s for word in _WORDS.get(name, (name,)) for s in (word, camel(word)))
            fits = (s for s in dict.fromkeys((learnt.get(name, name), *spelt)) if goes({**found, name: s}))
            if (taken_name := next(fits, None)) is not None:
                found[name] = taken_name
    return found


def _pointed(
    must: list[str],
    learnt: Mapping[str, str],
    codes: Mapping[str, int],
    goes: Callable[[dict[str, str]], bool],
    refusals: Mapping[tuple[tuple[str, str], ...], Outcome],
) -> dict[str, str] | None:
    """Names found by what the refusals point at: "the end time is wrong" is about that one's name alone."""
    names, options = {n: learnt.get(n, n) for n in must}, _options(must, learnt)
    pointing = {code: n for n, code in codes.items() if n in names and list(codes.values()).count(code) == 1}
    for _ in must:
        if goes(names):
            return names
        said = refusals.get(tuple(sorted(names.items())))
        wrong = pointing.get(said.number) if said is not None and said.kind == "code" else None
        if wrong is None or said is None:
            return None
        for word in options[wrong]:
            trial = {**names, wrong: word}
            if goes(trial):
                return trial
            after = refusals.get(tuple(sorted(trial.items())))
            if after is not None and after.same != said.same:
                names = trial
                break
        else:
            return None
    return None


def spellings(name: str, learnt: Mapping[str, str]) -> list[str]:
    """What a parameter may be called, the likeliest first."""
    return _options([name], learnt)[name]


def taken(outcome: Outcome) -> bool:
    """Whether a call went through: done, or refused for what there is and not for how it was asked."""
    return outcome.done or (outcome.kind == "code" and outcome.number in (121, 122, 220, 235, 236, 280))


def of_names(outcome: Outcome) -> bool:
    """Whether a refusal may be for how the parameters are called; no other names help against the others."""
    return outcome.kind == "code" and outcome.number not in _OTHER_REASONS


def _guesses(needed: list[str], learnt: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Names for all, those first that differ from a common spelling in one alone."""
    options = _options(needed, learnt)
    for base in ({n: learnt.get(n, n) for n in needed}, {n: camel(n) for n in needed}):
        yield base
        for name in needed:
            for word in options[name]:
                yield {**base, name: word}
    for names in product(*options.values()):
        yield dict(zip(needed, names, strict=True))


def _options(needed: list[str], learnt: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        n: list(
            dict.fromkeys(s for word in (learnt.get(n, n), *_WORDS.get(n, (n,))) for s in (word, camel(word)))
        )
        for n in needed
    }
