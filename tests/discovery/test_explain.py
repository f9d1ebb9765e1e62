"""Why a scan found nothing, as far as it can be told without a network of one's own."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sunmi_ipc.discovery import ScanReport, diagnosis, explain
from sunmi_ipc.discovery.broadcast import LinkReport
from sunmi_ipc.discovery.interfaces import Interface

LO = Interface("lo", "127.0.0.1", 8)
ETH = Interface("eth0", "10.1.0.1", 24)
VPN = Interface("tun0", "10.8.0.2", 32, point_to_point=True)


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> list[Interface]:
    """The computer's interfaces, to be changed; its default route goes by the last of them."""
    there = [LO, ETH]
    monkeypatch.setattr(diagnosis, "_available", lambda: there)
    monkeypatch.setattr(diagnosis, "source_address", lambda destination: there[-1].ip)
    return there


def told(*links: LinkReport, **rejected: int) -> list[str]:
    report = ScanReport(links=list(links))
    report.rejected.update(rejected)
    return [str(reason) for reason in explain(report, interfaces=None)]


def test_reasons(computer: list[Interface], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUNMI_IPC_INTERFACE")
    good = LinkReport(ETH, echoes=3)
    assert told(good) == ["nothing on this computer stands in the way"]
    assert told(good, junk=2) == ["2 packets came that are no camera's answer"]
    assert told(LinkReport(ETH, shared=False)) == ["UDP port 10001 is held by another program"]
    assert told(LinkReport(ETH, trouble={errno.ENETDOWN: 3}))[0].startswith("eth0 10.1.0.1 cannot be used: ")
    assert "does not let the request out" in told(LinkReport(ETH, trouble={errno.EPERM: 3}))[0]
    if sys.platform == "linux":
        assert "drops what comes in" in told(LinkReport(ETH))[0]
    assert told(LinkReport(replace(ETH, linked=False), echoes=3))[0].startswith("no link: ")
    computer.append(VPN)
    assert told(good) == ["a VPN (tun0) holds the default route"]
    assert told(LinkReport(VPN))[0].startswith("only point-to-point links (tun0)")
    computer[:] = [LO]
    assert told() == ["no network interface with an IPv4 address"]
    computer[:] = [LO, Interface("wlan0", "192.168.200.57", 24)]
    assert told(good) == ["this computer is on a camera's access point"]


def test_loopback_alone_is_told(computer: list[Interface]) -> None:
    assert told(LinkReport(LO)) == ["only loopback was scanned"]


def test_each_reason_says_what_to_do_in_both_languages(computer: list[Interface]) -> None:
    for reason in explain(ScanReport(links=[LinkReport(ETH, shared=False)]), interfaces=["eth0"]):
        (english, hint), (chinese, rat) = reason.localized("en"), reason.localized("zh")
        assert "" not in (hint, rat)
        assert (english, hint) != (chinese, rat)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_who_holds_a_port_is_named() -> None:
    code = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder_name = diagnosis.port_holder(int(holder.stdout.readline()))
        assert holder_name.endswith(f"({holder.pid})")
        assert holder_name.startswith("python")
        assert holder.stdin is not None
        holder.stdin.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        assert diagnosis.port_holder(ours.getsockname()[1]) == ""


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for the system's tool")
def test_access_points_in_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computer: list[Interface]
) -> None:
    tool = tmp_path / "nmcli"
    tool.write_text("#!/bin/sh\nprintf 'Shop\\nSUNMI_0A1B\\nSUNMI_0A1B\\nSUNMI_shop\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diagnosis.access_points() == ["SUNMI_0A1B"]
    found = explain(ScanReport(links=[LinkReport(ETH, echoes=1)]), interfaces=["eth0"], thorough=True)
    assert [str(reason) for reason in found] == ["a camera's access point is in reach: SUNMI_0A1B"]
    tool.unlink()
    assert diagnosis.access_points() == []
