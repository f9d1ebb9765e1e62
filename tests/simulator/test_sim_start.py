"""``ipc sim start``: a table and a profile on a terminal, JSON in a pipe, and what is kept over restarts."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect, keeping

START = [sys.executable, "-m", "sunmi_ipc_cli", "sim", "start", "--state", "ready", "--port", "0"]


@contextmanager
def running(*options: str, stdout: Any = subprocess.PIPE, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*START, *options], env=os.environ | {"LANG": "C.UTF-8"} | env, stdout=stdout, stderr=stdout
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def ipc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sunmi_ipc_cli", *words], capture_output=True, text=True, timeout=60
    )


def test_a_terminal_gets_a_table_and_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path))
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 120))
    with running(stdout=slave):
        os.close(slave)
        shown, end = b"", time.monotonic() + 30
        while b"Ctrl-C" not in shown and time.monotonic() < end:
            shown += os.read(master, 65_536)
        text = shown.decode()
        assert "secret" not in text
        assert "{" not in text
        assert "ipc -p sim scan" in " ".join(text.split())
        address = next(word for line in text.splitlines() for word in line.split() if word.startswith("127."))
        profile = tmp_path / "profiles" / "sim.toml"
        assert profile.stat().st_mode & 0o77 == 0
        done = ipc("-p", "sim", "-c", address, "info", "--json")
        assert json.loads(done.stdout)["sn"] in text
    os.close(master)
    assert not profile.exists()


def test_a_pipe_gets_json_and_no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path))
    with running("--quirk", "flv", "--model", "SS1") as process:
        assert process.stdout is not None
        (camera,) = json.loads(process.stdout.readline())["cameras"]
    assert camera["model"] == "FM010"
    assert not (tmp_path / "profiles").exists()


@pytest.mark.slow
def test_what_is_kept_over_a_restart(tmp_path: Path) -> None:
    seen = []
    for name in ("Door", ""):
        with running("--state-dir", str(tmp_path / "kept")) as process:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            env = started["env"] | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path / "config")}
            address = f"{started['cameras'][0]['ip']}:{started['cameras'][0]['port']}"
            words = [sys.executable, "-m", "sunmi_ipc_cli", "-c", address]
            if name:
                subprocess.run(
                    [*words, "image", "name", name],
                    env=os.environ | env,
                    check=True,
                    timeout=60,
                    capture_output=True,
                )
            done = subprocess.run(
                [*words, "info", "--json"], env=os.environ | env, capture_output=True, text=True, timeout=60
            )
            seen.append(
                (json.loads(done.stdout)["sn"], json.loads(done.stdout)["name"], started["secret_key"])
            )
            ca = Path(started["ca"]).read_bytes()
            seen.append(ca)
    assert seen[:2] == seen[2:]
    assert seen[0][1] == "Door"
    assert all(not p.stat().st_mode & 0o77 for p in (tmp_path / "kept").rglob("*.json"))


def test_state_and_certificate_of_a_camera(tmp_path: Path) -> None:
    def make() -> VirtualCamera:
        return VirtualCamera(vendor, state="ready", seed=5, udp=False, people=3)

    certificates, arrived = [], dict[int, list[int]]()
    for turn in range(2):
        vendor = Vendor.kept(tmp_path / "vendor")
        with make() as camera:
            if turn:
                assert keeping.load(tmp_path, camera.state)
                assert camera.state.card is CardStatus.BROKEN
                assert camera.state.documents["led"] == {"led_switch": 0}
                assert camera.state.arrived == arrived
            with connect(camera) as client:
                if not turn:
                    client.image.set_led(False)
                assert client.lens.show().zoom == (200 if turn else 0)
                if not turn:
                    client.lens.set_zoom(200)
            if not turn:
                camera.insert_card(CardStatus.BROKEN)
                arrived |= camera.state.arrived
                keeping.save(tmp_path, camera.state)
        certificates.append((tmp_path / "vendor" / f"{camera.sn}.pem").read_bytes())
    assert certificates[0] == certificates[1]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "state": {}}', '{"version": 1, "state": {}}', "null"]
)
def test_what_is_no_such_file_is_named(tmp_path: Path, text: str) -> None:
    with Vendor() as vendor:
        camera = VirtualCamera(vendor, seed=5)
        path = keeping.state_file(tmp_path, camera.sn)
        path.parent.mkdir()
        path.write_text(text)
        with pytest.raises(ConfigError, match="cameras"):
            keeping.load(tmp_path, camera.state)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "vendor.json").write_text(text)
    with pytest.raises(ConfigError, match=r"vendor\.json"):
        Vendor.kept(tmp_path / "vendor")
