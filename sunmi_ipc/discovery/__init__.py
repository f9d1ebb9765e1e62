"""Find cameras, and know which are there."""

from .camera import (
    ACCESS_POINT,
    DUPLICATE_SN,
    FAR,
    IP_MISMATCH,
    ODD_ANSWER,
    ODD_SN,
    OTHER_NETWORK,
    RELAYED,
    UNSURE,
    DiscoveredCamera,
)
from .diagnosis import explain
from .reason import Reason
from .scan import ScanReport, discover, find
from .tracker import Change, ChangeKind, Tracker

__all__ = [
    "ACCESS_POINT",
    "DUPLICATE_SN",
    "FAR",
    "IP_MISMATCH",
    "ODD_ANSWER",
    "ODD_SN",
    "OTHER_NETWORK",
    "RELAYED",
    "UNSURE",
    "Change",
    "ChangeKind",
    "DiscoveredCamera",
    "Reason",
    "ScanReport",
    "Tracker",
    "discover",
    "explain",
    "find",
]
