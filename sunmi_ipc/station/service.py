"""Telling systemd how the station is: READY, WATCHDOG, STATUS, STOPPING; silent where there is no systemd."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from .station import Station

_log = logging.getLogger("sunmi_ipc")
_STATUS_S = 10.0


def sd_notify(message: str) -> bool:
    """Send a message to the service manager (``sd_notify(3)``); whether there is one that took it."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path or not hasattr(socket, "AF_UNIX"):
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as sock:
            sock.sendto(message.encode(), address)
    except OSError as error:
        _log.debug("sd_notify: %s", error)
        return False
    return True


class Notifier:
    """Keeps the service manager told, as a job of the station's own scheduler.

    The watchdog is fed by a job, so that it starves when the jobs do: a station that hangs is restarted.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        usec = os.environ.get("WATCHDOG_USEC", "")
        self._every = min(_STATUS_S, int(usec) / 3e6) if usec.isdecimal() and int(usec) else _STATUS_S

    def __enter__(self) -> Self:
        if os.environ.get("NOTIFY_SOCKET"):
            self._station.scheduler.add("sd_notify", self._alive, delay=self._every)
        return self

    def __exit__(self, *_: object) -> None:
        self._station.scheduler.drop("sd_notify")

    def ready(self) -> None:
        """All parts are at work."""
        sd_notify(f"READY=1\nSTATUS={self._status()}")

    def stopping(self) -> None:
        """It ends, in order."""
        sd_notify("STOPPING=1")

    def _status(self) -> str:
        status = self._station.status()
        well = sum(camera.verdict == "ok" for camera in status.cameras)
        return f"{well} of {len(status.cameras)} cameras well"

    def _alive(self) -> float:
        sd_notify(f"WATCHDOG=1\nSTATUS={self._status()}")
        return self._every
