"""The virtual cloud as its handlers see it: what they need of it, without knowing how it is put together."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ..faults import Faults
from .state import Device, Face, FaceGroup, Shop, State


class Host(Protocol):
    """A cloud that carries out calls."""

    state: State
    faults: Faults
    #: Set when it leaves for good.
    closing: threading.Event
    #: Seconds before each answer, and those that its clock is off.
    latency_s: float
    clock_offset: float

    @property
    def origin(self) -> str:
        """``https://ip:port``."""
        raise NotImplementedError

    def shown(self, device: Device) -> dict[str, Any]:
        """A camera as it is listed."""
        raise NotImplementedError

    def picture(self, name: str) -> str:
        """The URL of a picture that can be fetched from now on."""
        raise NotImplementedError

    def work_on(self, shop: Shop, group: FaceGroup, face: Face, picture: bytes) -> None:
        """Take a face in later, and say so in a message."""
        raise NotImplementedError

    def picture_at(self, path: str) -> bytes | None:
        """The picture at a URL's path."""
        raise NotImplementedError

    def at_work(self) -> AbstractContextManager[None]:
        """Count the calls that run at once."""
        raise NotImplementedError

    def answer(self, path: str, body: bytes, kind: str = "") -> tuple[int, dict[str, Any]]:
        """Carry out one call; HTTP status and the answer's JSON."""
        raise NotImplementedError
