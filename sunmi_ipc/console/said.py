"""What browsers say over NiceGUI's socket, looked at before NiceGUI does: whose page, how large, how often.

A session of somebody who may look only reaches this socket, and need be no browser. NiceGUI believes what comes:
it gathers binary pieces without end, writes a browser's words to the log, lets every session speak for every page
whose number it knows, and whatever has another form than expected is a traceback on the terminal.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ..station.brief import brief
from .sessions import Session

_log = logging.getLogger("sunmi_ipc.console")
#: Characters of a message; pages send some hundred, and an answer to a script a few thousand.
LONGEST = 256 * 1024
#: Messages a second that are taken, and how many at once: a finger that drags makes sixty. More have to wait, which
#: the network makes the sender do; a long message counts as several.
PER_SECOND, AT_ONCE, COUNTS_AS_ONE = 200.0, 400.0, 4096
#: Files that are taken at once, and seconds for one: each is on the disk until it is dealt with.
UPLOADS, UPLOAD_S = 6, 600.0
_OF_PAGES = "/_nicegui/client/"


class Pace:
    """How long the next message has to wait, by how many came.

    Args:
        clock: Seconds; for tests.

    """

    #: Whether it was said already what the connection is for; that is said once.
    begun: bool = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._left, self._at = clock, AT_ONCE, clock()

    def wait(self, size: int) -> float:
        """Seconds until a message of *size* characters may be looked at."""
        now = self._clock()
        self._left = min(AT_ONCE, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        self._left -= 1 + size / COUNTS_AS_ONE
        return max(0.0, -self._left / PER_SECOND)


class Uploads:
    """ASGI middleware around NiceGUI: a file is for a page of the session that sends it, and few come at once.

    Args:
        app: What is behind it.
        pages: See :func:`guard`.

    """

    def __init__(self, app: Any, *, pages: Callable[[str], Any]) -> None:
        self._app, self._pages = app, pages
        self._places = asyncio.Semaphore(UPLOADS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(_OF_PAGES):
            await self._app(scope, receive, send)
            return
        page = self._pages(scope["path"].removeprefix(_OF_PAGES).partition("/")[0])
        if page is None or not _own({"asgi.scope": scope}, page):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._places:
            await asyncio.wait_for(self._app(scope, receive, send), UPLOAD_S)


def guard(server: Any, pages: Callable[[str], Any]) -> None:
    """Look at what comes to NiceGUI's socket server from now on.

    Args:
        server: Its ``socketio.AsyncServer``.
        pages: The page (NiceGUI's ``Client``) of a number; None for none.

    """
    if getattr(server, "_sunmi_ipc_guarded", False):
        return
    server._sunmi_ipc_guarded = True
    brief("nicegui")
    # Both write what strangers have sent, with tracebacks, by handlers of their own.
    for name in ("socketio.server", "engineio.server"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    paces: dict[str, Pace] = {}
    lower = server.eio
    take, left = lower.handlers["message"], lower.handlers["disconnect"]

    def end(eio_sid: str) -> None:
        # Not waited for: it lasts until the browser has read what it was sent.
        server.start_background_task(lower.disconnect, eio_sid)

    async def message(eio_sid: str, data: Any) -> None:
        if len(paces) > 2 * len(lower.sockets) + 64:
            for gone in paces.keys() - lower.sockets.keys():
                del paces[gone]
        pace = paces.setdefault(eio_sid, Pace())
        if pause := pace.wait(len(data or "")):
            await asyncio.sleep(pause)
        # A digit says what it is: connect, disconnect, event, answer. Binary ones are none of ours.
        kind = data[:1] if isinstance(data, str) and len(data) <= LONGEST else ""
        if kind not in {"0", "1", "2", "3"} or (kind == "0" and pace.begun):
            end(eio_sid)
            return
        pace.begun = True
        try:
            await take(eio_sid, data)
        except Exception as error:
            _log.debug("a message of a browser has no known form: %s", type(error).__name__)
            end(eio_sid)

    async def disconnect(eio_sid: str, *why: Any) -> None:
        paces.pop(eio_sid, None)
        await left(eio_sid, *why)

    lower.on("message", message)
    lower.on("disconnect", disconnect)
    known = server.handlers["/"]
    known.pop("log", None)  # a browser's words, in our log
    for name, handler in list(known.items()):
        if name not in ("connect", "disconnect"):
            server.on(name, _checked(server, handler, pages))
    server.on("connect", _entering(server, known["connect"], pages))


def _checked(server: Any, handler: Callable[..., Any], pages: Callable[[str], Any]) -> Any:
    async def heard(sid: str, *said: Any) -> Any:
        if len(said) != 1 or not isinstance(said[0], dict):
            return None
        number = said[0].get("client_id")
        if not isinstance(number, str) or not _own(server.get_environ(sid), pages(number)):
            return None
        return await _quiet(handler, sid, said[0])

    return heard


def _entering(server: Any, handler: Callable[..., Any], pages: Callable[[str], Any]) -> Any:
    async def connect(sid: str, environ: Mapping[str, Any], *more: Any) -> Any:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        session = _session(environ)
        if session is None or session.ended:
            return False
        for number in query.get("client_id", ()):
            page = pages(number)
            if page is not None and not _own(environ, page):
                return False
        # What it raises refuses the connection, which is what it raises for.
        return await handler(sid, environ, *more)

    return connect


async def _quiet(handler: Callable[..., Any], sid: str, said: dict[str, Any]) -> Any:
    try:
        made = handler(sid, said)
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        _log.debug("a message of a browser cannot be followed: %s", type(error).__name__)
        return None


def _own(environ: Any, page: Any) -> bool:
    """Whether a page is of the session that speaks; one that there is no more is NiceGUI's matter."""
    session = _session(environ)
    if session is None or session.ended:
        return False
    return page is None or page.request.scope.get("session") is session


def _session(environ: Any) -> Session | None:
    scope = (environ or {}).get("asgi.scope", {})
    found: Session | None = scope.get("session")
    return found
