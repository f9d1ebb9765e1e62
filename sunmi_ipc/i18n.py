"""Two languages: English in the source, Chinese where the user's locale asks for it.

A message is written once, in English, as a ``str.format`` template; its Chinese stands in
one of the tables of ``sunmi_ipc.zh``, keyed by that template. A test holds the tables complete.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Literal

Language = Literal["en", "zh"]

#: Of the one who is being served, where that is not the user of this process: a browser's session.
_spoken: ContextVar[Language | None] = ContextVar("language", default=None)


@contextlib.contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Within it, and in what is started from it, :func:`tr` speaks *lang*."""
    token = _spoken.set(lang)
    try:
        yield
    finally:
        _spoken.reset(token)


def language() -> Language:
    """The user's language, from ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``, the first that is set."""
    if (spoken := _spoken.get()) is not None:
        return spoken
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


@cache
def _chinese() -> dict[str, str]:
    from importlib import import_module
    from pkgutil import iter_modules

    from . import zh

    table: dict[str, str] = {}
    for info in iter_modules(zh.__path__, zh.__name__ + "."):
        table |= import_module(info.name).ZH
    return table


def translate(template: str, lang: Language, values: Mapping[str, object]) -> str:
    """Put *template* into *lang* and fill in *values*."""
    if lang == "zh":
        template = _chinese().get(template, template)
    return template.format(**values) if values else template


def tr(template: str, /, **values: object) -> str:
    """Put *template* into the user's language and fill in *values*."""
    return translate(template, language(), values)
