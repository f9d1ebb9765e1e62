"""Cameras that are in the network and not in the site file."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.outcome import Outcome
    from sunmi_ipc.fleet.sitefile import Loaded

#: A plan takes no longer for it than most cameras need to answer.
_LISTEN_S = 0.4


class Others:
    """Listens beside a plan; made before it begins.

    Args:
        state: How the command was called.

    """

    def __init__(self, state: State) -> None:
        self._interfaces = state.settings.interfaces()
        self._found: dict[str, DiscoveredCamera] = {}
        self._end = time.monotonic() + _LISTEN_S
        self._thread = threading.Thread(target=self._listen, name="fleet-others", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        from sunmi_ipc.discovery import UNSURE, discover
        from sunmi_ipc.errors import SunmiIpcError

        try:
            for camera in discover(timeout=_LISTEN_S, interfaces=self._interfaces, mdns=False):
                if camera.serial_number is not None and UNSURE.isdisjoint(camera.flags):
                    self._found[camera.sn] = camera
        except SunmiIpcError:  # the plan itself tells
            return

    def of(self, loaded: Loaded, book: Journal, outcomes: list[Outcome]) -> list[DiscoveredCamera]:
        """Those that no entry of the file means, in the order of their serial numbers."""
        self._thread.join(max(0.0, self._end - time.monotonic()) + 0.1)
        known = {slot.sn for slot in loaded.slots} | set(book.bindings().values())
        known |= {outcome.sn for outcome in outcomes}
        macs = {slot.mac for slot in loaded.slots if slot.mac}
        found = sorted(dict(self._found).items())
        return [camera for sn, camera in found if sn not in known and camera.mac not in macs]
