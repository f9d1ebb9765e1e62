"""A connection to an MQTT 5 broker: outbound, kept up, bounded in memory whatever the other side does.

What paho does by itself and we do not want: it keeps what it could not send and sends it again with the next
connection, so that a message that breaks the connection breaks every one; it reads a packet of any length into
memory. So each connection has a client of its own, without a memory, and a packet that is too long ends it.

Needs the extra ``mqtt``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from ..errors import AccessDenied, ConfigError, ShopUnreachable
from ..events import broker_reasons
from ..events.bounded_client import bounded_client
from ..events.broker_reasons import Reason
from ..i18n import later
from ..redact import Secret
from .contract import CONTENT_TYPE, MAX_CALL, SCHEMA_PROPERTY

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc")
_KEEPALIVE_S = 30
_CONNECT_S = 10.0
#: From the connection to the answer to our subscriptions; a broker that keeps silent is tried anew.
READY_S = 30.0
#: A refusal of our name that is repeated is no moment of a broker that reads its files anew.
_REFUSALS = 2
#: "No matching subscribers": a success by MQTT's rules, and yet the message is gone.
_NO_SUBSCRIBER = 0x10
#: The pause before the next attempt doubles from the first to the second.
BACKOFF_S = (0.5, 60.0)
#: So many messages may be on their way to the broker, not yet acknowledged.
WINDOW = 100
#: A call of the largest size, with its topic and properties.
MAX_PACKET = MAX_CALL + (64 << 10)
#: Properties of a message in MQTT 5, by their numbers.
_EXPIRY, _RESPONSE, _CORRELATION = 0x02, 0x08, 0x09


class BrokerError(ShopUnreachable):
    """The broker is not to be reached, refuses us, or does not take a message."""


class BrokerRefused(BrokerError, AccessDenied):
    """The broker does not let us in under this name, or does not let our calls through."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is and how we prove who we are.

    Attributes:
        host, port: Of the broker.
        secure: Whether TLS is spoken.
        user, password: Name and password, where it asks for them.
        ca: PEM file that signs the broker's certificate; empty: the system's.
        certificate, key: PEM files of our own certificate; the key may stand in the certificate's file.

    """

    host: str
    port: int
    secure: bool = True
    user: str = ""
    password: Secret = field(default_factory=Secret, repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @classmethod
    def of(
        cls,
        url: str,
        *,
        user: str = "",
        password: str = "",
        ca: str = "",
        certificate: str = "",
        key: str = "",
    ) -> Self:
        """A broker by its URL, ``mqtts://USER:PASSWORD@HOST:PORT``; ports 8883 and 1883 by default.

        Raises:
            ConfigError: No such URL.

        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
            raise ConfigError(
                "the broker is no mqtt or mqtts URL", hint="For example mqtts://hq.example:8883."
            )
        secure = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            port or (8883 if secure else 1883),
            secure,
            user or unquote(parts.username or ""),
            Secret(Secret(password).reveal() or unquote(parts.password or "")),
            ca,
            certificate,
            key,
        )

    @property
    def name(self) -> str:
        """``HOST:PORT``, for errors."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """How TLS is spoken; raises ConfigError where a file cannot be used."""
        made = ssl.create_default_context()
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        for path in (self.ca, self.certificate):
            try:
                if path and path == self.ca:
                    made.load_verify_locations(self.ca)
                if path and path == self.certificate:
                    made.load_cert_chain(self.certificate, self.key or None, lambda: "")
            except (OSError, ssl.SSLError, ValueError) as error:
                raise ConfigError(
                    "the file {path} cannot be used: {reason}",
                    hint="Name a PEM file: ca for who signs the broker, certificate and key for our own.",
                    path=os.fspath(path),
                    reason=getattr(error, "reason", None)
                    or getattr(error, "strerror", None)
                    or type(error).__name__,
                ) from None
        return made


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that came."""

    topic: str
    payload: bytes
    retained: bool
    #: Acknowledge it, where acknowledging is by hand; else nothing.
    acknowledge: Callable[[], None] = field(repr=False)


class Sent:
    """A message on its way to the broker."""

    def __init__(self, connection: int = 0) -> None:
        self._done = threading.Event()
        self._reason = ""
        #: The number of the connection that it went out by (:attr:`Connection.connections`).
        self.connection: int = connection
        #: Whether the broker has taken it for nobody: it had no subscriber, and keeps it for none.
        self.unheard: bool = False

    def finish(self, reason: str = "", *, unheard: bool = False) -> None:
        """The broker has taken it, or not."""
        self._reason, self.unheard = reason, unheard
        self._done.set()

    @property
    def done(self) -> bool:
        """Whether the broker has answered, or the connection is gone."""
        return self._done.is_set()

    @property
    def problem(self) -> str:
        """Why it was not taken; empty where it was."""
        return self._reason

    def wait(self, timeout: float) -> None:
        """Wait until the broker has it; raises BrokerError where it does not take it."""
        if not self._done.wait(timeout):
            raise BrokerError("the broker does not acknowledge")
        if self._reason:
            raise BrokerError("the broker did not take a message: {reason}", reason=self._reason)


#: The connection broke while a message was on its way.
LOST = later("the connection ended before it was acknowledged")


def client_class() -> type[Client]:
    """A client that takes no packet longer than ours; ExtraMissingError where paho-mqtt is not installed."""
    return bounded_client(MAX_PACKET)


def require() -> None:
    """Raises ExtraMissingError where paho-mqtt is not installed."""
    client_class()


class Connection:
    """Keeps a connection to a broker up until :meth:`close`; a context manager.

    Args:
        broker: Which.
        client_id: Who we are; empty: the broker gives a name.
        will: Topic, payload and schema that the broker publishes, retained, when we are gone.
        subscriptions: Topic filters, QoS 1, asked for anew with each connection.
        on_message: Called with what comes, in the connection's thread: must return at once.
        on_connect: Called when a connection is there and subscribed, in a thread that may publish and wait.
        session_s: How long the broker keeps what comes while we are away, seconds; 0: not.
        by_hand: Whether messages are acknowledged by :attr:`Delivered.acknowledge`.
        receive: So many messages may the broker send us before we acknowledge.
        name: Of the threads.
        backoff: The first and the longest pause between attempts, seconds.

    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str = "",
        will: Callable[[], tuple[str, bytes, str]] | None = None,
        subscriptions: Sequence[str] = (),
        on_message: Callable[[Delivered], None] | None = None,
        on_connect: Callable[[], None] | None = None,
        session_s: int = 0,
        by_hand: bool = False,
        receive: int = 100,
        name: str = "broker",
        backoff: tuple[float, float] = BACKOFF_S,
    ) -> None:
        require()
        self.broker = broker
        self._context = broker.context() if broker.secure else None
        if not broker.secure and broker.password and broker.host not in ("localhost", "127.0.0.1", "::1"):
            _log.warning("%s: the password goes to the broker without TLS", broker.name)
        self._client_id, self._will, self._subscriptions = client_id, will, list(subscriptions)
        self._on_message, self._on_connected = on_message, on_connect
        self._session_s, self._by_hand, self._receive = session_s, by_hand, receive
        self._backoff = backoff
        self._client: Client | None = None
        self._changed = threading.Condition()
        self._pending: dict[int, Sent] = {}
        self._early: dict[int, tuple[str, bool]] = {}
        self._greeted = False
        self._connected, self._closing, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._window, self._asked = WINDOW, 0
        #: Why there is no connection, in English; empty where there is one.
        self.problem: str = ""
        #: The next step then, likewise.
        self.step: str = ""
        #: When another client last took our place under our name, Unix seconds; 0: never.
        self.taken_over: float = 0.0
        #: How often a connection was made.
        self.connections: int = 0
        self._refusals = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether the broker is there, and our subscriptions with it."""
        return self._connected.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait for a connection; whether there is one. A broker that refuses our name is not waited for."""
        end = time.monotonic() + timeout
        with self._changed:
            while not self._connected.is_set() and not self._closing.is_set() and not self.refused:
                if (left := end - time.monotonic()) <= 0:
                    break
                self._changed.wait(left)
        return self._connected.is_set() and not self._closing.is_set()

    @property
    def refused(self) -> bool:
        """Whether the broker refuses our name, and has done so again."""
        return self._refusals >= _REFUSALS

    def contested(self) -> None:
        """Another client uses our name: when it takes our place again, it may keep it for a while."""
        self.taken_over = time.time()

    def subscribe(self, filters: Sequence[str]) -> None:
        """Hear of more; remembered over connections."""
        with self._changed:
            self._subscriptions += [text for text in filters if text not in self._subscriptions]
            client = self._client if self._connected.is_set() else None
        if client is not None:
            client.subscribe([(text, _options()) for text in filters])

    # -- sending --------------------------------------------------------------------------------------

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        schema: str,
        retain: bool = False,
        expiry_s: int | None = None,
        response_topic: str = "",
        correlation: bytes = b"",
        patience: float = 10.0,
    ) -> Sent:
        """Send a message, QoS 1; waits while too many are on their way.

        Args:
            topic: Where to.
            payload: JSON, encoded.
            schema: Its ``NAME/VERSION``.
            retain: Whether the broker keeps it.
            expiry_s: After so many seconds the broker throws it away.
            response_topic: Where an answer is to go.
            correlation: What the answer is to carry.
            patience: Seconds to wait for room, and for a connection.

        Raises:
            BrokerError: There is no connection, or no room in time; BrokerRefused where our name is refused.

        """
        properties: Any = Packed(
            schema, expiry_s=expiry_s, response_topic=response_topic, correlation=correlation
        )
        end = time.monotonic() + patience
        with self._changed:
            while len(self._pending) >= self._window or not self._connected.is_set():
                left = end - time.monotonic()
                if left <= 0 or self._closing.is_set() or self.refused:
                    raise self.absent()
                self._changed.wait(min(left, 0.5))
            client, number = self._client, self.connections
        assert client is not None
        # Not under our lock: paho has its own, and calls us under it.
        info = client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        sent = Sent(number)
        with self._changed:
            if client is not self._client or not self._connected.is_set():
                sent.finish(LOST)
            elif info.mid in self._early:
                problem, unheard = self._early.pop(info.mid)
                sent.finish(problem, unheard=unheard)
            else:
                self._pending[info.mid] = sent
        return sent

    def absent(self) -> BrokerError:
        """The error for a connection that is not there."""
        kind = BrokerRefused if self.refused else BrokerError
        return kind(
            "no connection to the broker {broker}: {reason}",
            hint=self.step
            or "Is the address right, and the broker there? Its certificate, our name and password?",
            broker=self.broker.name,
            reason=self.problem or later("it does not answer"),
        )

    # -- the connection's life ------------------------------------------------------------------------

    def _run(self) -> None:
        pause = self._backoff[0]
        while not self._closing.is_set():
            first, longest = self._backoff
            began, taken = time.monotonic(), self.taken_over
            proven = self._once()
            if self.taken_over != taken:
                pause = longest  # two that took each other's place at once would do nothing else
            elif proven and time.monotonic() - began > pause:
                pause = first
            if self._closing.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter
                break
            pause = min(longest, pause * 2)

    def _once(self) -> bool:
        """One connection from its beginning to its end; whether there was one."""
        client = self._new_client()
        self._ended.clear()
        self._greeted = False
        try:
            client.connect(
                self.broker.host,
                self.broker.port,
                keepalive=_KEEPALIVE_S,
                clean_start=not self._session_s,
                properties=self._connect_properties(),
            )
        except (OSError, ValueError) as error:
            self._say(broker_reasons.unreached(error))
            return False
        with self._changed:
            self._client = client
        client.loop_start()
        began = time.monotonic()
        while not self._ended.wait(min(1.0, READY_S)):
            if not self._connected.is_set() and time.monotonic() - began > READY_S:
                self._say(broker_reasons.SILENT)
                break
            # A client whose loop has ended without a word is gone, too.
            if self._closing.is_set() or (self._connected.is_set() and not client.is_connected()):
                break
        was = self._connected.is_set() or self.connections > 0
        self._drop()
        client.on_message = client.on_publish = client.on_disconnect = None
        client.disconnect()
        client.loop_stop()
        return was

    def _drop(self) -> None:
        """The connection is gone: so is what was on its way."""
        with self._changed:
            self._connected.clear()
            self._client = None
            lost, self._pending, self._early = list(self._pending.values()), {}, {}
            self._changed.notify_all()
        for sent in lost:
            sent.finish(LOST)

    def _connect_properties(self) -> Any:
        properties = _properties("CONNECT")
        properties.ReceiveMaximum = self._receive
        properties.MaximumPacketSize = MAX_PACKET
        if self._session_s:
            properties.SessionExpiryInterval = self._session_s
        return properties

    def _new_client(self) -> Client:
        from paho.mqtt.client import MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion

        client: Client = client_class()(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTv5,
            reconnect_on_failure=False,
            manual_ack=self._by_hand,
        )
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(0)  # the window is ours: paho's queue would have no bound
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._came
        client.on_socket_open = _at_once
        if self._will is not None:
            topic, payload, schema = self._will()
            properties = _properties("WILLMESSAGE")
            properties.ContentType = CONTENT_TYPE
            properties.UserProperty = (SCHEMA_PROPERTY, schema)
            client.will_set(topic, payload, qos=1, retain=True, properties=properties)
        if self.broker.user:
            client.username_pw_set(self.broker.user, self.broker.password.reveal() or None)
        if self._context is not None:
            client.tls_set_context(self._context)
        return client

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say(broker_reasons.coded(reason.value))
            if reason.value in broker_reasons.OUR_NAME:
                with self._changed:
                    self._refusals += 1
                    self._changed.notify_all()
            self._ended.set()
            return
        self._greeted = True
        self._window = max(1, min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW)))
        with self._changed:
            wanted = list(self._subscriptions)
        self._asked = len(wanted)
        if wanted:
            client.subscribe([(text, _options()) for text in wanted])
        else:
            self._ready()

    def _on_subscribe(self, client: Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if refused := [reason for reason in reasons if reason.is_failure]:
            self._say(broker_reasons.coded(refused[0].value))
            if len(refused) == len(reasons):
                self._ended.set()
                return
        if not self._connected.is_set():
            self._ready()

    def _ready(self) -> None:
        self.connections += 1
        if self.problem:
            _log.info("%s: connected", self.broker.name)
        self.problem = self.step = ""
        with self._changed:
            self._refusals = 0
            self._connected.set()
            # Who asked for more while the broker had not answered yet.
            late, client = self._subscriptions[self._asked :], self._client
            self._changed.notify_all()
        if late and client is not None:
            client.subscribe([(text, _options()) for text in late])
        if self._on_connected is not None:
            # Not in paho's thread: whoever is told may publish and wait.
            threading.Thread(target=self._on_connected, name="broker-connected", daemon=True).start()

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if client is self._client and not self._closing.is_set():
            said = flags.is_disconnect_packet_from_server
            if said and reason.value == broker_reasons.TAKEN_OVER:
                self.taken_over = time.time()
            if self._greeted or said or not self.problem:  # else a refusal has said more
                self._say(
                    getattr(client, "ended_by", None)
                    or broker_reasons.ended(reason.value, said=said, greeted=self._greeted)
                )
        if client is self._client or self._client is None:
            self._ended.set()

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        failed = reason is not None and reason.is_failure
        problem = broker_reasons.coded(reason.value).problem if failed else ""
        unheard = getattr(reason, "value", 0) == _NO_SUBSCRIBER
        with self._changed:
            sent = self._pending.pop(mid, None)
            if sent is None and client is self._client:
                self._early[mid] = problem, unheard
            self._changed.notify_all()
        if sent is not None:
            sent.finish(problem, unheard=unheard)

    def _came(self, client: Client, userdata: Any, message: Any) -> None:
        if self._on_message is None:
            return

        def acknowledge() -> None:
            if self._by_hand:
                client.ack(message.mid, message.qos)

        try:
            self._on_message(Delivered(message.topic, message.payload, bool(message.retain), acknowledge))
        except Exception:  # one bad message blocks nothing
            _log.exception("%s: a message could not be dealt with", self.broker.name)

    def _say(self, why: Reason) -> None:
        """Say once why there is no connection."""
        if why.problem != self.problem and not self._closing.is_set():
            _log.warning("%s: no connection to the broker: %s. %s", self.broker.name, why.problem, why.step)
        self.problem, self.step = why

    def close(self) -> None:
        """End the connection in order: the broker does not publish our will."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._ended.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(5.0)


def _at_once(client: Client, userdata: Any, sock: Any) -> None:
    """Send small packets at once: an answer must not wait for the acknowledgement of what was sent before."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _options() -> Any:
    from paho.mqtt.subscribeoptions import SubscribeOptions

    return SubscribeOptions(qos=1)


class Packed:
    """The properties of a message as they travel; what paho calls ``Properties`` takes it a while to make and to pack.

    Args:
        schema: Of the payload, ``NAME/VERSION``.
        expiry_s: After so many seconds the broker throws the message away.
        response_topic: Where an answer is to go.
        correlation: What the answer is to carry.

    """

    def __init__(
        self, schema: str, *, expiry_s: int | None = None, response_topic: str = "", correlation: bytes = b""
    ) -> None:
        parts = [_usual(schema)]
        if expiry_s is not None:
            parts.append(struct.pack("!BI", _EXPIRY, min(max(1, expiry_s), 0xFFFFFFFF)))
        for kind, data in ((_RESPONSE, response_topic.encode()), (_CORRELATION, correlation)):
            if data:
                parts.append(struct.pack(f"!BH{len(data)}s", kind, len(data), data))
        self._body = b"".join(parts)

    def pack(self) -> bytes:
        """Their length, and they: paho's name for it."""
        left, length = len(self._body), bytearray()
        while left > 0x7F:
            length.append(left & 0x7F | 0x80)
            left >>= 7
        return bytes([*length, left]) + self._body


@cache
def _usual(schema: str) -> bytes:
    """The properties that every message of a schema has, without their length: fewer than 128 bytes."""
    properties = _properties("PUBLISH")
    properties.ContentType = CONTENT_TYPE
    properties.PayloadFormatIndicator = 1
    properties.UserProperty = (SCHEMA_PROPERTY, schema)
    packed: bytes = properties.pack()
    return packed[1:]


def _properties(packet: str) -> Any:
    from paho.mqtt import properties
    from paho.mqtt.packettypes import PacketTypes

    made: Any = properties.Properties  # untyped
    return made(getattr(PacketTypes, packet))
