"""What reaches the pages at all: the right host and origin, a session, and headers on the way back.

A page of any site may make a browser ask for our addresses (DNS rebinding, forged requests), so who asks is
looked at before anything else: the ``Host`` must be one of ours, an ``Origin`` that is sent must be this very
one, and without a session there is nothing but the door (``/enter``).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from .photos import MAX_UPLOAD
from .sessions import Session, Sessions

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("sunmi_ipc.console")
COOKIE = "ipc_session"
#: WebSockets of one session: two for each page that stands open.
SOCKETS = 100
#: Bytes of a request: a photo of a telephone with what is around it; a code, from those who have no session yet.
MAX_BODY, _SMALL = MAX_UPLOAD + 1024 * 1024, 16 * 1024
#: Open to everybody who has the right host: the door, and how it looks.
_OPEN = ("/enter", "/static/console/", "/favicon.ico", "/healthz", "/readyz")
#: NiceGUI compiles its templates in the browser ('unsafe-eval') and starts by an inline script; everything
#: else is shut: nothing is loaded from, sent to, or shown in another place.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Gate:
    """ASGI middleware around everything.

    Args:
        app: What is behind it.
        sessions: Who is let in.
        hosts: Values of ``Host`` that are ours, with the port where it is not the scheme's own; ``name:*``
            under any port.
        secure: Whether it is served by https.
        passed: Paths that look after themselves, as an API with tokens does; with ``/`` at the end, all below.
        on_close: Called by :meth:`close`.

    """

    def __init__(
        self,
        app: App,
        sessions: Sessions,
        hosts: Iterable[str],
        *,
        secure: bool,
        passed: Iterable[str] = (),
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._app, self._sessions, self._secure = app, sessions, secure
        self.hosts: set[str] = {host.lower() for host in hosts}
        self._passed = tuple(passed)
        self._on_close = on_close

    def close(self) -> None:
        """Let go of what is behind."""
        self._on_close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one WebSocket."""
        if scope["type"] not in ("http", "websocket") or (_among(scope["path"], self._passed)):
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        status = self._refused(scope, headers)
        if status:
            await _refuse(scope, receive, send, status)
            return

        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return

        limit = _SMALL if _among(scope["path"], _OPEN) else MAX_BODY
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:18]) > limit:
            await _refuse(scope, receive, send, 413)
            return
        came, begun = 0, False

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal came
            message = await receive()
            if message["type"] == "http.request":
                came += len(message.get("body", b""))
            # What is too much and did not say so has no reader: nobody keeps it.
            return {"type": "http.disconnect"} if came > limit else message

        async def dressed(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if came > limit:
                return
            if message["type"] == "http.response.start":
                begun = True
                given = list(message.get("headers", ()))
                there = {name.lower() for name, _ in given}
                given += [
                    (k.encode(), v.encode()) for k, v in self._headers().items() if k.encode() not in there
                ]
                if not any(name == b"cache-control" for name in there):
                    # Our own files hold nothing of anybody's; a browser asks whether they are still so.
                    own = scope["path"].startswith("/static/console/")
                    given.append((b"cache-control", b"no-cache" if own else b"no-store"))
                message["headers"] = given
            await send(message)

        try:
            await self._app(scope, bounded, dressed)
        except Exception as error:
            # Starlette's word for a browser that has left before its page was ready.
            left = isinstance(error, RuntimeError) and "No response returned" in str(error)
            if came <= limit and not left:
                raise
        if came > limit and not begun:
            await _refuse(scope, receive, send, 413)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = session_of(scope)
        if session is None or session.sockets >= SOCKETS:
            await _refuse(scope, receive, send, 403)
            return
        session.sockets += 1
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            # It ends the connection, and all that it says is what a browser, or who pretends to be one, has sent.
            _log.debug("a WebSocket broke off: %s", type(error).__name__, exc_info=error)
        finally:
            session.sockets -= 1

    def _headers(self) -> dict[str, str]:
        return HEADERS | ({"strict-transport-security": "max-age=86400"} if self._secure else {})

    def _refused(self, scope: Scope, headers: dict[str, str]) -> int:
        """The status that refuses, or 0; the session goes into the scope."""
        host = headers.get("host", "").lower()
        if host not in self.hosts and f"{_name(host)}:*" not in self.hosts:
            return 421
        origin = headers.get("origin")
        scheme = "https" if self._secure else "http"
        unsafe = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if origin is not None and origin.lower() != f"{scheme}://{host}":
            return 403
        if origin is None and unsafe and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403
        if origin is None and scope["type"] == "websocket":
            return 403  # every browser sends it
        path = scope["path"]
        session = self._sessions.get(_cookie(headers.get("cookie", "")))
        scope["session"] = session
        if session is None and not _among(path, _OPEN):
            return 401
        return 0


def _among(path: str, places: tuple[str, ...]) -> bool:
    """Whether *path* is one of *places*, or below one that ends with ``/``."""
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in places)


def _name(host: str) -> str:
    """A ``Host`` without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def session_of(scope: Scope) -> Session | None:
    """The session that the gate has found."""
    found: Session | None = scope.get("session")
    return found


def _cookie(header: str) -> str:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
    wants_page = any(k == b"accept" and b"text/html" in v for k, v in scope["headers"]) and scope[
        "method"
    ] in ("GET", "HEAD")
    if status == 401 and wants_page:
        headers += [(b"location", b"/enter"), (b"content-length", b"0"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = {
        413: b"too large",
        421: b"not served under this name",
        403: b"asked from another place",
        401: b"no session",
    }[status]
    headers += [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
