"""Virtual cameras: how users try the tool, how tests run, how faults are played.

::

    with VirtualCamera(state="ready") as virtual:
        camera = connect(virtual)
        print(camera.device.info())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..camera import Camera
from .camera import VirtualCamera, start_cameras
from .event_source import Feed, Play, parse_play
from .faults import Fault, parse_fault
from .vendor import Vendor

if TYPE_CHECKING:
    from ..aio import AsyncCamera


def connect(virtual: VirtualCamera, **options: Any) -> Camera:
    """A client with the credentials that the virtual camera's vendor hands out."""
    return Camera(virtual.address, **credentials(virtual) | options)


def connect_async(virtual: VirtualCamera, **options: Any) -> AsyncCamera:
    """As :func:`connect`, for asyncio (extra ``aio``)."""
    from ..aio import AsyncCamera

    return AsyncCamera(virtual.address, **credentials(virtual) | options)


def credentials(virtual: VirtualCamera) -> dict[str, Any]:
    """What its vendor hands out, as arguments of a camera."""
    vendor = virtual.vendor
    return {
        "app_id": vendor.app_id,
        "secret_key": vendor.secret_key,
        "activation_code": vendor.activation_code,
        "p12": vendor.p12,
        "p12_password": vendor.p12_password,
        "ca": vendor.ca,
    }


__all__ = [
    "Fault",
    "Feed",
    "Play",
    "Vendor",
    "VirtualCamera",
    "connect",
    "connect_async",
    "credentials",
    "parse_fault",
    "parse_play",
    "start_cameras",
]
