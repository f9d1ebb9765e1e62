"""Cameras that nobody looks at cost nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys, threading
resource.setrlimit(resource.RLIMIT_NOFILE, (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from sunmi_ipc.simulator import Vendor, start_cameras
with Vendor() as vendor:
    cameras = start_cameras(vendor, 200, first=20, port=0, state="ready", udp=False, people=0)
    assert all(camera.live_url().startswith("rtsp://") for camera in cameras)
    print(threading.active_count(), sorted({"av", "numpy", "PIL"} & set(sys.modules)))
    for camera in cameras:
        camera.close()
print(threading.active_count())
"""


@pytest.mark.slow
def test_200_cameras_take_one_thread_and_import_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.splitlines() == ["2 []", "1"]
