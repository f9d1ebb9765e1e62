"""``ipc fleet diff A B``: in which settings two cameras differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

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
    assert diff("--lang", "en", "--json", code=7).stdout.startswith("{")
