"""What cameras do not push, asked for now and then and handed on: people, card, firmware, whether they answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Protocol, Self

from ..errors import ConnectionFailed, SunmiIpcError, UnsupportedError
from .people import Counter, people_today

if TYPE_CHECKING:
    from ..models import DeviceInfo, ExternalStorage

_log = logging.getLogger("sunmi_ipc")
_STATE_S = 600.0
_SILENT = 2  # failures in a row: a single lost answer is no absence


class _Card(Protocol):
    def status(self) -> ExternalStorage: ...


class _Device(Protocol):
    def info(self) -> DeviceInfo: ...


class Reporting(Counter, Protocol):
    """A camera that can be asked for all of it; ``Camera`` is one."""

    @property
    def sdcard(self) -> _Card:
        """Its card."""

    @property
    def device(self) -> _Device:
        """Itself."""


class Taker(Protocol):
    """Who is told; ``MqttSink`` is one."""

    def people(self, sn: str, counts: Mapping[str, int]) -> None:
        """A camera's people counters."""

    def state(self, sn: str, values: Mapping[str, str]) -> None:
        """What a camera is like."""

    def availability(self, sn: str, online: bool) -> None:
        """Whether a camera answers."""


class Reports:
    """Asks cameras, one after the other, until :meth:`close`; a context manager.

    Args:
        cameras: The cameras there are, asked for in each round: more may come.
        to: Who is told.
        every: Seconds between rounds.
        zone: Whose midnight people are counted from: the shop's; default: this computer's.

    """

    def __init__(
        self,
        cameras: Callable[[], Iterable[Reporting]],
        to: Taker,
        *,
        every: float = 60.0,
        zone: tzinfo | None = None,
    ) -> None:
        self._cameras, self._to, self._every, self._zone = cameras, to, every, zone
        self._without: set[Reporting] = set()  # those that count no people
        self._state_due: dict[Reporting, float] = {}
        self._failures: dict[Reporting, int] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-reports", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ask no more."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            for camera in list(self._cameras()):
                if self._closing.is_set():
                    return
                try:
                    self._ask(camera)
                except Exception as error:  # one camera must not end it for the others
                    _log.warning("events: a camera could not be asked: %s", type(error).__name__)
            if self._closing.wait(self._every):
                return

    def _ask(self, camera: Reporting) -> None:
        try:
            sn = camera.sn or camera.read_sn()
            if camera not in self._without:
                try:
                    self._to.people(sn, people_today(camera, zone=self._zone))
                except UnsupportedError:
                    self._without.add(camera)
            if camera in self._without or time.monotonic() >= self._state_due.get(camera, 0.0):
                self._tell_state(camera, sn)
        except SunmiIpcError as error:
            _log.info("events: no report of a camera now: %s", error)
            if isinstance(error, ConnectionFailed):
                self._failures[camera] = self._failures.get(camera, 0) + 1
                if camera.sn and self._failures[camera] >= _SILENT:
                    self._to.availability(camera.sn, False)
                return
        if camera.sn:
            self._failures[camera] = 0
            self._to.availability(camera.sn, True)

    def _tell_state(self, camera: Reporting, sn: str) -> None:
        card = camera.sdcard.status().status
        firmware = camera.device.info().software_version
        values = {"card": card.name.lower()} if card is not None else {}
        if firmware:
            values["firmware"] = firmware
        if time.monotonic() >= self._state_due.get(camera, 0.0):
            self._state_due[camera] = time.monotonic() + _STATE_S
        self._to.state(sn, values)
