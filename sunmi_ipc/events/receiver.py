"""The HTTP server that cameras post their events to.

A camera gets 200 and ``{"code":0}`` once its event is on the disk, and never before. What it expects
is not known (protocol.md, section 7); anything else than 200 asks it to try again.

It speaks plain HTTP, as cameras post to it in the vendor's example: the signature is what an event
can be trusted by. Whoever cannot sign must not cost much: his bodies are small, he is turned away by a
look at the app_id, and two bodies at most are read at the same time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection
from typing import Self, cast

from ..errors import ConfigError
from .decoding import Secrets
from .judge import COUNTS as COUNTS
from .judge import Judge
from .server import Server
from .spool import Spool


class Receiver(Judge):
    """Receives events into a spool, from its making until :meth:`close`.

    Args:
        spool: Where events are kept, and whose they are (its ``dialect``); not closed with the receiver.
        host: Address to listen on: the one that the cameras can reach, or 127.0.0.1.
        port: 0 takes a free one; see :attr:`port`.
        secrets: Secret keys by app_id, or a function that finds one.
        allow_unsigned: Whether to take events that have no signature, or that no secret is known for
            at all. Anybody in the network can then invent events.
        path: The path that cameras post to, anything else gets 404; empty takes every path.
        max_body: Bytes that a body of a known camera may have (a firmware may put a picture into its event);
            above it 413.
        stranger_body: The same for everybody else.
        cameras: Addresses of cameras that are subscribed; asked at each request. An address that an event with a
            good signature has come from is known, too.
        heard: Told of every POST that came whole: body, Content-Type, sender, and the status that it gets.
        read_timeout: Seconds that a request may take to arrive as a whole; then 408.
        max_connections: Connections served at once; further ones wait in the system's queue.

    Raises:
        ConfigError: The address cannot be listened on, or neither secrets nor unsigned events are allowed.

    """

    def __init__(
        self,
        spool: Spool,
        *,
        host: str,
        port: int = 0,
        secrets: Secrets | None = None,
        allow_unsigned: bool = False,
        path: str = "/events",
        max_body: int = 1 << 20,
        stranger_body: int = 64 << 10,
        cameras: Callable[[], Collection[str]] | None = None,
        heard: Callable[[bytes, str, str, int], None] | None = None,
        read_timeout: float = 10.0,
        max_connections: int = 256,
    ) -> None:
        super().__init__(
            spool,
            secrets=secrets,
            allow_unsigned=allow_unsigned,
            path=path,
            max_body=max_body,
            stranger_body=stranger_body,
            cameras=cameras,
            heard=heard,
            read_timeout=read_timeout,
        )
        try:
            self._server = Server((host, port), max_connections)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                "cannot listen on {host} port {port}: {reason}",
                hint="Is the address this computer's, and the port free?",
                host=host,
                port=port,
                reason=getattr(error, "strerror", None) or str(error),
            ) from None
        self._server.application = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="event-receiver-accept", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        """The address listened on."""
        return str(self._server.server_address[0])

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The callback to subscribe with, where the camera can reach :attr:`host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.path}"

    def close(self) -> None:
        """Take no more, finish what is under way."""
        if self._thread.is_alive():
            self._server.stop()
            self._thread.join()
            self._server.close()


def free_port(host: str) -> int:
    """A port that is free on *host* now."""
    with socket.create_server((host, 0)) as server:
        return int(cast("tuple[str, int]", server.getsockname())[1])
