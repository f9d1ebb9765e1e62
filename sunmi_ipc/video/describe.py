"""Ask an RTSP address what it offers (DESCRIBE): whether it answers and takes user and password.

Needs no video library, so that a wrong password is told before a player shows an empty window.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
from urllib.parse import urlsplit

from ..errors import StreamError, StreamRefusedError
from ..redact import Secret
from .address import RtspAddress

_MAX_ANSWER = 65_536
_HASHES = {"": "md5", "MD5": "md5", "SHA-256": "sha256"}


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
    return StreamRefusedError(
        "the camera's video service refuses the stream (RTSP {status})",
        hint="Ask for the address again: it may have changed.",
        camera=host,
        status=status,
    )


def describe(address: RtspAddress, *, timeout: float = 5.0) -> str:
    """What the address offers, as SDP.

    Raises:
        StreamRefusedError: User or password is wrong, or there is no such stream.
        StreamError: Nothing answers, or not in RTSP.

    """
    parts = urlsplit(address.bare)
    host, port = parts.hostname or "", parts.port or 554
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            status, headers, body = _ask(connection, address.bare, 1, "")
            if status == 401 and address.user:
                challenge = next(
                    (v for k, v in headers if k == "www-authenticate" and "digest" in v.lower()), ""
                )
                challenge = challenge or next((v for k, v in headers if k == "www-authenticate"), "")
                status, headers, body = _ask(connection, address.bare, 2, _answer(address, challenge))
    except (OSError, ValueError) as error:
        raise StreamError(
            "the camera's video service does not answer: {reason}",
            hint="Is the camera on and in this network? Its video service may still be starting.",
            camera=host,
            reason=getattr(error, "strerror", None) or "not an answer in RTSP",
        ) from None
    if status != 200:
        raise refused(address, status)
    return body


def _ask(
    connection: socket.socket, url: str, number: int, authorization: str
) -> tuple[int, list[tuple[str, str]], str]:
    lines = [
        f"DESCRIBE {url} RTSP/1.0",
        f"CSeq: {number}",
        "Accept: application/sdp",
        "User-Agent: sunmi-ipc",
    ]
    lines += [f"Authorization: {authorization}"] if authorization else []
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    with connection.makefile("rb") as answer:
        first = answer.readline(_MAX_ANSWER).decode("latin-1").split()
        if len(first) < 2 or not first[0].startswith("RTSP/"):
            raise ValueError("not RTSP")
        headers: list[tuple[str, str]] = []
        while (line := answer.readline(_MAX_ANSWER).decode("latin-1").strip()) and len(headers) < 100:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        length = min(int(dict(headers).get("content-length", 0)), _MAX_ANSWER)
        return int(first[1]), headers, answer.read(length).decode("utf-8", "replace")


def _answer(address: RtspAddress, challenge: str) -> str:
    from base64 import b64encode
    from urllib.request import parse_http_list, parse_keqv_list

    kind, _, rest = challenge.partition(" ")
    password = Secret(address.password).reveal()
    if kind.lower() == "basic":
        return "Basic " + b64encode(f"{address.user}:{password}".encode()).decode()
    values = parse_keqv_list([item for item in parse_http_list(rest) if "=" in item])
    algorithm = values.get("algorithm", "")

    def digest(*parts: str) -> str:
        made = hashlib.new(_HASHES[algorithm.upper()], ":".join(parts).encode(), usedforsecurity=False)
        return made.hexdigest()

    if kind.lower() != "digest" or algorithm.upper() not in _HASHES:
        raise ValueError("an unknown kind of authentication")
    realm, nonce = values.get("realm", ""), values.get("nonce", "")
    one, two = digest(address.user, realm, password), digest("DESCRIBE", address.bare)
    fields = {"username": address.user, "realm": realm, "nonce": nonce, "uri": address.bare}
    if "auth" in [q.strip() for q in values.get("qop", "").split(",")]:
        fresh = secrets.token_hex(8)
        fields |= {"response": digest(one, nonce, "00000001", fresh, "auth", two), "cnonce": fresh}
        tail = ", qop=auth, nc=00000001"
    else:
        fields["response"] = digest(one, nonce, two)
        tail = ""
    fields |= {name: values[name] for name in ("opaque",) if name in values}
    tail += f", algorithm={algorithm}" if algorithm else ""
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + tail
