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
    done = scan("--timeout", "0.8", "-v")
    assert done.returncode == 0, done.stderr
    assert f"says that its address is 10.9.9.9, but answers from {liar.ip}" in done.stderr
    assert f"{one.sn} is claimed by more than one camera: {one.state.mac} at {one.ip}" in done.stderr
    assert f"{one.sn} is claimed by more than one camera: {two.state.mac} at {two.ip}" in done.stderr
    assert "packets rejected: wrong magic (from " in done.stderr
    assert one.ip in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    rows = json.loads(scan("--timeout", "0.8", "--json").stdout)["cameras"]
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
    camera = virtual(udp=True)
    done = scan("--watch", "--timeout", "0.6", "--interval", "0.3")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if camera.sn in line]
    assert "online" in line
    assert camera.ip in line


def test_what_does_not_go_together_is_refused() -> None:
    assert scan("--json", "--csv").returncode == 2
    assert scan("--watch", "--csv").returncode == 2
    done = scan("--watch", "--json")
    assert done.returncode == 2
    assert "--jsonl" in json.loads(done.stdout)["error"]["hint"]
    done = scan("--target", "10.0.0.0/8", "--timeout", "0.5")
    assert done.returncode == 2
    assert "at most 1,024" in done.stderr
    assert scan("--interface", "nowhere0").returncode == 2
