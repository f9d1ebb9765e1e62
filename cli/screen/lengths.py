"""Lengths of time, written alike for every command: ``30s``, ``2m``, ``1h30m``, ``7d``; a bare number is seconds."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Annotated, Any

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CHINESE = (
    ("毫秒", "ms"),
    ("分钟", "m"),
    ("小时", "h"),
    ("分", "m"),
    ("时", "h"),
    ("秒", "s"),
    ("天", "d"),
    ("周", "w"),
)
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[wdhms])")
_HINT = "Write it like 30s, 5m, 1h30m or 7d."


class Length(float):
    """A length of time in seconds, shown as it would be typed: ``Length("2m")`` is 120.0 and prints ``2m``."""

    def __new__(cls, text: str | float) -> Length:
        """*text* as it is typed, or seconds."""
        return super().__new__(cls, read(text) if isinstance(text, str) else text)

    def __str__(self) -> str:
        return written(self)


def read(text: str, name: str = "") -> float:
    """The seconds that *text* stands for.

    Args:
        text: ``30``, ``30s``, ``1.5h``, ``1m30s``, ``7d``; 分钟, 小时 and the like are taken too.
        name: The option, for the error.

    Raises:
        ParameterError: It is no length of time.

    """
    plain = re.sub(r"(?<=[\d.])\s+(?=[^\d\s])", "", unicodedata.normalize("NFKC", text).strip().lower())
    for chinese, unit in _CHINESE:
        plain = plain.replace(chinese, unit)
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", plain):
        plain += "s"
    parts = _PART.findall(plain)
    if not parts or "".join(number + unit for number, unit in parts) != plain:
        raise ParameterError("{name}: not a length of time", name=f"{name} {text}".strip(), hint=_HINT)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def whole_seconds(seconds: float, name: str) -> int:
    """*seconds* for a camera that takes whole ones; raises ParameterError."""
    return _whole(seconds, 1, name)


def whole_days(seconds: float, name: str) -> int:
    """*seconds* as days, for what takes whole ones; raises ParameterError."""
    return _whole(seconds, 86_400, name)


def _whole(seconds: float, unit: int, name: str) -> int:
    count, rest = divmod(seconds, unit)
    if rest:
        hint = "Write whole days, such as 7d." if unit > 1 else "Write whole seconds, such as 30s."
        raise ParameterError("{name}: not a length of time", name=f"{name} {written(seconds)}", hint=hint)
    return int(count)


def written(seconds: float) -> str:
    """*seconds* in the largest units that say it in whole numbers: ``90`` is ``1m30s``."""
    if seconds <= 0 or not math.isfinite(seconds):
        return "0"
    if seconds < 1 or seconds != int(seconds):
        return f"{float.__repr__(float(seconds)).removesuffix('.0')}s"
    told, left = "", int(seconds)
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        told += f"{count}{unit}" if count else ""
    return told


def length(name: str, help_: str, *, least: float = 0.0, most: float = math.inf, never: bool = False) -> Any:
    """An option that takes a length of time, in seconds.

    Args:
        name: As it is typed, ``--timeout``.
        help_: Its help.
        least: The shortest in seconds that is taken.
        most: The longest.
        never: Whether 0 is taken, too, for none.

    """

    def parse(value: object) -> float:
        if isinstance(value, (int, float)):  # a default
            return float(value)
        text = str(value)
        seconds = read(text, name)
        if (never and seconds == 0) or (least <= seconds <= most and (seconds > 0 or least == 0)):
            return seconds
        shown = f"{written(least)}–{written(most)}" if math.isfinite(most) else f"≥ {written(least)}"
        raise ParameterError(
            "{name}: out of bounds",
            name=f"{name} {text}",
            hint="Allowed: {bounds}.",
            bounds=f"0, {shown}" if never and least else shown,
        )

    return typer.Option(name, metavar="LENGTH", parser=parse, help=help_)


#: Every command that waits does so unless it is told not to.
NoWait = Annotated[bool, typer.Option("--no-wait", help=tr("Do not wait until it is done."))]
