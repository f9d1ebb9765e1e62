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
from sunmi_ipc.discovery.camera import ODD_ANSWER, ODD_SN, observe
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


@pytest.mark.slow
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
        camera = observe(parsed.payload, "10.0.0.1", odd=bool(parsed.odd))
        assert camera.sn or ODD_ANSWER in camera.flags
        assert (camera.serial_number is not None) == bool(camera.sn and ODD_SN not in camera.flags)
        assert (camera.sn + camera.name).isprintable()
    except packet.BadPacket as bad:
        assert bad.reason  # noqa: PT017 - a parse that succeeds is right too


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "wrong magic"),
        (b"junk of another program", "wrong magic"),
        (sealed(b"e30=")[:-1] + b"\x00", "wrong CRC"),
        (sealed(b"e30=")[:9], "wrong magic"),
        (b"\xff\xff\x33\xff" + bytes(70_000), "too long"),
    ],
)
def test_only_magic_and_crc_refuse(data: bytes, reason: str) -> None:
    with pytest.raises(packet.BadPacket) as caught:
        packet.parse(data)
    assert caught.value.reason == reason


SAID = {"deviceid": "FS101D8BS00106", "name": "Door"}
PLAIN = json.dumps(SAID).encode()
CODED = base64.b64encode(PLAIN)


@pytest.mark.parametrize(
    ("data", "odd"),
    [
        # The length field proves nothing: none of these is even odd.
        (sealed(CODED, length=0), ()),
        (sealed(CODED, length=65_535), ()),
        (sealed(CODED, length=struct.unpack("<H", struct.pack(">H", len(CODED)))[0]), ()),
        (sealed(CODED, length=len(CODED) + 12), ()),
        # Base64 as other encoders write it.
        (sealed(base64.encodebytes(PLAIN)), ()),
        (sealed(CODED[:20] + b"\r\n" + CODED[20:] + b"\r\n"), ()),
        (sealed(CODED.rstrip(b"=")), ()),
        (sealed(CODED + b"\0"), ()),
        (sealed(CODED + b"\0\0\0\0"), ()),
        (sealed(base64.urlsafe_b64encode(json.dumps(SAID | {"x": "???>>>"}).encode())), ()),
        (sealed(base64.b64encode(PLAIN + b"\0")), ()),
        (sealed(base64.b64encode(PLAIN + b" \n{}")), ()),
        (sealed(base64.b64encode(b"\xef\xbb\xbf" + PLAIN)), ()),
        # Odd, and shown all the same.
        (sealed(CODED, head=b"\xff\xff\x33\xff\x02\x02"), ("version",)),
        (sealed(CODED, head=b"\xff\xff\x33\xff\x01\x07"), ("type",)),
        (sealed(PLAIN), ("not base64",)),
        (sealed(CODED)[:-4] + sealed(CODED)[:-5:-1], ("order of the CRC",)),
        (sealed(CODED) + b"\0\0\0", ("more behind the CRC",)),
    ],
)
def test_whatever_has_magic_and_crc_is_read(data: bytes, odd: tuple[str, ...]) -> None:
    parsed = packet.parse(data)
    assert parsed.odd == odd
    camera = observe(parsed.payload, "10.0.0.1", odd=bool(odd))
    assert (camera.sn, camera.name) == ("FS101D8BS00106", "Door")
    assert camera.flags == ((ODD_ANSWER,) if odd else ())


@pytest.mark.parametrize("payload", [b"", b"e30", b"{", b"[]", b"\xff\xfe", base64.b64encode(b"[" * 9000)])
def test_what_says_nothing_is_shown_by_its_address_and_flagged(payload: bytes) -> None:
    parsed = packet.parse(sealed(payload))
    camera = observe(parsed.payload, "10.0.0.9", odd=bool(parsed.odd))
    assert (camera.sn, camera.ip, camera.flags) == ("", "10.0.0.9", (ODD_ANSWER,))
    assert camera.serial_number is None


def test_keys_in_other_letters_and_names_in_gbk_are_read() -> None:
    raw = '{"DeviceId":"fs101d8bs00106","Name":"收银台"}'.encode("gbk")
    camera = observe(packet.parse(sealed(base64.b64encode(raw))).payload, "10.0.0.1")
    assert (camera.sn, camera.name, camera.flags) == ("FS101D8BS00106", "收银台", ())


@pytest.mark.parametrize("said", ["Kamera im Flur", "10.0.0.1", "\ud800", "x" * 9000, "\u001b[2J"])
def test_an_odd_serial_number_is_shown_and_nothing_goes_by_it(said: str) -> None:
    camera = observe({"deviceid": said}, "10.0.0.1")
    assert camera.flags == (ODD_SN,)
    assert camera.sn.isprintable()
    assert len(camera.sn) <= 70
    assert camera.serial_number is None


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.ParameterError, match="does not fit"):
        packet.encode(2, {"name": "x" * 60_000})
