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

from ..i18n import later
from . import packet
from .broadcast import LinkReport
from .firewall import opening
from .interfaces import Interface, interfaces, named, source_address
from .reason import Reason
from .scan import ScanReport

__all__ = ["access_points", "elsewhere", "explain", "on_access_point", "port_holder", "surroundings"]

_ACCESS_POINT_NETWORK = IPv4Network("192.168.200.0/24")
# RFC 5737: an address that exists nowhere shows which way the default route goes.
_ELSEWHERE = "192.0.2.1"
_SSID = re.compile(r"SUNMI_[0-9A-Fa-f]{4}\b")
_LIST_NETWORKS = (
    ("nmcli", ("-t", "-f", "SSID", "device", "wifi", "list", "--rescan", "no")),
    ("netsh", ("wlan", "show", "networks")),
)
_CONTAINERS = (
    (Path("/.dockerenv"), "Docker"),
    (Path("/run/.containerenv"), "Podman"),
    (Path("/var/run/secrets/kubernetes.io"), "Kubernetes"),
)
_VERSION, _NET = Path("/proc/version"), Path("/sys/class/net")
_FIREWALLS = {
    "win32": ("netsh", "advfirewall", "show", "currentprofile", "state"),
    "darwin": ("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate"),
}
_LET_IN = later("Allow UDP port {port}, out and in: {command}")
_LET_PYTHON_IN = later("Allow Python in private networks, as administrator: {command}")
# "State ON" in many languages ends so; "Firewall is enabled. (State = 1)".
_FIREWALL_ON = re.compile(r"\bON\b|State = [12]|启用|打开|\bEIN\b|\bACTIVÉ?\b", re.IGNORECASE)
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
    reasons = [*_no_way(report, available, named(interfaces)), *surroundings(), *_firewall(report)]
    reasons += [*(_asked_firewall() if thorough else []), *_port(report, thorough)]
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
    wired = [one for one in scanned if not (one.point_to_point or one.is_loopback)]
    if wired and all(one.is_link_local for one in wired):
        return [
            Reason(
                "{interfaces} has only an address that it gave itself: nobody hands out addresses here",
                hint="Plug the camera and this computer into the shop's router, or give this computer an address "
                "in the camera's network by hand.",
                interfaces=", ".join(f"{one.name} ({one.ip})" for one in wired),
            )
        ]
    return []


def surroundings() -> list[Reason]:
    """What this program runs in that keeps broadcasts away: a container, or Windows' Linux."""
    reasons = []
    if sys.platform == "linux" and (kind := _container()):
        reasons.append(
            Reason(
                "this runs in a container ({kind}): its network is not the shop's, and no broadcast crosses over",
                hint="Start the container with --network host (Linux), or ask addresses with --target.",
                kind=kind,
            )
        )
    with contextlib.suppress(OSError):
        if sys.platform == "linux" and "microsoft" in _VERSION.read_text("utf-8", "replace").lower():
            reasons.append(
                Reason(
                    "this runs in Windows' Linux (WSL): its network is not the shop's, unless it is mirrored",
                    hint="Write networkingMode=mirrored under [wsl2] in .wslconfig, use Python for Windows, or ask "
                    "addresses with --target.",
                )
            )
    return reasons


def _container() -> str:
    """The kind of container that this runs in with a network of its own; empty for none."""
    kind = next((name for file, name in _CONTAINERS if file.exists()), "")
    if not kind:
        return ""
    # With the host's network there are its interfaces: bridges, wireless ones, cables. A container has one end
    # of a pair, whose other end has another number.
    names = [file.parent for file in _NET.glob("*/iflink")]
    with contextlib.suppress(OSError, ValueError):
        own = [
            name for name in names
            if name.name != "lo" and (name / "iflink").read_text().strip() == (name / "ifindex").read_text().strip()
        ]  # fmt: skip
        return "" if own else kind
    return kind


def elsewhere(ip: str, interface_ip: str, available: Sequence[Interface] | None = None) -> Reason | None:
    """Told where this computer's way to a camera leaves by another interface than the one that heard it."""
    source = source_address(ip)
    if not interface_ip or source in (None, interface_ip) or IPv4Address(ip).is_loopback:
        return None
    known = available if available is not None else _available()
    way = next((one.name for one in known if one.ip == source), source)
    heard = next((one.name for one in known if one.ip == interface_ip), interface_ip)
    if way == heard:
        return None  # two addresses of one interface
    return Reason(
        "{ip} was heard on {heard}, but this computer's way there goes by {way}",
        hint="Two interfaces have the same network, or a route leads elsewhere: take {way} down, or correct the route.",
        ip=ip,
        heard=heard,
        way=way,
    )


def _asked_firewall() -> list[Reason]:
    """What Windows' and macOS' own firewalls say, as far as they can be asked without rights."""
    if sys.platform not in ("win32", "darwin"):
        return []
    told = _told_by(_FIREWALLS[sys.platform])
    if not told:
        return [
            Reason(
                "whether this computer's firewall lets answers in could not be asked",
                hint="Look in its settings: allow Python to receive in private networks.",
            )
        ]
    if not _FIREWALL_ON.search(told):
        return []
    return [
        Reason(
            "this computer's firewall is on; whether it lets Python receive was not tried",
            hint=_LET_PYTHON_IN
            if (command := opening(packet.PORT))
            else "Allow Python in private networks; on macOS allow the terminal under Privacy, Local Network, too.",
            command=command,
        )
    ]


def _told_by(command: Sequence[str]) -> str:
    """What a command of the system prints; empty where there is none, or it fails."""
    import shutil
    import subprocess

    path = shutil.which(command[0])
    if path is None:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - a fixed command of the system
            [path, *command[1:]], capture_output=True, timeout=5, check=False
        )
        return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
    return ""


def _firewall(report: ScanReport) -> list[Reason]:
    reasons = []
    for link in report.links:
        where = f"{link.interface.name} {link.interface.ip}"
        if {errno.EPERM, errno.EACCES} & link.trouble.keys():
            reasons.append(
                Reason(
                    "{interface}: a firewall on this computer does not let the request out",
                    hint=_LET_IN
                    if (command := opening(packet.PORT))
                    else "Allow UDP port {port}, out and in.",
                    interface=where,
                    port=packet.PORT,
                    command=command,
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
                    hint=_LET_IN
                    if (command := opening(packet.PORT))
                    else "Allow UDP port {port}, out and in.",
                    interface=where,
                    port=packet.PORT,
                    command=command,
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
    if sys.platform == "win32":
        for line in _told_by(("netstat", "-ano", "-p", "udp")).splitlines():
            words = line.split()
            if len(words) >= 3 and words[1].endswith(f":{port}") and words[-1] != str(os.getpid()):
                name = _told_by(("tasklist", "/FI", f"PID eq {words[-1]}", "/FO", "CSV", "/NH")).split(",")[0]
                return f"{name.strip().strip(chr(34)) or '?'} ({words[-1]})"
        return ""
    if sys.platform == "darwin":
        found = dict.fromkeys(
            re.findall(r"^([pc])(.*)$", _told_by(("lsof", "-nP", f"-iUDP:{port}", "-Fpc")), re.M)
        )
        holders = list(found)
        for (_, number), (_, name) in zip(holders[::2], holders[1::2], strict=False):
            if number != str(os.getpid()):
                return f"{name} ({number})"
        return ""
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
