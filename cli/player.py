"""The user's video player."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from sunmi_ipc.errors import ConfigError, ParameterError

if TYPE_CHECKING:
    from sunmi_ipc.video.address import RtspAddress

#: In the order of choice, each with what makes it show a camera quickly, over TCP as shop Wi-Fi loses packets.
PLAYERS: dict[str, tuple[str, ...]] = {
    "ffplay": ("-hide_banner", "-loglevel", "error", "-rtsp_transport", "tcp", "-fflags", "nobuffer"),
    "mpv": ("--really-quiet", "--profile=low-latency", "--rtsp-transport=tcp"),
    "vlc": ("--quiet", "--rtsp-tcp", "--network-caching=300"),
}


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


def play(player: str, address: RtspAddress) -> None:
    """Show a stream until the player is closed.

    Raises:
        ConfigError: The player ended with an error.

    """
    command = [shutil.which(player) or player, *PLAYERS[player], address.reveal()]
    done = subprocess.run(command, check=False)  # noqa: S603 - a player of our list, no shell
    if done.returncode not in (0, -2, 130):
        raise ConfigError(
            "the player {player} ended with status {status}",
            hint="'--url-only' prints the address for another player.",
            player=player,
            status=done.returncode,
        )
