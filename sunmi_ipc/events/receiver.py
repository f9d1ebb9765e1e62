"""The HTTP server that cameras post their events to.

A camera gets 200 and ``{"code":0}`` once its event is on the disk, and never before. What it expects
is not known (protocol.md, section 7); anything else than 200 asks it to try again.

It speaks plain HTTP, as cameras post to it in the vendor's example: the signature is what an event
can be trusted by. Whoever cannot sign must not cost much: his bodies are small, he is turned away by a
look at the app_id, and two bodies at most are read at the same time.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Self, cast

from ..errors import BadEvent, ConfigError, ParameterError, SpoolError
from ..redact import printable
from . import decoding as layout
from .decoding import Secrets
from .server import Refused, Server
from .spool import Spool

_log = logging.getLogger("sunmi_ipc")
_COMPLAIN_S = 30.0
_PARSERS = 2
_SENDERS = 4096
#: What is counted, by the answer given.
COUNTS = (
    "stored",
    "repeated",
    "bad",
    "unsigned",
    "not_found",
    "too_large",
    "timed_out",
    "refused_503",
    "aborted",
)
_COUNTED = {
    0: "aborted",
    400: "bad",
    401: "unsigned",
    404: "not_found",
    408: "timed_out",
    413: "too_large",
    415: "bad",
    431: "too_large",
    503: "refused_503",
}


class Receiver:
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

    spool: Spool
    path: str
    max_body: int
    read_timeout: float

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
        if not secrets and not allow_unsigned:
            raise ConfigError(
                "no secret key to verify events with",
                hint="Set SUNMI_IPC_APP_ID and SUNMI_IPC_SECRET_KEY, or allow unsigned events.",
            )
        self.spool, self.path, self.read_timeout = spool, path, read_timeout
        self._max_body, self._stranger_body = max_body, min(stranger_body, max_body)
        self._cameras, self._heard = cameras, heard
        self._senders: OrderedDict[str, None] = OrderedDict()
        self._parsers = threading.BoundedSemaphore(_PARSERS)
        self._secrets, self._allow_unsigned = secrets, allow_unsigned
        self._counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        self._counting = threading.Lock()
        self._complained = -_COMPLAIN_S
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

    @property
    def counts(self) -> dict[str, int]:
        """How many requests came to what, see ``COUNTS``."""
        with self._counting:
            return dict(self._counts)

    def close(self) -> None:
        """Take no more, finish what is under way."""
        if self._thread.is_alive():
            self._server.stop()
            self._thread.join()
            self._server.close()

    def count(self, status: int) -> None:
        """Count a request that got *status*; 0 where the client went away."""
        self._count(_COUNTED.get(status, "bad"))

    def _count(self, name: str) -> None:
        with self._counting:
            self._counts[name] += 1

    def largest(self, source: str) -> int:
        """Bytes that a body from *source* may have."""
        with self._counting:
            if source in self._senders:
                return self._max_body
        known = self._cameras() if self._cameras is not None else ()
        return self._max_body if source in known else self._stranger_body

    def take(self, body: bytes, content_type: str, source: str) -> None:
        """Verify and store; returns when it is on the disk."""
        status = int(HTTPStatus.OK)
        try:
            self._take(body, content_type, source)
        except Refused as refused:
            status = refused.status
            raise
        finally:
            if self._heard is not None:
                try:
                    self._heard(body, content_type, source, status)
                except Exception as error:  # who only looks must not cost an event
                    _log.warning("events: a look at one failed (%s)", type(error).__name__)

    def _take(self, body: bytes, content_type: str, source: str) -> None:
        try:
            self._check_app(body, content_type)
            with self._parsers:
                posted = self.spool.dialect.read(body, content_type)
                verified = self._verified(posted)
                fields = layout.harmless(posted.event)
                event = self.spool.dialect.event(fields)
        except BadEvent as error:
            _log.info("events: %s: %s", source, printable(error.message))
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        try:
            new = self.spool.append(
                event, fields, source=source, verified=verified, seal=posted.seal if verified else None
            )
        except ParameterError:  # of a dialect that lets such fields pass
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        except SpoolError as error:
            self._complain(error)
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE) from None
        self._count("stored" if new else "repeated")
        if verified and new:
            self._know(source)

    def _know(self, source: str) -> None:
        with self._counting:
            self._senders[source] = None
            self._senders.move_to_end(source)
            if len(self._senders) > _SENDERS:
                self._senders.popitem(last=False)

    def _check_app(self, body: bytes, content_type: str) -> None:
        """Turn away at a glance what names no app of ours, where everything must be signed."""
        look = self.spool.dialect.app_ids
        if self._allow_unsigned or not self._secrets or look is None:
            return
        secrets = self._secrets
        named = look(body, content_type)
        if named and not any(secrets(one) if callable(secrets) else one in secrets for one in named):
            raise Refused(HTTPStatus.UNAUTHORIZED)

    def _complain(self, error: SpoolError) -> None:
        """Say it once in a while: every camera tries again every few seconds."""
        with self._counting:
            due, now = self._complained + _COMPLAIN_S, time.monotonic()
            if now >= due:
                self._complained = now
        _log.log(logging.ERROR if now >= due else logging.DEBUG, "events: %s", error)

    def _verified(self, posted: layout.Posted) -> bool:
        if layout.has_signature(posted) and self._secrets:
            if self.spool.dialect.verify(posted, self._secrets):
                return True
            raise Refused(HTTPStatus.UNAUTHORIZED)
        if not self._allow_unsigned:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        return False


def free_port(host: str) -> int:
    """A port that is free on *host* now."""
    with socket.create_server((host, 0)) as server:
        return int(cast("tuple[str, int]", server.getsockname())[1])
