"""Reading ahead: a far camera is asked everything at once, so that the way there is gone once and not for each question.

A camera on this network has one connection and one thing to do at a time, and is asked as before. One behind a
broker (its client has ``at_once``) is not busy while questions travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...camera import Camera
    from ..settings import Setting

Read = Callable[["Camera"], Any]


class Ahead:
    """Answers that are on their way, by source; for one camera's thread."""

    def __init__(self) -> None:
        self._coming: dict[str, Future[Any]] = {}

    def ask(self, camera: Camera, settings: Iterable[Setting]) -> None:
        """Ask for these settings, each source once."""
        most: int = getattr(camera, "at_once", 1)
        reads = {setting.source or setting.key: setting.read for setting in settings}
        if most < 2 or len(reads) < 2:
            return
        pool = ThreadPoolExecutor(min(most, len(reads)), thread_name_prefix="fleet-ahead")
        for source, read in reads.items():
            self._coming[source] = pool.submit(read, camera)
        pool.shutdown(wait=False)

    def take(self, source: str, read: Read) -> Read:
        """*read*, that takes the answer which is on its way at its first attempt."""
        coming = [future] if (future := self._coming.pop(source, None)) is not None else []
        return lambda camera: coming.pop().result() if coming else read(camera)
