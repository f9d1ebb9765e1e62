"""The discovery datagram, as bytes and back; no input or output here.

A camera listens on UDP port 10001 (vendor's documentation). The layout was read off the vendor's
phone app, so it is good for orientation and not proven (the length in an answer least of all): all
integers big-endian, ::

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
_BLANKS = b" \t\r\n\0"
_ALPHABET = bytes.maketrans(b"-_", b"+/")
_JSON = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


class Kind(IntEnum):
    """What a datagram is: byte 5."""

    REQUEST = 1
    RESPONSE = 2


@dataclass(frozen=True, slots=True)
class Packet:
    """A datagram whose magic and CRC fit.

    Attributes:
        kind: :class:`Kind`; another number where byte 5 is neither.
        payload: The JSON object's scalar values as text, by key.
        odd: What was not as the layout says, in a few English words each.

    """

    kind: int
    payload: Mapping[str, str]
    odd: tuple[str, ...] = ()


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

    Only the magic and the CRC refuse: the layout is not proven, and a camera must not be invisible because
    it is read too strictly. Whatever else is not as the layout says stands in :attr:`Packet.odd`. The
    payload is all between the head and the CRC, by the datagram's own size: order and value of the length
    field are not known.

    Numbers, ``true`` and ``false`` become text as they were written; ``null`` and nested values
    are left out, because no key that we know has them. Text that is not UTF-8 is read as GB18030, else as
    far as it goes: a camera with a garbled name is still a camera.

    Raises:
        BadPacket: It is not a datagram of this protocol. Nothing else is ever raised.

    """
    if len(data) > MAX_SIZE:
        raise BadPacket("too long")
    if len(data) < _HEADER.size + _CRC.size or not data.startswith(MAGIC):
        raise BadPacket("wrong magic")
    _, version, kind, length = _HEADER.unpack_from(data)
    end, odd = _end(data, length)
    if version != VERSION:
        odd.append("version")
    if kind not in (Kind.REQUEST, Kind.RESPONSE):
        odd.append("type")
    document = _document(_base64(data[_HEADER.size : end]))
    if document is None and (document := _document(data[_HEADER.size : end])) is not None:
        odd.append("not base64")
    if document is None:
        odd.append("not a JSON object")
    payload = {key: _text(value) for key, value in (document or {}).items() if _is_scalar(value)}
    return Packet(kind, payload, tuple(odd))


def _end(data: bytes, length: int) -> tuple[int, list[str]]:
    """Where the payload ends: before the CRC, by the datagram's size; else where the length field says.

    Raises:
        BadPacket: The CRC fits in neither place.

    """
    by_size = len(data) - _CRC.size
    places = [by_size]
    for n in (length, int.from_bytes(length.to_bytes(2), "little")):
        if _HEADER.size + n < by_size:  # something was added behind the CRC
            places.append(_HEADER.size + n)
    for end in places:
        crc, odd = zlib.crc32(data[:end]), [] if end == by_size else ["more behind the CRC"]
        if _CRC.unpack_from(data, end)[0] == crc:
            return end, odd
        if int.from_bytes(data[end : end + _CRC.size], "little") == crc:
            return end, [*odd, "order of the CRC"]
    raise BadPacket("wrong CRC")


def _base64(payload: bytes) -> bytes:
    """Base64 as leniently as can be: line breaks, blanks, trailing NULs, missing padding, the other alphabet."""
    letters = payload.translate(_ALPHABET, _BLANKS).rstrip(b"=")
    # A letter too many is dropped: it holds no whole byte.
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        return b""


def _document(raw: bytes) -> dict[str, object] | None:
    """The JSON object that *raw* begins with."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "replace")
    try:
        # Numbers stay text: no conversion to overflow, and "001" would keep its zeros.
        found, _ = _JSON.raw_decode(text.lstrip("\0 \t\r\n"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, bool))


def _text(value: object) -> str:
    return value if isinstance(value, str) else "true" if value else "false"


REQUEST = encode(Kind.REQUEST, {"reserve": "111"})
"""The request as the vendor's app sends it: 36 bytes, always the same."""
