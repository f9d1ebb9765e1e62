"""RTSP requests and answers on a connection (RFC 2326), and who may ask (RFC 2617)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlsplit

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    406: "Not Acceptable",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    457: "Invalid Range",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    505: "RTSP Version Not Supported",
}
_LINE, _HEADERS, _BODY = 4_096, 64, 65_536


class Malformed(Exception):
    """Not a request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case. ``method`` is empty for data in between."""

    method: str = ""
    url: str = ""
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The URL's path without slashes at its ends."""
        return urlsplit(self.url).path.strip("/")


def read_request(stream: BinaryIO) -> Request | None:
    """The next request, or an empty one for an interleaved packet; None at the end.

    Raises:
        Malformed: It is no RTSP.

    """
    first = stream.read(1)
    while first in (b"\r", b"\n"):
        first = stream.read(1)
    if not first:
        return None
    if first == b"$":
        size = int.from_bytes(stream.read(3)[1:])
        stream.read(size)
        return Request()
    line = (first + stream.readline(_LINE)).decode("utf-8", "replace").split()
    if len(line) != 3 or not line[2].startswith("RTSP/"):
        raise Malformed
    headers: dict[str, str] = {}
    for _ in range(_HEADERS):
        text = stream.readline(_LINE).decode("utf-8", "replace").strip()
        if not text:
            break
        name, colon, value = text.partition(":")
        if not colon:
            raise Malformed
        headers[name.strip().lower()] = value.strip()
    else:
        raise Malformed
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _BODY:
        raise Malformed
    stream.read(int(length))
    return Request(line[0].upper(), line[1], line[2], headers)


def response(status: int, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """An answer; the body's length is added."""
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Authentication:
    """Digest and basic authentication of one connection."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._realm, self._nonce = "sunmi", secrets.token_hex(16)

    def challenges(self) -> list[tuple[str, str]]:
        """What a client may choose from."""
        digest = f'Digest realm="{self._realm}", nonce="{self._nonce}", algorithm="MD5"'
        return [("WWW-Authenticate", digest), ("WWW-Authenticate", f'Basic realm="{self._realm}"')]

    def allows(self, request: Request) -> bool:
        """Whether the request carries the right user and password."""
        kind, _, rest = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(rest, validate=True)
            except binascii.Error:
                return False
            return hmac.compare_digest(given, f"{self._user}:{self._password}".encode())
        if kind.lower() != "digest":
            return False
        words = {name.lower(): a or b for name, a, b in re.findall(r'\b(\w+)=(?:"([^"]*)"|([^\s,]+))', rest)}
        if (words.get("username"), words.get("realm"), words.get("nonce")) != (
            self._user,
            self._realm,
            self._nonce,
        ):
            return False
        uri = words.get("uri", "")
        # Some clients sign the stream's address where they ask for its track.
        if not request.path.startswith(urlsplit(uri).path.strip("/") or "/"):
            return False
        who = _md5(f"{self._user}:{self._realm}:{self._password}")
        what = _md5(f"{request.method}:{uri}")
        right = _md5(f"{who}:{self._nonce}:{what}")
        return hmac.compare_digest(words.get("response", ""), right)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
