"""The station file's model: which cameras, how often, what is kept, whom to tell.

Its JSON Schema ships beside this module (``station.schema.json``).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from ..broker.contract import SITE_PATTERN
from ..fleet.site import SecretText, Table
from ..protocol.serial import SerialNumber, spelt
from ..protocol.values import EventType
from .hours import Hours

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
#: The lengths that quarter hours, or what else is counted by, may have: an hour is made of whole ones.
WINDOWS_S = (60, 300, 600, 900, 1800, 3600)
Role = Literal["view", "tune", "admin"]


def _seconds(value: Any) -> Any:
    """``90``, ``90s``, ``15m``, ``2h``, ``7d``, ``1h30m`` as seconds."""
    if type(value) in (int, float) and 0 <= value < 1e10:
        return float(value)
    if isinstance(value, str):
        parts = re.findall(r"(\d{1,6})([smhdw])", value)
        if parts and "".join(number + unit for number, unit in parts) == value:
            return float(sum(int(number) * _UNITS[unit] for number, unit in parts))
    raise PydanticCustomError("duration", "not a length of time")


def _some(value: Any) -> Any:
    seconds = _seconds(value)
    if seconds < _LEAST_S:
        raise PydanticCustomError("duration", "not a length of time")
    return seconds


def _zone(text: str) -> str:
    try:
        if text:
            ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise PydanticCustomError("time_zone", "not a time zone") from None
    return text


def _hours(value: Any) -> Any:
    try:
        return Hours.parse(value)
    except ValueError:
        raise PydanticCustomError("opening_hours", "not opening hours") from None


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise PydanticCustomError("listen", "not an address to listen on")
    return text


def _site(text: str) -> str:
    # It names topics, folders and labels.
    if not re.fullmatch(SITE_PATTERN.strip("^$"), text):
        raise PydanticCustomError("site_name", "not a site's name")
    return text


def _broker_url(text: str) -> str:
    from ..broker.connection import Broker
    from ..errors import ConfigError

    try:
        made = Broker.of(text)
    except ConfigError:
        raise PydanticCustomError("broker_url", "not a broker's URL") from None
    if made.password:
        raise PydanticCustomError("password_in_url", "a password in a URL")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){0,5}", text):
        raise PydanticCustomError("topic_prefix", "not the beginning of a topic")
    return text


def _public(text: str) -> str:
    from ..broker.keys import is_public

    if not is_public(text):
        raise PydanticCustomError("public_key", "not a public key")
    return text


def _key_name(text: str) -> str:
    from ..broker.keys import check_name
    from ..errors import ConfigError

    try:
        return check_name(text)
    except ConfigError:
        raise PydanticCustomError("key_name", "not a key's name") from None


def _endpoints(text: str) -> str:
    from fnmatch import fnmatchcase

    from ..protocol.spec import registry

    if not any(fnmatchcase(endpoint.key, text) for endpoint in registry().values()):
        raise PydanticCustomError("endpoints", "no such endpoint")
    return text


def _serial(text: str) -> str:
    found = SerialNumber.read(text)
    if found is None:
        raise PydanticCustomError("serial_number", "not a serial number")
    return str(found)


def _window(value: Any) -> Any:
    seconds = _seconds(value)
    if seconds not in WINDOWS_S:
        raise PydanticCustomError("window", "not a window")
    return int(seconds)


#: What is done again and again has this pause at the least: without one it would be done all the time.
_LEAST_S = 0.05
_DURATION_SCHEMA: Any = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^(\\d+[smhdw])+$"}]
}
Seconds = Annotated[float, BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)]
#: A pause, which cannot be none.
Pause = Annotated[float, BeforeValidator(_some), WithJsonSchema(_DURATION_SCHEMA)]
SerialText = Annotated[str, AfterValidator(_serial)]
Window = Annotated[int, BeforeValidator(_window), WithJsonSchema(_DURATION_SCHEMA)]
Listen = Annotated[str, AfterValidator(_listen)]
PublicKey = Annotated[str, AfterValidator(_public)]
KeyName = Annotated[str, AfterValidator(_key_name)]
Zone = Annotated[str, AfterValidator(_zone)]
OpeningHours = Annotated[
    Hours,
    BeforeValidator(_hours),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]


class StationTable(Table):
    """``[station]``: the shop."""

    site: Annotated[str, AfterValidator(_site)] = Field(
        description="letters, digits, '.', '_' and '-'; names topics and labels"
    )
    name: str = Field(default="", description="what people call the shop; default: the site")
    timezone: Zone = Field(default="", description="for example Asia/Shanghai; default: this computer's")
    hours: OpeningHours = Field(
        default=Hours(),
        description="opening hours, 09:00-22:00, or by day: {mon-fri = '09:00-22:00', sun = 'closed'}",
    )
    data: str = Field(
        default="", description="folder for everything that is kept; default: the platform's state folder"
    )
    cameras: str = Field(default="discover", description="'discover', or the path of a site file")
    profile: str = Field(
        default="", description="the profile with the credentials; default: the environment's"
    )


class HttpTable(Table):
    """``[http]``: one port for the API, the console, metrics and health."""

    listen: Listen = Field(default="127.0.0.1:8500", description="ADDRESS:PORT; port 0 takes a free one")
    certificate: str = Field(default="", description="PEM file; with it the port speaks https")
    key: str = Field(default="", description="PEM file of the certificate's key")
    hosts: list[str] = Field(
        default=[], description="further names that the port is reached under (the Host header)"
    )
    metrics: Literal["open", "token"] = Field(
        default="open", description="whether /metrics is for everybody who reaches the port"
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise PydanticCustomError("certificate", "certificate and key go together")
        return self


class TokenTable(Table):
    """``[tokens.NAME]``: somebody who may use the API."""

    role: Role
    secret: SecretText = Field(repr=False)


class ConsoleTable(Table):
    """``[console]``: the pages for people."""

    enabled: bool = False


class WatchTable(Table):
    """``[watch]``: how closely cameras are looked at, and who is told."""

    interval: Pause = Field(default=60.0, description="between two looks at a camera")
    discover: Pause = Field(default=30.0, description="between two rounds of discovery")
    workers: Annotated[int, Ge(1), Le(64)] = Field(default=8, description="cameras talked to at once")
    misses: Annotated[int, Ge(1), Le(20)] = Field(
        default=3, description="looks without an answer that make a camera unreachable"
    )
    clock: Seconds = Field(default=60.0, description="how far a camera's clock may be off")
    recording: Seconds = Field(
        default=1800.0, description="age of the newest recording that is worth a warning; 0: not looked at"
    )
    quiet: Seconds = Field(
        default=7200.0,
        description="opening hours without one event that are worth a warning; 0: not looked at",
    )
    nobody_enters: Seconds = Field(
        default=7200.0, description="opening hours in which people pass and nobody enters; 0: not looked at"
    )
    certificate: Seconds = Field(default=2592000.0, description="warn so long before our certificate expires")
    disk: Annotated[int, Ge(0)] = Field(
        default=500, description="megabytes left on this computer's disk that are worth a warning"
    )
    drift: Seconds = Field(
        default=21600.0, description="between two comparisons with the site file; 0: never"
    )
    repair: list[str] = Field(
        default=[], description="keys of the site file that are put right when they drift, such as 'ir'"
    )
    notify: list[SecretText] = Field(
        default=[],
        repr=False,
        description="who is told: a webhook's or broker's URL, exec:COMMAND, or an Apprise URL",
    )
    group: Seconds = Field(default=30.0, description="so long changes are gathered into one message")
    repeat: list[Pause] = Field(
        default=[3600.0, 14400.0, 86400.0],
        description="pauses before a message is repeated; the last goes on",
    )
    behind: dict[str, Annotated[list[Annotated[str, AfterValidator(spelt)]], MinLen(1)]] = Field(
        default={},
        description="serial numbers by the switch or line that they hang on: one alarm when all of them go",
    )


class CountsTable(Table):
    """``[counts]``: people in, out and passing (FM020)."""

    enabled: bool = True
    window: Window = Field(
        default=900, description="people are counted by so long: 1m, 5m, 10m, 15m, 30m or 1h"
    )
    settle: Seconds = Field(default=60.0, description="a camera is asked so long after a window's end")
    backfill: Seconds = Field(
        default=604800.0, description="how far back a camera is asked for what is missing"
    )
    pause: Seconds = Field(
        default=1.0, description="between two questions to one camera when much is missing"
    )


class EventsTable(Table):
    """``[events]``: what cameras push."""

    enabled: bool = True
    types: list[Annotated[EventType, Field(strict=False)]] = Field(
        default=list(EventType), description="to subscribe to"
    )
    listen: Listen = Field(default="0.0.0.0:8480", description="where cameras post to")
    callback: str = Field(default="", description="the URL that reaches this computer; default: worked out")
    pictures: bool = Field(default=False, description="fetch the pictures of events")
    sinks: list[SecretText] = Field(
        default=[], repr=False, description="where events go: a webhook's or broker's URL, exec:COMMAND"
    )
    webhook_secret: SecretText = Field(default="", repr=False, description="signs what is posted to webhooks")


class KeepTable(Table):
    """``[keep]``: how long things are kept. Faces and pictures are personal data, and go first."""

    counts: Seconds = Field(default=157680000.0, description="people counted")
    verdicts: Seconds = Field(default=31536000.0, description="what was wrong with which camera, when")
    audit: Seconds = Field(default=31536000.0, description="who did what")
    events: Seconds = Field(default=2592000.0, description="events")
    faces: Seconds = Field(default=604800.0, description="events about faces")
    pictures: Seconds = Field(default=259200.0, description="pictures of events")
    megabytes: Annotated[int, Ge(1)] = Field(default=1024, description="above which the oldest events go")


class BrokerKey(Table):
    """``[[broker.keys]]``: who may call cameras through the broker, and what for."""

    name: KeyName = Field(description="as 'ipc keys new NAME' has named it")
    public: PublicKey = Field(description="the public key, base64; 'ipc keys list' shows it")
    role: Role = "view"
    endpoints: list[Annotated[str, AfterValidator(_endpoints)]] = Field(
        default=[],
        description="only these, such as 'lens.*' or 'image.set_ir'; default: all that the role allows",
    )
    cameras: list[SerialText] = Field(default=[], description="serial numbers; default: all")
    hours: OpeningHours | None = Field(
        default=None, description="only then, by the shop's clock: 09:00-18:00"
    )
    calls_per_minute: Annotated[int, Ge(1), Le(6000)] = 120


class BrokerTable(Table):
    """``[broker]``: the way to many shops."""

    url: Annotated[str, AfterValidator(_broker_url)] = Field(
        description="mqtts://HOST:PORT; mqtt:// has no TLS"
    )
    user: str = ""
    password: SecretText = Field(default="", repr=False)
    ca: str = Field(
        default="", description="PEM file that signs the broker's certificate; default: the system's"
    )
    certificate: str = Field(default="", description="PEM file of our client certificate")
    key: str = Field(
        default="", description="PEM file of its key; default: it stands in the certificate's file"
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="sunmi-ipc/v1", description="begins every topic"
    )
    counts: bool = Field(default=True, description="whether people counts leave the shop")
    events: bool = Field(default=True, description="whether events leave the shop; never their pictures")
    faces: bool = Field(default=False, description="whether events about faces leave the shop, too")
    pictures: bool = Field(
        default=False, description="whether snapshots and faces' pictures are given to keys that ask for them"
    )
    backfill: Seconds = Field(
        default=2592000.0,
        description="how far back counts and alerts are sent at the first time, and counts wait for a subscriber",
    )
    hold: bool = Field(
        default=True,
        description="whether counts, events and alerts that nobody has subscribed to yet wait on the disk",
    )
    clock: Seconds = Field(default=60.0, description="how far a caller's clock may be off")
    home_assistant: str = Field(
        default="", description="Home Assistant's discovery prefix, mostly 'homeassistant'; default: none"
    )
    keys: list[BrokerKey] = Field(default=[])


class StationFile(Table):
    """A whole station file."""

    station: StationTable
    http: HttpTable | None = HttpTable()
    tokens: dict[str, TokenTable] = Field(default={})
    console: ConsoleTable = ConsoleTable()
    watch: WatchTable = WatchTable()
    counts: CountsTable = CountsTable()
    events: EventsTable = EventsTable()
    keep: KeepTable = KeepTable()
    broker: BrokerTable | None = None
    inline_secrets: bool = Field(default=False, description="allow secrets in this file")


__all__ = ["Role", "StationFile"]
