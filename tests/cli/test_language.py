"""Which language is spoken: option, environment, profile, locale, system; and one for each task."""

from __future__ import annotations

import asyncio
import contextvars
import re
import subprocess
import sys
import threading
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import i18n, settings


def set_only(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG", "SUNMI_IPC_LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.GB18030"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en_GB:zh"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:zh:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANGUAGE": "zh_CN"}, "zh"),
        ({"LANG": "en_US.UTF-8", "SUNMI_IPC_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "SUNMI_IPC_LANG": "en"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "SUNMI_IPC_LANG": "de"}, "zh"),
        ({}, "en"),
    ],
)
def test_environment(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_only(monkeypatch, **variables)
    i18n._from_system.cache_clear()
    assert i18n.language() == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0x0804, "zh"), (0x0404, "zh"), (0x0409, "en"), (0x0407, "en")]
)
def test_windows_own_language(number: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    set_only(monkeypatch)
    monkeypatch.setattr(sys, "platform", "win32")
    kernel = SimpleNamespace(GetUserDefaultUILanguage=lambda: number)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    i18n._from_system.cache_clear()
    try:
        assert i18n.language() == expected
        monkeypatch.setenv("LANG", "en_US.UTF-8")  # Git's shell says it: it counts more
        assert i18n.language() == "en"
    finally:
        i18n._from_system.cache_clear()


@pytest.mark.parametrize(
    ("said", "expected"), [("zh_CN\n", "zh"), ("zh-Hans_CN\n", "zh"), ("de_DE\n", "en"), (None, "en")]
)
def test_macos_own_language(said: str | None, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: Any) -> Any:
        assert command[-1] == "AppleLocale"
        if said is None:
            raise subprocess.CalledProcessError(1, command)
        return SimpleNamespace(stdout=said)

    set_only(monkeypatch)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", run)
    i18n._from_system.cache_clear()
    try:
        assert i18n.language() == expected
    finally:
        i18n._from_system.cache_clear()


def test_each_task_has_its_own() -> None:
    async def page(lang: i18n.Language, turn: asyncio.Barrier) -> list[str]:
        with i18n.speaking(lang):
            await turn.wait()  # all are inside at once
            return [i18n.tr("done"), await asyncio.to_thread(i18n.tr, "done")]

    async def both() -> list[list[str]]:
        turn = asyncio.Barrier(2)
        return list(await asyncio.gather(page("en", turn), page("zh", turn)))

    english, chinese = asyncio.run(both())
    assert english == ["done", "done"]
    assert chinese[0] == chinese[1] != "done"
    assert i18n.language() == "en"


def test_a_thread_takes_it_with_a_copied_context() -> None:
    heard: list[str] = []
    with i18n.speaking("zh"):
        context = contextvars.copy_context()
        threads = [
            threading.Thread(target=context.run, args=(lambda: heard.append(i18n.language()),)),
            threading.Thread(target=lambda: heard.append(i18n.language())),
        ]
        for thread in threads:
            thread.start()
            thread.join()
        with i18n.speaking(None):
            assert i18n.language() == "zh"
    assert heard[0] == "zh"
    assert i18n.language() == "en"


HELP = {"en": "Find the cameras in this network.", "zh": "查找此网络中的摄像机。"}


def spoken(*args: str) -> str:
    done = CliRunner().invoke(app, list(args), prog_name="ipc")
    assert done.exit_code == 0, done.output
    return next(lang for lang, text in HELP.items() if text in done.output)


def test_option_before_environment_before_profile_before_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoken("--help") == "en"
    settings.write_profile("default", {"lang": "zh"}, use_keyring=False)
    settings.write_profile("other", {"app_id": "x", "lang": "en"}, use_keyring=False)
    assert spoken("--help") == "zh"
    assert spoken("--help", "-p", "other") == spoken("--profile=other", "--help") == "en"
    monkeypatch.setenv("SUNMI_IPC_PROFILE", "other")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert spoken("--help") == "en"
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    assert spoken("--help") == "zh"
    assert spoken("--lang", "en", "--help") == spoken("--help", "--lang=en") == "en"
    assert spoken("scan", "--help", "--lang", "zh_CN.UTF-8") == "zh"
    assert settings.Settings.load("").lang == "en"


def test_a_profile_that_cannot_be_used_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings.profile_path("default")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe lang")
    assert spoken("--help") == "en"
    monkeypatch.setenv("SUNMI_IPC_PROFILE", "../no name")
    assert spoken("--help") == "en"


@pytest.mark.parametrize("args", [["--lang", "de", "scan"], ["scan", "--lang=klingon"]])
def test_another_language_is_refused(args: list[str]) -> None:
    done = CliRunner().invoke(app, args, prog_name="ipc")
    assert done.exit_code == 2
    assert "is not one of 'en', 'zh'" in done.stderr


@pytest.mark.slow
def test_the_tour_speaks_it_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--count", "1", "--lang", "zh"], prog_name="ipc")
    assert done.exit_code == 0, done.output
    assert "已激活" in done.output
    assert "is activated" not in done.output
    assert i18n._process is None


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("{count} cameras answer", {"count": 1}, "1 camera answers"),
        ("{count} cameras answer", {"count": 0}, "0 cameras answer"),
        ("{count} cameras answer", {"count": 11}, "11 cameras answer"),
        ("{count} entries have no camera yet", {"count": "1"}, "1 entry has no camera yet"),
        ("{done} of {total} cameras", {"done": 1, "total": 3}, "1 of 3 cameras"),
        ("{length} in {count} recordings, {gaps} gaps", {"length": "1:00", "count": 1, "gaps": 2}, "1:00 in 1 recording, 2 gaps"),
        ("{count} virtual cameras are running", {"count": 1}, "1 virtual camera is running"),
        ("all {count} cameras of {group} are away", {"count": 1, "group": "x"}, "all 1 cameras of x are away"),
        ("{name} cameras", {"name": True}, "True cameras"),
    ],
)  # fmt: skip
def test_one_thing_is_in_the_singular(template: str, values: dict[str, Any], said: str) -> None:
    assert i18n.translate(template, "en", values) == said


def test_every_number_in_a_message_agrees_with_what_it_counts() -> None:
    # Not all that follows a number is counted by it: "firmware {version}", "{sn} answers".
    counted = {
        "count",
        "cameras",
        "shops",
        "events",
        "stored",
        "repeated",
        "done",
        "total",
        "entries",
        "gaps",
        "failed",
    }
    plural = re.compile(r"(?<![Aa]ll )\b1 (?:virtual |blank |client )?([a-z]+s)\b(?! long)")
    wrong = []
    for template in i18n._chinese():
        names = {name for _, name, *_ in Formatter().parse(template) if name}
        if names & counted and all(name.isidentifier() for name in names):
            said = i18n.translate(template, "en", {name: 1 if name in counted else 7 for name in names})
            wrong += [
                said for word in plural.findall(said) if word not in ("is", "was", "has", "answers", "access")
            ]
    assert wrong == []
