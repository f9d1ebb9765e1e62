"""What a running program logs for people is in their language, errors among its values as well."""

from __future__ import annotations

import ast
import errno
import logging
import os
import re
from pathlib import Path

import pytest
from sunmi_ipc_cli.state import _Told

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.events.delivery import Again, Ended, Rejected, reason
from sunmi_ipc.i18n import _chinese, speaking

ROOT = Path(__file__).parents[2]
_FIELD = re.compile(r"%[-+.\d]*[a-z]")


def logged() -> list[str]:
    """Every text that the library logs as a warning or worse."""
    texts = []
    for room in ("sunmi_ipc", "cli"):
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text("utf-8")
            if "_log." not in source:
                continue
            for call in ast.walk(ast.parse(source)):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr in ("warning", "error", "exception", "critical")
                    and isinstance(call.func.value, ast.Name)
                    and "log" in call.func.value.id.lower()
                    and isinstance(call.args[0], ast.Constant)
                ):
                    texts.append(str(call.args[0].value))
    return texts


def test_every_warning_has_its_chinese_with_the_same_values_in_the_same_order() -> None:
    found, table = logged(), _chinese()
    assert len(found) > 50
    assert [text for text in found if text not in table and text != "%s"] == []
    assert [text for text in found if _FIELD.findall(text) != _FIELD.findall(table.get(text, text))] == []


def test_a_line_is_put_into_the_users_language(caplog: pytest.LogCaptureFixture) -> None:
    error = ParameterError("{name}: unknown", name="x")
    record = logging.LogRecord(
        "sunmi_ipc", logging.WARNING, "", 0, "events: %s: %s", ("webhook", error), None
    )
    with speaking("zh"):
        assert _Told().filter(record)
    assert record.getMessage() == "事件：webhook：x：未知"


@pytest.mark.parametrize(
    ("value", "zh"),
    [
        (reason(Ended("the reader has gone")), "读取方已离开"),
        (reason(Rejected("exit code -9")), "退出码 -9"),
        (reason(KeyError("x")), "出错（KeyError）"),
        (reason(Again(os.strerror(errno.ENOSPC))), "磁盘空间不足"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "磁盘空间不足"),
        ("HTTP 503", "HTTP 503"),
        ("Door", "Door"),  # a camera's name, and not a word of ours
    ],
)
def test_a_reason_that_was_made_beforehand_is_put_there_too(value: object, zh: str) -> None:
    record = logging.LogRecord("sunmi_ipc", logging.ERROR, "", 0, "events: %s", (value,), None)
    with speaking("zh"):
        assert _Told().filter(record)
    assert record.getMessage() == f"事件：{zh}"


def test_commands_stand_in_quotes_that_keep_them_whole() -> None:
    assert [text for text in _chinese().values() if "“ipc" in text] == []
