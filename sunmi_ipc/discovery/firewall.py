"""The command that lets a port through this computer's own firewall."""

from __future__ import annotations

import shutil
import sys


def opening(port: int, protocol: str = "udp") -> str:
    """What an administrator types to let in what comes for *port*, from the local network where that can be said.

    Args:
        port: The port's number.
        protocol: ``udp`` or ``tcp``.

    Returns: The command; empty where this system's firewall is not known, or has none to type.

    """
    if sys.platform == "win32":
        return (
            f'New-NetFirewallRule -DisplayName "sunmi-ipc {port}" -Direction Inbound -Protocol {protocol.upper()} '
            f"-LocalPort {port} -RemoteAddress LocalSubnet -Action Allow"
        )
    if sys.platform != "linux":
        return ""
    for tool, line in (
        ("ufw", f"sudo ufw allow {port}/{protocol}"),
        ("firewall-cmd", f"sudo firewall-cmd --add-port={port}/{protocol}"),
    ):
        # An administrator's tools are not on everybody's path.
        if shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin"):
            return line
    return ""
