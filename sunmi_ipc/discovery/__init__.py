"""Find cameras, and know which are there."""

from .camera import ACCESS_POINT, DUPLICATE_SN, IP_MISMATCH, OTHER_NETWORK, DiscoveredCamera
from .diagnosis import explain
from .reason import Reason
from .scan import ScanReport, discover, find
from .tracker import Change, ChangeKind, Tracker

__all__ = [
    "ACCESS_POINT",
    "DUPLICATE_SN",
    "IP_MISMATCH",
    "OTHER_NETWORK",
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
