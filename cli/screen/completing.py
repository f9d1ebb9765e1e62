"""Completion: the root's options behind every command, and values that have names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .values import beginning, source


def _shells() -> tuple[Any, Any]:
    """Typer's own base of what serves a shell, and its item; Typer names neither in public."""
    from typer import _completion_classes

    base: Any = _completion_classes.BashComplete.__mro__[1]
    return base, sys.modules[base.__module__].CompletionItem


def offer(command: Any) -> None:
    """Have *command*'s options and arguments complete what is known of their values."""
    for parameter in command.params:
        values = source(str(command.name), parameter)
        if values is None or getattr(parameter, "_custom_shell_complete", None):
            continue

        def shell_complete(ctx: Any, incomplete: str, values: Any = values) -> list[Any]:
            _, item = _shells()
            return [item(value, help=about or None) for value, about in beginning(values(), incomplete)]

        parameter.shell_complete = shell_complete


def prepare(hoist: Callable[[list[str]], list[str]], with_value: frozenset[str]) -> None:
    """Teach Typer's completion that the root's options may stand anywhere on the line.

    Args:
        hoist: Moves them to the front.
        with_value: Those that take a value.

    """
    from typer import completion

    completion.completion_init()  # type: ignore[attr-defined]
    base, item = _shells()
    original = base.get_completions

    def get_completions(self: Any, args: list[str], incomplete: str) -> list[Any]:
        option, equals, begun = incomplete.partition("=")
        if equals and option in with_value:
            return _values(self.cli, option, begun, item, prefix=f"{option}=")
        if args and args[-1] in with_value:
            return _values(self.cli, args[-1], incomplete, item)
        found = list(original(self, hoist(args), incomplete))
        if incomplete.startswith("-"):
            there = {one.value for one in found}
            for parameter in self.cli.params:
                for name in parameter.opts:
                    if name.startswith(incomplete) and name.startswith("--") and name not in there:
                        found.append(item(name, help=parameter.help))
        return found

    base.get_completions = get_completions


def _values(root: Any, option: str, incomplete: str, item: Any, prefix: str = "") -> list[Any]:
    parameter = next(p for p in root.params if option in p.opts)
    values = source("", parameter)
    told = beginning(values(), incomplete) if values is not None else []
    return [item(prefix + value, help=about or None) for value, about in told]
