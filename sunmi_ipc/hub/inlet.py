"""What comes from the broker: one MQTT 5 connection, whose messages are acknowledged when they are stored.

The session outlives the connection: what comes while the hub is away waits at the broker. No more than
``in_flight`` messages are here at once (the receive maximum of MQTT 5); the rest waits at the broker, too.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..broker import contract
from ..events import broker_reasons
from ..events.broker_reasons import Reason
from ..i18n import later

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc")
#: Seconds that the broker keeps a session without a connection: the longest that a hub may be away.
SESSION_S = 7 * 86_400
TAKEN: Reason = Reason(
    later("another hub of this name has come"),
    later("Give each hub a --name of its own: two take each other's place."),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that waits to be stored, and how it is acknowledged."""

    inlet: Inlet
    generation: int
    #: 0: sent with QoS 0, which is not acknowledged.
    mid: int
    topic: str
    payload: bytes


class Inlet:
    """One connection.

    Args:
        client: A paho client of MQTT 5 with ``manual_ack``, not connected yet.
        connect: Starts to connect it.
        filters: What is subscribed to.
        arrivals: Where messages go.
        in_flight: How many may be here at once.
        lasting: Keep the session, and take what is new; else take what the broker retains, once.
        anew: Called when the broker knew nothing of us: what it sent meanwhile went past us.

    """

    def __init__(
        self,
        client: Client,
        connect: Callable[[Client, Any], None],
        filters: Sequence[str],
        arrivals: queue.SimpleQueue[Arrival | None],
        *,
        in_flight: int,
        lasting: bool,
        anew: Callable[[], None] = lambda: None,
    ) -> None:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        self._client, self._filters, self._arrivals = client, list(filters), arrivals
        self._lasting, self._anew, self._most = lasting, anew, 4 * in_flight
        self._lock = threading.Lock()
        self._generation = self._floor = 0
        self._closing = False
        self.connected: threading.Event = threading.Event()
        #: What is wrong with the connection, in words; empty where nothing is.
        self.problem: str = ""
        #: The next step then.
        self.step: str = ""
        self._greeted = False
        #: Set when another client took our name, or the subscription is refused: there is no use in going on.
        self.hopeless: threading.Event = threading.Event()
        #: Set for each message that came.
        self.came: threading.Event = threading.Event()
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = in_flight
        properties.MaximumPacketSize = contract.MAX_PAYLOAD + 4096
        properties.SessionExpiryInterval = SESSION_S if lasting else 0
        connect(client, properties)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the broker that these are stored; those of an earlier connection come again, and do no harm."""
        with self._lock:
            for arrival in arrivals:
                if arrival.mid and arrival.generation == self._generation:
                    self._client.ack(arrival.mid, 1)

    def wants(self, arrival: Arrival) -> bool:
        """Whether a message has to be stored; those of an earlier connection come again, if the session lived on."""
        return arrival.generation >= self._floor

    def give_up(self, why: Reason) -> None:
        """There is no use in going on."""
        self._say(why)
        self._closing = True  # what is said afterwards is of no interest
        self.hopeless.set()
        self._client.disconnect()

    def close(self) -> None:
        """End the connection; the session stays where it is lasting."""
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()

    def _say(self, why: Reason) -> None:
        if why.problem != self.problem and not self._closing:
            _log.warning("hub: no connection to the broker: %s. %s", why.problem, why.step)
        self.problem, self.step = why

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say(broker_reasons.coded(reason.value))
            return
        self._greeted = True
        client.ended_by = None  # type: ignore[attr-defined]
        from paho.mqtt.subscribeoptions import SubscribeOptions

        present = flags.session_present
        with self._lock:
            self._generation += 1
            # Bounded, too, where a broker that forgets comes and goes while nothing can be stored.
            if present or not self._lasting or self._arrivals.qsize() > self._most:
                self._floor = self._generation
        if self._lasting and not present:
            self._anew()
        # A shared subscription never brings what is retained; the other one brings nothing else.
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        client.subscribe([(name, options) for name in self._filters])

    def _on_subscribe(self, client: Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._say(broker_reasons.coded(next(r for r in reasons if r.is_failure).value))
            self.hopeless.set()
            return
        if not self._closing:
            self.problem = self.step = ""
        self.connected.set()

    def _on_connect_fail(self, client: Client, userdata: Any) -> None:
        self._say(broker_reasons.unreached(sys.exc_info()[1]))  # paho calls this where it caught it

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.connected.clear()
        said, greeted, self._greeted = flags.is_disconnect_packet_from_server, self._greeted, False
        if said and reason.value == broker_reasons.TAKEN_OVER:
            self.give_up(TAKEN)
        elif reason.is_failure and not self._closing and (greeted or said or not self.problem):
            self._say(
                getattr(client, "ended_by", None)
                or broker_reasons.ended(reason.value, said=said, greeted=greeted)
            )

    def _on_message(self, client: Client, userdata: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if not self._lasting and not message.retain:
            self._client.ack(message.mid, message.qos)  # it comes by the shared subscription
            return
        # The broker holds back what is to be acknowledged, and nothing else. The contract knows no QoS 0.
        if not message.qos and self._arrivals.qsize() >= self._most:
            return
        if self._arrivals.qsize() >= 4 * self._most:
            # More than was agreed: what is not acknowledged comes again with the next connection.
            raise ConnectionError("the broker sends more than was agreed")
        self.came.set()
        self._arrivals.put(Arrival(self, self._generation, message.mid, topic, message.payload))
