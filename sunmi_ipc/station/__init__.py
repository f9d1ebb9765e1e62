"""A shop's cameras, watched and counted by one program that runs for months.

::

    from sunmi_ipc.station import Station, load

    with Station(load("station.toml")) as station:
        for camera in station.status().cameras:
            print(camera.sn, camera.verdict, [reason.text() for reason in camera.reasons])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audit import Audit as Audit
    from .audit import AuditEntry as AuditEntry
    from .loading import Loaded as Loaded
    from .loading import load as load
    from .roster import Member as Member
    from .roster import Roster as Roster
    from .station import Station as Station
    from .store import Store as Store
    from .store import StoreError as StoreError
    from .verdict import CameraStatus as CameraStatus
    from .verdict import Level as Level
    from .verdict import Reason as Reason
    from .verdict import StationStatus as StationStatus
    from .verdict import Transition as Transition
    from .watch import Watch as Watch

# Loaded when first used: the command line's help must not pay for models and servers.
_HOMES = {
    "Audit": "audit",
    "AuditEntry": "audit",
    "CameraStatus": "verdict",
    "Level": "verdict",
    "Loaded": "loading",
    "Member": "roster",
    "Reason": "verdict",
    "Roster": "roster",
    "Station": "station",
    "StationStatus": "verdict",
    "Store": "store",
    "StoreError": "store",
    "Transition": "verdict",
    "Watch": "watch",
    "load": "loading",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
