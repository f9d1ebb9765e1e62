"""``ipc fleet diff A B``: in which settings two cameras differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.fleet.view import in_words
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import SiteError
from sunmi_ipc.fleet.strict import read_toml
from sunmi_ipc.i18n import speaking

from .conftest import Shop


def test_two_cameras_side_by_side(shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> None:
    two = shop(2, state="ready")
    first, second = two.cameras
    for name, value in two.vendor.environment().items():
        monkeypatch.setenv(name, value)
    for camera in two.cameras:
        camera.state.name = "Same"

    def diff(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(
            app, ["fleet", "diff", first.address, second.address, *args], prog_name="ipc"
        )
        assert done.exit_code == code, (done.stdout, done.stderr)
        return done

    assert "No setting differs." in diff().stdout
    assert json.loads(diff("--json").stdout)["differences"] == []

    second.state.documents["led"]["led_switch"] = 0
    second.state.documents["motion"]["motion_level"] = 3
    told = json.loads(diff("--json", code=7).stdout)
    assert {row["setting"]: (row["a"], row["b"]) for row in told["differences"]} == {
        "led": (True, False),
        "detection.motion": (2, 3),
    }
    shown = diff(code=7).stdout
    assert "LED" in shown
    assert first.address in shown.splitlines()[0]
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    assert "指示灯" in diff(code=7).stdout
    second.state.documents["motion"]["weekday"] = 0b0010001
    for lang, days, level in (("en", "Monday, Friday", "high (3)"), ("zh", "周一、周五", "高（3）")):
        monkeypatch.setenv("SUNMI_IPC_LANG", lang)
        told_in_words = diff(code=7).stdout
        assert days in told_in_words
        assert level in told_in_words
    assert diff("--lang", "en", "--json", code=7).stdout.startswith("{")


@pytest.mark.parametrize(
    ("field", "text", "zh"),
    [
        ("weekday", "mon,fri", "周一、周五"),
        ("weekday", "always", "每天全天"),
        ("irmode", "auto", "自动"),
        ("led_switch", "off", "关闭"),
        ("name", "off", "off"),  # what somebody called it
        ("name", "", "-"),
    ],
)
def test_a_plans_values_are_in_words_in_chinese(field: str, text: str, zh: str) -> None:
    with speaking("zh"):
        assert in_words(field, text) == zh
    with speaking("en"):
        assert in_words(field, text) == (text or "-")


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("a = 1 b = 2", "one entry a line", "一行只写一项"),
        ("a = Door", "a text stands in quotation marks", "文字要加引号"),
        ('a = "Door', "no quotation mark at its end", "引号"),
        ("a = 'Door\nb = 1", "no quotation mark at its end", "引号"),
        ('a = """Door', "no quotation mark at its end", "引号"),
        ("a = [1 2]", "a list has no ]", "列表"),
        ("a = {b = 1", "braces is not closed", "花括号"),
        ('a = "C:\\q"', "written twice", "写成两个"),
        ('a = "\\uD800"', "no character with that number", "没有这个编号"),
        ("a = 2026-02-31", "no such date", "日期"),
        ("a", "there is no = after the key", "缺少 ="),
        ("[defaults\n", "does not end in its bracket", "缺少 ]"),
        ("[a]\n[a]\n", "stands there twice", "出现了两次"),
        ("a = 1\na = 2\n", "stands there twice", "出现了两次"),
        ("名称 = 1", "neither KEY = VALUE nor [TABLE]", "键"),
        ("a = 'b\x00'", "may not stand there", "不能有这个字符"),
    ],
)
def test_a_file_that_is_not_toml_is_told_in_words(text: str, en: str, zh: str) -> None:
    with pytest.raises(SiteError) as refused:
        read_toml(text.encode(), Path("site.toml"))
    assert en in refused.value.localized("en")[0]
    assert not re.search(r"TOML: [A-Z]|\(at ", refused.value.localized("en")[0])  # Python's own words
    told = refused.value.localized("zh")[0]
    assert zh in told
    assert not re.search(r"[a-z]{4,}", told.replace("site.toml", "")), told
