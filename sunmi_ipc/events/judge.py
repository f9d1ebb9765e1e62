"""Who may post events, how much, and what becomes of a body: for every server that events come in by."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypedDict

from ..errors import BadEvent, ConfigError, ParameterError, SpoolError
from ..redact import printable
from . import decoding as layout
from .decoding import Secrets
from .spool import Spool

_log = logging.getLogger("sunmi_ipc")
_COMPLAIN_S = 30.0
_PARSERS = 2
#: Bytes that a request's head may have.
MAX_HEAD = 16_384
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


class Refused(Exception):
    """A request that gets *status*; the connection is closed where its rest cannot be read."""

    status: int
    close: bool

    def __init__(self, status: int, *, close: bool = False) -> None:
        self.status, self.close = status, close


def answer(status: int) -> tuple[bytes, Mapping[str, str]]:
    """The body and the special headers of an answer."""
    more = {503: {"Retry-After": "5"}, 405: {"Allow": "POST"}}.get(int(status), {})
    return (b'{"code":0}' if status == 200 else b'{"code":%d}' % (2 if status < 500 else 3)), more


@dataclass(frozen=True, slots=True)
class Head:
    """What of a request's head decides whether its body is read."""

    method: str
    path: str
    source: str
    content_type: str = ""
    coding: str = ""
    lengths: Sequence[str] = ()
    transfer: str | None = None
    #: Bytes of names and values, where the server has not counted them itself.
    size: int = 0


class Rules(TypedDict, total=False):
    """The arguments of every server that events come in by, for who hands them on: see :class:`Judge`."""

    secrets: Secrets | None
    allow_unsigned: bool
    path: str
    max_body: int
    stranger_body: int
    cameras: Callable[[], Collection[str]] | None
    heard: Callable[[bytes, str, str, int], None] | None
    read_timeout: float


class Judge:
    """Takes bodies into a spool, or refuses them.

    Args:
        spool: Where events are kept, and whose they are (its ``dialect``).
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

    Raises:
        ConfigError: Neither secrets nor unsigned events are allowed.

    """

    spool: Spool
    path: str
    read_timeout: float

    def __init__(
        self,
        spool: Spool,
        *,
        secrets: Secrets | None = None,
        allow_unsigned: bool = False,
        path: str = "/events",
        max_body: int = 1 << 20,
        stranger_body: int = 64 << 10,
        cameras: Callable[[], Collection[str]] | None = None,
        heard: Callable[[bytes, str, str, int], None] | None = None,
        read_timeout: float = 10.0,
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

    @property
    def counts(self) -> dict[str, int]:
        """How many requests came to what, see ``COUNTS``."""
        with self._counting:
            return dict(self._counts)

    def admit(self, head: Head) -> tuple[int | None, int]:
        """Whether a body may be read.

        Returns: its length, None where it comes in chunks; and the most that it may have.

        Raises:
            Refused: It may not.

        """
        if head.size > MAX_HEAD:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, close=True)
        if self.path and head.path != self.path:
            raise Refused(HTTPStatus.NOT_FOUND, close=True)
        if head.method != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, close=True)
        kind, coding = head.content_type.strip().lower(), head.coding.strip().lower()
        if kind.startswith("multipart/") or coding not in ("", "identity"):
            # Not read as one, it would look like an event with a wrong signature.
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, close=True)
        limit = self.largest(head.source)
        if head.transfer:
            # Both lengths at once is how requests are smuggled.
            if head.lengths or head.transfer.strip().lower() != "chunked":
                raise Refused(HTTPStatus.BAD_REQUEST, close=True)
            return None, limit
        if len(head.lengths) != 1 or not head.lengths[0].isascii() or not head.lengths[0].isdecimal():
            raise Refused(HTTPStatus.BAD_REQUEST, close=True)
        if len(head.lengths[0]) > 15 or (length := int(head.lengths[0])) > limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
        return length, limit

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
