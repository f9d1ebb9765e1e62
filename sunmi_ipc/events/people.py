"""People counters of cameras, asked for now and then: nothing pushes them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, Self

from ..errors import SunmiIpcError, UnsupportedError

if TYPE_CHECKING:
    from ..models import PeopleStatCollection

_log = logging.getLogger("sunmi_ipc")


class Arrivals(Protocol):
    """What is needed of ``camera.people_flow``."""

    def arrivals(self, start_time: datetime, end_time: datetime, /) -> PeopleStatCollection:
        """Who came in."""


class Counter(Protocol):
    """A camera that counts people."""

    sn: str

    @property
    def people_flow(self) -> Arrivals:
        """Its counters."""

    def read_sn(self) -> str:
        """Ask it for its serial number."""


def people_today(camera: Counter, now: datetime | None = None) -> dict[str, int]:
    """Who has come in since midnight: ``total``, ``male``, ``female``; raises as ``people_flow.arrivals``."""
    now = now or datetime.now().astimezone()
    arrivals = camera.people_flow.arrivals(now.replace(hour=0, minute=0, second=0, microsecond=0), now)
    counts = {"male": 0, "female": 0}
    for row in arrivals.rows():
        counts[row["gender"]] += row["count"]
    return {"total": arrivals.total or sum(counts.values())} | counts


class PeopleCounters:
    """Asks cameras for their counters, until :meth:`close`; a context manager.

    Args:
        cameras: The cameras. Those that do not count people are left alone after the first try.
        publish: Given a serial number and its counters, such as :meth:`MqttSink.people`.
        every: Seconds between rounds.

    """

    def __init__(
        self,
        cameras: Iterable[Counter],
        publish: Callable[[str, Mapping[str, int]], object],
        *,
        every: float = 60.0,
    ) -> None:
        self._cameras, self._publish, self._every = list(cameras), publish, every
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="people-counters", daemon=True)
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
        names: dict[Counter, str] = {}
        while self._cameras:
            for camera in list(self._cameras):
                if self._closing.is_set():
                    return
                try:
                    if camera not in names:
                        names[camera] = camera.sn or camera.read_sn()
                    self._publish(names[camera], people_today(camera))
                except UnsupportedError:
                    self._cameras.remove(camera)
                except SunmiIpcError as error:
                    _log.info("events: no people counters now: %s", error)
            if self._closing.wait(self._every):
                return
