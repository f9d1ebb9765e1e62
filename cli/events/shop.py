"""The cameras that ``ipc events listen`` is subscribed at: those that are there, and those that come."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..screen.output import error_document, note, waiting
from ..state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sunmi_ipc.camera import Camera
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.events.subscription import Subscription

_LOOK_S = 60.0


class Shop:
    """Cameras and their subscriptions, until :meth:`close`.

    Args:
        state: How the command was called.
        wanted: Cameras as ``-c`` names them; ``all`` stands for whatever is found, now and later.

    """

    def __init__(self, state: State, wanted: list[str]) -> None:
        self._state, self._all = state, wanted == ["all"]
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None
        self._subscriptions: list[Subscription] = []
        self._doubtful: set[str] = set()  # claimed by several, and told so once
        self.cameras: list[Camera] = []
        if self._all:
            with waiting(state, "Looking for cameras …"):
                self.cameras = list(self._opened(self._found()))
            if not self.cameras:
                note(state, "No camera was found yet; they are looked for every minute.")
        else:
            if any(name.startswith("@") for name in wanted):
                from ..many import resolve

                wanted = [target.label for target in resolve(state)]
            self.cameras = [_camera(state, name) for name in wanted or [""]]

    def hosts(self) -> set[str]:
        """The addresses of the cameras that are subscribed."""
        with self._lock:
            return {camera.host for camera in self.cameras}

    def of(self, sn: str) -> Camera | None:
        """The camera of that serial number."""
        with self._lock:
            return next((camera for camera in self.cameras if camera.sn == sn), None)

    def subscribe(self, events: Sequence[str], *, port: int, callback: str) -> list[str]:
        """Subscribe at all, at once, and from now on at those that come; the callbacks.

        One that refuses does not keep the others.
        """
        from sunmi_ipc.errors import SunmiIpcError

        self._events, self._port, self._callback = events, port, callback
        with ThreadPoolExecutor(max(1, min(16, len(self.cameras)))) as pool:
            tries = [pool.submit(self._subscribe, camera) for camera in self.cameras]
        made = [one.result() for one in tries if one.exception() is None]
        self._subscriptions += made
        for camera, one in zip(list(self.cameras), tries, strict=True):
            error = one.exception()
            if error is None:
                continue
            if not made or not isinstance(error, SunmiIpcError):
                raise error
            self._refused(camera, error)
        if self._all:
            self._watcher = threading.Thread(target=self._watch, name="cameras-that-come", daemon=True)
            self._watcher.start()
        return sorted({s.callback for s in made if s.callback})

    def _subscribe(self, camera: Camera) -> Subscription:
        from sunmi_ipc.events.subscription import Subscription

        return Subscription(
            camera.events,
            self._events,
            port=self._port,
            callback=self._callback,
            interfaces=self._state.settings.interfaces(),
            patient=True,
        )

    def _refused(self, camera: Camera | DiscoveredCamera, error: Exception) -> None:
        from sunmi_ipc.errors import SunmiIpcError

        reason = error_document(error)["error"]["message"] if isinstance(error, SunmiIpcError) else str(error)
        note(
            self._state,
            "not subscribed: {camera}: {reason}",
            camera=camera.sn or camera.address,
            reason=reason,
        )

    def _watch(self) -> None:
        from sunmi_ipc.errors import SunmiIpcError

        refused: set[str] = set()
        while not self._closing.wait(_LOOK_S):
            try:
                found = self._found()
            except (SunmiIpcError, OSError):
                continue
            for seen in found:
                one = seen[0]
                if self._closing.is_set() or self.of(one.sn) is not None:
                    continue
                camera = next(iter(self._opened([seen])), None)
                if camera is None:
                    continue
                try:
                    made = self._subscribe(camera)
                except SunmiIpcError as error:
                    camera.close()
                    if one.sn not in refused:
                        refused.add(one.sn)
                        self._refused(camera, error)
                    continue
                with self._lock:
                    self.cameras.append(camera)
                    self._subscriptions.append(made)
                note(self._state, "{camera} has come, and is subscribed.", camera=one.sn)

    def _found(self) -> list[list[DiscoveredCamera]]:
        """Cameras that answer, each with all that was seen under its serial number."""
        from sunmi_ipc.discovery import FAR, ScanReport, discover

        report = ScanReport()
        seen = list(discover(interfaces=self._state.settings.interfaces(), report=report))
        found: dict[str, list[DiscoveredCamera]] = {}
        for camera in report.cameras or seen:  # as known at the end: a second claimant shows later
            if camera.serial_number and FAR.isdisjoint(camera.flags):
                found.setdefault(camera.sn, []).append(camera)
        return list(found.values())

    def _opened(self, found: Iterable[list[DiscoveredCamera]]) -> Iterable[Camera]:
        """Clients; of those that several claim, where it is known which one is the camera."""
        from sunmi_ipc.errors import SunmiIpcError

        from ..target import open_found

        for seen in found:
            try:
                yield open_found(self._state, seen)
            except SunmiIpcError as error:
                if len(seen) == 1 and len(seen[0].addresses) < 2:
                    raise
                if seen[0].sn not in self._doubtful:
                    self._doubtful.add(seen[0].sn)
                    self._refused(seen[0], error)

    def unsubscribe(self) -> None:
        """End all subscriptions, at once."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        ending, self._subscriptions = self._subscriptions, []
        with ThreadPoolExecutor(max(1, min(16, len(ending)))) as pool:
            list(pool.map(lambda one: one.close(), ending))

    def close(self) -> None:
        """End subscriptions, close the cameras."""
        self.unsubscribe()
        for camera in self.cameras:
            with contextlib.suppress(Exception):
                camera.close()


def _camera(state: State, name: str) -> Camera:
    """One by name; one that is off but was seen in the last scan may come later."""
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.errors import CameraNotFound
    from sunmi_ipc.settings import config_dir

    from ..target import open_camera

    try:
        return open_camera(state, name)
    except CameraNotFound:
        known = memory.recall(name or state.camera, config_dir())
        if known is None:
            raise
        return state.settings.connect(known.address, sn=known.sn, model=known.model)
