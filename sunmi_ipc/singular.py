"""English has one form for one thing: ``{count} cameras answer`` is "1 camera answers" where the count is 1.

Messages are written for several. What is put right here is the noun right behind a number that is 1, and the verb
right behind the noun. Chinese needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: What messages count; words between number and noun stay as they are.
_NOUNS = {
    noun + "s": noun
    for noun in (
        "alert", "argument", "byte", "call", "camera", "certificate", "character", "correction", "event", "face",
        "file", "frame", "gap", "group", "message", "packet", "path", "pixel", "recording", "repeat", "row", "shop",
        "SD card", "second", "subscription", "value", "visit", "window",
    )
} | {
    "access points of cameras": "access point of a camera", "entries": "entry", "hours or days": "hour or day",
}  # fmt: skip
_BETWEEN = ("virtual", "blank", "client")
_VERBS = {
    "are": "is", "were": "was", "have": "has", "answer": "answers", "claim": "claims", "end": "ends", "join": "joins",
    "replace": "replaces", "wait": "waits",
}  # fmt: skip
_COUNTED = re.compile(
    rf"(?<!all )(?<!All )\{{(?P<name>\w+)\}} (?P<between>(?:(?:{'|'.join(_BETWEEN)}) )*)"
    rf"(?P<noun>{'|'.join(_NOUNS)})\b(?: (?P<verb>{'|'.join(_VERBS)})\b)?"
)


def agreeing(template: str, values: Mapping[str, object]) -> str:
    """*template* with the nouns, and their verbs, of numbers that are 1 in the singular."""

    def one(found: re.Match[str]) -> str:
        if not _is_one(values.get(found["name"])):
            return found[0]
        verb = f" {_VERBS[found['verb']]}" if found["verb"] else ""
        return f"{{{found['name']}}} {found['between']}{_NOUNS[found['noun']]}{verb}"

    return _COUNTED.sub(one, template) if any(map(_is_one, values.values())) else template


def _is_one(value: object) -> bool:
    return value == "1" or (value == 1 and not isinstance(value, bool))
