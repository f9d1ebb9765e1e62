"""The pages in Chinese say what the English ones say: the same commands, keys and limits; links that lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from sunmi_ipc_cli.main import COMMANDS, load
from sunmi_ipc_cli.reference import app_command

ROOT = Path(__file__).parents[2]
#: What an installer needs; pages of other subjects may be told more freely in Chinese.
PAGES = [
    "commands",
    "discovery",
    "firmware",
    "fleet",
    "getting-started",
    "install",
    "library",
    "people",
    "troubleshooting",
    "video",
]


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_both_pages_lead_to_each_other_and_links_to_something(page: str) -> None:
    english, chinese = text(f"{page}.md"), text(f"{page}.zh-CN.md")
    assert f"]({page}.zh-CN.md)" in english
    assert f"]({page}.md)" in chinese
    for link in re.findall(r"\]\(([^)#:]+)\)", english + chinese):
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_tables_have_the_same_rows(page: str) -> None:
    """A row that is added to one page and not to the other shows here."""

    def tables(source: str) -> list[int]:
        source = source.partition("\n## 客流统计")[0]  # the Chinese page of commands goes on by itself
        return [len(found.splitlines()) for found in re.findall(r"(?:^ *\|.*\n)+", source, re.M)]

    assert tables(text(f"{page}.md")) == tables(text(f"{page}.zh-CN.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_chinese_page_exists(page: str) -> None:
    source = text(f"{page}.zh-CN.md")
    lines = re.findall(r"^(?:\$ )?(ipc [^#\n]+)", source, re.M) + re.findall(r"`(ipc [^`]+)`", source)
    assert lines
    for line in lines:
        words = shlex.split(line.partition(";")[0])[1:]
        if words[0].startswith("-"):  # 'ipc -p sim scan' and the like
            continue
        assert words[0] in COMMANDS, line
        command, options = load(words[0]), {option for p in app_command().params for option in p.opts}
        rest = words[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        options |= {opt for parameter in command.params for opt in parameter.opts}
        options |= {opt for parameter in command.params for opt in parameter.secondary_opts}
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word) and word != "-7d"}
        assert given <= options, (line, given - options)
