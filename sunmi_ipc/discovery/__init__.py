"""Find cameras."""

from .camera import DiscoveredCamera
from .scan import ScanReport, discover, find

__all__ = ["DiscoveredCamera", "ScanReport", "discover", "find"]
