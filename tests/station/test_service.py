"""The station under systemd: told how it is, closed as far as it can be."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.service import Notifier, sd_notify

Virtual = Callable[..., VirtualCamera]


def test_the_manager_is_told(
    station: Any, virtual: Virtual, kit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        running = station([virtual()])
        assert kit.wait_for(lambda: running.status().verdict == "ok")
        with Notifier(running) as notifier:
            notifier.ready()
            assert manager.recv(4096).decode() == "READY=1\nSTATUS=1 of 1 cameras well"
            assert [manager.recv(4096).decode().partition("\n")[0] for _ in range(2)] == ["WATCHDOG=1"] * 2
            notifier.stopping()
            while (said := manager.recv(4096).decode()) != "STOPPING=1":
                assert said.startswith("WATCHDOG=1")


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sd_notify("READY=1")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("user", [False, True])
def test_the_unit_is_right_and_closed(
    write: Any, virtual: Virtual, tmp_path: Path, user: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write([virtual()])
    unit = tmp_path / "sunmi-ipc-shop.service"
    done = CliRunner().invoke(
        app, ["serve", "install", str(path), "-o", str(unit), *(["--user"] if user else [])]
    )
    assert done.exit_code == 0, done.output
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    checked = subprocess.run(
        ["systemd-analyze", "verify", *(["--user"] if user else []), str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    exposure = re.search(r"exposure level for .*: (\d+\.\d+)", judged.stdout)
    assert exposure is not None, judged.stdout + judged.stderr
    assert float(exposure[1]) <= 3.0, judged.stdout
