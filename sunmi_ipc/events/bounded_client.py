"""paho's client, with bounds and an end where a broker does not keep to the protocol."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from ..errors import ExtraMissingError
from .broker_reasons import BROKEN, TOO_LONG, Reason

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc.mqtt")
#: First bytes of packets, and the bits of a PUBLISH that say how it is acknowledged.
_CONNACK, _PUBLISH, _QOS_1 = 0x20, 0x30, 0x02
#: Packets of ours that wait for a broker that sends and does not read.
_MOST_UNREAD = 10_000


def without_properties(command: int, packet: bytearray) -> bytearray:
    """A PUBLISH of MQTT 5, after its fixed header, with no properties in the place of those that it has.

    Raises:
        ValueError: It ends before they do.

    """
    at = 2 + int.from_bytes(packet[:2], "big") + (2 if command & 0x06 else 0)
    length, shift, start = 0, 0, at
    while True:  # a number of up to four bytes, seven bits each, the lowest first
        if at >= len(packet) or shift > 21:
            raise ValueError("no length of properties")
        byte = packet[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    if at + length > len(packet):
        raise ValueError("properties longer than the packet")
    return packet[:start] + b"\0" + packet[at + length :]


@cache
def bounded_client(longest: int) -> type[Client]:
    """A kind of client that takes no packet of more than *longest* bytes.

    Raises:
        ExtraMissingError: paho-mqtt is not installed.

    """
    try:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
    except ImportError:
        raise ExtraMissingError("MQTT needs paho-mqtt, which is not installed", extra="mqtt") from None

    class Bounded(Client):
        """A client whose connection ends, and nothing else, where the broker does not keep to the protocol.

        It takes no packet that is longer than it has said. What paho cannot read would end its thread, and with
        it the connection for ever; QoS 2 it would keep without a bound, as what the broker does not read.
        """

        #: Why we have ended the connection, where we have.
        ended_by: Reason | None = None

        def _packet_handle(self) -> MQTTErrorCode:
            packet = self._in_packet["command"]
            kind = packet & 0xF0
            if (
                (kind == _CONNACK and self.is_connected())
                # We ask for QoS 1 at most.
                or (kind == _PUBLISH and packet & 0x06 > _QOS_1)
                or len(self._out_packet) > _MOST_UNREAD
            ):
                self.ended_by = BROKEN
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
            try:
                if kind == _PUBLISH and self._protocol == MQTTProtocolVersion.MQTTv5:
                    self._in_packet["packet"] = without_properties(packet, self._in_packet["packet"])
                return super()._packet_handle()
            except Exception as error:  # whatever it is that reading it raises
                _log.warning("a packet of the broker's could not be dealt with: %s", type(error).__name__)
                self.ended_by = BROKEN
                return MQTTErrorCode.MQTT_ERR_PROTOCOL

        def _sock_recv(self, bufsize: int) -> bytes:
            packet = getattr(self, "_in_packet", {})
            if packet.get("have_remaining") and packet.get("remaining_length", 0) > longest:
                self.ended_by = TOO_LONG
                raise ConnectionError("a packet that is too long")
            return bytes(super()._sock_recv(min(bufsize, 1 << 16)))

    return Bounded
