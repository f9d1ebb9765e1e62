"""The receiver as an ASGI application: mounted into FastAPI or Starlette, or served by itself.

::

    receiver = EventReceiver(spool, secrets={app_id: secret_key})
    api = FastAPI()
    api.mount("/events", receiver)

It judges by the rules of :class:`~sunmi_ipc.events.Receiver`: a camera gets 200 and ``{"code":0}`` once its event is
on the disk, and never before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias, Unpack

from .judge import Head, Judge, Refused, Rules, answer
from .places import NoPlaceError, Places

if TYPE_CHECKING:
    from .spool import Spool

_log = logging.getLogger("sunmi_ipc")
#: Bodies that are stored at the same time: those that come together are on the disk by one commit.
_STORING = 32

Scope: TypeAlias = MutableMapping[str, object]
Message: TypeAlias = MutableMapping[str, object]


class EventReceiver(Judge):
    """Receives events into a spool, in the server's own event loop. An ASGI 3 application.

    Args:
        spool: Where events are kept, and whose they are (its ``dialect``); not closed with the receiver.
        max_requests: Requests whose bodies are read at once. Where more come, whoever has the fewest under way comes
            first, and the oldest of whoever has the most gives way (408); who waits for *read_timeout* gets 503.
        rules: Who may post, and how much, as for :class:`~sunmi_ipc.events.judge.Judge`: ``secrets``,
            ``allow_unsigned``, ``path``, ``max_body``, ``stranger_body``, ``cameras``, ``heard``, ``read_timeout``.
            ``path`` is empty where none is given: where the application is mounted says it already.

    Raises:
        ConfigError: Neither secrets nor unsigned events are allowed.

    """

    def __init__(
        self,
        spool: Spool,
        *,
        max_requests: int = 256,
        **rules: Unpack[Rules],
    ) -> None:
        everywhere: Rules = {"path": ""}
        super().__init__(spool, **everywhere | rules)
        self._places = Places(max_requests)
        self._workers = ThreadPoolExecutor(_STORING, thread_name_prefix="event-receiver")

    def close(self) -> None:
        """Finish what is under way; the spool stays open."""
        self._workers.shutdown(wait=True)

    async def __call__(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one request of an ASGI server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("the event receiver serves http alone")
        source = _source(scope)
        try:
            status = await self._status(scope, receive, source)
        except _GoneError:
            self.count(0)
            return
        if status != HTTPStatus.OK:
            self.count(status)
            _log.info("events: %s: answered %d", source, status)
        body, more = answer(status)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Take part in the server's start and end, where this is the whole application."""
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    async def _status(self, scope: Scope, receive: Callable[[], Awaitable[Message]], source: str) -> int:
        """Take a request, and say what it is answered with."""
        kind = _header(scope, b"content-type")
        try:
            async with self._places.place(source, self.read_timeout):
                # Asks for the cameras' addresses: whose function that is may look into a file.
                length, limit = self.admit(
                    Head(
                        str(scope["method"]),
                        str(scope["path"]),
                        source,
                        kind,
                        _header(scope, b"content-encoding"),
                        _headers(scope, b"content-length"),
                        _header(scope, b"transfer-encoding") or None,
                        sum(len(name) + len(value) for name, value in _pairs(scope)),
                    )
                )
                async with self._places.reading(source, self.read_timeout):
                    body = await _body(receive, length, limit)
                # Shielded: whoever hangs up now may not know whether it was kept, but we do.
                loop = asyncio.get_running_loop()
                await asyncio.shield(loop.run_in_executor(self._workers, self.take, body, kind, source))
        except NoPlaceError:
            return HTTPStatus.SERVICE_UNAVAILABLE
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        except Refused as refused:
            return refused.status
        return HTTPStatus.OK


class _GoneError(Exception):
    """The client went away."""


async def _body(receive: Callable[[], Awaitable[Message]], length: int | None, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")  # type: ignore[arg-type]
        if len(body) > limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not message.get("more_body"):
            break
    if length is not None and len(body) != length:
        raise Refused(HTTPStatus.BAD_REQUEST)
    return bytes(body)


def _source(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if isinstance(client, list | tuple) and client else ""


def _pairs(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    return scope["headers"]  # type: ignore[return-value]


def _headers(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in _pairs(scope) if key.lower() == name]


def _header(scope: Scope, name: bytes) -> str:
    found = _headers(scope, name)
    return found[0] if found else ""


__all__ = ["EventReceiver"]
