"""Events to an MQTT broker, with what Home Assistant needs to find them.

Topics, all under the prefix:

=====================================  ========  ===================================================
``status``                             retained  ``online``; ``offline`` by last will
``<sn>/event/<type>``                  QoS 1     each event, as JSON
``<sn>/last/<type>``                   retained  the newest event of its type, as JSON
``<sn>/people``                        retained  people counters, as JSON (:meth:`MqttSink.people`)
=====================================  ========  ===================================================

Needs the extra: ``pip install 'sunmi-ipc[mqtt]'``.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..protocol.values import EventType
from ..redact import Secret
from .consumer import StoredEvent
from .delivery import Again

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc")
_PATIENCE_S = 2.0
_NOT_IN_TOPIC = re.compile(r"[^A-Za-z0-9_-]")


class MqttSink:
    """Publishes events in their order, QoS 1; an event counts as delivered when the broker has said so.

    Args:
        url: ``mqtt://user:password@host:port`` or ``mqtts://…``; ports 1883 and 8883 by default.
        password: The password, where it should not stand in the URL.
        ca: PEM file that signs the broker's certificate; default: the system's.
        prefix: Begins every topic.
        discovery: Home Assistant's discovery prefix; empty publishes no discovery.
        client_id: Default: one of the broker's making.

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
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise ConfigError(
                "MQTT needs paho-mqtt, which is not installed", hint="Run: pip install 'sunmi-ipc[mqtt]'"
            ) from None
        self._prefix, self._discovery = prefix.strip("/"), discovery.strip("/")
        self._connected, self._closing = threading.Event(), threading.Event()
        self._problem = ""
        self._acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._introduced: set[str] = set()
        self._people: dict[str, str] = {}  # the newest of each camera, for when the broker is back
        self._client: Client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        # paho sends again what was not acknowledged when it reconnects; a batch is all there ever is.
        self._client.max_inflight_messages_set(self.batch)
        self._client.reconnect_delay_set(1, 30)
        self._client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        secret = Secret(password).reveal() or unquote(parts.password or "")
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), secret or None)
        if secure:
            try:
                self._client.tls_set(ca_certs=ca)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    "the CA file {path} cannot be read: {reason}",
                    hint="Name a PEM file that signs the broker's certificate.",
                    path=ca or "",
                    reason=getattr(error, "strerror", None) or type(error).__name__,
                ) from None
        self._client.connect_async(parts.hostname, port or (8883 if secure else 1883), keepalive=30)
        self._client.loop_start()

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Publish *events* and wait for the broker's acknowledgement of each."""
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

        Where the broker is away for now, the newest follow when it is back.
        """
        self._people[sn] = json.dumps(dict(counts))
        if self._connected.is_set() and not self._closing.is_set():
            self._publish_people(sn)

    def _publish_people(self, sn: str) -> None:
        if sn not in self._introduced:
            self._introduce(sn)
        self._publish(f"{sn}/people", self._people[sn], retain=True)

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
        while waiting:
            if self._closing.is_set():
                raise Again("closed")
            try:
                waiting.discard(self._acknowledged.get(timeout=0.2))
            except queue.Empty:
                continue

    def _introduce(self, sn: str) -> set[int]:
        """Tell Home Assistant about a camera, once a connection: a broker may forget what it retained."""
        self._introduced.add(sn)
        if not self._discovery:
            return set()
        return {
            self._client.publish(topic, json.dumps(config), qos=1, retain=True).mid
            for topic, config in discovery(sn, prefix=self._prefix, discovery_prefix=self._discovery).items()
        }

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._problem = f"the broker refuses: {reason}"
            return
        self._problem = ""
        client.publish(f"{self._prefix}/status", "online", qos=1, retain=True)
        self._introduced.clear()
        self._connected.set()
        for sn in list(self._people):
            self._publish_people(sn)

    def _on_connect_fail(self, client: Client, userdata: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this where it caught it
        reason = (
            getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__
        )
        self._problem = f"no connection to the broker: {reason}"

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._connected.clear()

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        # A queue and no lock of ours: paho calls this under its own.
        self._acknowledged.put(mid)


def discovery(sn: str, *, prefix: str, discovery_prefix: str) -> dict[str, dict[str, Any]]:
    """Home Assistant's discovery messages for a camera, by topic.

    The last face and the last motion as times with the event as attributes, motion as a binary sensor
    that falls back by itself, and people counters.
    """
    node = f"sunmi_ipc_{_NOT_IN_TOPIC.sub('_', sn)}"
    common: dict[str, Any] = {
        "availability_topic": f"{prefix}/status",
        "device": {
            "identifiers": [node],
            "name": f"SUNMI {sn}",
            "manufacturer": "SUNMI",
            "serial_number": sn,
        },
        "origin": {"name": "sunmi-ipc"},
    }

    def last(kind: EventType) -> dict[str, Any]:
        topic = f"{prefix}/{sn}/last/{kind}"
        return {
            "state_topic": topic,
            "value_template": "{{ value_json.received }}",
            "device_class": "timestamp",
            "json_attributes_topic": topic,
        }

    def people(key: str) -> dict[str, Any]:
        return {
            "state_topic": f"{prefix}/{sn}/people",
            # A counter that this camera does not have stays unknown.
            "value_template": f"{{{{ value_json.{key} | default(None) }}}}",
            "state_class": "total_increasing",
            "unit_of_measurement": "people",
            "icon": "mdi:account-group",
        }

    entities: dict[tuple[str, str], dict[str, Any]] = {
        ("sensor", "last_face"): {
            "name": "Last face",
            "icon": "mdi:face-recognition",
            **last(EventType.FACE_RECOGNITION),
        },
        ("sensor", "last_motion"): {"name": "Last motion", **last(EventType.MOTION)},
        ("binary_sensor", "motion"): {
            "name": "Motion",
            "device_class": "motion",
            # Not the retained topic: yesterday's motion must not show as motion after a restart.
            "state_topic": f"{prefix}/{sn}/event/{EventType.MOTION}",
            "value_template": "ON",
            "off_delay": 30,
        },
        ("sensor", "people"): {"name": "People", **people("total")},
        ("sensor", "people_male"): {"name": "People, male", **people("male")},
        ("sensor", "people_female"): {"name": "People, female", **people("female")},
    }
    return {
        f"{discovery_prefix}/{component}/{node}/{key}/config": {
            "unique_id": f"{node}_{key}",
            **entity,
            **common,
        }
        for (component, key), entity in entities.items()
    }
