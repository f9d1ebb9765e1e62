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
from typing import Self, Unpack, cast

from ..errors import ConfigError
from .judge import COUNTS as COUNTS
from .judge import Judge, Rules
from .server import Server
from .spool import Spool


class Receiver(Judge):
    """Receives events into a spool, from its making until :meth:`close`.

    Args:
        spool: Where events are kept, and whose they are (its ``dialect``); not closed with the receiver.
        host: Address to listen on: the one that the cameras can reach, or 127.0.0.1.
        port: 0 takes a free one; see :attr:`port`.
        max_connections: Connections served at once; further ones wait in the system's queue.
        rules: Who may post, and how much, as for :class:`~sunmi_ipc.events.judge.Judge`: ``secrets``,
            ``allow_unsigned``, ``path``, ``max_body``, ``stranger_body``, ``cameras``, ``heard``,
            ``read_timeout``.

    Raises:
        ConfigError: The address cannot be listened on, or neither secrets nor unsigned events are allowed.

    """

    def __init__(
        self,
        spool: Spool,
        *,
        host: str,
        port: int = 0,
        max_connections: int = 256,
        **rules: Unpack[Rules],
    ) -> None:
        super().__init__(spool, **rules)
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
