"""The same thing on many cameras at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar, Unpack, overload

from ..errors import ParameterError

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from ..link.exchange import CameraOptions
    from ..protocol.spec import Endpoint
    from ..settings import Settings

#: Cameras of one colour.
K = TypeVar("K")
T = TypeVar("T")

#: Cameras that are talked to at the same time. A camera spends its time waiting, a TLS handshake spends ours.
DEFAULT_JOBS = 64


@dataclass(frozen=True, slots=True)
class CameraResult(Generic[K, T]):
    """What became of one camera: a value, or the error that its call raised."""

    camera: K
    value: T | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether there was no error."""
        return self.error is None

    def get(self) -> T:
        """The value; raises the error where there is one."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class Result(CameraResult["Camera", T]):
    """What became of one camera: a value, or the error that its call raised."""

    __slots__ = ()


class Cameras(Generic[K]):
    """Many cameras of one colour, and how many of them are talked to at the same time."""

    def __init__(self, cameras: Iterable[K], *, jobs: int) -> None:
        if jobs < 1:
            raise ParameterError(
                "{name}: out of bounds", name="jobs", hint="Allowed: {bounds}.", bounds="from 1"
            )
        self.cameras: tuple[K, ...] = tuple({id(camera): camera for camera in cameras}.values())
        self.jobs: int = jobs

    def __len__(self) -> int:
        return len(self.cameras)


def checked(
    endpoint: Endpoint[..., T] | str, values: Mapping[str, object] | None, more: Mapping[str, object]
) -> dict[str, object]:
    """The parameters of a call to many cameras, before anything is sent to any of them; raises ParameterError."""
    given = {**(values or {}), **more}
    if not isinstance(endpoint, str):
        endpoint.check(given)
    return given


def connected(
    found: Iterable[DiscoveredCamera],
    connect: Callable[..., K],
    settings: Settings,
    options: CameraOptions,
) -> Iterator[K]:
    """The cameras that discovery found; corrections and pins are read once for all, and written under one lock."""
    shared = settings.shared() | options
    for one in found:
        yield connect(one.address, **{"sn": one.sn, "model": one.model} | shared)


class Fleet(Cameras["Camera"]):
    """Many cameras, worked on by a bounded pool of threads.

    A camera is used by one thread at a time, also where two ``map`` run at once. Nothing raises for
    one camera: its :class:`Result` has the error.

    ::

        with Fleet(cameras) as fleet:
            for result in fleet.call(Device.info):
                print(result.camera, result.value.model if result.ok else result.error)

    Args:
        cameras: The cameras; one that is named twice counts once.
        jobs: How many are talked to at the same time, from 1.

    Raises:
        ParameterError: *jobs* is less than 1.

    """

    def __init__(self, cameras: Iterable[Camera], *, jobs: int = DEFAULT_JOBS) -> None:
        super().__init__(cameras, jobs=jobs)
        self._locks = {id(camera): threading.Lock() for camera in self.cameras}

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
        return cls(connected(found, settings.connect, settings, options), jobs=jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every camera's connection."""
        for camera in self.cameras:
            camera.close()

    def map(self, function: Callable[[Camera], T]) -> Iterator[Result[T]]:
        """Call *function* on every camera; yield the results as they finish.

        Leaving the loop early, or Ctrl-C, cancels what has not begun and waits for what has.
        """

        def one(camera: Camera) -> Result[T]:
            with self._locks[id(camera)]:
                try:
                    return Result(camera, function(camera))
                except Exception as error:
                    return Result(camera, error=error)

        pool = ThreadPoolExecutor(min(self.jobs, len(self.cameras) or 1), thread_name_prefix="fleet")
        try:
            todo: list[Future[Result[T]]] = [pool.submit(one, camera) for camera in self.cameras]
            for future in as_completed(todo):
                todo.remove(future)  # a result is let go once it was handed over
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    @overload
    def call(
        self, endpoint: Endpoint[..., T], values: Mapping[str, object] | None = None, **more: object
    ) -> Iterator[Result[T]]: ...
    @overload
    def call(
        self, endpoint: str, values: Mapping[str, object] | None = None, **more: object
    ) -> Iterator[Result[dict[str, object]]]: ...
    def call(
        self, endpoint: Endpoint[..., T] | str, values: Mapping[str, object] | None = None, **more: object
    ) -> Iterator[Result[T]] | Iterator[Result[dict[str, object]]]:
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
