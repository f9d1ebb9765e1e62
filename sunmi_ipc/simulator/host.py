"""The virtual camera as its parts see it: what they need of it, without knowing how it is put together."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from .faults import Faults
from .state import CameraState
from .vendor import Vendor


class Host(Protocol):
    """A camera that serves files, calls and streams."""

    vendor: Vendor
    state: CameraState
    faults: Faults
    ip: str
    #: Set when it leaves for good.
    closing: threading.Event

    @property
    def sn(self) -> str:
        """The serial number."""
        raise NotImplementedError

    @property
    def away(self) -> bool:
        """Whether it is restarting or changing networks."""
        raise NotImplementedError

    def clock(self) -> float:
        """The camera's time, Unix seconds."""
        raise NotImplementedError

    def answer(self, path: str, body: bytes, kind: str = "") -> dict[str, Any]:
        """Carry out one call; the answer's JSON."""
        raise NotImplementedError

    def dumped_file(self, path: str) -> Any:
        """A file that a dump knows, or None."""
        raise NotImplementedError

    def dumped_sdp(self, name: str) -> str:
        """What a dump says of the stream *name*; empty where it says nothing."""
        raise NotImplementedError

    def thinned(self, path: str, answer: dict[str, Any]) -> dict[str, Any]:
        """*answer* without its last optional field."""
        raise NotImplementedError

    def hold(self, path: str, answer: dict[str, Any]) -> None:
        """Wait where an answer comes late."""
        raise NotImplementedError

    def after(self, path: str) -> None:
        """What follows an answer."""
        raise NotImplementedError
