"""The datagram: exact both ways, and nothing that a stranger sends gets past the parser as an exception."""

from __future__ import annotations

import base64
import json
import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sunmi_ipc import errors
from sunmi_ipc.discovery import packet
from sunmi_ipc.discovery.camera import observe
from sunmi_ipc.simulator.discovery import is_request, response

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def sealed(payload: bytes, *, head: bytes = b"\xff\xff\x33\xff\x01\x02", length: int | None = None) -> bytes:
    """A datagram around *payload*, its CRC right, whatever is wrong with the rest."""
    data = head + struct.pack(">H", len(payload) if length is None else length) + payload
    return data + struct.pack(">I", zlib.crc32(data))


def document(text: str) -> bytes:
    return sealed(base64.b64encode(text.encode()))


def test_the_request_is_the_papers() -> None:
    assert packet.REQUEST.hex() == "ffff33ff0101001865794a795a584e6c636e5a6c496a6f694d544578496e303d37947cfe"
    assert is_request(packet.REQUEST)


@given(st.dictionaries(TEXT, TEXT, max_size=6))
def test_round_trip(values: dict[str, str]) -> None:
    parsed = packet.parse(response(values))
    assert (parsed.kind, dict(parsed.payload)) == (packet.Kind.RESPONSE, values)
    assert packet.parse(packet.encode(1, values)).payload == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ANY_PACKET = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=60).map(lambda b: packet.REQUEST[:8] + b),
    st.binary(max_size=200).map(sealed),
    st.binary(max_size=200).map(lambda b: sealed(base64.b64encode(b))),
    JSON.map(lambda value: document(json.dumps(value))),
    st.builds(
        lambda data, at, bit: bytes(b ^ (bit if i == at % len(data) else 0) for i, b in enumerate(data)),
        st.just(response({"deviceid": "FS101D8BS00106", "ip": "10.0.0.1"})),
        st.integers(0, 500),
        st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]),
    ),
)


@settings(max_examples=1000)
@given(ANY_PACKET)
@example(document("[" * 40_000))
@example(document('{"deviceid":' + "9" * 20_000 + "}"))
@example(document('{"deviceid":"\\ud800","name":"\\u001b[2J"}'))
@example(b"\xff" * 70_000)
def test_nothing_else_escapes(data: bytes) -> None:
    try:
        parsed = packet.parse(data)
        assert all(isinstance(part, str) for pair in parsed.payload.items() for part in pair)
        camera = observe(parsed.payload, "10.0.0.1")
        assert camera.sn
        assert camera.name.isprintable()
    except packet.BadPacket as bad:
        assert bad.reason  # noqa: PT017 - a parse that succeeds is right too


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "wrong magic"),
        (b"junk of another program", "wrong magic"),
        (sealed(b"e30=", head=b"\xff\xff\x33\xff\x02\x02"), "wrong version"),
        (sealed(b"e30=", head=b"\xff\xff\x33\xff\x01\x03"), "wrong type"),
        (sealed(b"e30=", length=5), "wrong length"),
        (sealed(b"e30=") + b"x", "wrong length"),
        (sealed(b"e30=")[:-1] + b"\x00", "wrong CRC"),
        (sealed(b"e30"), "not base64"),
        (sealed(b"e3\n0="), "not base64"),
        (document("{"), "not JSON"),
        (document("[]"), "not a JSON object"),
        (b"\xff\xff\x33\xff" + bytes(70_000), "too long"),
    ],
)
def test_each_kind_of_wrong_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(packet.BadPacket) as caught:
        packet.parse(data)
    assert caught.value.reason == reason


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.ParameterError, match="does not fit"):
        packet.encode(2, {"name": "x" * 60_000})
