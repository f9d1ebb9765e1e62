"""A systemd unit for the station, as closed as the station allows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loading import Loaded

_UNIT = """\
[Unit]
Description=sunmi-ipc station {site}
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} serve {file}
EnvironmentFile=-{file}.env
Environment=PYTHONUNBUFFERED=1
Restart=on-failure
RestartSec=5
WatchdogSec=120
TimeoutStopSec=30
KillSignal=SIGTERM
{who}
# What it may use: its folder, the local network, nothing else.
{folders}
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateIPC=yes
ProtectSystem=strict
ProtectHome={home}
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
DeviceAllow=
DevicePolicy=closed
KeyringMode=private
LimitNOFILE=8192

[Install]
WantedBy={target}
"""


def place(site: str, *, user: bool) -> Path:
    """Where systemd looks for the unit of a site."""
    name = f"sunmi-ipc-{site}.service"
    if not user:
        return Path("/etc/systemd/system") / name
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "systemd" / "user" / name


def unit(loaded: Loaded, *, user: bool) -> str:
    """The unit's text.

    Args:
        loaded: The station file.
        user: For a user's own manager: it runs as that user, and home can be read.

    """
    site = loaded.file.station.site
    config = os.environ.get("SUNMI_IPC_CONFIG_DIR", "")
    if user:
        who, folders = "", f"ReadWritePaths=-{_escaped(str(loaded.data))}"
        home, target = "read-only", "default.target"
    else:
        # A user that exists while it runs; its folders are made and owned by systemd.
        state = f"sunmi-ipc-{site}"
        who = f"DynamicUser=yes\nUser=sunmi-ipc-{site[:20].lower().replace('.', '-')}"
        folders = (
            f"StateDirectory={state}\nStateDirectoryMode=0700\nEnvironment=SUNMI_IPC_STATE_DIR=%S/{state}"
        )
        folders += f"\nConfigurationDirectory={state}\nConfigurationDirectoryMode=0700"
        folders += "" if config else f"\nEnvironment=SUNMI_IPC_CONFIG_DIR=%E/{state}"
        at_home = any(
            str(p).startswith(("/home/", "/root/")) for p in (sys.executable, loaded.path.resolve())
        )
        home, target = "read-only" if at_home else "yes", "multi-user.target"
        if loaded.file.station.data:
            folders += f"\nReadWritePaths=-{_escaped(str(loaded.data))}"
    if config:
        folders += (
            f"\nEnvironment=SUNMI_IPC_CONFIG_DIR={_escaped(config)}\nReadWritePaths=-{_escaped(config)}"
        )
    return _UNIT.format(
        site=site,
        program=_program(),
        file=_escaped(str(loaded.path.resolve())),
        who=who,
        folders=folders,
        home=home,
        target=target,
    )


def packaged(program: str, *, user: str, config: str, state: str) -> str:
    """The unit of a system's package: one station, its user made at installation, its places fixed.

    Args:
        program: The command's path.
        user: The user that the package makes.
        config: The folder of profile and station file.
        state: The folder of what the station gathers.

    """
    file = f"{config}/station.toml"
    return _UNIT.format(
        site="of this shop",
        program=_escaped(program),
        file=_escaped(file),
        who=f"User={user}\nGroup={user}",
        folders=f"ReadWritePaths={_escaped(state)} {_escaped(config)}\n"
        f"Environment=SUNMI_IPC_CONFIG_DIR={_escaped(config)}\nEnvironment=SUNMI_IPC_STATE_DIR={_escaped(state)}",
        home="yes",
        target="multi-user.target",
    ).replace(
        "\n[Service]\n",
        f"# Nothing to do until there is a station file.\nConditionPathExists={file}\n\n[Service]\n",
        1,
    )


def _program() -> str:
    """What systemd starts: this program where it is one file or folder, else this Python."""
    if getattr(sys, "frozen", False):
        return _escaped(sys.executable)
    return f"{_escaped(sys.executable)} -m sunmi_ipc_cli"


def _escaped(text: str) -> str:
    """A path as systemd reads it."""
    return text.replace("\\", "\\\\").replace("%", "%%").replace(" ", "\\x20").replace('"', "\\x22")
