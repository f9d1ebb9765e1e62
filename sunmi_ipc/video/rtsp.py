"""RTSP as bytes: messages with bounds, the answers to a challenge, statuses in words. No sockets here."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import StreamRefusedError
from ..redact import Secret, printable
from .address import RtspAddress

_log = logging.getLogger("sunmi_ipc.video")

#: Status line and headers of one message; its body (a description has some hundred bytes).
MAX_HEAD, MAX_BODY = 65_536, 262_144
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_HASHES = {"": "md5", "MD5": "md5", "SHA-256": "sha256"}
_PAIR = re.compile(r'([A-Za-z][\w-]{0,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,2000})"|([^\s",]{0,2000}))')

#: The vendor's recorder access: refused or silent video services may be this (W).
RECORDER_HINT = (
    "Access for recorders (RTSP) is a switch of the camera, in the vendor's app, from firmware 1.2.2 (FM020) "
    "or 1.3.0 (FM010) on. After a start its video service takes a minute."
)


class Malformed(ValueError):
    """Not RTSP, or beyond the bounds."""


@dataclass(slots=True)
class Message:
    """A request or an answer, by its first line; ``raw`` as it came."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def status(self) -> int:
        """An answer's status; 0 for a request."""
        match = re.match(r"RTSP/\d\.\d (\d{3})(?!\d)", self.first)
        return int(match[1]) if match else 0

    @property
    def method(self) -> str:
        """A request's method."""
        return self.first.split(" ", 1)[0]

    def get(self, name: str) -> str:
        """The first header of this name, or empty."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")

    def put(self, name: str, value: str) -> None:
        """Set a header, in the place of those of its name."""
        self.headers = [(k, v) for k, v in self.headers if k.lower() != name.lower()] + [(name, value)]

    def pack(self) -> bytes:
        """As it is sent."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + self.body


class Parser:
    """Cuts what comes into messages and, in between, packets of the stream (``$``, as bytes)."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._looked = 0

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data

    def next(self) -> Message | bytes | None:
        """The next message or packet; None where it is not all there.

        Raises:
            Malformed: It is neither, or too large.

        """
        while self._data[:1] == b"\r" or self._data[:1] == b"\n":
            del self._data[0]
        if self._data[:1] == b"$":
            if len(self._data) < 4 or len(self._data) < (size := 4 + int.from_bytes(self._data[2:4])):
                return None
            return self._take(size)
        match = _END_OF_HEAD.search(self._data, max(0, self._looked - 3))
        if match is None:
            self._looked = len(self._data)
            if len(self._data) > MAX_HEAD:
                raise Malformed("a head without an end")
            return None
        if match.start() > MAX_HEAD:
            raise Malformed("too large a head")
        lines = bytes(self._data[: match.start()]).decode("utf-8", "surrogateescape").split("\n")
        first, *rest = (line.rstrip("\r") for line in lines)
        if "RTSP/" not in first:
            raise Malformed("not RTSP")
        message = Message(first)
        for line in rest:
            name, colon, value = line.partition(":")
            if colon:
                message.headers.append((name.strip(), value.strip()))
        length = message.get("content-length") or "0"
        if not re.fullmatch(r"[0-9]{1,7}", length) or int(length) > MAX_BODY:
            raise Malformed("a length that is none")
        if len(self._data) < match.end() + int(length):
            return None
        whole = self._take(match.end() + int(length))
        message.body = whole[match.end() :]
        return message

    def _take(self, size: int) -> bytes:
        piece = bytes(self._data[:size])
        del self._data[:size]
        self._looked = 0
        return piece


#: Hosts of which it was said that they take the password in clear.
_SAID: set[str] = set()


class Authentication:
    """Answers the camera's challenges: Digest where it is offered, else Basic.

    Basic carries the password in clear. It goes to the camera's own address alone, and is said once.
    """

    def __init__(self, address: RtspAddress) -> None:
        self._address = address
        self._challenge: tuple[str, dict[str, str]] | None = None
        self._count = 0

    def take(self, answer: Message) -> bool:
        """Take the challenges of an answer with status 401; whether one of them is new and can be answered.

        Raises:
            Malformed: They are all of unknown kinds.

        """
        offers = [v for k, v in answer.headers if k.lower() == "www-authenticate"]
        if not self._address.user or not offers:
            return False
        known = []
        for offer in offers:
            kind, _, rest = offer.partition(" ")
            values = {m[1].lower(): m[3] if m[2] is None else m[2] for m in _PAIR.finditer(rest[:8192])}
            if kind.lower() == "digest" and values.get("algorithm", "").upper() in _HASHES:
                known.append((0, kind.lower(), values))
            elif kind.lower() == "basic":
                known.append((1, kind.lower(), values))
        if not known:
            raise Malformed("an unknown kind of authentication")
        _, kind, values = min(known, key=lambda offer: offer[0])
        if self._challenge == (kind, values):
            return False  # the answer to it was wrong
        self._challenge, self._count = (kind, values), 0
        return True

    def header(self, method: str, url: str) -> str:
        """The ``Authorization`` for a request; empty where the camera has asked for none."""
        if self._challenge is None:
            return ""
        kind, values = self._challenge
        user, password = self._address.user, Secret(self._address.password).reveal()
        if kind == "basic":
            host = urlsplit(self._address.bare).hostname or ""
            if host not in _SAID:
                _SAID.add(host)
                _log.warning("%s: the camera takes the RTSP password in clear alone (Basic)", printable(host))
            return "Basic " + b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
        algorithm = values.get("algorithm", "")

        def digest(*parts: str) -> str:
            # A realm in another encoding than UTF-8 is hashed as the bytes that it came as.
            text = ":".join(parts).encode("utf-8", "surrogateescape")
            return hashlib.new(_HASHES[algorithm.upper()], text, usedforsecurity=False).hexdigest()

        self._count += 1
        realm, nonce = values.get("realm", ""), values.get("nonce", "")
        one, two = digest(user, realm, password), digest(method, url)
        fields = {"username": user, "realm": realm, "nonce": nonce, "uri": url}
        tail = ""
        if "auth" in [q.strip().lower() for q in values.get("qop", "").split(",")]:
            fresh, count = secrets.token_hex(8), f"{self._count:08x}"
            fields |= {"response": digest(one, nonce, count, fresh, "auth", two), "cnonce": fresh}
            tail = f", qop=auth, nc={count}"
        else:
            fields["response"] = digest(one, nonce, two)
        if "opaque" in values:
            fields["opaque"] = values["opaque"]
        if algorithm:
            tail += f", algorithm={algorithm}"
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + tail


def refused(address: RtspAddress, status: int) -> StreamRefusedError:
    """The error for an RTSP status."""
    host = urlsplit(address.bare).hostname or ""
    if status in (401, 403):
        return StreamRefusedError(
            "the camera's video service refuses user and password (RTSP {status})",
            hint="Set SUNMI_IPC_RTSP_USER and SUNMI_IPC_RTSP_PASSWORD; both are 'admin' on a new camera.",
            camera=host,
            status=status,
        )
    if 300 <= status < 400:
        return StreamRefusedError(
            "the camera's video service sends us elsewhere (RTSP {status}), which is not followed",
            hint="Ask for the address again: it may have changed.",
            camera=host,
            status=status,
        )
    if status in (404, 410, 454):
        return StreamRefusedError(
            "the camera's video service does not have this stream (RTSP {status})",
            hint="Ask for the address again: it may have changed.",
            camera=host,
            status=status,
        )
    if status == 461:
        return StreamRefusedError(
            "the camera's video service sends its stream in no way that is known here (RTSP {status})",
            hint="TCP and UDP were offered.",
            camera=host,
            status=status,
        )
    if status in BUSY:
        return StreamRefusedError(
            "the camera's video service cannot give the stream now (RTSP {status})",
            hint="It may have as many viewers as it can serve: close others, and try again in a minute.",
            camera=host,
            status=status,
        )
    return StreamRefusedError(
        "the camera's video service refuses the stream (RTSP {status})",
        hint=RECORDER_HINT,
        camera=host,
        status=status,
    )


#: Not enough bandwidth, errors of the server, out of service: worth a second try.
BUSY = frozenset({453, 500, 502, 503, 504})
