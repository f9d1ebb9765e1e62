"""One Chinese word for one thing: docs/glossary.md is held by every table and every Chinese page."""

from __future__ import annotations

import errno
import os
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from sunmi_ipc_cli.main import COMMANDS, app, load
from sunmi_ipc_cli.screen.wording import placeholders
from typer.testing import CliRunner

from sunmi_ipc import zh
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.i18n import _chinese, speaking, translate

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in GLOSSARY.read_text("utf-8").splitlines()
    if line.startswith("| ") and "not used" not in line
]
REFUSED = sorted({word for row in ROWS for word in row[3].split("、") if word})
TABLES = {
    info.name.rpartition(".")[2]: import_module(info.name)
    for info in iter_modules(zh.__path__, zh.__name__ + ".")
}


def test_the_glossary_is_read() -> None:
    assert len(ROWS) > 30
    assert {"人脸组", "移动侦测", "数字门店", "陌生人", "抓图", "进店线"} <= set(REFUSED)
    used = {word for row in ROWS for cell in row[1:3] for word in re.split("[、]", cell) if word}
    assert used & set(REFUSED) == set()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_messages_keep_to_the_glossary(name: str) -> None:
    texts = TABLES[name].ZH.items()
    assert [(english, word) for english, text in texts for word in REFUSED if word in text] == []


def test_pages_keep_to_the_glossary() -> None:
    pages = [*ROOT.glob("*.zh-CN.md"), *(ROOT / "docs").glob("*.zh-CN.md")]
    assert pages
    found = [(page.name, word) for page in pages for word in REFUSED if word in page.read_text("utf-8")]
    assert found == []


def test_a_broker_has_its_chinese_name_on_pages() -> None:
    """As in messages: the English word stands once, in brackets, where the name is first met, and in code."""
    found = []
    for page in [*ROOT.glob("*.zh-CN.md"), *(ROOT / "docs").glob("*.zh-CN.md")]:
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.M | re.S)
        plain = re.sub(r"`[^`\n]*`|\]\([^)]*\)|^:::.*$|消息服务器（broker）", "", text, flags=re.M)
        found += [(page.name, match) for match in re.findall(r".{,10}\b[Bb]roker\b.{,10}", plain)]
    assert found == []


def test_a_message_has_one_chinese() -> None:
    """Two tables may both have a template, but not with two texts: one of them would win by its name."""
    seen: dict[str, set[str]] = {}
    for module in TABLES.values():
        for template, text in module.ZH.items():
            seen.setdefault(template, set()).add(text)
    assert [(template, sorted(texts)) for template, texts in seen.items() if len(texts) > 1] == []


def test_a_systems_reasons_are_chinese() -> None:
    table = TABLES["system"].ZH
    usual = "EACCES ENOENT ENOSPC EROFS EISDIR ENOTDIR EADDRINUSE ECONNREFUSED EHOSTUNREACH ETIMEDOUT EMFILE EBUSY EIO EPERM EEXIST ENETUNREACH ECONNRESET"
    assert [name for name in usual.split() if os.strerror(getattr(errno, name)) not in table] == []
    values = {"path": "a.csv", "reason": "Permission denied"}
    assert translate("{path} cannot be written: {reason}", "zh", values) == "无法写入 a.csv：没有权限"
    assert translate("{path} cannot be written: {reason}", "en", values).endswith("Permission denied")
    error = ConfigError(
        "{path} cannot be read: {reason}", path="a", reason="[Errno 2] No such file or directory"
    )
    assert error.localized("zh")[0] == "无法读取 a：没有该文件或文件夹"
    odd = translate("{path} cannot be read: {reason}", "zh", {"path": "a", "reason": "a new one"})
    assert odd == "无法读取 a：a new one"


def test_what_stands_for_a_value_is_chinese() -> None:
    with speaking("zh"):
        assert placeholders("--from TIME") == "--from 时间"
        assert placeholders("-g, --group <str>") == "-g, --group 文本"
        assert placeholders("FILES...") == "文件..."
        assert placeholders("--csv FILE|-") == "--csv 文件|-"
        assert placeholders("HH:MM") == "HH:MM"
        assert placeholders("$SUNMI_IPC_LANG") == "$SUNMI_IPC_LANG"
    assert placeholders("--from TIME") == "--from TIME"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_type_of_pythons_is_in_the_chinese_help(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")

    def walk(words: list[str], command: object) -> None:
        text = CliRunner().invoke(app, [*words, "--help"], prog_name="ipc").stdout
        assert not re.search(r"<(?:str|int|float|bool|list|int range|float range)\b", text), (words, text)
        for sub, below in getattr(command, "commands", {}).items():
            walk([*words, sub], below)

    walk([name], load(name))


def test_what_goes_on_ends_in_a_chinese_ellipsis() -> None:
    going = {english: chinese for english, chinese in _chinese().items() if re.search(r"[\w})] …$", english)}
    assert len(going) > 40
    assert {chinese for chinese in going.values() if not re.search(r"[^ …]……$", chinese)} == set()


def test_do_not_ask_says_what_happens() -> None:
    assert translate("Do not ask.", "zh", {}) == "不询问，直接执行。"
