"""``ipc scan``: what it says, streams and refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.discovery import memory
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import VirtualCamera

Start = Callable[..., VirtualCamera]


def command(*args: str) -> dict[str, Any]:
    environment = os.environ | {"SUNMI_IPC_INTERFACE": "lo", "PYTHONPATH": str(Path(__file__).parents[2])}
    return {
        "args": [sys.executable, "-m", "sunmi_ipc_cli", "scan", *args],
        "env": environment,
        "text": True,
    }


def scan(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(**command(*args), capture_output=True, timeout=60)


def test_oddities_are_explained(virtual: Start) -> None:
    liar, one, two = (virtual(udp=True) for _ in range(3))
    liar.claims = {"ip": "10.9.9.9"}
    two.claims = {"deviceid": one.sn, "name": "\x1b[2Jevil"}
    good = one._answer_discovery

    def answer(sender: tuple[str, int]) -> None:
        one._sockets[1].sendto(b"junk", sender)
        good(sender)

    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(one._answer_discovery)
    one._answer_discovery = answer  # type: ignore[method-assign]
    BROADCASTS.join(answer)
    with subprocess.Popen(
        **command("--timeout", "0.8", "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as other:
        done = scan("--timeout", "0.8", "-v")
        rows = json.loads(other.communicate(timeout=60)[0])["cameras"]
    assert done.returncode == 0, done.stderr
    assert f"says that its address is 10.9.9.9, but answers from {liar.ip}" in done.stderr
    assert f"{one.sn} is claimed by more than one camera: {one.state.mac} at {one.ip}" in done.stderr
    assert f"{one.sn} is claimed by more than one camera: {two.state.mac} at {two.ip}" in done.stderr
    assert "packets rejected: wrong magic (from " in done.stderr
    assert one.ip in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert sorted(r["ip"] for r in rows if r["sn"] == one.sn) == sorted([one.ip, two.ip])
    assert {r["interface_ip"] for r in rows} == {"127.0.0.1"}


def test_watch_streams_until_it_is_stopped(virtual: Start) -> None:
    camera = virtual(udp=True)

    def next_change(watch: subprocess.Popen[str]) -> dict[str, Any]:
        assert watch.stdout is not None
        while True:
            change: dict[str, Any] = json.loads(watch.stdout.readline())
            if change["camera"]["sn"] == camera.sn:
                return change

    options = command("--watch", "--jsonl", "--interval", "0.1", "--timeout", "50")
    with subprocess.Popen(**options, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        try:
            assert next_change(watch)["event"] == "online"
            camera.state.name = "Till"
            change = next_change(watch)
            assert (change["event"], change["changed"]) == ("changed", ["name"])
            camera.restart(3600)
            assert next_change(watch)["event"] == "offline"
            watch.send_signal(signal.SIGINT)
            assert watch.wait(20) == 130
        finally:
            watch.kill()


def test_watch_for_a_while(virtual: Start) -> None:
    cameras = [virtual(udp=True) for _ in range(3)]
    done = scan("--watch", "--timeout", "0.6", "--interval", "0.3")
    assert done.returncode == 0, done.stderr
    for camera in cameras:
        (line,) = [line for line in done.stdout.splitlines() if camera.sn in line]
        assert "online" in line
        assert camera.ip in line
        known = memory.recall(camera.sn, config_dir())
        assert known is not None
        assert known.ip == camera.ip


def test_what_does_not_go_together_is_refused() -> None:
    def refused(*args: str) -> Any:
        done = CliRunner().invoke(app, ["scan", *args])
        assert done.exit_code == 2, (args, done.stderr)
        return done

    refused("--json", "--csv")
    refused("--watch", "--csv")
    refused("--interface", "nowhere0")
    assert "--jsonl" in json.loads(refused("--watch", "--json").stdout)["error"]["hint"]
    assert "at most 1,024" in refused("--target", "10.0.0.0/8", "--timeout", "0.5").stderr
