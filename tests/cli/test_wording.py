"""Typer's own words in Chinese; in English they stay its own."""

from __future__ import annotations

import json

import pytest
import typer
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen import output
from sunmi_ipc_cli.screen.tables import fold
from sunmi_ipc_cli.screen.wording import retell
from typer.testing import CliRunner

REFUSED = {
    "wifi set": ("缺少参数", "Missing argument"),
    "scna": ("没有 'scna' 这个命令。您是指 'scan'", "No such command 'scna'. Did you mean 'scan'"),
    "wifi nope": ("没有 'nope' 这个命令。", "No such command 'nope'."),
    "wifi show --bad": ("没有选项 --bad", "No such option: --bad"),
    "--bad": ("没有选项 --bad", "No such option: --bad"),
    "flow settings --interval": (
        "选项 '--interval' 需要一个值。",
        "Option '--interval' requires an argument.",
    ),
    "scan --jsonl=3": ("选项 '--jsonl' 不接受值。", "Option '--jsonl' does not take a value."),
    "face settings --size abc": ("'--size' 的值", "for '--size': "),
    "sim start --count 2000": ("'--count' 的值", "for '--count': "),
    "wifi show more": ("多余的参数（more）", "Got unexpected extra argument(s) (more)"),
}


@pytest.mark.parametrize("line", list(REFUSED))
@pytest.mark.parametrize("tongue", [0, 1])
def test_refusals(line: str, tongue: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", ("zh_CN.UTF-8", "C.UTF-8")[tongue])
    done = CliRunner().invoke(app, line.split(), prog_name="ipc")
    assert done.exit_code == 2
    assert REFUSED[line][tongue] in done.stderr
    if "的值" in REFUSED[line][0]:  # the value is repeated
        assert line.split()[-1] in done.stderr
        assert ("Invalid value" in done.stderr) is (tongue == 1)
    assert ("Error" in done.stderr) is (tongue == 1)
    assert ("错误：" in done.stderr) is (tongue == 0)
    assert not done.stdout
    as_json = CliRunner().invoke(app, [*line.split(), "--json"], prog_name="ipc")
    if line != "flow settings --interval":  # which takes it for its value
        assert as_json.exit_code == 2
        document = json.loads(as_json.stdout)["error"]
        assert document["type"] == "UsageError"
        assert REFUSED[line][tongue] in document["message"]


def test_help(monkeypatch: pytest.MonkeyPatch) -> None:
    english = CliRunner().invoke(app, ["wifi", "set", "--help"], prog_name="ipc").stdout
    assert all(text in english for text in ("Usage: ipc wifi set [OPTIONS]", "Options:", "[required]"))
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    for command in ([], ["wifi"], ["wifi", "set"], ["scan"], ["sim", "start"], ["call"]):
        chinese = CliRunner().invoke(app, [*command, "--help"], prog_name="ipc").stdout
        assert "用法：ipc" in chinese
        assert not [word for word in ("Usage", "Options", "Commands", "exit.", "default:", "required", "env var") if word in chinese]  # fmt: skip
        assert [line for line in chinese.splitlines() if output.width(line) > 80] == []
    assert "[默认：5s]" in CliRunner().invoke(app, ["scan", "--help"]).stdout.replace("\n", "")


def test_what_is_not_known_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert retell("Options") == "Options"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert retell("Options") == "选项"
    assert retell("Something that Typer will say one day.") == "Something that Typer will say one day."
    assert retell("Error: Invalid value for '--x': Input should be less than or equal to 100") == (
        "错误：'--x' 的值无效：应不大于 100"
    )


def test_chinese_breaks_before_the_edge_and_not_before_a_stop() -> None:
    assert fold("摄像机的上线，变化和离线。", 12) == ["摄像机的上", "线，变化和离", "线。"]
    assert fold("a b ccc dddd", 5) == ["a b", "ccc", "dddd"]
    assert fold("a,b,c,d,e f", 5) == ["a,b,c", ",d,e", "f"]
    assert fold("", 5) == [""]


def test_a_question_is_asked_until_it_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    answers = iter(["perhaps", "是", "", "N"])
    monkeypatch.setattr("typer.prompt", lambda *a, **k: next(answers))
    output.confirm("All goes.", yes=False)
    assert "Answer y or n." in capsys.readouterr().err
    for _ in range(2):
        with pytest.raises(typer.Exit):
            output.confirm("All goes.", yes=False)


def test_what_was_found_out_is_told_in_the_users_language() -> None:
    """Of a probe and of the first event: how fields came, and of what kind."""
    from sunmi_ipc_cli.screen.findings import detail_word

    from sunmi_ipc.i18n import speaking

    found = "present: sn, event_id; unknown: odd; types: sn=text, event_id=text of digits, odd=list"
    assert detail_word(found) == found
    with speaking("zh"):
        assert detail_word(found) == "有：sn、event_id；未知：odd；类型：sn=文本、event_id=数字文本、odd=列表"
