"""Events to an MQTT broker, with what Home Assistant needs to find them.

Topics, all under the prefix:

=====================================  ========  ===================================================
``status``                             retained  ``online``; ``offline`` by last will
``<sn>/event/<type>``                  QoS 1     each event, as JSON
``<sn>/last/<type>``                   retained  the newest event of its type, as JSON
``<sn>/people``                        retained  people counters, as JSON (:meth:`MqttSink.people`)
``<sn>/status``                        retained  the camera's own ``online`` or ``offline``
``<sn>/state``                         retained  card, firmware, verdict, as JSON (:meth:`MqttSink.state`)
=====================================  ========  ===================================================

Needs the extra ``mqtt``.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..redact import Secret
from . import broker_reasons
from .bounded_client import bounded_client
from .broker_reasons import Reason
from .consumer import StoredEvent
from .delivery import Again
from .homeassistant import discovery, of_sink

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc")
_PATIENCE_S = 2.0
_ACKNOWLEDGE_S = 30.0
#: Bytes of a packet that the broker may send: nothing is subscribed to here.
_LONGEST = 1 << 16


class MqttSink:
    """Publishes events in their order, QoS 1; an event counts as delivered when the broker has said so.

    Args:
        url: ``mqtt://user:password@host:port`` or ``mqtts://…``; ports 1883 and 8883 by default.
        password: The password, where it should not stand in the URL.
        ca: PEM file that signs the broker's certificate; default: the system's.
        prefix: Begins every topic.
        discovery: Home Assistant's discovery prefix; empty publishes no discovery.
        client_id: Default: one of the broker's making.
        acknowledge: Seconds that the broker may take to acknowledge the next message of a batch.

    Raises:
        ConfigError: No such URL or file, or paho-mqtt is not installed.

    """

    name = "mqtt"
    batch = 100
    parallel = 1  # one at a time keeps the order; a batch is in flight at once

    def __init__(
        self,
        url: str,
        *,
        password: str = "",
        ca: str | None = None,
        prefix: str = "sunmi-ipc",
        discovery: str = "homeassistant",
        client_id: str = "",
        acknowledge: float = _ACKNOWLEDGE_S,
    ) -> None:
        try:
            parts = urlsplit(url)
            secure, port = parts.scheme == "mqtts", parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError(
                "the broker is no mqtt or mqtts URL", hint="For example mqtt://192.168.1.2:1883."
            )
        if not prefix or any(c in prefix for c in "+#\0"):
            raise ConfigError("the MQTT prefix is no topic", hint="Leave out '+' and '#'.")
        bounded_client(_LONGEST)  # whether it is there
        self._prefix, self._discovery = prefix.strip("/"), discovery.strip("/")
        self._connected, self._closing = threading.Event(), threading.Event()
        self._problem, self._acknowledge_s, self._greeted = "", acknowledge, False
        self._acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._introduced: set[str] = set()
        # The newest of each camera, for when the broker is back.
        self._latest: dict[str, dict[str, str]] = {}
        self._host, self._port = parts.hostname, port or (8883 if secure else 1883)
        self._user, self._client_id = unquote(parts.username or ""), client_id
        self._password = Secret(Secret(password).reveal() or unquote(parts.password or ""))
        self._secure, self._ca = secure, ca
        #: Whether the broker has acknowledged anything on this connection: then it works.
        self._proven = False
        self._stale = False
        self._client = self._new_client()

    def _new_client(self) -> Client:
        """A client without a memory: paho sends again what broke the connection when it reconnects."""
        from paho.mqtt.enums import CallbackAPIVersion

        client = bounded_client(_LONGEST)(CallbackAPIVersion.VERSION2, client_id=self._client_id)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.max_inflight_messages_set(2 * self.batch)
        client.reconnect_delay_set(1, 30)
        client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        if self._user:
            client.username_pw_set(self._user, self._password.reveal() or None)
        if self._secure:
            try:
                client.tls_set(ca_certs=self._ca)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    "the CA file {path} cannot be read: {reason}",
                    hint="Name a PEM file that signs the broker's certificate.",
                    path=self._ca or "",
                    reason=getattr(error, "strerror", None) or type(error).__name__,
                ) from None
        self._proven = self._stale = False
        client.connect_async(self._host, self._port, keepalive=30)
        client.loop_start()
        return client

    def _renew(self) -> None:
        """Begin anew, where the last connection broke with messages on their way."""
        old = self._client
        self._connected.clear()
        old.on_disconnect = old.on_connect = old.on_connect_fail = old.on_publish = None
        old.disconnect()
        old.loop_stop()
        self._client = self._new_client()

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Publish *events* and wait for the broker's acknowledgement of each."""
        if self._stale and not self._closing.is_set():
            self._renew()
        if not self._connected.wait(_PATIENCE_S) or self._closing.is_set():
            raise Again(self._problem or "no connection to the broker")
        while True:  # acknowledgements of what nobody waits for
            try:
                self._acknowledged.get_nowait()
            except queue.Empty:
                break
        waiting: set[int] = set()
        newest: dict[str, str] = {}
        for stored in events:
            text, event = stored.as_json(), stored.event
            if event.sn not in self._introduced:
                waiting |= self._introduce(event.sn)
            waiting.add(self._publish(f"{event.sn}/event/{event.event_type}", text))
            newest[f"{event.sn}/last/{event.event_type}"] = text
        for topic, text in newest.items():
            waiting.add(self._publish(topic, text, retain=True))
        self._wait(waiting)

    def people(self, sn: str, counts: Mapping[str, int]) -> None:
        """Publish a camera's people counters, such as ``{"total": 12, "male": 5, "female": 7}``.

        Where the broker is away for now, the newest follow when it is back; so do those below.
        """
        self._keep(sn, "people", json.dumps(dict(counts)))

    def state(self, sn: str, values: Mapping[str, str]) -> None:
        """Publish what a camera is like: ``card``, ``firmware``, ``verdict``; those not given stay."""
        known = json.loads(self._latest.get(sn, {}).get("state", "{}"))
        self._keep(sn, "state", json.dumps(known | dict(values), ensure_ascii=False))

    def availability(self, sn: str, online: bool) -> None:
        """Publish whether a camera answers."""
        text = "online" if online else "offline"
        if self._latest.get(sn, {}).get("status") != text:
            self._keep(sn, "status", text)

    def _keep(self, sn: str, topic: str, text: str) -> None:
        self._latest.setdefault(sn, {})[topic] = text
        if self._connected.is_set() and not self._closing.is_set():
            if sn not in self._introduced:
                self._introduce(sn)
            self._publish(f"{sn}/{topic}", text, retain=True)

    def close(self) -> None:
        """Say goodbye; without a connection the broker's last will says it."""
        connected = self._connected.is_set()
        self._closing.set()
        self._connected.set()  # wakes a send that waits for the broker
        if connected:
            info = self._client.publish(f"{self._prefix}/status", "offline", qos=1, retain=True)
            try:
                info.wait_for_publish(2.0)
            except (RuntimeError, ValueError) as error:
                _log.debug("events: mqtt: %s", error)
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, topic: str, text: str, *, retain: bool = False) -> int:
        return self._client.publish(f"{self._prefix}/{topic}", text, qos=1, retain=retain).mid

    def _wait(self, waiting: set[int]) -> None:
        limit = time.monotonic() + self._acknowledge_s
        while waiting:
            if self._closing.is_set():
                raise Again("closed")
            try:
                waiting.discard(self._acknowledged.get(timeout=0.2))
                limit = time.monotonic() + self._acknowledge_s
            except queue.Empty:
                # paho would send it again with the next connection, and for ever: the next send begins anew.
                if not self._connected.is_set():
                    self._stale = True
                    raise Again("the broker closed the connection", suspect=self._proven) from None
                if time.monotonic() > limit:
                    self._stale = True
                    raise Again("the broker does not acknowledge", suspect=self._proven) from None

    def _introduce(self, sn: str) -> set[int]:
        """Tell Home Assistant about a camera, once a connection: a broker may forget what it retained."""
        self._introduced.add(sn)
        self._latest.setdefault(sn, {}).setdefault("status", "online")
        sent = {self._publish(f"{sn}/status", self._latest[sn]["status"], retain=True)}
        if not self._discovery:
            return sent
        return sent | {
            self._client.publish(topic, json.dumps(config), qos=1, retain=True).mid
            for topic, config in discovery(
                sn, of_sink(sn, self._prefix), discovery_prefix=self._discovery
            ).items()
        }

    def _say(self, why: Reason) -> None:
        """Say at once what is wrong: the first event may be days away."""
        if why.problem != self._problem and not self._closing.is_set():
            _log.warning("events: mqtt: no connection to the broker: %s. %s", why.problem, why.step)
        self._problem = why.problem

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say(broker_reasons.coded(reason.value))
            return
        self._greeted = True
        client.ended_by = None  # type: ignore[attr-defined]
        self._problem = ""
        client.publish(f"{self._prefix}/status", "online", qos=1, retain=True)
        self._introduced.clear()
        self._connected.set()
        for sn, topics in list(self._latest.items()):
            for topic, text in list(topics.items()):
                self._keep(sn, topic, text)

    def _on_connect_fail(self, client: Client, userdata: Any) -> None:
        self._say(broker_reasons.unreached(sys.exc_info()[1]))  # paho calls this where it caught it

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        greeted, self._greeted = self._greeted, False
        if reason.is_failure and (greeted or not self._problem):
            said = flags.is_disconnect_packet_from_server
            self._say(
                getattr(client, "ended_by", None)
                or broker_reasons.ended(reason.value, said=said, greeted=greeted)
            )
        self._connected.clear()

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        # A queue and no lock of ours: paho calls this under its own.
        self._proven = True
        self._acknowledged.put(mid)
