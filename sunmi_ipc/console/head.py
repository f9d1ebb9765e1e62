"""The beginning of every page: our styles and the live picture's script, before anything that has to be fetched.

NiceGUI's page begins with four stylesheets, and whatever stands behind them waits for them. What shows the picture
stands before, in the page itself: a camera's stream is on its way while the browser still asks for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

_HEAD = re.compile(rb"<head\b[^>]*>")
#: Where a page of ours leaves what its own head has to begin with.
_KEY = "console_head"

App = Callable[..., Awaitable[None]]


def named(how: str, name: str) -> dict[str, str]:
    """The header that says what a file is called, whatever it is called: a header holds Latin letters alone (RFC 6266).

    Args:
        how: ``inline`` or ``attachment``.
        name: The file's name.

    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    return {"content-disposition": f"{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"}


def put(scope: MutableMapping[str, Any], html: str) -> None:
    """Have the answer to this request begin with *html* in its head, behind what every page begins with."""
    if _KEY in scope:
        scope[_KEY].append(html)


class Head:
    """ASGI middleware around the pages, inside of what compresses them.

    Args:
        app: What makes the pages.
        html: What every head begins with.

    """

    def __init__(self, app: App, html: str) -> None:
        self._app, self._html = app, html

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: list[MutableMapping[str, Any]] = []
        more: list[str] = []
        scope[_KEY] = more  # a list, as scopes are copied on the way

        async def begun(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and _page(message):
                held.append(message)
                return
            if held and message["type"] == "http.response.body":
                start = held.pop()
                body = bytes(message.get("body", b""))
                own = "".join([self._html, *more]).encode()
                made = _HEAD.sub(lambda m: m[0] + own, body, count=1)
                grown = len(made) - len(body)
                start["headers"] = [
                    (k, str(int(v) + grown).encode() if k.lower() == b"content-length" else v)
                    for k, v in start["headers"]
                ]
                await send(start)
                message = {**message, "body": made}
            await send(message)

        await self._app(scope, receive, begun)


def _page(start: MutableMapping[str, Any]) -> bool:
    """Whether it is a page of NiceGUI's: our reports and the door stand for themselves."""
    headers = {k.lower(): v for k, v in start.get("headers", ())}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"x-nicegui-content" in headers
