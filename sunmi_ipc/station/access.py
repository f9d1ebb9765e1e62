"""Who is asking, and whether under a name of ours: tokens, roles, Host, and bounds on what is sent."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ..errors import ForbiddenError, SunmiIpcError
from .problems import Refusal, answer
from .roles import Person, Tokens, allows

if TYPE_CHECKING:
    from .file import Role
    from .station import Station

#: A face's picture is at most a megabyte, and base64 makes it a third larger.
MAX_BODY = 2 << 20
_bearer = HTTPBearer(auto_error=False, description="a token of the station file")


class Unauthorized(ForbiddenError):
    """Nobody that we know."""


class Forbidden(ForbiddenError):
    """The role does not allow it."""


def person(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Person:
    """Who is asking; answers 401 where we do not know."""
    tokens: Tokens = request.app.state.tokens
    found = tokens.whose(given.credentials) if given is not None else None
    if found is None:
        raise Refusal(
            401,
            Unauthorized(
                "a token of this station is needed",
                hint="Send 'Authorization: Bearer TOKEN'; tokens stand under [tokens.NAME] in the station file.",
            ),
            {"WWW-Authenticate": "Bearer"},
        )
    return found


def at_least(role: Role) -> Callable[..., Person]:
    """A dependency: somebody who has this role or a higher one."""

    def check(who: Annotated[Person, Depends(person)]) -> Person:
        if not allows(who.role, role):
            raise Refusal(
                403,
                Forbidden(
                    "this needs the role {role}",
                    hint="{name} has the role {own}; roles stand in the station file.",
                    role=role,
                    name=who.name,
                    own=who.role,
                ),
            )
        return who

    return check


def hosts_of(station: Station) -> set[str]:
    """The names under which the port is reached, beside addresses."""
    http = station.file.http
    names = {"localhost", socket.gethostname().lower(), socket.getfqdn().lower(), "testserver"}
    return names | {name.lower() for name in (http.hosts if http else [])}


def _known_host(header: str, names: set[str]) -> bool:
    host = header.rpartition(":")[0] if header.rpartition(":")[2].isdecimal() else header
    host = host.removeprefix("[").removesuffix("]").lower().rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in names
    return True


class Door:
    """What is looked at before anything else: the Host header (DNS rebinding), and the size of the body."""

    def __init__(self, app: Any, *, names: set[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let it in, or answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not _known_host(headers.get(b"host", b"").decode("latin-1"), self._names):
            error = SunmiIpcError(
                "this station is not known under that name",
                hint="Use its address, or add the name under [http] hosts.",
            )
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await answer(Request(scope), error, 421)(scope, receive, send)
            return
        length = headers.get(b"content-length", b"0")
        if scope["type"] == "http" and length.isdigit() and int(length[:18]) > MAX_BODY:
            error = SunmiIpcError("the request is larger than {count} bytes", count=MAX_BODY)
            await answer(Request(scope), error, 413)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def body_of(request: Request) -> bytes:
    """The request's body; answers 413 where it has no end."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MAX_BODY:
            raise Refusal(413, SunmiIpcError("the request is larger than {count} bytes", count=MAX_BODY))
    return bytes(found)


def install(app: FastAPI, station: Station) -> None:
    """Put the door before *app*."""
    app.state.tokens = Tokens(station.loaded)
    app.add_middleware(Door, names=hosts_of(station))
