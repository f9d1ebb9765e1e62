"""Where the cameras are: one scan for all that are looked for, never one for each."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from ipaddress import ip_address, ip_network
from types import TracebackType
from typing import Self

from ..discovery import FAR, DiscoveredCamera, discover
from ..errors import AccessDenied, ShopUnreachable
from ..protocol.spec import Model

#: One scan: three broadcasts within a second, and time for the answers to the last.
SCAN_S = 1.6
#: Between scans; grows while nothing new is found, so that an absent camera does not mean a flood.
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_LEAST_S = 0.1
_CLAIMANTS, _MOST = 16, 8192
Scan = Callable[..., Iterator[DiscoveredCamera]]


class Finder:
    """Scans while somebody waits for a camera, and remembers who answered when.

    Use it as a context manager; thread-safe. A camera is waited for by its serial number, its MAC, or
    ``any:MODEL``; times are ``time.monotonic()``.

    Args:
        interfaces: As for :func:`sunmi_ipc.discovery.discover`.
        targets: Addresses to ask by unicast beside.
        within: Addresses and blocks outside which no camera counts; empty: all count.
        scan: What scans; for tests.

    """

    def __init__(
        self,
        *,
        interfaces: Sequence[str] | None = None,
        targets: Sequence[str] = (),
        within: Sequence[str] = (),
        scan: Scan = discover,
    ) -> None:
        self._scan, self._interfaces, self._targets = scan, interfaces, list(targets)
        self._within = [ip_network(block, strict=False) for block in within]
        self._seen: dict[str, dict[str, tuple[float, DiscoveredCamera]]] = {}
        self._changed = threading.Condition()
        self._waiting: dict[int, tuple[str, float, Callable[[DiscoveredCamera], None], bool]] = {}
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

    def watch(
        self, key: str, since: float, hit: Callable[[DiscoveredCamera], None], *, whole: bool = False
    ) -> int:
        """Have *hit* called, in the scanning thread, for whoever was seen under *key* after *since*.

        Anybody may answer under any name: it is called for each address, at each scan, until :meth:`forget`.
        *whole*: a scan is not over when somebody has answered.
        """
        with self._changed:
            number = next(self._numbers)
            self._waiting[number] = (key, since, hit, whole)
            for when, camera in list(self._seen.get(key, {}).values()):
                if when > since:
                    hit(camera)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fleet-finder", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return number

    def forget(self, number: int) -> None:
        """End a :meth:`watch`."""
        with self._changed:
            self._waiting.pop(number, None)

    def places(self, key: str) -> set[str]:
        """The addresses that answered under *key*."""
        with self._changed:
            return set(self._seen.get(key, ()))

    def find(
        self,
        key: str,
        *,
        since: float,
        until: float,
        stop: threading.Event,
        besides: Collection[str] = (),
    ) -> DiscoveredCamera | None:
        """The camera, once it was seen after *since*; None where it was not by *until*, or *stop* is set.

        Args:
            key: Serial number or MAC.
            since: See above.
            until: See above.
            stop: See above.
            besides: Addresses that do not count.

        """
        found: list[DiscoveredCamera] = []
        event = threading.Event()

        def hit(camera: DiscoveredCamera) -> None:
            if camera.address not in besides:
                found.append(camera)
                event.set()

        number = self.watch(key, since, hit, whole=bool(besides))
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
                    due = min((since for _, since, _, _ in self._waiting.values()), default=None)
                    if due is not None and due <= time.monotonic():
                        break
                    idle = 0
                    self._changed.wait(None if due is None else due - time.monotonic())
                if self._closing:
                    return
                before = len(self._seen)
            try:
                self._once()
            except ShopUnreachable as error:
                # A station that has told of its cameras before may be back for the next scan.
                if not self.scans or isinstance(error, AccessDenied):
                    self.error = error
                    return
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
        for camera in self._scan(
            timeout=SCAN_S, interfaces=self._interfaces, targets=self._targets, every=True
        ):
            # Nothing connects to an address that somebody else names, or of another network.
            if camera.serial_number is None or not FAR.isdisjoint(camera.flags):
                continue
            if self._within and not any(ip_address(camera.ip) in block for block in self._within):
                continue  # another shop's, on a network that both see
            now = time.monotonic()
            keys = {camera.sn, camera.mac, f"any:{Model.read(camera.model) or ''}"} - {""}
            answered |= {camera.sn, camera.mac}
            with self._changed:
                waited = {key for key, _, _, _ in self._waiting.values()}
                for key in (camera.sn, camera.mac) if camera.mac else (camera.sn,):
                    if len(self._seen) >= _MOST and key not in self._seen and key not in waited:
                        continue  # a flood of made-up names
                    places = self._seen.setdefault(key, {})
                    if len(places) < _CLAIMANTS or camera.address in places:
                        places[camera.address] = (now, camera)
                for key, since, hit, _ in list(self._waiting.values()):
                    if key in keys and now > since:
                        hit(camera)
                # A camera answers a scan once: who waits for a later answer waits for the next scan.
                if self._closing or all(
                    key in answered and not whole for key, _, _, whole in self._waiting.values()
                ):
                    return
