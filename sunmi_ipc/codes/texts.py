"""A return code that is written beside its texts."""

from __future__ import annotations


class Said(int):
    """A number with its meaning and hint, English templates."""

    meaning: str = ""
    hint: str = ""


def said(code: int, meaning: str, hint: str = "") -> int:
    """*code* with its texts; to a type checker a number, so that comparing with the member means something."""
    made = Said(code)
    made.meaning, made.hint = meaning, hint
    return made
