"""No text takes more than time in proportion to its length: every pattern in the tree, and what is built of them.

A pattern that backtracks holds the interpreter's lock: one long name would stop every thread. Not seconds are
looked at but ratios: from a length that can be measured to twice that length.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sunmi_ipc_cli
from sunmi_ipc_cli.screen import tables

import sunmi_ipc
from sunmi_ipc import redact, untrusted
from sunmi_ipc.link import guard

_CALLS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
_SIZES = (16, 22, 64, 400, 4000)
_MEASURABLE_S = 0.008
_UNITS = [
    *"a1 \t/\"\\:=.-{}[]<(,;@#%&_!\n中\x00",
    "a=", "a&", "aa=", "://", "a://", 'a"', '"a"', '"aa":', '{"', "{{", "}}", "{{ ", "a.", "a-", "1.", "1:", "a:", "#a", "/a",
    ", ", "a,", "a b", "\r\n", "\\\"", "\\\\", "（", "（a", "a1", "Aa", "http://a", "a@", "/openapi/", "openapi/a",
]  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    for package in (sunmi_ipc, sunmi_ipc_cli):
        root = Path(package.__file__ or "").parent
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join((package.__name__, *parts)).removesuffix(".__init__")
            if parts[-1] != "__main__":
                yield name, path


def patterns() -> Iterator[tuple[str, re.Pattern[Any], set[str]]]:
    """Every pattern that is written in the tree, and by which methods it is used."""
    for name, path in modules():
        text_of_module = path.read_text("utf-8")
        if not re.search(r"\bre\.", text_of_module):
            continue
        try:
            spaces = vars(importlib.import_module(name))
        except ModuleNotFoundError as missing:
            if missing.name != "nicegui":
                raise
            continue  # a page of the console, tried where that extra is: [test] leaves it out
        nodes = list(ast.walk(ast.parse(text_of_module)))
        used: dict[str, set[str]] = {}
        owners: dict[ast.expr, set[str]] = {}
        for node in nodes:
            if isinstance(node, ast.Assign):
                owners[node.value] = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _CALLS:
                used.setdefault(node.value.id, set()).add(node.attr)
        for node in nodes:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
                continue
            if node.func.attr not in _CALLS | {"compile"} or not node.args:
                continue
            source = ast.unparse(node.args[0])
            try:
                text = eval(source, dict(spaces))
            except NameError:
                continue  # made of what a function is given: the functions are tried below
            flags = [a for a in node.args[1:2] if node.func.attr == "compile"] + [
                k.value for k in node.keywords if k.arg == "flags"
            ]
            flag = eval(ast.unparse(flags[0]), dict(spaces)) if flags else 0
            names = owners.get(node, set())
            how = set().union(*(used.get(n, set()) for n in names)) if names else {node.func.attr}
            yield f"{name}:{node.lineno}", re.compile(text, flag), how & _CALLS or {"search"}


def growth(work: Callable[[str], object], unit: str, tail: str) -> float:
    """How much longer twice the text takes, at the first length that can be measured; 0 where none can."""

    def seconds(size: int) -> float:
        text = unit * (size // len(unit) + 1) + tail
        began = time.thread_time()
        work(text)
        return time.thread_time() - began

    for size in _SIZES:
        if seconds(size) < _MEASURABLE_S:
            continue
        # A machine under load makes single measurements longer, never shorter.
        before, after = (min(seconds(n) for _ in range(3)) for n in (size, 2 * size))
        return after / before if before >= _MEASURABLE_S / 2 else 0.0
    return 0.0


EVERY = list(patterns())


def test_there_are_patterns() -> None:
    assert len(EVERY) > 40


@pytest.mark.parametrize(("where", "pattern", "how"), EVERY, ids=[where for where, *_ in EVERY])
def test_every_pattern_takes_time_in_proportion(where: str, pattern: re.Pattern[Any], how: set[str]) -> None:
    binary = isinstance(pattern.pattern, bytes)
    method = next((m for m in ("search", "sub", "findall", "finditer", "split") if m in how), sorted(how)[0])

    def work(text: str) -> None:
        subject: Any = text.encode() if binary else text
        if method in ("sub", "split", "findall", "finditer"):
            list(pattern.finditer(subject))
        else:
            getattr(pattern, method)(subject)

    for unit, tail in itertools.product(_UNITS, ("", "\x00")):
        assert growth(work, unit, tail) < 3, f"{pattern.pattern!r} on {unit!r} again and again"


@pytest.mark.parametrize(
    "work",
    [
        redact.redact_text,
        redact.scrub,
        redact.printable,
        lambda text: redact.redact({"a": text, "password": text}),
        untrusted.clean,
        lambda text: untrusted.clean(text, None),
        lambda text: untrusted.cost(text.encode("utf-8", "surrogatepass")),
        guard.file_name,
        lambda text: tables.fold(text, 40),
        lambda text: tables.fold("x" + text, 3),
        lambda text: tables.clip(text, 40),
        tables.width,
    ],
    ids=["redact_text", "scrub", "printable", "redact", "clean", "clean all", "cost", "file_name", "fold", "fold narrow", "clip",
         "width"],
)  # fmt: skip
def test_texts_of_strangers_take_time_in_proportion(work: Callable[[str], object]) -> None:
    for unit, tail in itertools.product([*_UNITS, "\ud800", "\x1b["], ("", "@")):
        assert growth(work, unit, tail) < 3.5, f"{unit!r} again and again"
