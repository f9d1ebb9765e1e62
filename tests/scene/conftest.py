"""Virtual cameras that film small and fast, and a client that fetches their files."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

HD, FHD = PictureFormat(320, 180, 50), PictureFormat(640, 360, 50)
CLIP = PictureFormat(160, 90, 2)
Get = Callable[..., tuple[int, str, bytes]]


def zone(hour: int) -> timezone:
    """The time zone in which it is *hour* o'clock now."""
    return timezone(timedelta(hours=(hour - datetime.now(UTC).hour + 12) % 24 - 12))


@pytest.fixture
def film(virtual: Callable[..., VirtualCamera]) -> Callable[..., VirtualCamera]:
    """Start a camera with small pictures at noon: ``film(codec="mjpeg")``."""

    def start(model: str = "FM020", hour: int = 12, **settings: Any) -> VirtualCamera:
        chosen: dict[str, Any] = {"hd": HD, "fhd": FHD, "clip": CLIP, "zone": zone(hour)} | settings
        return virtual(model=model, video=VideoSettings(**chosen))

    return start


@pytest.fixture
def get() -> Iterator[Get]:
    """Status, content type and body of a path or URL of a camera."""
    connections: dict[str, http.client.HTTPSConnection] = {}

    def ask(camera: VirtualCamera, url: str, **headers: str) -> tuple[int, str, bytes]:
        if camera.address not in connections:
            certificate = ClientCertificate.load(camera.vendor.p12, camera.vendor.p12_password.reveal())
            context = client_context(certificate, camera.vendor.ca.read_bytes())
            connections[camera.address] = http.client.HTTPSConnection(
                camera.ip, camera.port, context=context, timeout=30
            )
        connection = connections[camera.address]
        try:
            connection.request("GET", url.removeprefix(f"https://{camera.address}"), headers=headers)
            response = connection.getresponse()
            return response.status, response.headers["Content-Type"], response.read()
        except (OSError, http.client.HTTPException):
            connections.pop(camera.address).close()
            raise

    yield ask
    for connection in connections.values():
        connection.close()


@pytest.fixture
def shot(get: Get) -> Callable[..., Any]:
    """A snapshot as an array of float RGB; the same *ago*, the same moment within a test."""
    now = int(time.time())

    def take(camera: VirtualCamera, ago: int = 0) -> Any:
        status, kind, body = get(camera, f"/snapshot/{now - ago}.jpg")
        assert (status, kind) == (200, "image/jpeg")
        return np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(float)

    return take
