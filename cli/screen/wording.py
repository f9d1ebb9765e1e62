"""Typer's own words in the user's language: its help, its refusals.

Typer has them in English, few of them behind gettext, so they are known by their wording
(``sunmi_ipc.zh.usage``). What another Typer words otherwise stays English.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

import typer

from sunmi_ipc.i18n import language

from .metavars import plain, worded
from .tables import fold, width

_EXTRA = re.compile(r"  \[([^\[\]]*)\]$")
#: A word of capitals that is no part of another, or a type in angles.
_PLACEHOLDER = re.compile(r"<[A-Za-z ]+(?:\[[A-Za-z]+\])?>|(?<![\w$/-])[A-Z][A-Z_]*[A-Z](?![\w=])")
_NAME_COLUMN, _GAP = 30, 2


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    from sunmi_ipc.zh.usage import ZH

    def pattern(template: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template)), re.DOTALL)

    return tuple((pattern(english), chinese) for english, chinese in ZH.items())


def retell(text: str) -> str:
    """*text*, which is Typer's or pydantic's, in the user's language."""
    if language() != "zh":
        return text
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(text):
            return chinese.format(**{k: retell(v) for k, v in found.groupdict().items()})
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
        """Typer's own formatter, but for Chinese."""
        return _Formatter if language() == "zh" else _Plain

    @formatter_class.setter
    def formatter_class(self, value: Any) -> None:
        raise AttributeError


class _Plain(typer.Context.formatter_class):  # type: ignore[valid-type, misc]
    """Help in English: Typer's own, with words for values."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, plain(args), prefix)

    def write_dl(self, rows: Iterable[tuple[str, str]], *widths: int, **more: int) -> None:
        super().write_dl([(worded(name), text) for name, text in rows], *widths, **more)


class _Formatter(typer.Context.formatter_class):  # type: ignore[valid-type, misc]
    """Help in Chinese."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, placeholders(plain(args)), prefix or retell("Usage: "))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{retell(heading)}：\n")

    def write_text(self, text: str) -> None:
        margin = " " * self.current_indent
        parts = [" ".join(part.split("\n")) for part in text.split("\n\n")]
        self.write(
            "\n\n".join(
                "\n".join(margin + line for line in fold(part, self.width - self.current_indent))
                for part in parts
            )
            + "\n"
        )

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = _NAME_COLUMN, col_spacing: int = _GAP
    ) -> None:
        every = [(placeholders(worded(name)), text) for name, text in rows]
        first = min(max((width(name) for name, _ in every), default=0), col_max) + col_spacing
        margin = " " * self.current_indent
        for name, text in every:
            lines = self._folded(text, max(self.width - first - self.current_indent, 10))
            if width(name) > first - col_spacing:
                self.write(f"{margin}{name}\n")
                name = ""
            head = margin + name + " " * (first - width(name))
            for line in lines or [""]:
                self.write(f"{head}{line}".rstrip() + "\n")
                head = margin + " " * first

    def _folded(self, text: str, columns: int) -> list[str]:
        extra = _EXTRA.search(text)
        told = retell(text[: extra.start()] if extra else text)
        lines = [
            line for part in told.split("\n\n") if part for line in fold(part.replace("\n", " "), columns)
        ]
        if extra:
            note = "[" + "; ".join(retell(part) for part in extra[1].split("; ")) + "]"
            if lines and width(lines[-1]) + 2 + width(note) <= columns:
                lines[-1] += "  " + note
            else:
                lines += fold(note, columns)
        return lines


def show_refusal(error: Any) -> None:
    """Print a refusal of Typer's as it would itself, in Chinese."""
    ctx = getattr(error, "ctx", None)
    lines = []
    if ctx is not None:
        lines.append(ctx.get_usage())
        lines.append(retell(f"Try '{ctx.command_path} {ctx.help_option_names[0]}' for help.") + "\n")
    sys.stderr.write("\n".join([*lines, retell(f"Error: {error.format_message()}")]) + "\n")
