"""Where the broker is, and how to get there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError, ExtraMissingError
from ..redact import Secret

if TYPE_CHECKING:
    from paho.mqtt.client import Client


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker.

    Attributes:
        host: Name or address.
        port: TCP port.
        secure: Whether TLS is spoken.
        user: Empty: none.
        password: Of the user.
        ca: PEM file that signs the broker's certificate; empty: the system's.
        certificate: PEM file of our own certificate; empty: none.
        key: PEM file of its key.

    """

    host: str
    port: int
    secure: bool
    user: str = ""
    password: Secret = Secret("")  # noqa: RUF009 - it does not change
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @classmethod
    def of(
        cls, url: str, *, password: str = "", ca: str = "", certificate: str = "", key: str = ""
    ) -> Broker:
        """A broker by its URL, ``mqtts://user@host:8883`` or ``mqtt://host:1883``.

        Raises:
            ConfigError: It is no such URL.

        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError(
                "the broker is no mqtt or mqtts URL", hint="For example mqtt://192.168.1.2:1883."
            )
        secure = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if secure else 1883),
            secure=secure,
            user=unquote(parts.username or ""),
            password=Secret(Secret(password).reveal() or unquote(parts.password or "")),
            ca=ca,
            certificate=certificate,
            key=key,
        )

    def client(self, client_id: str, *, by_hand: bool = True) -> Client:
        """A client of MQTT 5, which acknowledges by hand or by itself."""
        try:
            from paho.mqtt.client import Client, MQTTv5
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise ExtraMissingError("MQTT needs paho-mqtt, which is not installed", extra="mqtt") from None
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=by_hand)
        if self.user:
            client.username_pw_set(self.user, self.password.reveal() or None)
        if self.secure:
            client.tls_set_context(self._context())
        client.reconnect_delay_set(1, 30)
        return client

    def connect(self, client: Client, properties: Any) -> None:
        """Start to connect *client*, and connect it again whenever the connection breaks."""
        client.connect_async(
            self.host,
            self.port,
            keepalive=30,
            clean_start=not properties.SessionExpiryInterval,
            properties=properties,
        )
        client.loop_start()

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key or None)
        except (OSError, ValueError) as error:
            raise ConfigError(
                "the CA file {path} cannot be read: {reason}",
                hint="Name a PEM file that signs the broker's certificate.",
                path=self.ca or self.certificate,
                reason=getattr(error, "strerror", None) or type(error).__name__,
            ) from None
        return context
