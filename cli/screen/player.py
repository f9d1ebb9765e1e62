"""The user's video player."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sunmi_ipc.errors import ConfigError, ParameterError

if TYPE_CHECKING:
    from sunmi_ipc.video.address import RtspAddress

#: In the order of choice, each with what makes it show a camera quickly, over TCP as shop Wi-Fi loses packets.
PLAYERS: dict[str, tuple[str, ...]] = {
    "ffplay": (
        *("-hide_banner", "-loglevel", "error", "-fflags", "nobuffer", "-f", "concat", "-safe", "0"),
        *("-protocol_whitelist", "file,rtsp,rtp,tcp,udp,tls,crypto"),
    ),
    "mpv": ("--really-quiet", "--profile=low-latency", "--rtsp-transport=tcp"),
    # An instance of its own, that ends with the stream: one that was open already would take the list over and
    # read it when it is gone.
    "vlc": (
        *("--quiet", "--no-one-instance", "--no-playlist-enqueue", "--play-and-exit"),
        *("--rtsp-tcp", "--network-caching=300", "--no-video-title-show"),
    ),
}


def has_screen() -> bool:
    """Whether a player could open a window."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def find_player(name: str = "") -> str | None:
    """The player to use: *name*, else the first of :data:`PLAYERS` that is installed.

    Raises:
        ParameterError: *name* is none of them.
        ConfigError: *name* is not installed.

    """
    if not name:
        return next((player for player in PLAYERS if shutil.which(player)), None)
    if name not in PLAYERS:
        raise ParameterError(
            "{name}: unknown", name="--player", hint="Allowed: {bounds}.", bounds=", ".join(PLAYERS)
        )
    if shutil.which(name) is None:
        raise ConfigError("the player {player} is not installed", player=name)
    return name


def _concat(address: RtspAddress) -> str:
    """The address as a list of one for ffplay."""
    quoted = address.reveal().replace("'", r"'\''")
    return f"ffconcat version 1.0\nfile '{quoted}'\noption rtsp_transport tcp\n"


def play(player: str, address: RtspAddress) -> None:
    """Show a stream until the player is closed.

    Raises:
        ConfigError: The player ended with an error.

    """
    # By way of a file that only this user may read: everybody may read a program's arguments.
    suffix, text = (
        (".ffconcat", _concat(address)) if player == "ffplay" else (".m3u", address.reveal() + "\n")
    )
    with tempfile.TemporaryDirectory(prefix="sunmi-ipc-") as folder:  # mode 0700
        listed = Path(folder) / f"live{suffix}"
        listed.write_text(text, "utf-8")
        item = f"--playlist={listed}" if player == "mpv" else str(listed)
        command = [shutil.which(player) or player, *PLAYERS[player], item]
        done = subprocess.run(command, check=False)  # noqa: S603 - a player of our list, no shell
    if done.returncode not in (0, -2, 130):
        raise ConfigError(
            "the player {player} ended with status {status}",
            hint="'--url-only' prints the address for another player.",
            player=player,
            status=done.returncode,
        )
