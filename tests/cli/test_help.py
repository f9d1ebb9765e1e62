"""Pages of help: groups, examples that parse, words for values, endpoints only for those who ask."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from sunmi_ipc_cli.examples import EXAMPLES, of
from sunmi_ipc_cli.main import COMMANDS, app, hoist, load
from sunmi_ipc_cli.screen.pages import grouped
from sunmi_ipc_cli.screen.tables import width
from sunmi_ipc_cli.screen.wording import Context
from typer.testing import CliRunner

from sunmi_ipc.i18n import tr

#: Options of one command that stand for the root's.
LETTERS = ("-c", "-p", "-q", "-v")


def pages(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, sub in getattr(command, "commands", {}).items():
        if not sub.hidden:
            yield from pages(sub, f"{words} {name}")


PAGES = {words: command for name in COMMANDS for words, command in pages(load(name), name)}


def shown(*args: str) -> str:
    done = CliRunner().invoke(app, list(args), prog_name="ipc")
    assert done.exit_code == 0, (args, done.output)
    return done.output


def test_every_command_stands_in_one_group() -> None:
    groups = grouped(list(COMMANDS))
    listed = [name for _, names in groups for name in names]
    assert sorted(listed) == sorted(COMMANDS)
    assert [title for title, _ in groups][:6] == [
        "Set up", "Tune", "Watch", "People", "Many cameras, many shops", "Help",
    ]  # fmt: skip
    text = shown("--help")
    assert text.index("Set up:") < text.index("  scan ") < text.index("Tune:") < text.index("Options:")
    chinese = shown("--help", "--lang", "zh")
    assert chinese.index("首次配置：") < chinese.index("  scan ") < chinese.index("选项：")


def test_every_page_has_one_to_three_examples() -> None:
    for words, command in PAGES.items():
        lines = of(words, command)
        assert 1 <= len(lines) <= 3, words
        assert all(line.startswith(f"ipc {words.split()[0]}") for line in lines), words
    assert EXAMPLES.keys() <= PAGES.keys()
    # Of a command every one was written down, and none is put together of words such as FILE.
    assert [w for w, made in PAGES.items() if not hasattr(made, "commands") and w not in EXAMPLES] == []
    for words, command in PAGES.items():
        for line in of(words, command):
            assert not re.search(r"(?<![\w$])(?!VIP\b)[A-Z]{2,}(?![\w-])", line.replace("FOLDER", "")), line


@pytest.mark.parametrize("words", list(EXAMPLES))
def test_examples_parse(words: str) -> None:
    for line in EXAMPLES[words]:
        typed = hoist(shlex.split(line))
        path = words.split()
        while typed[: len(path)] != path:  # global options first
            assert typed[0] in LETTERS or typed[0].startswith("--"), line
            typed = typed[1:] if typed[0] == "-v" else typed[2:]
        context = typer.Context(PAGES[words], info_name=words)
        PAGES[words].make_context(words, typed[len(path) :], parent=context)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_values_are_words(lang: str) -> None:
    for words, command in PAGES.items():
        text = shown(*words.split(), "--help", "--lang", lang)
        assert not re.search(r"<[a-z]+( range)?>|<list\[|\[\[|\{[A-Z]|TEXT\.\.\.|INTEGER", text), text
        assert not re.search(r"[<>]=|: \d+\.0\]", text), text
        assert ("Examples:" if lang == "en" else "示例：") in text
        if lang == "zh" and not getattr(command, "commands", None):
            usage = next(line for line in text.splitlines() if "用法" in line)
            assert not re.search(r"\b(FILE|OPTIONS|PASSWORD|SITE)\b(?!\.)", usage), usage
    assert "Usage: ipc wifi set [OPTIONS] SSID [PASSWORD]" in shown("wifi", "set", "--help")
    assert "ipc face add [OPTIONS] FILE…\n" in shown("face", "add", "--help")


def test_every_page_is_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every paragraph of every command's help, and the help of every option and argument."""
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    assert [text for _, text in COMMANDS.values() if text == tr(text)] == []
    for words, command in ((words, one) for name in COMMANDS for words, one in pages(load(name), name)):
        told = [*str(command.help).split("\n\n"), *(p.help for p in command.params if getattr(p, "help", ""))]
        english = [text for text in told if not re.search("[\u4e00-\u9fff]", text)]
        assert all(re.fullmatch(r"[\w（(FM0-9），)、。]+", text) for text in english), (words, english)


@pytest.mark.parametrize("columns", [44, 80, 120])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_fit_the_terminal(lang: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line but the examples, which are to be copied in one piece; no command and no word is broken."""
    monkeypatch.setenv("SUNMI_IPC_LANG", lang)
    monkeypatch.setenv("COLUMNS", str(columns))
    told = {"": shown("--help"), "-v": shown("lens", "zoom", "--help", "-v")}
    for words, command in PAGES.items():
        made = Context(command, info_name=f"ipc {words}", max_content_width=100)
        told[words] = command.get_help(made)
    for words, text in told.items():
        page, _, examples = text.partition("Examples:" if lang == "en" else "示例：")
        assert examples, words
        wide = [line for line in page.splitlines() if width(line) > columns]
        assert [line for line in wide if max(map(width, line.split())) < 22] == [], (words, columns)


def test_endpoints_only_for_those_who_ask() -> None:
    assert "config/setZoom" not in shown("lens", "zoom", "--help")
    assert "config/setZoom (inferred, FM020)" in " ".join(shown("lens", "zoom", "--help", "-v").split())
    assert "config/setZoom" in shown("help", "lens", "zoom", "-v")


def test_help_as_a_command() -> None:
    assert shown("help", "wifi", "set") == shown("wifi", "set", "--help")
    assert shown("help") == shown("--help")
    assert "列出" in shown("help", "wifi", "--lang", "zh")
    refused = CliRunner().invoke(app, ["help", "wfi"], prog_name="ipc")
    assert refused.exit_code == 2
    assert "Did you mean 'wifi'" in refused.stderr
