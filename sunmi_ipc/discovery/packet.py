"""The discovery datagram, as bytes and back; no input or output here.

A camera listens on UDP port 10001 (vendor's documentation). The layout was read off the vendor's
phone app, so it is good for orientation and not proven: all integers big-endian, ::

    FF FF 33 FF | version 01 | 01 request, 02 answer | length n (2 bytes)
    n bytes: base64 of a JSON object | CRC-32 of all before it
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ..errors import ParameterError, ReplyError

__all__ = ["MAX_SIZE", "PORT", "REQUEST", "BadPacket", "Kind", "Packet", "encode", "parse"]

PORT = 10001
MAGIC = b"\xff\xff\x33\xff"
VERSION = 1
MAX_SIZE = 65_507
"""Bytes in the largest UDP datagram over IPv4."""

_HEADER = struct.Struct(">4sBBH")
_CRC = struct.Struct(">I")


class Kind(IntEnum):
    """What a datagram is: byte 5."""

    REQUEST = 1
    RESPONSE = 2


@dataclass(frozen=True, slots=True)
class Packet:
    """A well-formed datagram. ``payload`` holds the JSON object's scalar values as text."""

    kind: Kind
    payload: Mapping[str, str]


class BadPacket(ReplyError):
    """A datagram that is not one of this protocol. ``reason`` says why, in a few English words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encode(kind: int, payload: Mapping[str, str]) -> bytes:
    """The datagram for *payload*.

    Args:
        kind: :class:`Kind`, or its number.
        payload: The JSON object; keys and values are text.

    Raises:
        ParameterError: The payload does not fit into one UDP datagram.

    """
    body = base64.b64encode(json.dumps(dict(payload), separators=(",", ":")).encode())
    if _HEADER.size + len(body) + _CRC.size > MAX_SIZE:
        raise ParameterError("the payload does not fit into one datagram", name="payload")
    head = _HEADER.pack(MAGIC, VERSION, Kind(kind), len(body)) + body
    return head + _CRC.pack(zlib.crc32(head))


def parse(data: bytes) -> Packet:
    """Read one datagram, whoever sent it.

    Numbers, ``true`` and ``false`` become text as they were written; ``null`` and nested values
    are left out, because no key that we know has them. Text that is not UTF-8 is read as far as it
    goes: a camera with a garbled name is still a camera.

    Raises:
        BadPacket: It is not a datagram of this protocol. Nothing else is ever raised.

    """
    if len(data) > MAX_SIZE:
        raise BadPacket("too long")
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise BadPacket("wrong magic")
    _, version, kind, length = _HEADER.unpack_from(data)
    if version != VERSION:
        raise BadPacket("wrong version")
    if kind not in (Kind.REQUEST, Kind.RESPONSE):
        raise BadPacket("wrong type")
    end = _HEADER.size + length
    if len(data) != end + _CRC.size:
        raise BadPacket("wrong length")
    if _CRC.unpack_from(data, end)[0] != zlib.crc32(data[:end]):
        raise BadPacket("wrong CRC")
    try:
        text = base64.b64decode(data[_HEADER.size : end], validate=True).decode(errors="replace")
    except binascii.Error:
        raise BadPacket("not base64") from None
    try:
        # Numbers stay text: no conversion to overflow, and "001" would keep its zeros.
        document = json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise BadPacket("not JSON") from None
    if not isinstance(document, dict):
        raise BadPacket("not a JSON object")
    return Packet(Kind(kind), {key: _text(value) for key, value in document.items() if _is_scalar(value)})


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, bool))


def _text(value: object) -> str:
    return value if isinstance(value, str) else "true" if value else "false"


REQUEST = encode(Kind.REQUEST, {"reserve": "111"})
"""The request as the vendor's app sends it: 36 bytes, always the same."""
