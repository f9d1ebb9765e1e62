"""Networks of one machine: namespaces, wires between them, virtual cameras and the tool inside."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """What the tasks return: most of their time they wait, so they wait together."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [one.result() for one in [pool.submit(task) for task in tasks]]


CAMERAS = """
import json, sys
from sunmi_ipc.simulator import Vendor, VirtualCamera
vendor = Vendor()
cameras = [
    VirtualCamera(vendor, **{"state": "ready", "people": 0, "expose": True} | options).start()
    for options in json.loads(sys.argv[1])
]
print(json.dumps({"sns": [camera.sn for camera in cameras], "env": vendor.environment()}), flush=True)
sys.stdin.read()
for camera in cameras:
    camera.close()
vendor.close()
"""


class Namespace:
    """A network of its own; it lasts as long as the process in it, which ends with this one."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        holder = subprocess.Popen(
            ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._stack.callback(self._end, holder)
        self.pid = holder.pid
        ours, end = os.readlink("/proc/self/ns/net"), time.monotonic() + 10
        while os.readlink(f"/proc/{self.pid}/ns/net") == ours:
            assert holder.poll() is None
            assert time.monotonic() < end
            time.sleep(0.002)
        self("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self("ip", "link", "set", "lo", "up")

    @staticmethod
    def _end(process: subprocess.Popen[Any]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _inside(self, *command: str) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--net", "--", *command]

    def __call__(self, *command: str) -> str:
        """Run a command that must not fail."""
        done = subprocess.run(self._inside(*command), capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def address(self, interface: str, *addresses: str) -> None:
        for address in addresses:
            self("ip", "address", "add", address, "broadcast", "+", "dev", interface)
        self("ip", "link", "set", interface, "up")

    def wire(self, other: Namespace, name: str, here: str, there: str) -> None:
        """A cable to *other*, the interface called *name* at both ends."""
        self("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", str(other.pid))
        self.address(name, here)
        other.address(name, there)

    def nft(self, rules: str) -> None:
        done = subprocess.run(
            self._inside("nft", "-f", "-"), input=rules, capture_output=True, text=True, timeout=30
        )
        if "not supported" in done.stderr or "No such file" in done.stderr:
            pytest.skip(f"this kernel's nftables cannot do that: {done.stderr.splitlines()[0]}")
        assert done.returncode == 0, done.stderr

    def cameras(self, *options: dict[str, Any]) -> dict[str, Any]:
        """Start virtual cameras; their serial numbers, and the environment to talk to them."""
        running = self.start(sys.executable, "-c", CAMERAS, json.dumps(options))
        assert running.stdout is not None
        document: dict[str, Any] = json.loads(running.stdout.readline())
        return document

    def start(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program that ends at the end of its input."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | (env or {})
        process = subprocess.Popen(
            self._inside(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._stack.callback(self._end, process)
        return process

    def ipc(self, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the tool in here; no interface is named unless the arguments do."""
        environment = os.environ | (env or {}) | {"PYTHONPATH": str(ROOT)}
        environment.pop("SUNMI_IPC_INTERFACE", None)
        return subprocess.run(
            self._inside(sys.executable, "-m", "sunmi_ipc_cli", *args),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def scan(self, *args: str) -> list[dict[str, Any]]:
        done = self.ipc("scan", "--json", *args)
        assert done.returncode in (0, 3), done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)["cameras"]
        return rows

    def close(self) -> None:
        self._stack.close()


def _why_not() -> str:
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("unshare", "nsenter", "ip", "nft", "sysctl") if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
        capture_output=True,
        text=True,
    )
    return f"no network namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.fixture(scope="session")
def namespaces_work() -> None:
    if reason := _why_not():
        pytest.skip(reason)


@pytest.fixture
def network(namespaces_work: None) -> Iterator[Any]:
    """Make namespaces: ``client, shop = network(2)``. They are gone when the test is over, however it ends."""
    made: list[Namespace] = []

    def make(count: int) -> list[Namespace]:
        made.extend(Namespace() for _ in range(count))
        return made[-count:]

    try:
        yield make
    finally:
        for namespace in reversed(made):
            namespace.close()
