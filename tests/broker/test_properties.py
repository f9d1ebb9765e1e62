"""Properties of messages: what is packed here is what paho packs; what is left out is all of them, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sunmi_ipc.broker.connection import Packed
from sunmi_ipc.broker.contract import MESSAGES
from sunmi_ipc.events.bounded_client import without_properties


def by_paho(schema: str, expiry: int | None, response: str, correlation: bytes) -> Any:
    made: Any = Properties(PacketTypes.PUBLISH)
    made.ContentType, made.PayloadFormatIndicator, made.UserProperty = (
        "application/json",
        1,
        ("schema", schema),
    )
    if expiry is not None:
        made.MessageExpiryInterval = expiry
    if response:
        made.ResponseTopic = response
    if correlation:
        made.CorrelationData = correlation
    return made


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(MESSAGES)), st.none() | st.integers(1, 2**32 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300), st.binary(max_size=500),
)  # fmt: skip
def test_what_is_packed_reads_as_what_was_meant(
    name: str, expiry: int | None, response: str, correlation: bytes
) -> None:
    schema = MESSAGES[name].schema
    packed = Packed(schema, expiry_s=expiry, response_topic=response, correlation=correlation).pack()
    read: Any = Properties(PacketTypes.PUBLISH)
    _, length = read.unpack(packed + b"{}")
    assert length == len(packed)
    assert read.json() == by_paho(schema, expiry, response, correlation).json()


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=60), st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_a_message_keeps_its_topic_number_and_payload(
    topic: str, payload: bytes, correlation: bytes, once: bool
) -> None:
    name = topic.encode("utf-8", "replace")
    start = len(name).to_bytes(2, "big") + name + (b"\x01\x02" if once else b"")
    packet = start + by_paho("calls/1", 5, "a/b", correlation).pack() + payload
    command = 0x30 | (0x02 if once else 0)
    assert without_properties(command, bytearray(packet)) == start + b"\0" + payload
    assert without_properties(command, bytearray(start + b"\0" + payload)) == start + b"\0" + payload


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x00",
        b"\x00\x05ab",
        b"\x00\x01a\x00\x01",  # ends before its properties
        b"\x00\x01a\x00\x01\x05\x00",  # longer than the packet
        b"\x00\x01a\x00\x01\xff\xff\xff\xff\x7f",  # a length of five bytes
        b"\x00\x01a\x00\x01\x80",
    ],
)
def test_what_is_no_message_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match="propert"):
        without_properties(0x32, bytearray(packet))
