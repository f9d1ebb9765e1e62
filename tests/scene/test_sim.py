"""``ipc sim start`` serves the picture without being asked to, and says where there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av

ROOT = Path(__file__).parents[2]
START = ["sim", "start", "--state", "ready", "--port", "0"]
WITHOUT = f"""
import sys
import sunmi_ipc.simulator.camera as camera
from sunmi_ipc_cli.main import main
camera.available = lambda: False
sys.argv[1:] = {START!r}
main()
"""


def started(command: list[str], pictures: int) -> tuple[dict[str, Any], str]:
    """The first camera of the line that the command prints, and its remarks; looks at the live picture."""
    with subprocess.Popen(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": str(ROOT), "LANG": "zh_CN.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            camera: dict[str, Any] = json.loads(process.stdout.readline())["cameras"][0]
            if pictures:
                look(camera["hd_live_url"], pictures)
        finally:
            process.send_signal(signal.SIGTERM)
            remarks = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    return camera, remarks


def look(url: str, pictures: int) -> None:
    """Decode so many pictures of 720p."""
    options = {"rtsp_transport": "tcp", "fpsprobesize": "0", "analyzeduration": "1"}
    with av.open(url.replace("rtsp://", "rtsp://admin:admin@"), options=options, timeout=20) as container:
        seen = [f.width for f, _ in zip(container.decode(video=0), range(pictures), strict=False)]
    assert seen == [1280] * pictures


def test_the_addresses_are_printed_and_served() -> None:
    camera, remarks = started(["-m", "sunmi_ipc_cli", *START], 3)
    assert camera["fhd_live_url"].endswith("/live_fhd.sdp")
    assert remarks == ""


def test_without_the_extra_it_says_so() -> None:
    camera, remarks = started(["-c", WITHOUT], 0)
    assert camera["hd_live_url"] == camera["fhd_live_url"] == ""
    assert "pip install 'sunmi-ipc[video]'" in remarks
    assert "没有画面" in remarks
