"""Ask an RTSP address what it offers (DESCRIBE): whether it answers and takes user and password.

Needs no video library, so that a wrong password is told before a player shows an empty window.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from ..deadline import Deadline
from ..errors import StreamError
from ..i18n import later
from .address import RtspAddress
from .rtsp import RECORDER_HINT, Authentication, Message, Parser, refused


def describe(address: RtspAddress, *, timeout: float = 5.0) -> str:
    """What the address offers, as SDP.

    Args:
        address: Of the live picture or a playback.
        timeout: Seconds for the whole exchange.

    Raises:
        StreamRefusedError: User or password is wrong, or there is no such stream.
        StreamError: Nothing answers, not in time, or not in RTSP.

    """
    parts = urlsplit(address.bare)
    deadline = Deadline(timeout)
    authentication = Authentication(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 554), deadline.left()) as sock:
            parser = Parser()
            answer = _ask(sock, parser, address.bare, 1, "", deadline)
            tries = 1
            while answer.status == 401 and tries < 3 and authentication.take(answer):
                tries += 1
                said = authentication.header("DESCRIBE", address.bare)
                answer = _ask(sock, parser, address.bare, tries, said, deadline)
    except (OSError, ValueError) as error:
        raise silent(parts.hostname, error) from None
    if answer.status != 200:
        raise refused(address, answer.status)
    return answer.body.decode("utf-8", "replace")


def silent(host: str | None, error: Exception) -> StreamError:
    """The error where no answer in RTSP came."""
    if isinstance(error, TimeoutError):
        reason: str = later("no complete answer in time")
    elif isinstance(error, OSError):
        reason = error.strerror or later("the connection broke")
    else:
        reason = later("not an answer in RTSP")
    return StreamError(
        "the camera's video service does not answer: {reason}",
        hint=RECORDER_HINT
        if isinstance(error, ConnectionRefusedError)
        else "Is the camera on and in this network? Its video service may still be starting.",
        camera=host,
        reason=reason,
    )


def _ask(
    sock: socket.socket, parser: Parser, url: str, number: int, authorization: str, deadline: Deadline
) -> Message:
    request = Message(f"DESCRIBE {url} RTSP/1.0", [("CSeq", str(number)), ("Accept", "application/sdp")])
    request.put("User-Agent", "sunmi-ipc")
    if authorization:
        request.put("Authorization", authorization)
    deadline.bound(sock)
    sock.sendall(request.pack())
    while True:
        while (item := parser.next()) is not None:
            if isinstance(item, Message) and item.status:
                return item
        deadline.bound(sock)
        data = sock.recv(65_536)
        if not data:
            raise ConnectionError
        parser.feed(data)


__all__ = ["describe", "refused", "silent"]
