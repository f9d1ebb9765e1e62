"""A client of MQTT 5 whose owner looks after its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..broker.connection import Broker, client_class

if TYPE_CHECKING:
    from paho.mqtt.client import Client


def new_client(broker: Broker, client_id: str = "", *, by_hand: bool = True) -> Client:
    """A client for *broker*, not connected yet; it takes no packet that is longer than the contract's longest.

    Args:
        broker: Which, and who we are there.
        client_id: The session's name; empty: the broker gives one.
        by_hand: Whether messages are acknowledged by hand.

    """
    kind = client_class()  # says so where paho is not installed
    from paho.mqtt.client import MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client: Client = kind(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=by_hand
    )
    if broker.user:
        client.username_pw_set(broker.user, broker.password.reveal() or None)
    if broker.secure:
        client.tls_set_context(broker.context())
    client.reconnect_delay_set(1, 30)
    return client


def connect(broker: Broker, client: Client, properties: Any) -> None:
    """Start to connect *client*, and connect it again whenever the connection breaks."""
    client.connect_async(
        broker.host,
        broker.port,
        keepalive=30,
        clean_start=not properties.SessionExpiryInterval,
        properties=properties,
    )
    client.loop_start()
