"""Typer's own words in the user's language: its help, its refusals.

Typer has them in English, few of them behind gettext, so they are known by their wording
(``sunmi_ipc.zh.usage``). What another Typer words otherwise stays English.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import typer

from sunmi_ipc.i18n import language, tr
from sunmi_ipc.redact import Secret, is_secret

from .lines import LEAST, fitted, wrapped
from .metavars import plain, worded
from .tables import fold, width

_EXTRA = re.compile(r"  \[([^\[\]]*)\]$")
#: A word of capitals that is no part of another, or a type in angles.
_PLACEHOLDER = re.compile(
    r"<[A-Za-z ]+(?:\[[A-Za-z]+\])?>|\b(?:KEY|NAME)=VALUE|APITYPE/ACTION|(?<=\[x)TIMES|(?<![\w$/-])[A-Z][A-Z_]*[A-Z](?![\w=])"
)
_NAME_COLUMN, _GAP, _NARROWEST = 30, 2, 28


#: What Typer and pydantic say for programmers, in words for people.
_PLAIN = {
    "Error: {problem}": "Error: {problem}",
    "Invalid value {value} for {name}: {problem}": "Invalid value {value} for {name}: {problem}",
    "Invalid value for {name}: {problem}": "Invalid value for {name}: {problem}",
    "Input should be less than or equal to {bound}": "it must be at most {bound}",
    "Input should be greater than or equal to {bound}": "it must be at least {bound}",
    "Input should be less than {bound}": "it must be less than {bound}",
    "Input should be greater than {bound}": "it must be more than {bound}",
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole number",
    "Input should be a valid integer, got a number with a fractional part": "it must be a whole number",
    "Input should be a valid integer": "it must be a whole number",
    "Input should be a valid number, unable to parse string as a number": "it must be a number",
    "Input should be a valid number": "it must be a number",
    "Input should be a finite number": "it must be a finite number",
    "Input should be {names}": "it must be {names}",
    "{low}<=x<={high}": "{low} to {high}",
    "x>={low}": "{low} or more",
    "default: 0.0": "default: 0",
}


@cache
def _patterns(lang: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    from sunmi_ipc.zh.usage import ZH

    def pattern(template: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template)), re.DOTALL)

    return tuple((pattern(english), chinese) for english, chinese in (ZH if lang == "zh" else _PLAIN).items())


def retell(text: str) -> str:
    """*text*, which is Typer's or pydantic's, in the user's language; what both say for programmers in words."""
    for pattern, ours in _patterns(language()):
        if found := pattern.fullmatch(text):
            return ours.format(**{k: retell(v) for k, v in found.groupdict().items()})
    return text


def placeholders(text: str) -> str:
    """*text* with what stands for a value (FILE, <int>) in the user's language; options stay as typed."""
    if language() != "zh":
        return text
    from sunmi_ipc.zh.usage import PLACEHOLDERS

    return _PLACEHOLDER.sub(lambda found: PLACEHOLDERS.get(found[0], found[0]), text)


class Context(typer.Context):
    """Help in the user's language."""

    @property
    def formatter_class(self) -> Any:
        """One that fits its lines to the terminal."""
        return _Formatter

    @formatter_class.setter
    def formatter_class(self, value: Any) -> None:
        raise AttributeError


class _Formatter(typer.Context.formatter_class):  # type: ignore[valid-type, misc]
    """Help in either language, as wide as the terminal and no wider than reads well."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        if width is None:  # Typer's own never goes below 50, whatever the terminal
            width = max(min(shutil.get_terminal_size().columns, max_width or 80) - 2, _NARROWEST)
        super().__init__(indent_increment, width, max_width)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        head = f"{prefix or retell('Usage: ')}{prog} "
        hang = min(width(head), 8 if self.width - width(head) < LEAST else width(head))
        first, *more = _hung(head, placeholders(plain(args)).split(), self.width)
        self.write("\n".join([first, *(" " * hang + line for line in more)]) + "\n")

    def write_heading(self, heading: str) -> None:
        colon = "：" if language() == "zh" else ":"
        self.write(f"{'':>{self.current_indent}}{retell(heading)}{colon}\n")

    def write_text(self, text: str) -> None:
        margin = " " * self.current_indent
        parts = [" ".join(part.split("\n")) for part in text.split("\n\n")]
        self.write(
            "\n\n".join(
                "\n".join(margin + line for line in _fit(part, self.width - self.current_indent))
                for part in parts
            )
            + "\n"
        )

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = _NAME_COLUMN, col_spacing: int = _GAP
    ) -> None:
        every = [(placeholders(worded(name)), text) for name, text in rows]
        col_max = min(col_max, max(_NARROWEST // 2, self.width * 2 // 5))
        first = min(max((width(name) for name, _ in every), default=0), col_max) + col_spacing
        margin = " " * self.current_indent
        for name, text in every:
            lines = self._folded(text, max(self.width - first - self.current_indent, 10))
            if width(name) > first - col_spacing:
                for line in _chosen(name, self.width - self.current_indent):
                    self.write(f"{margin}{line}\n")
                name = ""
            head = margin + name + " " * (first - width(name))
            for line in lines or [""]:
                self.write(f"{head}{line}".rstrip() + "\n")
                head = margin + " " * first

    def _folded(self, text: str, columns: int) -> list[str]:
        extra = _EXTRA.search(text)
        told = retell(text[: extra.start()] if extra else text)
        lines = [
            line for part in told.split("\n\n") if part for line in _fit(part.replace("\n", " "), columns)
        ]
        if extra:
            note = "[" + tr("; ").join(retell(part) for part in extra[1].split("; ")) + "]"
            if lines and width(lines[-1]) + 2 + width(note) <= columns:
                lines[-1] += "  " + note
            else:
                lines += _fit(note, columns)
        return lines


def _chosen(name: str, columns: int) -> list[str]:
    """An option with what it can be, in lines of *columns*; broken behind the strokes between its values."""
    lines = [""]
    for piece in re.findall(r"[^|]+\|?|\|", name):
        if lines[-1] and width(lines[-1]) + width(piece) > columns:
            lines.append("    ")
        lines[-1] += piece
    return lines


def _hung(head: str, words: Iterable[str], columns: int) -> list[str]:
    """*head* and *words* behind it in lines; those after the first leave room for the same head."""
    lines, room = [head.rstrip()], columns
    for word in words:
        if width(lines[-1]) + 1 + width(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
            room = max(columns - width(head), LEAST)
    return lines


def _fit(text: str, columns: int) -> list[str]:
    """*text* in lines of *columns*, no command in it broken; where there is hardly room, broken anywhere."""
    if columns < LEAST:
        return fold(text, columns)
    lines: list[str] = []
    for line in wrapped(text, columns).split("\n"):
        whole = width(line) <= columns or "'" in line or "://" in line
        lines += [line] if whole else fold(line, columns)
    return lines


#: Arguments and options whose values are never repeated; names that tell a secret are known anyway.
_HIDDEN = frozenset({"code", "password", "passphrase"})


def repeatable(parameter: Any, value: Any) -> str:
    """What was typed, as it could be typed again; nothing for flags, secrets and what was left out."""
    hidden = parameter.name in _HIDDEN or is_secret(parameter.name) or isinstance(value, Secret)
    if hidden or isinstance(value, bool) or not isinstance(value, (str, int, float, Path)):
        return ""
    text = str(value)
    return shlex.quote(text) if text and text.isprintable() and len(text) <= 80 else ""


def refusal(error: Any) -> str:
    """What Typer refuses, in the user's language, with the value that was typed; a secret's never."""
    said = error.format_message()
    if language() == "zh":
        said = re.sub(r"'[A-Z_]+[….]*'", lambda found: placeholders(found[0]), said)
    # Typer checks with pydantic, which knows what it refused.
    found: Any = getattr(error.__cause__, "errors", list)()
    value = found[0].get("input") if found and isinstance(found[0], dict) else None
    parameter = getattr(error, "param", None)
    if value is not None and parameter is not None and (shown := repeatable(parameter, value)):
        said = said.replace("Invalid value for ", f"Invalid value {shown} for ", 1)
    return retell(said)


def show_refusal(error: Any) -> None:
    """Print a refusal of Typer's as it would itself, in the user's language and as wide as the terminal."""
    ctx = getattr(error, "ctx", None)
    lines = []
    if ctx is not None:
        lines.append(ctx.get_usage())
        way = retell(f"Try '{ctx.command_path} {ctx.help_option_names[0]}' for help.")
        lines.append(fitted(way, sys.stderr) + "\n")
    told = retell(f"Error: {refusal(error)}")
    sys.stderr.write("\n".join([*lines, fitted(told, sys.stderr)]) + "\n")
