"""The language of this run, settled before the first word of help is put together."""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer

from sunmi_ipc import i18n

from . import streams


def option(args: Sequence[str], *names: str) -> str:
    """The last value that *args* give to an option of these *names*; empty where there is none."""
    value = ""
    for at, arg in enumerate(args):
        name, equals, rest = arg.partition("=")
        if name in names:
            value = rest if equals else "".join(args[at + 1 : at + 2])
    return value


def settle(args: Sequence[str]) -> i18n.Language | None:
    """Speak the language that the global options *args* ask for, else the environment or the profile.

    Returns what was set for this process before.

    A value that is no language is refused by the option itself, a moment later.
    """
    asked = i18n.known(option(args, "--lang"))
    if not asked and not i18n.known(os.environ.get("SUNMI_IPC_LANG", "")):
        from sunmi_ipc.settings import profile_language

        asked = i18n.known(profile_language(option(args, "-p", "--profile")))
    before = i18n.speak(asked)
    if not option(args, "--lang") and not streams.can_say("中文"):
        i18n.speak("en")  # nobody can read Chinese in escapes
    return before


def checked(value: str) -> str:
    """The option's callback: refuses what is no language of ours."""
    if value and i18n.known(value) is None:
        raise typer.BadParameter(f"'{value}' is not one of 'en', 'zh'.")
    return i18n.known(value) or ""
