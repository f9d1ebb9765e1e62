"""Where a station's events go on to: webhooks, commands, brokers; and the pictures that belong to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..events.album import Allowance
from ..events.delivery import Delivery
from ..events.pictures import Pictures
from ..events.sinks import ExecSink, WebhookSink
from ..redact import Secret

if TYPE_CHECKING:
    from ..camera import Camera
    from ..events.spool import Spool
    from .file import KeepTable
    from .roster import Roster


def open_sink(url: Secret, *, secret: str = "", site: str = "") -> Any:
    """The sink that a URL names.

    A broker's URL may name what begins the topics as its path; default: ``sunmi-ipc/SITE``. Two stations that share
    a broker would else share their last will.

    Raises:
        ConfigError: None, or what it needs is not installed.

    """
    text = url.reveal()
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return WebhookSink(text, secret=secret)
    if scheme == "exec":
        return ExecSink(text.partition(":")[2])
    if scheme in ("mqtt", "mqtts"):
        from ..events.mqtt import MqttSink

        path = unquote(urlsplit(text).path).strip("/")
        return MqttSink(text, prefix=path or (f"sunmi-ipc/{site}" if site else "sunmi-ipc"))
    raise ConfigError(
        "the sink {scheme} is not known",
        hint="Write an http, https, mqtt or mqtts URL, or exec:COMMAND.",
        scheme=scheme,
    )


def deliver(spool: Spool, urls: list[Secret], *, secret: str = "", site: str = "") -> list[Delivery]:
    """A delivery for each URL, each with its own place in the spool; a new one begins at now."""
    made: list[Delivery] = []
    try:
        for number, url in enumerate(urls, 1):
            sink = open_sink(url, secret=secret, site=site)
            made.append(Delivery(spool, sink, name=f"{sink.name} {number}", start="now"))
    except BaseException:
        for delivery in made:
            delivery.close()
        raise
    return made


def fetch_pictures(
    spool: Spool, folder: Path, roster: Roster, connect: Callable[..., Camera], keep: KeepTable
) -> Pictures:
    """Fetch the pictures of events, from cameras of the roster alone, for as long as the file says."""

    def allowed(sn: str) -> list[str]:
        return [
            m.address.rpartition(":")[0] or m.address for m in roster.members() if m.sn == sn and m.address
        ]

    def trust(sn: str) -> Any:
        member = roster.member(sn)
        return (member.client or connect(member.address, sn=sn)).tls_of_links

    return Pictures(spool, folder, allowed=allowed, tls=trust, allowance=Allowance(age_s=keep.pictures))
