"""Why a scan found nothing: what this computer can know about it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from . import packet
from .broadcast import LinkReport
from .interfaces import Interface, interfaces, named, source_address
from .reason import Reason
from .scan import ScanReport

__all__ = ["access_points", "explain", "on_access_point", "port_holder"]

_ACCESS_POINT_NETWORK = IPv4Network("192.168.200.0/24")
# RFC 5737: an address that exists nowhere shows which way the default route goes.
_ELSEWHERE = "192.0.2.1"
_SSID = re.compile(r"SUNMI_[0-9A-Fa-f]{4}\b")
_LIST_NETWORKS = (
    ("nmcli", ("-t", "-f", "SSID", "device", "wifi", "list", "--rescan", "no")),
    ("netsh", ("wlan", "show", "networks")),
)
_PLUG_IN = "Plug in the cable or join the Wi-Fi; for virtual cameras set SUNMI_IPC_INTERFACE=lo."


def explain(
    report: ScanReport, *, interfaces: Sequence[str] | None = None, thorough: bool = False
) -> list[Reason]:
    """Reasons why *report*'s scan found nothing (or not all), the surest first; at least one.

    Args:
        report: Of a scan that has ended.
        interfaces: What the scan was given.
        thorough: Also look for access points of cameras in reach, and who holds the port.

    """
    available = _available()
    reasons = [*_no_way(report, available, named(interfaces)), *_firewall(report), *_port(report, thorough)]
    reasons += _vpn(available)
    reasons += _access_point(available, thorough)
    if report.rejected:
        reasons.append(
            Reason(
                "{count} packets came that are no camera's answer",
                hint="'ipc scan -v' says what was wrong with them, and who sent them.",
                count=sum(report.rejected.values()),
            )
        )
    return reasons or [
        Reason(
            "nothing on this computer stands in the way",
            hint="Is a camera on, and in this network? Guest Wi-Fi and some switches keep devices apart; "
            "across a router, 'ipc scan --target' asks addresses one by one.",
        )
    ]


def _available() -> list[Interface]:
    return interfaces()


def _no_way(report: ScanReport, available: list[Interface], names: Sequence[str] | None) -> list[Reason]:
    scanned = [link.interface for link in report.links]
    shown = ", ".join(dict.fromkeys(one.name for one in scanned))
    if all(one.is_loopback for one in available) and not (names and scanned):
        return [Reason("no network interface with an IPv4 address", hint=_PLUG_IN)]
    if scanned and all(one.is_loopback for one in scanned):
        return [
            Reason(
                "only loopback was scanned",
                hint="That finds virtual cameras alone; for real ones, leave --interface and "
                "SUNMI_IPC_INTERFACE out.",
            )
        ]
    if scanned and all(one.point_to_point or one.is_loopback for one in scanned):
        return [
            Reason(
                "only point-to-point links ({interfaces}): no broadcast reaches a camera through them",
                hint="Join the cameras' network by cable or Wi-Fi, or ask addresses with --target.",
                interfaces=shown,
            )
        ]
    if scanned and not any(one.linked for one in scanned if not (one.point_to_point or one.is_loopback)):
        return [
            Reason(
                "no link: the cable is not plugged in, or the Wi-Fi not joined ({interfaces})",
                hint="Plug in the cable at both ends, or join the cameras' Wi-Fi, and scan again.",
                interfaces=shown,
            )
        ]
    return []


def _firewall(report: ScanReport) -> list[Reason]:
    reasons = []
    for link in report.links:
        where = f"{link.interface.name} {link.interface.ip}"
        if {errno.EPERM, errno.EACCES} & link.trouble.keys():
            reasons.append(
                Reason(
                    "{interface}: a firewall on this computer does not let the request out",
                    hint="Allow UDP port {port}, out and in.",
                    interface=where,
                    port=packet.PORT,
                )
            )
        elif link.trouble:
            number = max(link.trouble, key=lambda n: link.trouble[n])
            reasons.append(
                Reason("{interface} cannot be used: {reason}", interface=where, reason=os.strerror(number))
            )
        elif _is_deaf(link):
            reasons.append(
                Reason(
                    "{interface}: a firewall on this computer drops what comes in for UDP port {port}",
                    hint="Allow UDP port {port}, out and in.",
                    interface=where,
                    port=packet.PORT,
                )
            )
    return reasons


def _is_deaf(link: LinkReport) -> bool:
    # Linux hands our own broadcast back to us as if it had come in by the interface.
    one = link.interface
    told = sys.platform == "linux" and link.shared and not (one.is_loopback or one.point_to_point)
    return told and bool(one.broadcasts) and not link.echoes


def _port(report: ScanReport, thorough: bool) -> list[Reason]:
    if all(link.shared for link in report.links):
        return []
    holder = port_holder(packet.PORT) if thorough else ""
    return [
        Reason(
            "UDP port {port} is held by {program}"
            if holder
            else "UDP port {port} is held by another program",
            hint="End that program if cameras are missing: some answer to that port alone.",
            port=packet.PORT,
            program=holder,
        )
    ]


def _vpn(available: list[Interface]) -> list[Reason]:
    source = source_address(_ELSEWHERE)
    way = next((one for one in available if one.ip == source), None)
    if way is None or not way.point_to_point or way.is_loopback:
        return []
    if all(one.point_to_point or one.is_loopback for one in available):
        return []  # told already: there is no other link
    return [
        Reason(
            "a VPN ({interface}) holds the default route",
            hint="Many VPNs cut off the local network: leave it, or allow local access, and scan again.",
            interface=way.name,
        )
    ]


def on_access_point() -> bool:
    """Whether this computer is in the network of a camera's own access point, 192.168.200.0/24."""
    return any(IPv4Address(one.ip) in _ACCESS_POINT_NETWORK for one in _available())


def _access_point(available: list[Interface], thorough: bool) -> list[Reason]:
    if any(IPv4Address(one.ip) in _ACCESS_POINT_NETWORK for one in available):
        return [
            Reason(
                "this computer is on a camera's access point",
                hint="'ipc scan --ap' asks 192.168.200.1, the camera's address there.",
            )
        ]
    ssids = access_points() if thorough else []
    if not ssids:
        return []
    return [
        Reason(
            "a camera's access point is in reach: {ssid}",
            hint="That camera waits to be set up: join {ssid}, then 'ipc wifi set SSID - -c 192.168.200.1'.",
            ssid=", ".join(ssids),
        )
    ]


def access_points() -> list[str]:
    """The access points of cameras (``SUNMI_XXXX``) that the system's Wi-Fi sees, where it can be asked."""
    import shutil
    import subprocess

    for program, arguments in _LIST_NETWORKS:
        if (path := shutil.which(program)) is None:
            continue
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            listed = subprocess.run(  # noqa: S603 - a fixed command of the system
                [path, *arguments], capture_output=True, timeout=5, check=False
            )
            return sorted(set(_SSID.findall(listed.stdout.decode(errors="replace"))))
    return []


def port_holder(port: int) -> str:
    """The program that holds UDP *port*, as ``name (process id)``; empty where that cannot be told."""
    inodes = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:]:
            columns = line.split()
            if int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{columns[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} ({process.name})"
    return ""
