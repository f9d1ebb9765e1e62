"""What uvicorn leaves open at a port that strangers reach: how long and how large a request may come, and how many wait.

By itself it waits for ever for the rest of a head or of a body, gathers a head of any size (each piece of it copied
anew), and takes connections until the process can open no file any more. A connection that owes us a request has a
place of few; who takes many places is the first to lose one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Bytes of a head, as h11 has it and httptools has not.
MAX_HEAD = 64 * 1024
#: Seconds for a head; for a body, a pause in which at least so many bytes of it come.
HEAD_S, PAUSE_S, LEAST = 15.0, 20.0, 4096
#: Connections of a port that are open beside its WebSockets.
PLACES = 256
#: Of WebSockets: bytes of a message, and messages of one connection that wait here. Video does not shrink, and trying
#: costs more than all the rest.
WEBSOCKETS: dict[str, Any] = {
    "ws_max_size": 1024 * 1024,
    "ws_max_queue": 8,
    "ws_per_message_deflate": False,
}
#: Requests that somebody sends before the first is answered; browsers send none.
_AHEAD = 8


@dataclass(eq=False)
class Places:
    """The connections of one port.

    Args:
        places: How many there may be.
        head_s: Seconds for a head.
        pause_s: Seconds in which a body has to go on.

    """

    places: int = PLACES
    head_s: float = HEAD_S
    pause_s: float = PAUSE_S
    _open: dict[Any, None] = field(default_factory=dict)  # the oldest first

    def enter(self, one: Any) -> None:
        """Give *one* a place; somebody who owes us a request gives way where there is none."""
        if len(self._open) >= self.places:
            owing = [other for other in self._open if other.owes]
            by_address = Counter(other.address for other in owing)
            # The oldest of whoever has the most; all at work: it is the newcomer.
            out = max(owing, key=lambda o: by_address[o.address], default=one)
            self.leave(out)
            out.shut()
            if out is one:
                return
        self._open[one] = None

    def leave(self, one: Any) -> None:
        """The place is free."""
        self._open.pop(one, None)

    def __len__(self) -> int:
        return len(self._open)


def bounded(places: Places | None = None, base: Any = AutoHTTPProtocol) -> type[asyncio.Protocol]:
    """The protocol of HTTP that uvicorn is given (``Config(http=...)``): its own, with these bounds.

    Args:
        places: The port's; default: new ones.
        base: Which of uvicorn's.

    """
    kept = Places() if places is None else places

    class Bounded(base):  # type: ignore[misc]
        """One connection."""

        _size = _came = 0
        _timer: asyncio.TimerHandle | None = None
        #: Whether the parser is within a body; None for h11, which bounds heads itself.
        _in_body: bool | None = None

        @property
        def address(self) -> str:
            """Whose it is."""
            return self.client[0] if self.client else ""

        @property
        def owes(self) -> bool:
            """Whether a request, or its rest, has yet to come."""
            more = self.cycle is not None and self.cycle.more_body if self._in_body is None else self._in_body
            return self._in_head or bool(more)

        @property
        def _in_head(self) -> bool:
            # A request may be answered before its body is here.
            return not self._in_body and (self.cycle is None or self.cycle.response_complete)

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            kept.enter(self)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            kept.leave(self)
            self._stop()
            super().connection_lost(exc)

        def on_headers_complete(self) -> None:
            self._in_body = True
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._in_body = False

        def data_received(self, data: bytes) -> None:
            had = self.cycle
            super().data_received(data)
            if self._went_on():  # to a WebSocket
                kept.leave(self)
                self._stop()
                return
            self._came += len(data)
            if self.cycle is not had or not self._in_head:
                self._size = 0
            else:
                self._size += len(data)
            if self._size > MAX_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")
            elif len(getattr(self, "pipeline", ())) > _AHEAD:
                self.shut()
            elif not self.owes:
                self._stop()
            elif self._timer is None:
                self._wait()

        def shut(self) -> None:
            """Close it at once."""
            self._stop()
            self.transport.abort()

        def _went_on(self) -> bool:
            with contextlib.suppress(AttributeError):
                return self.transport.get_protocol() is not self
            return False

        def _wait(self) -> None:
            loop = asyncio.get_running_loop()
            self._came = 0
            self._timer = loop.call_later(kept.head_s if self._in_head else kept.pause_s, self._late)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _late(self) -> None:
            self._timer = None
            if not self.owes or self._went_on():
                return
            # Where nobody reads here, nothing can come; a body that goes on has its time.
            if not self._in_head and (self._came >= LEAST or self.flow.read_paused):
                self._wait()
                return
            self._refuse(b"408 Request Timeout")

        def _refuse(self, status: bytes) -> None:
            self._stop()
            if self._in_head:
                self.transport.write(
                    b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                )
                self.transport.close()
            else:
                self.transport.abort()

    return Bounded
