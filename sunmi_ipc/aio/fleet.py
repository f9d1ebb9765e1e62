"""The same thing on many cameras at once, in one thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, overload

from ..errors import UnsupportedError
from ..fleet.pool import CameraResult, Cameras, checked, connected
from .camera import AsyncCamera

if TYPE_CHECKING:
    from ..discovery import DiscoveredCamera
    from ..link.exchange import CameraOptions
    from ..protocol.spec import Endpoint
    from ..settings import Settings

T = TypeVar("T")

#: Cameras that are talked to at the same time. One that waits costs no thread; each has a socket, of which a
#: process has 1,024 by default.
DEFAULT_JOBS = 500


class AsyncResult(CameraResult[AsyncCamera, T]):
    """What became of one camera: a value, or the error that its call raised."""

    __slots__ = ()


def connect(settings: Settings, address: str, **options: Unpack[CameraOptions]) -> AsyncCamera:
    """A camera at *address* with these settings, as ``Settings.connect`` makes a blocking one.

    It reads the corrections and the list of known cameras: call it before the event loop is busy.

    Args:
        settings: Credentials and trust.
        address: ``host`` or ``host:port``.
        options: As for :class:`AsyncCamera`; they win.

    Raises:
        UnsupportedError: The settings lead through a broker.

    """
    from ..protocol.serial import SerialNumber

    if settings.via:
        raise UnsupportedError(
            "{feature} needs a direct connection to the camera",
            name="link",
            feature="asyncio",
            hint="Through a broker, call settings.connect() in a thread (asyncio.to_thread); else run it on a computer in "
            "the camera's own network.",
        )
    given = settings.arguments(options)
    given["sn"] = SerialNumber.read(given.get("sn", "")) or ""
    return AsyncCamera(address, **given)


class AsyncFleet(Cameras[AsyncCamera]):
    """Many cameras, worked on in one thread, so many at a time.

    Nothing raises for one camera: its :class:`AsyncResult` has the error.

    ::

        async with AsyncFleet(cameras) as fleet:
            async for result in fleet.call(Device.info):
                print(result.camera, result.value.model if result.ok else result.error)

    Args:
        cameras: The cameras; one that is named twice counts once.
        jobs: How many are talked to at the same time, from 1.

    Raises:
        ParameterError: *jobs* is less than 1.

    """

    def __init__(self, cameras: Iterable[AsyncCamera], *, jobs: int = DEFAULT_JOBS) -> None:
        super().__init__(cameras, jobs=jobs)

    @classmethod
    def of(
        cls,
        found: Iterable[DiscoveredCamera],
        settings: Settings,
        *,
        jobs: int = DEFAULT_JOBS,
        **options: Unpack[CameraOptions],
    ) -> Self:
        """The cameras that discovery found, with the credentials of *settings*; *options* as for a camera, and they win."""
        return cls(connected(found, partial(connect, settings), settings, options), jobs=jobs)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every camera's connection."""
        await asyncio.gather(*(camera.close() for camera in self.cameras))

    async def map(
        self, function: Callable[[AsyncCamera], Awaitable[T]]
    ) -> AsyncGenerator[AsyncResult[T], None]:
        """Await *function* on every camera; yield the results as they finish.

        Leaving the loop early, or a cancellation, cancels what has not finished.
        """
        todo = iter(self.cameras)
        done: asyncio.Queue[AsyncResult[T]] = asyncio.Queue()

        async def work() -> None:
            for camera in todo:
                try:
                    result = AsyncResult(camera, await function(camera))
                except Exception as error:
                    result = AsyncResult(camera, error=error)
                done.put_nowait(result)

        workers = [asyncio.ensure_future(work()) for _ in range(min(self.jobs, len(self.cameras)))]
        try:
            for _ in self.cameras:
                yield await done.get()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @overload
    def call(
        self, endpoint: Endpoint[..., T], values: Mapping[str, object] | None = None, **more: object
    ) -> AsyncGenerator[AsyncResult[T], None]: ...
    @overload
    def call(
        self, endpoint: str, values: Mapping[str, object] | None = None, **more: object
    ) -> AsyncGenerator[AsyncResult[dict[str, object]], None]: ...
    def call(
        self, endpoint: Endpoint[..., T] | str, values: Mapping[str, object] | None = None, **more: object
    ) -> AsyncGenerator[AsyncResult[T], None] | AsyncGenerator[AsyncResult[dict[str, object]], None]:
        """Call an endpoint, or any ``"apiType/action"``, on every camera.

        Args:
            endpoint: A declaration (``Wifi.set``), or a path.
            values: Parameters, by Python name; for a path, by wire name.
            more: Further parameters, for those who like keywords.

        Raises:
            ParameterError: A parameter is out of its bounds; nothing was sent to any camera.

        """
        given = checked(endpoint, values, more)
        if isinstance(endpoint, str):
            path = endpoint
            return self.map(lambda camera: camera.call(path, given))
        declared = endpoint
        return self.map(lambda camera: camera.call(declared, given))


__all__ = ["DEFAULT_JOBS", "AsyncFleet", "AsyncResult", "connect"]
