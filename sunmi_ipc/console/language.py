"""Which language a browser asks for."""

from __future__ import annotations

import re

from ..i18n import Language


def preferred(header: str) -> Language:
    """Chinese where the browser asks for it before English (``Accept-Language``)."""
    wishes = []
    for place, part in enumerate(header.split(",")[:20]):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.partition("q=")[2] or 1)
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.lower()))
    for _, _, name in sorted(wishes):
        if name.startswith("zh"):
            return "zh"
        if name.startswith("en"):
            return "en"
    return "en"


#: What is typed into a terminal helps nobody on a phone: the part of a sentence that names a command is left out.
_CLAUSE = re.compile(r"(?<=[.;:,!?])\s+|(?<=[。；：，！？])")
_COMMAND = re.compile(r"'ipc\b|^ipc [a-z]|--[a-z]")
_LOOSE = re.compile(r"(?:\b(?:then|and|or)|然后|再|并|或)$")


def without_commands(hint: str) -> str:
    """A hint without the parts that name commands; empty where nothing else is left."""
    parts = [part for part in _CLAUSE.split(hint) if part]
    kept = [part for part in parts if not _COMMAND.search(part)]
    if len(kept) == len(parts):
        return hint
    chinese = any("\u4e00" <= c <= "\u9fff" for c in hint)
    text = ("" if chinese else " ").join(kept).strip().rstrip(",;:，；：")
    text = _LOOSE.sub("", text).rstrip(",;，； ")
    return text if not text or text[-1] in ".!?。！？" else text + ("。" if chinese else ".")
