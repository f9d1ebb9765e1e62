"""What ships beside the program: rules and dashboard name figures that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import VirtualCamera

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES, BOARD = DEPLOY / "prometheus" / "sunmi-ipc.rules.yml", DEPLOY / "grafana" / "sunmi-ipc-station.json"


def test_every_figure_is_there(serve: Any, virtual: Callable[..., VirtualCamera], kit: Any) -> None:
    more = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\n[counts]\nenabled = true\nbackfill = "15m"\n'
    station, ask = serve([virtual()], more=more)
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    text = ask("GET", "/metrics")[2].decode()
    known = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    panels = json.loads(BOARD.read_text("utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    named = set(
        re.findall(
            r"sunmi_ipc_\w+",
            " ".join(expressions) + RULES.read_text("utf-8").replace("sunmi_ipc_reason for", ""),
        )
    )
    assert named
    assert named <= known


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool")
def test_the_rules_are_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_the_texts_are_whole() -> None:
    import plistlib

    plist = plistlib.loads((DEPLOY / "launchd" / "com.sunmi-ipc.station.plist").read_bytes())
    assert plist["ProgramArguments"][1] == "serve"
    assert "not tried" in (DEPLOY / "windows" / "install-station.ps1").read_text("utf-8")
