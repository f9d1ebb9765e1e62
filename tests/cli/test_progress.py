"""Rows on standard output are the same whether or not progress is drawn on the terminal beside it."""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.cloud import VirtualCloud

pty = pytest.importorskip("pty")
ROOT = Path(__file__).parents[2]


def beside_a_terminal(args: list[str], environment: dict[str, str]) -> tuple[str, str]:
    """Run it with a terminal for input and errors and a pipe for output: what both carried."""
    master, slave = pty.openpty()
    drawn: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # Linux's way to say that the other side is closed
            while data := os.read(master, 4096):
                drawn.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", *args],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        | environment
        | {"TERM": "xterm-256color"},
    )
    os.close(slave)
    out, _ = process.communicate(timeout=60)
    reader.join(10)
    os.close(master)
    assert process.returncode == 0, (args, b"".join(drawn))
    return out.decode(), b"".join(drawn).decode()


@pytest.mark.parametrize(
    ("args", "row"),
    [
        (["scan", "--expect", "1"], "FM020"),
        (["scan", "--expect", "1", "--csv"], "FM020"),
        (["wifi", "scan"], "Shop-WiFi"),
        (["sdcard", "format", "--yes"], "ready"),
    ],
)
def test_rows_of_a_camera(args: list[str], row: str, virtual: object) -> None:
    camera: VirtualCamera = virtual(udp=True)  # type: ignore[operator]
    environment = camera.vendor.environment()
    args = [*args, "--target", camera.ip] if args[0] == "scan" else [*args, "-c", camera.address]
    out, drawn = beside_a_terminal(args, environment)
    assert row in out
    assert row not in drawn
    assert "\x1b" in drawn  # it was drawn
    assert "\x1b" not in out


def test_rows_of_the_cloud() -> None:
    with VirtualCloud() as cloud:
        out, drawn = beside_a_terminal(["cloud", "flow", "--from", "-60d"], cloud.environment())
    assert len(out.splitlines()) > 10
    assert "\x1b" not in out
    assert out.splitlines()[0] not in drawn


def test_every_display_comes_from_one_place() -> None:
    """A display of rich's takes standard output to its own stream unless it is told not to."""
    for path in (ROOT / "cli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Progress", "Live", "Status"):
                assert "redirect_stdout" in {keyword.arg for keyword in node.keywords}, (
                    f"{path}:{node.lineno}"
                )
