"""Pages of help: the commands in groups, examples on every page, endpoints only for those who ask (``-v``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MethodType
from typing import Any

from sunmi_ipc.i18n import later, tr

from .wording import placeholders

#: The root's commands, in groups; what stands in none comes last.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        later("Set up"),
        ("configure", "scan", "identify", "wifi", "activate", "sdcard", "network", "info", "trust"),
    ),
    (later("Tune"), ("image", "lens", "detection", "doorline")),
    (later("Watch"), ("video", "events", "watch", "serve", "console")),
    (later("People"), ("flow", "face")),
    (later("Many cameras, many shops"), ("fleet", "sites", "hub", "keys", "cloud")),
    (
        later("Help"),
        ("demo", "doctor", "support", "help", "completion", "sim", "firmware", "protocol", "call", "dump"),
    ),
)


def grouped(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Title and commands of each group that has one of *names*."""
    groups = [(title, [name for name in group if name in names]) for title, group in GROUPS]
    known = {name for _, group in groups for name in group}
    groups.append((later("More"), [name for name in names if name not in known]))
    return [(title, group) for title, group in groups if group]


def write_groups(formatter: Any, helps: Mapping[str, str]) -> None:
    """The root's commands under their groups' titles, all in the same columns."""
    widest = max(map(len, helps))
    for title, names in grouped(list(helps)):
        with formatter.section(tr(title)):
            formatter.write_dl([(name.ljust(widest), helps[name]) for name in names])


def write_examples(formatter: Any, lines: Sequence[str]) -> None:
    """Lines to be copied, each in one piece whatever the width."""
    with formatter.section(tr("Examples")):
        for line in lines:
            formatter.write(f"{'':>{formatter.current_indent}}{placeholders(line)}\n")


def furnish(command: Any, words: str) -> None:
    """Give *command*'s page its examples, and hide its endpoints from those who do not ask.

    Args:
        command: A command or group, below the root.
        words: What is typed after ``ipc`` to get there.

    """

    def format_epilog(self: Any, ctx: Any, formatter: Any) -> None:
        from ..examples import of

        write_examples(formatter, of(words, self))
        told = str(self.epilog or "")
        asked = ctx.find_root().params.get("verbose")
        if told and (asked or not told.startswith(tr("Endpoints used:"))):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(told)

    command.format_epilog = MethodType(format_epilog, command)
    for name, sub in getattr(command, "commands", {}).items():
        furnish(sub, f"{words} {name}")
