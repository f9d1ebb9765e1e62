"""Two languages: English in the source, Chinese for those who read it.

A message is written once, in English, as a ``str.format`` template; its Chinese stands in
one of the tables of ``sunmi_ipc.zh``, keyed by that template. A test holds the tables complete.

Which of the two is spoken, the first of these that says:

1. The task's own, set by :func:`speaking`. A web page serves each visitor in his language::

       with speaking("zh"):
           print(tr("done"))

   It is a context variable. An asyncio task has its own, and ``asyncio.to_thread`` hands it on; a plain
   thread starts without one, so start it with ``contextvars.copy_context().run``.
2. The process's own, set by :func:`speak`; the command line does so for ``--lang``.
3. ``SUNMI_IPC_LANG``.
4. The locale's variables, as gettext reads them: ``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``.
5. The language of the system's own screens, on Windows and macOS.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Final, Literal

Language = Literal["en", "zh"]

_task: Final[ContextVar[Language | None]] = ContextVar("sunmi_ipc_language", default=None)
_process: Language | None = None
#: What gettext calls "no language at all": then ``LANGUAGE`` does not count either.
_NEUTRAL = ("C", "POSIX")
#: ``[Errno 13]`` before what an operating system says.
_BRACKET = re.compile(r"^\[(?:Errno|WinError) -?\d+\] ")
#: What messages count, and what one of it is called; verbs behind it likewise.
_NOUNS = {
    "entries": "entry", "people": "person", "copies": "copy", "hours or days": "hour or day",
    "points of cameras": "point of a camera",
} | {
    f"{noun}s": noun
    for noun in (
        "activation", "alert", "argument", "byte", "call", "camera", "certificate", "character", "client", "correction", "day", "event", "face",
        "file", "frame", "gap", "group", "hour", "message", "packet", "path", "picture", "pixel", "point", "recording", "repeat",
        "row", "second", "setting", "shop", "subscription", "user", "value", "visit",
        "window",
    )
}  # fmt: skip
_SINGULAR = {
    "are": "is", "were": "was", "have": "has", "answer": "answers", "need": "needs", "differ": "differs", "do": "does",
    "claim": "claims", "end": "ends", "join": "joins", "replace": "replaces", "wait": "waits",
}  # fmt: skip
_COUNTED = re.compile(
    rf"(?<!\b[Aa]ll )\{{(\w+)\}} ((?:(?!of\b)[a-z]+ )?)({'|'.join(_NOUNS)})\b( (?:{'|'.join(_SINGULAR)})\b)?"
)
#: Values that list several things.
_LISTS = (
    "bounds",
    "cameras",
    "models",
    "names",
    "known",
    "interfaces",
    "shells",
    "columns",
    "variables",
    "addresses",
)
#: Values that are words: a reason, ours or the system's, what a camera does not have, bounds in words.
_WORDS = ("reason", "feature", "bounds", "wanted")
_PRIMARY_LANGUAGE, _LANG_CHINESE = 0x3FF, 0x04


def known(name: str) -> Language | None:
    """The language that a name like ``zh``, ``zh_CN.UTF-8`` or ``en-GB`` stands for, None for any other."""
    short = name.strip().lower().replace("-", "_").partition(".")[0].partition("_")[0]
    return short if short in ("en", "zh") else None  # type: ignore[return-value]


def language() -> Language:
    """The user's language; see the module's head for where it comes from."""
    if chosen := _task.get() or _process or known(os.environ.get("SUNMI_IPC_LANG", "")):
        return chosen
    return _from_locale() or _from_system()


def _from_locale() -> Language | None:
    """The locale variables' language: English where they name a third one, None where they say nothing."""
    places = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((value for name in places if (value := os.environ.get(name))), "")
    if locale not in _NEUTRAL:
        for name in os.environ.get("LANGUAGE", "").split(":"):
            if first := known(name):
                return first
    return (known(locale) or "en") if locale else None


@cache
def _from_system() -> Language:
    """The language of the system's own screens; English where it does not say."""
    with contextlib.suppress(Exception):  # whatever an odd system answers: a language is no reason to fail
        if sys.platform == "win32":
            import ctypes

            number = int(ctypes.windll.kernel32.GetUserDefaultUILanguage())
            return "zh" if number & _PRIMARY_LANGUAGE == _LANG_CHINESE else "en"
        if sys.platform == "darwin":
            import subprocess

            asked = ["/usr/bin/defaults", "read", "-g", "AppleLocale"]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=2, check=True)  # noqa: S603
            return known(done.stdout) or "en"
    return "en"


def speak(lang: Language | None) -> Language | None:
    """Set the whole process's language; None leaves it to the environment again. Returns what was set."""
    global _process
    before, _process = _process, lang
    return before


@contextlib.contextmanager
def speaking(lang: Language | None) -> Iterator[None]:
    """Set the language of what runs inside, in this thread or asyncio task alone; None changes nothing."""
    before = _task.set(lang or _task.get())
    try:
        yield
    finally:
        _task.reset(before)


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
    """Put *template* into *lang* and fill in *values*; those that are words (:data:`_WORDS`) are put into it, too."""
    if lang == "zh":
        table = _chinese()
        template = table.get(template, template)
        for name in _LISTS:
            if isinstance(listed := values.get(name), str):
                values = {**values, name: listed.replace(", ", "、")}
        for name in _WORDS:
            if isinstance(said := values.get(name), str):
                told = table.get(said) or table.get(_BRACKET.sub("", said), said)
                values = {**values, name: _bounded(told, table) if name == "bounds" else told}
    if lang == "en" and "}" in template:
        template = _COUNTED.sub(lambda found: _one(found, values), template)
    return template.format(**values) if values else template


#: A bound in words: how, how much, of what.
_BOUND = re.compile(
    r"(at least|at most|more than|less than|a multiple of|from )? ?([\d.,:-]+)(?: ([A-Za-z ]+))?"
)


def _bounded(bounds: str, table: Mapping[str, str]) -> str:
    """``at most 150 bytes`` and its kind, each in the language of *table*; other bounds as they are."""

    def told(part: str) -> str:
        if not (found := _BOUND.fullmatch(part)) or not (found[1] or found[3]):
            return part  # such as the words to choose from, which stay as they are typed
        how, number, unit = found.groups()
        number = table.get(f"{{value}} {unit}", f"{{value}} {unit}").format(value=number) if unit else number
        return table[f"{how.strip()} {{value}}"].format(value=number) if how else number

    return "、".join(told(part) for part in bounds.split("、"))


def _one(counted: re.Match[str], values: Mapping[str, object]) -> str:
    """``{count} cameras are`` as ``{count} camera is``, where it is one."""
    blank, between, noun, verb = counted.groups()
    number = values.get(blank)
    if number not in (1, "1") or isinstance(number, bool):
        return counted[0]
    verb = verb and f" {_SINGULAR[verb.strip()]}"
    return f"{{{blank}}} {between or ''}{_NOUNS[noun]}{verb or ''}"


def tr(template: str, /, **values: object) -> str:
    """Put *template* into the user's language and fill in *values*."""
    return translate(template, language(), values)


def later(template: str) -> str:
    """*template* itself: a text to be put into the user's language when it is shown, and not where it stands."""
    return template
