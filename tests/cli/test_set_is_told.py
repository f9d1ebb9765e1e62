"""What was set is said, not that something was; events go by words, and bounds are words in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen import output
from typer.testing import CliRunner

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.events import Spool
from sunmi_ipc.fleet.strict import bound
from sunmi_ipc.protocol.values import CustomerJudgeMode
from sunmi_ipc.simulator import VirtualCamera


@pytest.fixture
def said(ready: VirtualCamera) -> Callable[..., tuple[int, str, str]]:
    def run(*args: str, lang: str = "en") -> tuple[int, str, str]:
        where = ready.vendor.environment() | {"SUNMI_IPC_LANG": lang}
        done = CliRunner().invoke(app, [*args, "-c", ready.address], prog_name="ipc", env=where)
        return done.exit_code, done.stdout, done.stderr

    return run


Said = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("args", "en", "zh"),
    [
        ("image ir off", "night mode  off", "夜视模式  关闭"),
        ("image rotation 180", "rotation  180°", "画面旋转  180°"),
        ("image led on", "status light  on", "指示灯  开启"),
        ("image name Door", "name  Door", "名称  Door"),
        ("doorline set 400 800 1500 800", "1500 pixels from the left", "距左侧 1500 像素"),
        ("flow settings --interval 90", "90 s", "90 秒"),
        ("face settings --within 4s", "4 s", "4 秒"),
        ("face group move-rule --times 4 --within 7d", "visits needed  4", "所需到店次数  4"),
    ],
)
def test_a_setting_is_named_with_its_value(said: Said, args: str, en: str, zh: str) -> None:
    for lang, told in (("en", en), ("zh", zh)):
        code, out, _ = said(*args.split(), lang=lang)
        assert code == 0
        assert told in out
        assert "done" not in out
        assert "完成" not in out
    assert said(*args.split(), "--json")[1].strip() == "{}"  # scripts get what the endpoint answers


def test_what_is_gone_is_named(said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path))
    steps = [
        ("face group create Guests", "Guests\ncapacity  1000", "Guests\n容量"),
        ("face attribute add card -g Guests", "attributes  card", "card"),
        ("face attribute delete card -g Guests", "group Guests have no attribute card", "Guests 已不再有属性 card"),
        ("face group clear Guests --yes", "group Guests is empty", "Guests 已清空"),
        ("face group delete Guests", "group Guests is deleted", "Guests 已删除"),
        ("lens zoom +1 --no-wait", "The lens is moving", "镜头正在移动"),
        ("protocol reset --yes", "no corrections", "没有任何修正"),
    ]  # fmt: skip
    for number, lang in enumerate(("en", "zh"), 1):
        for args, *told in steps:
            code, out, err = said(*args.split(), lang=lang)
            assert code == 0, err
            assert told[number - 1] in out, args


def test_a_name_of_nothing_is_refused_and_not_shown(said: Said) -> None:
    code, _, err = said("image", "name", "")
    assert code == 2
    assert "NAME" in err


def test_events_go_by_words(said: Said) -> None:
    for word in ("face", "人脸", "face_recog_event"):
        assert said("events", "subscribe", word, "--callback", "http://127.0.0.1:9/")[0] == 0
    assert "face recognised" in said("events", "list")[1]
    shown = said("events", "list", lang="zh")[1]
    assert "识别到人脸" in shown
    assert "face_recog" not in shown
    assert '"face_recog_event"' in said("events", "list", "--json")[1]
    assert said("events", "unsubscribe", "--all", "--yes")[:2] == (0, "subscriptions ended  1\n")
    code, _, err = said("events", "unsubscribe", "nonsense", "--all")
    assert code == 2
    assert "EVENT nonsense: unknown. Allowed: face, motion." in err
    assert said("events", "unsubscribe")[0] == 2


def test_a_spools_figures_are_in_words(said: Said, tmp_path: Path) -> None:
    Spool(tmp_path).close()
    where = {"SUNMI_IPC_LANG": "zh"}
    at = ["--spool", str(tmp_path)]
    shown = CliRunner().invoke(app, ["events", "status", *at], prog_name="ipc", env=where).stdout
    assert "占用磁盘" in shown
    assert not re.search(r"last|seq|bytes|dropped|spool ", shown.replace(str(tmp_path), ""))
    kept = CliRunner().invoke(app, ["events", "status", *at, "--json"], prog_name="ipc").stdout
    assert {"last_seq", "bytes", "dropped_by_age"} <= json.loads(kept).keys()
    nothing = CliRunner().invoke(app, ["events", "replay", *at], prog_name="ipc", env=where)
    assert nothing.stderr == "这段时间没有事件。\n"


class Bounded(BaseModel):
    at_most: Annotated[int, Field(le=6000)] = 1
    at_least: Annotated[float, Field(ge=0.5)] = 1
    below: Annotated[int, Field(lt=9)] = 1
    above: Annotated[int, Field(gt=3)] = 4
    by: Annotated[int, Field(multiple_of=5)] = 5
    long: Annotated[str, Field(max_length=4)] = "a"
    short: Annotated[str, Field(min_length=2)] = "ab"
    many: Annotated[list[int], Field(max_length=2)] = []
    one: Literal["low", "high"] = "low"
    shape: Annotated[str, Field(pattern="^a$")] = "a"


@pytest.mark.parametrize(
    ("key", "value", "en", "zh"),
    [
        ("at_most", 6001, "at most 6000", "最多 6000"),
        ("at_least", 0.1, "at least 0.5", "至少 0.5"),
        ("below", 9, "less than 9", "小于 9"),
        ("above", 3, "more than 3", "大于 3"),
        ("by", 6, "a multiple of 5", "5 的倍数"),
        ("long", "abcde", "at most 4 characters", "最多 4 个字符"),
        ("short", "a", "at least 2 characters", "至少 2 个字符"),
        ("many", [1, 2, 3], "at most 2 entries", "最多 2 项"),
        ("one", "mid", "low, high", "low、high"),
        ("shape", "b", "", ""),
    ],
)
def test_a_bound_is_said_in_words(key: str, value: Any, en: str, zh: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Bounded.model_validate({key: value})
    first = refused.value.errors()[0]
    assert bound(first["type"], dict(first.get("ctx") or {})) == en
    error = ParameterError("{name}: not allowed", name="x", hint="Allowed: {bounds}.", bounds=en)
    assert zh in error.localized("zh")[1]


def test_the_other_bounds_have_their_chinese() -> None:
    for said, zh in [("1-32 days", "1-32 天"), ("from 1", "1 及以上"), ("from 30 seconds", "30 秒 及以上"),
                     ("at most 150 bytes", "最多 150 字节"), ("off, on", "off、on"), ("0-1920", "0-1920")]:  # fmt: skip
        error = ParameterError("{name}: not allowed", name="x", hint="Allowed: {bounds}.", bounds=said)
        assert error.localized("zh")[1] == f"允许的范围：{zh}。"


@pytest.mark.parametrize("args", ["lens autofocus 5000 3", "lens autofocus nine 3", "sim start --count 2000"])
def test_a_refusal_repeats_the_value_and_speaks_like_a_person(said: Said, args: str) -> None:
    value = next(word for word in args.split() if word in ("5000", "nine", "2000"))
    for lang in ("en", "zh"):
        shown = said(*args.split(), lang=lang)[2]
        assert value in shown
        assert "Input should" not in shown
        message = json.loads(said(*args.split(), "--json", lang=lang)[1])["error"]["message"]
        assert value in message
        assert "Input should" not in message


def test_what_is_missing_is_called_as_in_the_help(said: Said) -> None:
    assert "Missing argument 'EVENT…'." in said("events", "subscribe")[2]
    assert "缺少参数 '事件…'。" in said("events", "subscribe", lang="zh")[2]


def test_a_value_without_a_column_stands_under_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "window", lambda: 44)
    output.fields({"customer_judgemode": CustomerJudgeMode.NORMAL, "facerecog_interval": 60})
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["way of counting", "  over the door line"]
    assert all(len(line) <= 44 for line in shown)
