"""People counters of a camera since midnight: nothing pushes them."""

from __future__ import annotations

import contextlib
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Protocol

from ..errors import DeviceError, ReplyError, UnsupportedError

if TYPE_CHECKING:
    from ..models import PeopleStatCollection


class Flow(Protocol):
    """What is needed of ``camera.people_flow``."""

    def arrivals(self, start_time: datetime, end_time: datetime, /) -> PeopleStatCollection:
        """Who came in."""

    def passing(self, start_time: datetime, end_time: datetime, /) -> PeopleStatCollection:
        """Who passed by."""

    def leaving(self, start_time: datetime, end_time: datetime, /) -> PeopleStatCollection:
        """Who left."""


class Counter(Protocol):
    """A camera that counts people."""

    sn: str

    @property
    def people_flow(self) -> Flow:
        """Its counters."""

    def read_sn(self) -> str:
        """Ask it for its serial number."""


def people_today(camera: Counter, now: datetime | None = None, zone: tzinfo | None = None) -> dict[str, int]:
    """Who has come in since midnight: ``total``, ``male``, ``female``; and, where it tells, ``passing`` and ``leaving``.

    Args:
        camera: The camera.
        now: An aware time; default: now.
        zone: Whose midnight it is: the shop's; default: this computer's.

    Raises:
        SunmiIpcError: As ``people_flow.arrivals``.

    """
    now = (now or datetime.now().astimezone()).astimezone(zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    arrivals = camera.people_flow.arrivals(midnight, now)
    counts = {"male": 0, "female": 0}
    for row in arrivals.rows():
        counts[row["gender"]] += row["count"]
    found = {"total": arrivals.total or sum(counts.values())} | counts
    for name, ask in (("passing", camera.people_flow.passing), ("leaving", camera.people_flow.leaving)):
        with contextlib.suppress(DeviceError, ReplyError, UnsupportedError):  # both are inferred
            told = ask(midnight, now)
            found[name] = told.total or sum(row["count"] for row in told.rows())
    return found
