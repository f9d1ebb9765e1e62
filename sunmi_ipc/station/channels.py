"""Ways to people: a signed webhook, a command, a broker, and what Apprise knows (mail, chat, push)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import shlex
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError, ConnectionFailed, ExtraMissingError
from ..events.bounded_client import bounded_client
from ..events.broker_reasons import coded, unreached
from ..redact import Secret
from .bounded_answers import bounded_answers
from .verdict import Level

_TIMEOUT_S = 15.0
#: A broker has nothing to say to us that is longer.
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told.

    Attributes:
        kind: ``new``, ``still``, ``well`` or ``test``.
        title: A line.
        text: The whole, a line for each.
        level: The worst that it tells of.
        data: The same for programs.

    """

    kind: str
    title: str
    text: str
    level: Level
    data: dict[str, Any]


class Channel(Protocol):
    """A way to somebody."""

    name: str

    def send(self, message: Message) -> None:
        """Deliver it; raises ConnectionFailed where it did not arrive."""

    def close(self) -> None:
        """Let go of everything."""


def failed(name: str, reason: str) -> ConnectionFailed:
    """What is said of a message that did not arrive."""
    return ConnectionFailed(
        "{channel} did not take the message: {reason}", hint="It is tried again.", channel=name, reason=reason
    )


class WebhookChannel:
    """Posts a message as JSON, signed as events are: see :class:`sunmi_ipc.events.sinks.WebhookSink`."""

    name = "webhook"

    def __init__(self, url: Secret, *, secret: str = "") -> None:
        self._url, self._secret = url, Secret(secret).reveal().encode()

    def send(self, message: Message) -> None:
        """Post it."""
        import requests

        body, stamp = json.dumps(message.data, ensure_ascii=False).encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": hashlib.sha256(body).hexdigest()[:32],
            "X-Sunmi-Ipc-Timestamp": stamp,
            "User-Agent": "sunmi-ipc",
        }
        if self._secret:
            digest = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers["X-Sunmi-Ipc-Signature"] = f"sha256={digest}"
        try:
            with requests.post(
                self._url.reveal(),
                data=body,
                headers=headers,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except (requests.RequestException, ValueError) as error:
            # Its text would show the URL, and with it what may be a token.
            raise failed(self.name, type(error).__name__) from None
        if not 200 <= status < 300:
            raise failed(self.name, f"HTTP {status}")

    def close(self) -> None:
        """Nothing is held."""


class ExecChannel:
    """Runs a command, the message as JSON on its standard input, title and text in its environment."""

    name = "exec"

    def __init__(self, command: str) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError:
            raise ConfigError("the command's quotes are not closed", hint="Check the command.") from None
        if not self._command or shutil.which(self._command[0]) is None:
            raise ConfigError(
                "the command {command} does not exist or may not be run",
                hint="Give its full path, and check that it is executable.",
                command=self._command[0] if self._command else "",
            )

    def send(self, message: Message) -> None:
        """Run it."""
        told = {
            "IPC_ALERT_KIND": message.kind,
            "IPC_ALERT_TITLE": message.title,
            "IPC_ALERT_TEXT": message.text,
        }
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                self._command, input=json.dumps(message.data).encode(), stdout=subprocess.DEVNULL,
                env=os.environ | told, timeout=60, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise failed(self.name, type(error).__name__) from None
        if done.returncode:
            raise failed(self.name, f"exit code {done.returncode}")

    def close(self) -> None:
        """Nothing is held."""


class MqttChannel:
    """Publishes a message to ``PREFIX/alert`` of a broker, QoS 1; the path of the URL is the prefix."""

    name = "mqtt"

    def __init__(self, url: Secret, *, site: str) -> None:
        self._client = bounded_client(_LONGEST)
        self._url, self._site = url, site

    def send(self, message: Message) -> None:
        """Publish it, and wait for the broker's word."""
        from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

        end = time.monotonic() + _TIMEOUT_S
        parts = urlsplit(self._url.reveal())
        secure = parts.scheme == "mqtts"
        topic = f"{parts.path.strip('/') or f'sunmi-ipc/{self._site}'}/alert"
        text = json.dumps(message.data, ensure_ascii=False)
        ended: list[str] = []

        def connected(client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                ended.append(coded(reason.value).problem)
            else:
                client.publish(topic, text, qos=1)

        def taken(client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
            ended.append(coded(reason.value).problem if reason.is_failure else "")

        client = self._client(CallbackAPIVersion.VERSION2)
        client.on_connect, client.on_publish = connected, taken
        try:
            if parts.username:
                client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
            if secure:
                client.tls_set()
            client.connect(parts.hostname or "", parts.port or (8883 if secure else 1883), keepalive=15)
            # Not paho's own loop: that begins anew for ever where a broker is silent or closes.
            while not ended and (left := end - time.monotonic()) > 0:
                if client.loop(min(0.5, left)) != MQTTErrorCode.MQTT_ERR_SUCCESS and not ended:
                    ended.append("the connection broke")
        except Exception as error:  # paho raises many kinds
            ended[:] = [unreached(error).problem]
        finally:
            client.disconnect()
            if (sock := client.socket()) is not None:
                sock.close()
        if not ended:
            raise failed(self.name, f"no answer within {_TIMEOUT_S:.0f} s")
        if ended[0]:
            raise failed(self.name, ended[0])

    def close(self) -> None:
        """Nothing is held."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave what Apprise's own plugins warn of to whoever maintains them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class AppriseChannel:
    """Whatever Apprise knows: WeCom, DingTalk, Feishu, mail, ntfy, Telegram and a hundred more."""

    def __init__(self, url: Secret) -> None:
        try:
            import apprise
        except ImportError:
            raise ExtraMissingError(
                "this kind of alert needs Apprise, which is not installed",
                extra="alerts",
            ) from None
        self._apprise, self._kinds = apprise.Apprise(), apprise.NotifyType
        self.name: str = urlsplit(url.reveal()).scheme
        with _quiet():
            known = self._apprise.add(url.reveal())
        if not known:
            raise ConfigError(
                "Apprise does not know how to tell {scheme}",
                hint="Its URLs are listed at https://github.com/caronc/apprise/wiki.",
                scheme=self.name or "-",
            )

    def send(self, message: Message) -> None:
        """Hand it over."""
        kinds = {Level.BAD: self._kinds.FAILURE, Level.WARNING: self._kinds.WARNING}
        kind = self._kinds.SUCCESS if message.kind == "well" else kinds.get(message.level, self._kinds.INFO)
        try:
            with _quiet(), bounded_answers(_TIMEOUT_S):
                # Each plugin by itself: Apprise's own notify sends in another thread, which has no bound.
                sent = all(
                    [
                        plugin.notify(body=message.text, title=message.title, notify_type=kind)
                        for plugin in self._apprise
                    ]
                )
        except Exception as error:  # a hundred services, each with its own
            raise failed(self.name, type(error).__name__) from None
        if not sent:
            raise failed(self.name, "refused, or not reached")

    def close(self) -> None:
        """Nothing is held."""


def open_channel(url: Secret, *, site: str, webhook_secret: str = "") -> Channel:
    """The way that a URL names.

    Raises:
        ConfigError: None, or what it needs is not installed.

    """
    text = url.reveal()
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return WebhookChannel(url, secret=webhook_secret)
    if scheme == "exec":
        return ExecChannel(text.partition(":")[2])
    if scheme in ("mqtt", "mqtts"):
        return MqttChannel(url, site=site)
    return AppriseChannel(url)
