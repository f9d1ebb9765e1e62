"""Results, one module a group."""

from .device import DeviceInfo
from .sdcard import ExternalStorage
from .video import LiveAddress
from .wifi import AccessPoint, AccessPoints, WifiConfiguration

__all__ = [
    "AccessPoint",
    "AccessPoints",
    "DeviceInfo",
    "ExternalStorage",
    "LiveAddress",
    "WifiConfiguration",
]
