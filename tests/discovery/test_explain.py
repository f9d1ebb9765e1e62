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
    monkeypatch.setattr(diagnosis, "_CONTAINERS", ())
    monkeypatch.setattr(diagnosis, "_VERSION", Path("/nonexistent"))
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


def test_addresses_that_nobody_handed_out_are_told(computer: list[Interface]) -> None:
    own = Interface("eth0", "169.254.3.4", 16)
    computer[:] = [LO, own]
    assert told(LinkReport(own, echoes=3))[0].startswith(
        "eth0 (169.254.3.4) has only an address that it gave itself"
    )
    assert told(LinkReport(own, echoes=3), LinkReport(ETH, echoes=3)) == [
        "nothing on this computer stands in the way"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="files of Linux")
def test_containers_and_windows_linux_are_named(
    computer: list[Interface], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark, net = tmp_path / "dockerenv", tmp_path / "net"
    mark.touch()
    monkeypatch.setattr(diagnosis, "_CONTAINERS", ((mark, "Docker"),))
    monkeypatch.setattr(diagnosis, "_NET", net)

    def interface(name: str, index: int, peer: int) -> None:
        (net / name).mkdir(parents=True, exist_ok=True)
        (net / name / "ifindex").write_text(f"{index}\n")
        (net / name / "iflink").write_text(f"{peer}\n")

    interface("lo", 1, 1)
    interface("eth0", 7, 8)  # one end of a pair: a network of its own
    assert told(LinkReport(ETH, echoes=3))[0].startswith("this runs in a container (Docker)")
    interface("wlan0", 3, 3)  # the host's network
    assert told(LinkReport(ETH, echoes=3)) == ["nothing on this computer stands in the way"]
    monkeypatch.setattr(diagnosis, "_VERSION", tmp_path / "version")
    (tmp_path / "version").write_text("Linux version 5.15.90.1-microsoft-standard-WSL2 (gcc)")
    assert "(WSL)" in told(LinkReport(ETH, echoes=3))[0]


def test_a_way_that_leaves_by_another_interface_is_told(computer: list[Interface]) -> None:
    wifi = Interface("wlan0", "10.1.0.9", 24)
    computer[:] = [LO, ETH, wifi]  # the route goes by the last
    reason = diagnosis.elsewhere("10.1.0.20", ETH.ip)
    assert reason is not None
    assert str(reason) == "10.1.0.20 was heard on eth0, but this computer's way there goes by wlan0"
    assert diagnosis.elsewhere("10.1.0.20", wifi.ip) is None
    assert diagnosis.elsewhere("127.0.0.5", ETH.ip) is None
    computer.append(Interface("eth0", "10.1.0.2", 24))  # a second address of the same interface
    assert diagnosis.elsewhere("10.1.0.20", ETH.ip) is None


@pytest.mark.parametrize(
    ("platform", "said", "expected"),
    [
        ("darwin", "Firewall is enabled. (State = 1)", "firewall is on"),
        ("darwin", "Firewall is disabled. (State = 0)", None),
        ("win32", "Private Profile Settings:\nState                                 ON\n", "firewall is on"),
        ("win32", "专用配置文件 设置:\n状态                                  启用\n", "firewall is on"),
        ("win32", "State                                 OFF\n", None),
        ("win32", "", "could not be asked"),
    ],
)
def test_firewalls_are_asked_without_rights(
    monkeypatch: pytest.MonkeyPatch, platform: str, said: str, expected: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(diagnosis, "_told_by", lambda command: said)
    reasons = [str(reason) for reason in diagnosis._asked_firewall()]
    assert len(reasons) == (1 if expected else 0)
    assert all(expected and expected in reason for reason in reasons)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_who_holds_the_port_elsewhere(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    answers = {
        "netstat": "  UDP    0.0.0.0:10001          *:*                                    4711\n",
        "tasklist": '"viewer.exe","4711","Console","1","12,345 K"\n',
        "lsof": "p4711\ncviewer.exe\n",
    }
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(diagnosis, "_told_by", lambda command: answers[command[0]])
    assert diagnosis.port_holder(10001) == "viewer.exe (4711)"
