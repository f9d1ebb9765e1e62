"""The body of an HTTP request, with a length or in chunks (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase

_LINE = 4_096


class Unreadable(Exception):
    """Not a body, or too large; ``status`` is what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read(headers: Message, stream: BufferedIOBase, most: int) -> bytes:
    """The whole body.

    Args:
        headers: Of the request.
        stream: What follows them.
        most: Bytes that are taken.

    Raises:
        Unreadable: 400, 413 or 501; the connection is then of no more use.

    """
    coding = headers.get("Transfer-Encoding", "").strip().lower()
    length = headers.get("Content-Length")
    if coding:
        if coding != "chunked":
            raise Unreadable(501)
        if length is not None:  # two lengths: a request within a request
            raise Unreadable(400)
        return _chunks(stream, most)
    length = "0" if length is None else length.strip()
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise Unreadable(400)
    if int(length) > most:
        raise Unreadable(413)
    return stream.read(int(length))


def _chunks(stream: BufferedIOBase, most: int) -> bytes:
    body = bytearray()
    while True:
        size = re.fullmatch(rb"([0-9A-Fa-f]{1,8})[ \t]*(;.*)?\r?\n", stream.readline(_LINE))
        if size is None:
            raise Unreadable(400)
        count = int(size[1], 16)
        if not count:
            break
        if len(body) + count > most:
            raise Unreadable(413)
        body += stream.read(count)
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise Unreadable(400)
    for _ in range(64):  # trailers
        if stream.readline(_LINE) in (b"\r\n", b"\n", b""):
            return bytes(body)
    raise Unreadable(400)


__all__ = ["Unreadable", "read"]
