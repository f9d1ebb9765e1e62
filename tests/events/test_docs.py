"""The page on events: its Python runs as it stands, its options exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sunmi_ipc_cli.main import load

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S))
def test_python(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "False" not in done.stdout


def test_commands_and_options_exist() -> None:
    events, sim = load("events"), load("sim")
    named = set(re.findall(r"ipc (?:-q )?events ([a-z]+)", PAGE))
    assert named <= set(events.commands)
    assert {"listen", "replay", "status", "forget", "subscribe"} <= named
    known = {
        option
        for command in (*events.commands.values(), *sim.commands.values())
        for parameter in command.params
        for option in parameter.opts
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) <= known
