"""The library for asyncio: the same declarations, groups, arguments and errors, awaited.

::

    from sunmi_ipc.aio import AsyncCamera

    async with AsyncCamera("192.168.1.20", app_id=..., secret_key=..., p12="openapi.p12") as camera:
        info = await camera.device.info()

Needs the extra ``aio``.
"""

from __future__ import annotations

# Loaded now: what is imported when it is first used would be imported in the event loop, which waits meanwhile.
from .. import models as _models  # noqa: F401
from ..events.asgi import EventReceiver
from ..events.native import AsyncEventStream
from .camera import AsyncCamera
from .discovery import AsyncTracker, discover, find
from .fleet import AsyncFleet, AsyncResult, connect

__all__ = [
    "AsyncCamera",
    "AsyncEventStream",
    "AsyncFleet",
    "AsyncResult",
    "AsyncTracker",
    "EventReceiver",
    "connect",
    "discover",
    "find",
]
