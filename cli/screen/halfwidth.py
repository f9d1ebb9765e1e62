"""What a Chinese keyboard makes of digits and punctuation (２０：００, 192。168。1。20), as it was meant.

For values of a fixed form alone: a name or a password is taken as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from .paths import unquoted

#: Marks that Unicode does not count as wide forms of ASCII's.
_MARKS = str.maketrans({"。": ".", "、": ",", "—": "-", "–": "-", "−": "-"})
#: Metavars of values that have a fixed form: moments, numbers, addresses, words to choose from.
_FIXED = re.compile(
    r"(?:HH:MM|TIME|LENGTH|ZONE|ADDRESS|MASK|MAC|SN|N(?:\|\S+)?|PORT|PIXELS|DEGREES|DAYS?|POSITION|YEARS|VISITS|[XY]\d?"
    r"|\S+\|N|[a-z\d]+(?:\|[a-z\d]+)+)…?"
)


def halved(text: str) -> str:
    """*text* with digits, letters and marks of ASCII's; without quotes, and commas behind it."""
    text = unicodedata.normalize("NFKC", text).translate(_MARKS)
    return unquoted(text.strip().rstrip(",;")).rstrip(",;")


def take(command: Any) -> None:
    """Have *command* take its values of a fixed form as they were meant."""
    for parameter in command.params:
        if getattr(parameter, "bare_type", None) in (int, float) or _FIXED.fullmatch(
            str(parameter.metavar or "")
        ):
            parameter.process_value = _meant(parameter.process_value)


def _meant(process: Any) -> Any:
    def meant(ctx: Any, value: Any) -> Any:
        if isinstance(value, str):
            value = halved(value)
        elif isinstance(value, (list, tuple)):
            value = [halved(one) if isinstance(one, str) else one for one in value]
        return process(ctx, value)

    return meant
