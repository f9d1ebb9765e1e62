"""Virtual cameras: how users try the tool, how tests run, how faults are played.

::

    with VirtualCamera(state="ready") as virtual:
        camera = connect(virtual)
        print(camera.device.info())
"""

from __future__ import annotations

from typing import Any

from ..camera import Camera
from .camera import VirtualCamera, start_cameras
from .event_source import Feed, Play, parse_play
from .faults import Fault, parse_fault
from .vendor import Vendor


def connect(virtual: VirtualCamera, **options: Any) -> Camera:
    """A client with the credentials that the virtual camera's vendor hands out."""
    vendor = virtual.vendor
    settings: dict[str, Any] = {
        "app_id": vendor.app_id,
        "secret_key": vendor.secret_key,
        "activation_code": vendor.activation_code,
        "p12": vendor.p12,
        "p12_password": vendor.p12_password,
        "ca": vendor.ca,
    }
    return Camera(virtual.address, **settings | options)


__all__ = [
    "Fault",
    "Feed",
    "Play",
    "Vendor",
    "VirtualCamera",
    "connect",
    "parse_fault",
    "parse_play",
    "start_cameras",
]
