"""Where the cameras are: one scan for all that are looked for, never one for each."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from ..discovery import DiscoveredCamera, discover
from ..protocol.spec import Model

#: One scan: three broadcasts within a second, and time for the answers to the last.
SCAN_S = 1.6
#: Between scans; grows while nothing new is found, so that an absent camera does not mean a flood.
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_LEAST_S = 0.1
Scan = Callable[..., Iterator[DiscoveredCamera]]


class Finder:
    """Scans while somebody waits for a camera, and remembers who answered when.

    Use it as a context manager; thread-safe. A camera is waited for by its serial number, its MAC, or
    ``any:MODEL``; times are ``time.monotonic()``.

    Args:
        interfaces: As for :func:`sunmi_ipc.discovery.discover`.
        targets: Addresses to ask by unicast beside.
        scan: What scans; for tests.

    """

    def __init__(
        self, *, interfaces: Sequence[str] | None = None, targets: Sequence[str] = (), scan: Scan = discover
    ) -> None:
        self._scan, self._interfaces, self._targets = scan, interfaces, list(targets)
        self._seen: dict[str, tuple[float, DiscoveredCamera]] = {}
        self._changed = threading.Condition()
        self._waiting: dict[int, tuple[str, float, Callable[[DiscoveredCamera], None]]] = {}
        self._numbers = itertools.count()
        self._closing = False
        self._thread: threading.Thread | None = None
        self.error: Exception | None = None
        #: How many scans there have been.
        self.scans: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def watch(self, key: str, since: float, hit: Callable[[DiscoveredCamera], None]) -> int:
        """Have *hit* called, in the scanning thread, when *key* was seen after *since*, once.

        Under ``any:MODEL`` it is called for each camera of that model, until :meth:`forget`.
        """
        with self._changed:
            number = next(self._numbers)
            self._waiting[number] = (key, since, hit)
            when, camera = self._seen.get(key, (0.0, None))
            if camera is not None and when > since:
                del self._waiting[number]
                hit(camera)
            elif self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fleet-finder", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return number

    def forget(self, number: int) -> None:
        """End a :meth:`watch`."""
        with self._changed:
            self._waiting.pop(number, None)

    def find(self, key: str, *, since: float, until: float, stop: threading.Event) -> DiscoveredCamera | None:
        """The camera, once it was seen after *since*; None where it was not by *until*, or *stop* is set."""
        found: list[DiscoveredCamera] = []
        event = threading.Event()

        def hit(camera: DiscoveredCamera) -> None:
            found.append(camera)
            event.set()

        number = self.watch(key, since, hit)
        try:
            while not event.wait(max(0.0, min(0.25, until - time.monotonic()))):
                if stop.is_set() or time.monotonic() >= until:
                    break
                if self.error is not None:
                    raise self.error
        finally:
            self.forget(number)
        return found[0] if found else None

    def _run(self) -> None:
        idle = 0
        while True:
            with self._changed:
                while not self._closing:
                    # A scan that begins before it can help anybody only delays the next one.
                    due = min((since for _, since, _ in self._waiting.values()), default=None)
                    if due is not None and due <= time.monotonic():
                        break
                    idle = 0
                    self._changed.wait(None if due is None else due - time.monotonic())
                if self._closing:
                    return
                before = len(self._seen)
            try:
                self._once()
            except Exception as error:
                self.error = error
                return
            with self._changed:
                self.scans += 1
                idle = 0 if len(self._seen) > before else idle + 1
                newest = max(self._waiting, default=-1)
                pause = _PAUSES_S[min(idle, len(_PAUSES_S) - 1)]
                end = time.monotonic() + pause
                while not self._closing and (left := end - time.monotonic()) > 0:
                    self._changed.wait(min(left, _LEAST_S))
                    if max(self._waiting, default=-1) > newest and end - time.monotonic() < pause - _LEAST_S:
                        break  # who comes to wait in the pause is not made to sit it out

    def _once(self) -> None:
        answered: set[str] = set()
        for camera in self._scan(timeout=SCAN_S, interfaces=self._interfaces, targets=self._targets):
            now = time.monotonic()
            general = f"any:{next((m for m in Model if m in camera.model.upper()), '')}"
            answered |= {camera.sn, camera.mac}
            with self._changed:
                self._seen[camera.sn] = self._seen[camera.mac] = (now, camera)
                for number, (key, since, hit) in list(self._waiting.items()):
                    if key in (camera.sn, camera.mac, general) and now > since:
                        if key != general:
                            del self._waiting[number]
                        hit(camera)
                # A camera answers a scan once: who waits for a later answer waits for the next scan.
                if self._closing or all(key in answered for key, _, _ in self._waiting.values()):
                    return
