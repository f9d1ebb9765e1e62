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
import pytest

from sunmi_ipc.installation import command

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
    assert command("video") in remarks
    assert "没有画面" in remarks


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_too_many_for_the_system_is_said() -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))\n"
    run = f"import sys; from sunmi_ipc_cli.main import main; sys.argv[1:] = {[*START, '--count', '30']!r}; main()"
    done = subprocess.run(
        [sys.executable, "-c", limited + run],
        env=os.environ | {"PYTHONPATH": str(ROOT), "LANG": "zh_CN.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "30 台虚拟摄像机中只启动了" in done.stderr
    assert "ulimit -n" in done.stderr


SCARCE = """
import os, resource, socket
from sunmi_ipc.installation import command
from sunmi_ipc.simulator import VirtualCamera, connect
with VirtualCamera(state="ready", udp=False) as camera, socket.socket() as client:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One more for the connection, and none for what serving it takes.
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), limits[1]))
    client.settimeout(20)
    client.connect((camera.ip, camera.port))
    assert client.recv(1) == b""
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    with connect(camera) as other:
        assert other.device.info().sn == camera.sn
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_no_more_files_is_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", SCARCE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
