"""What a running program logs for people is in their language, errors among its values as well."""

from __future__ import annotations

import ast
import logging
import re
from pathlib import Path

import pytest
from sunmi_ipc_cli.state import _Told

from sunmi_ipc.errors import ParameterError
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


def test_commands_stand_in_quotes_that_keep_them_whole() -> None:
    assert [text for text in _chinese().values() if "“ipc" in text] == []
