"""Find, activate, provision, tune and run SUNMI shop cameras over the local network (unofficial).

::

    from sunmi_ipc import Camera, discover

    for found in discover():
        print(found.sn, found.ip)
    with Camera("192.168.1.20", app_id=..., secret_key=..., p12="openapi.p12", p12_password=...) as camera:
        print(camera.device.info().model)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .camera import Camera as Camera
    from .cloud.client import Cloud as Cloud
    from .codes.device import DeviceCode as DeviceCode
    from .discovery import DiscoveredCamera as DiscoveredCamera
    from .discovery import discover as discover
    from .discovery import find as find
    from .errors import SunmiIpcError as SunmiIpcError
    from .fleet import Fleet as Fleet
    from .link.trust import KnownCameras as KnownCameras
    from .protocol.serial import SerialNumber as SerialNumber
    from .settings import Settings as Settings

__version__ = "0.2.0"

# Loaded when first used: the command line's help must not pay for TLS and models.
_HOMES = {
    "Camera": "camera",
    "Cloud": "cloud.client",
    "DeviceCode": "codes.device",
    "DiscoveredCamera": "discovery",
    "Fleet": "fleet",
    "KnownCameras": "link.trust",
    "SerialNumber": "protocol.serial",
    "Settings": "settings",
    "SunmiIpcError": "errors",
    "discover": "discovery",
    "find": "discovery",
}
__all__ = ["__version__", *_HOMES]


if not TYPE_CHECKING:  # a checker must find misspelt names

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
