"""What travels through a broker: every topic and every payload, declared once.

The station's bridge, the hub, remote calls, the ACL lines, the JSON Schemas, the AsyncAPI document and the tables
of ``docs/mqtt.md`` all draw on :data:`MESSAGES`. Version 1; a change that a reader of version 1 would
misread gets another version in the topic. Readers leave out fields that they do not know.

Order: messages about one thing may arrive repeated and, where several hubs share a subscription, in another
order than they were sent. ``revision`` tells: for one ``key`` (or one retained topic) the highest revision is
the truth, and the same revision is the same message again. A station's last will has the revision of its
connection: of two equal ones, ``offline`` is the newer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le, MaxLen
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from .. import untrusted
from ..errors import ReplyError
from ..protocol.serial import spelt

VERSION = 1
#: Everything of a site stands under ``PREFIX/SITE/``: one line of an ACL does it.
PREFIX = "sunmi-ipc/v1"
CONTENT_TYPE = "application/json"
#: The user property that names a payload's schema, such as ``counts/1``.
SCHEMA_PROPERTY = "schema"
#: No message but a call is longer, in bytes.
MAX_PAYLOAD = 256 << 10
#: A call may carry a face's picture: a megabyte, a third more as base64, once more quoted as JSON.
MAX_CALL = 2 << 20

SITE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
SN_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$"
_SITE, _SN = re.compile(SITE_PATTERN), re.compile(SN_PATTERN)
_LATEST = 253402300799.0  # the year 9999


def _tame(value: Any) -> Any:
    """What may have any form is held to the bounds of everything that strangers send."""
    try:
        untrusted.check(value)
    except untrusted.Refused as error:
        raise ValueError(error.why) from None
    return value


Site = Annotated[str, StringConstraints(pattern=SITE_PATTERN)]
#: In the one spelling from here on, whoever wrote it.
Serial = Annotated[str, StringConstraints(pattern=SN_PATTERN), AfterValidator(spelt)]
#: Fields of any name and form: nested to the depth that is taken anywhere, every number finite.
Free = Annotated[dict[str, Any], AfterValidator(_tame)]
Client = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Key = Annotated[str, StringConstraints(min_length=3, max_length=500)]
Time = Annotated[float, Ge(0), Le(_LATEST)]
Whole = Annotated[int, Ge(0), Le(2**53 - 1)]
Text = Annotated[str, MaxLen(500)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class BadMessage(ReplyError):
    """A message that the contract does not allow."""


class Payload(BaseModel):
    """What every payload has in common: strict types, unknown fields left out, nothing infinite."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True)

    def encode(self) -> bytes:
        """The payload as it travels: JSON, UTF-8."""
        return self.model_dump_json().encode()


class Reason(Payload):
    """Something that is the matter."""

    code: Word = Field(description="a code of `ipc watch`, such as card-none")
    level: Literal["warning", "unknown", "bad"] = Field(description="how bad it is")
    since: Time = Field(description="Unix seconds")
    text: Text = Field(default="", description="in English")


class StationState(Payload):
    """Whether a station is connected, and what shop it is. The last will says ``offline``."""

    state: Literal["online", "offline"] = Field(description="whether the station is connected")
    revision: Whole = Field(description="of the connection, Unix milliseconds; the last will repeats it")
    since: Time = Field(
        description="when the station was started, Unix seconds; of the will: when it connected"
    )
    version: Text = Field(default="", description="of sunmi-ipc")
    name: Text = Field(default="", description="what people call the shop")
    timezone: Text = Field(default="", description="IANA name; empty: the station's own")
    hours: Text = Field(default="", description="opening hours, as the station file says them")
    public: Annotated[str, MaxLen(64)] = Field(
        default="", description="the station's Ed25519 public key, base64: it signs answers to calls"
    )
    cameras: Annotated[tuple[Serial, ...], MaxLen(5000)] = Field(
        default=(), strict=False, description="serial numbers"
    )
    reasons: Annotated[tuple[Reason, ...], MaxLen(50)] = Field(
        default=(), strict=False, description="what is the matter with the station itself, the worst first"
    )
    callers: Annotated[tuple[Fingerprint, ...], MaxLen(1000)] | None = Field(
        default=None,
        strict=False,
        description="whose calls it takes: of each public key that it lists, as base64, the first 16 hex digits of the SHA-256; null: not told",
    )


class Availability(Payload):
    """Whether the station reaches a camera. Counts only while the station itself is online."""

    state: Literal["online", "offline"] = Field(description="whether the station reaches the camera")
    revision: Whole = Field(description="Unix milliseconds, growing")
    time: Time = Field(description="when it was found, Unix seconds")


class CameraState(Payload):
    """How a camera is: the watch's verdict, and what it says of itself."""

    verdict: Literal["ok", "warning", "bad", "unknown"] = Field(description="the worst of its reasons")
    reasons: Annotated[tuple[Reason, ...], MaxLen(50)] = Field(
        default=(), strict=False, description="what is the matter, the worst first"
    )
    revision: Whole = Field(description="Unix milliseconds, growing")
    time: Time = Field(description="when this was so, Unix seconds")
    seen: Time | None = Field(default=None, description="when it last answered, Unix seconds")
    name: Text = Field(default="", description="what people call the camera")
    mac: Text = Field(default="", description="AA:BB:CC:DD:EE:FF")
    model: Text = Field(default="", description="such as FM020; empty: not known")
    firmware: Text = Field(default="", description="the version of its firmware; empty: not known")
    card: Text = Field(default="", description="normal, none, blank, broken, removed; empty: not known")
    clock_offset_s: float | None = Field(default=None, description="how far its clock is ahead, seconds")
    people: dict[Literal["arrivals", "leaving", "passing"], Whole] = Field(
        default={}, description="people today, by the shop's midnight, as far as they are counted"
    )


class Counts(Payload):
    """People of one camera in one window. A later revision (asked again, filled up) replaces it."""

    key: Key = Field(description="SITE/counts/SN/START")
    revision: Whole = Field(description="of two with one key, the higher is the truth")
    sn: Serial = Field(description="the camera's serial number")
    start: Whole = Field(description="Unix seconds")
    end: Whole = Field(description="Unix seconds")
    arrivals: Whole | None = Field(description="people who came in; null: a gap, which is no zero")
    leaving: Whole | None = Field(description="people who went out; null: a gap")
    passing: Whole | None = Field(description="people who passed by and did not come in; null: a gap")
    completeness: Annotated[float, Ge(0), Le(1)] = Field(
        description="share of the window in which the camera surely counted"
    )
    people: dict[Literal["male", "female"], Annotated[tuple[Whole, ...], MaxLen(8), Field(strict=False)]] = (
        Field(default={}, description="arrivals by gender and the eight age ranges, where the camera says")
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not 0 < self.end - self.start <= 86_400:
            raise ValueError("a window of up to a day is needed")
        return self


class Event(Payload):
    """What a camera pushed. Faces stay in the shop unless the station file lets them out; pictures always do."""

    key: Key = Field(description="SITE/events/SN/TYPE/ID")
    revision: Whole = Field(description="the station's own number of the event")
    sn: Serial = Field(description="the camera's serial number")
    type: Word = Field(description="face_recog_event, dynamic_detect_event, ...")
    time: Time = Field(description="the camera's clock, Unix seconds; where it gives none: received")
    received: Time = Field(description="the station's clock, Unix seconds")
    personal: bool = Field(default=False, description="about somebody's face")
    data: Free = Field(default={}, description="the event's own fields, without links and pictures")


class Alert(Payload):
    """Something that is, or was, the matter. A later revision replaces it."""

    key: Key = Field(description="SITE/alerts/SN/CODE/OPENED in milliseconds; SN is '-' for the station")
    revision: Whole = Field(description="of two with one key, the higher is the truth")
    sn: Serial | None = Field(description="the camera; null for the station itself")
    code: Word = Field(description="a code of `ipc watch`, such as card-none")
    level: Literal["warning", "unknown", "bad"] = Field(description="how bad it is")
    state: Literal["open", "closed"] = Field(description="whether it still is the matter")
    opened: Time = Field(description="when it began, Unix seconds")
    closed: Time | None = Field(default=None, description="when it ended, Unix seconds; null: it has not")
    text: Text = Field(default="", description="in English")
    hint: Text = Field(default="", description="the next step, in English")
    details: Free = Field(default={}, description="what fills the texts, for other languages")


class Envelope(Payload):
    """A signed text. The signature is over ``PURPOSE`` + newline + ``body``, so that none serves as another."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="the name of the key that signed; 'station' for answers"
    )
    body: Annotated[str, MaxLen(MAX_CALL)] = Field(description="JSON, exactly as it was signed")
    signature: Annotated[str, StringConstraints(min_length=88, max_length=88)] = Field(
        description="Ed25519, base64"
    )


class RequestKind(StrEnum):
    """What somebody asks a station for."""

    CALL = "call"
    SNAPSHOT = "snapshot"
    LINK = "link"
    RECALL = "recall"


class Request(Payload):
    """The body of a call: who asks whom for what, until when, once.

    A nonce is used once. What became of a request whose answer was lost is asked for by a request of kind
    ``recall``; if the station does not know the nonce, it will never take it from then on.
    """

    v: Literal[1] = Field(default=1, description="the version of this text")
    kind: RequestKind = Field(
        strict=False, description="what is asked for; recall: what became of another request"
    )
    site: Site = Field(description="the shop that it is meant for")
    nonce: Nonce = Field(description="random, 128 bits, hex")
    issued: Time = Field(description="Unix seconds")
    expires: Time = Field(description="Unix seconds; not carried out later")
    client: Client = Field(description="answers go to SITE/replies/CLIENT")
    sn: Annotated[
        str, StringConstraints(pattern=r"^([0-9A-Za-z][0-9A-Za-z._:-]{0,63})?$"), AfterValidator(spelt)
    ] = Field(default="", description="the camera's serial number; empty for a recall")
    endpoint: Annotated[str, MaxLen(100)] = Field(
        default="", description="of a call: its key, such as lens.zoom"
    )
    values: Free = Field(default={}, description="of a call: its parameters, as the HTTP API takes them")
    confirm: Annotated[str, MaxLen(64)] = Field(
        default="", description="of a call that destroys: the camera's serial number once more"
    )
    link: Annotated[str, MaxLen(2000)] = Field(
        default="", description="of a link: a picture's URL on the camera"
    )
    of: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = Field(
        default="", description="of a recall: the nonce that is asked about"
    )


class Failure(Payload):
    """An error as the station tells it; callers raise the same class again."""

    type: Word = Field(description="the library's class of the error")
    code: int | None = Field(default=None, description="the camera's return code; null: the camera gave none")
    name: Text = Field(default="", description="where the camera gave a code: the endpoint's path")
    template: Annotated[str, MaxLen(1000)] = Field(
        default="", description="the message in English, with blanks such as {sn}"
    )
    values: Free = Field(default={}, description="what fills the blanks")
    hint: Annotated[str, MaxLen(1000)] = Field(
        default="", description="the next step in English, with the same blanks"
    )
    sent: bool = Field(default=False, description="whether the camera may have had the call")


class Chunk(Payload):
    """A piece of a picture."""

    part: Annotated[int, Ge(0), Le(999)] = Field(description="its number, from 0")
    parts: Annotated[int, Ge(1), Le(1000)] = Field(description="how many pieces there are")
    size: Whole = Field(description="bytes of the whole")
    media: Text = Field(description="such as image/jpeg")
    data: Annotated[str, MaxLen(MAX_PAYLOAD)] = Field(description="base64")


class Answer(Payload):
    """The body of an answer.

    ``done``: *result*, or *chunk*. ``failed``: *error*, of the camera or of the station. ``refused``: nothing was
    carried out. To a recall also ``running``; ``lost``: it was begun, and the station ended before it knew;
    ``unknown``: it was not carried out, and never will be.
    """

    v: Literal[1] = Field(default=1, description="the version of this text")
    site: Site = Field(description="the shop that answers")
    nonce: Nonce = Field(description="of the request")
    state: Literal["done", "failed", "refused", "running", "lost", "unknown"] = Field(
        description="what became of the request"
    )
    at: Time = Field(description="by the station's clock, Unix seconds")
    result: Free | None = Field(default=None, description="of a call that is done: what the camera answered")
    error: Failure | None = Field(default=None, description="why it failed or was refused")
    chunk: Chunk | None = Field(default=None, description="of a picture: one piece; each piece has an answer")


class Direction(StrEnum):
    """Who sends."""

    FROM_STATION = "from the station"
    TO_STATION = "to the station"


@dataclass(frozen=True, slots=True)
class Message:
    """A kind of message.

    Attributes:
        name: Its name; with the version, the ``schema`` user property.
        path: Its topic below ``PREFIX/SITE/``; words in capitals vary.
        model: Its payload.
        retained: Whether the broker keeps the newest.
        direction: Who sends it.
        signed: What the envelope's body is, where it travels in one.
        stored: Whether a hub keeps it.
        limit: Bytes that it is at most long.

    """

    name: str
    path: str
    model: type[Payload]
    retained: bool = False
    direction: Direction = Direction.FROM_STATION
    signed: type[Payload] | None = None
    stored: bool = True
    limit: int = MAX_PAYLOAD

    @property
    def schema(self) -> str:
        """What the user property ``schema`` says."""
        return f"{self.name}/{VERSION}"

    @property
    def qos(self) -> int:
        """Quality of service: at least once."""
        return 1


MESSAGES: dict[str, Message] = {
    message.name: message
    for message in (
        Message("station", "station", StationState, retained=True),
        Message("availability", "cameras/SN/availability", Availability, retained=True),
        Message("state", "cameras/SN/state", CameraState, retained=True),
        Message("counts", "cameras/SN/counts", Counts),
        Message("events", "cameras/SN/events", Event),
        Message("alerts", "alerts", Alert),
        Message(
            "calls", "calls", Envelope, direction=Direction.TO_STATION, signed=Request, stored=False, limit=MAX_CALL
        ),
        Message("replies", "replies/CLIENT", Envelope, signed=Answer, stored=False, limit=MAX_CALL),
    )
}  # fmt: skip


def is_serial(text: str) -> bool:
    """Whether a topic may have this serial number."""
    return _SN.fullmatch(text) is not None


def topic(name: str, site: str, *, sn: str = "", client: str = "", prefix: str = PREFIX) -> str:
    """The topic of a kind of message.

    Raises:
        BadMessage: A part has characters that a topic's part must not have.

    """
    path = MESSAGES[name].path
    parts = {"SN": sn, "CLIENT": client}
    if not _SITE.fullmatch(site) or any(not _SN.fullmatch(parts[w]) for w in path.split("/") if w in parts):
        raise BadMessage("{topic}: not a topic of this contract", topic=f"{site[:64]}/{path}")
    return "/".join([prefix, site, *(parts.get(word, word) for word in path.split("/"))])


def filters(
    *, site: str = "+", names: Iterable[str] | None = None, group: str = "", prefix: str = PREFIX
) -> list[str]:
    """The topic filters for kinds of messages.

    Args:
        site: Of one site; default: of all.
        names: Which kinds; default: those that a hub stores.
        group: Of a shared subscription: ``$share/GROUP/...``.
        prefix: What stands before the site.

    """
    wanted = [m.name for m in MESSAGES.values() if m.stored] if names is None else list(names)
    start = f"$share/{group}/" if group else ""
    made = [
        "/".join(
            [prefix, site, *("+" if word.isupper() else word for word in MESSAGES[name].path.split("/"))]
        )
        for name in wanted
    ]
    return [start + text for text in made]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that was read: its kind, whose it is, and what it says."""

    message: Message
    site: str
    sn: str
    client: str
    payload: Any


def parse_topic(text: str, prefix: str = PREFIX) -> tuple[Message, str, str, str]:
    """A topic as (message, site, serial number in its one spelling, client); raises BadMessage."""
    head, _, rest = text.partition(f"{prefix}/")
    site, _, path = rest.partition("/")
    if not head and len(text) < 400 and _SITE.fullmatch(site):
        words = path.split("/")
        for message in MESSAGES.values():
            pattern = message.path.split("/")
            if len(pattern) == len(words) and all(
                p in ("SN", "CLIENT") or p == w for p, w in zip(pattern, words, strict=True)
            ):
                found = {p: w for p, w in zip(pattern, words, strict=True) if p in ("SN", "CLIENT")}
                if all(_SN.fullmatch(word) for word in found.values()):
                    return message, site, spelt(found.get("SN", "")), found.get("CLIENT", "")
    raise BadMessage("{topic}: not a topic of this contract", topic=text[:200])


def read(topic: str, payload: bytes, prefix: str = PREFIX) -> Incoming:
    """Read a message: its topic, its length, its fields, and that the two speak of the same.

    Raises:
        BadMessage: The contract does not allow it; the reason is said in few words, and quotes no value.

    """
    message, site, sn, client = parse_topic(topic, prefix)
    found = decode(message.model, payload, limit=message.limit, name=message.name)
    key = getattr(found, "key", None) if message.signed is None else None
    if key is not None:
        if not str(key).startswith(f"{site}/{message.name}/"):
            raise _bad(message.name, "the key is another's")
        if (one := _one_spelling(str(key))) != key:
            found = found.model_copy(update={"key": one})
    if sn and getattr(found, "sn", sn) != sn:
        raise _bad(message.name, "the serial number is another's")
    return Incoming(message, site, sn, client, found)


def _one_spelling(key: str) -> str:
    """A key, SITE/KIND/SN/..., with the serial number in its one spelling: else one thing had two rows."""
    words = key.split("/")
    if len(words) > 2:
        words[2] = spelt(words[2])
    return "/".join(words)


def decode(model: type[Payload], payload: bytes | str, *, limit: int = MAX_PAYLOAD, name: str = "") -> Any:
    """A payload of *model*; raises BadMessage."""
    name = name or model.__name__.lower()
    if len(payload) > limit:
        raise _bad(name, f"longer than {limit} bytes")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:4])
        raise _bad(name, f"{where}: {first['type']}" if where else first["type"]) from None
    except (ValueError, RecursionError):
        raise _bad(name, "not JSON") from None


def _bad(name: str, reason: str) -> BadMessage:
    return BadMessage("{name}: not a message of this contract: {reason}", name=name, reason=reason)


def counts_key(site: str, sn: str, start: int) -> str:
    """The idempotency key of a window."""
    return f"{site}/counts/{sn}/{start}"


def event_key(site: str, sn: str, kind: str, event_id: str) -> str:
    """The idempotency key of an event."""
    return f"{site}/events/{sn}/{kind}/{event_id}"


def alert_key(site: str, sn: str, code: str, opened: float) -> str:
    """The idempotency key of an alert."""
    return f"{site}/alerts/{sn or '-'}/{code}/{round(opened * 1000)}"


def schemas() -> Mapping[str, dict[str, Any]]:
    """The JSON Schema of every payload, and of what is signed within one, by ``NAME/VERSION``."""
    made: dict[str, dict[str, Any]] = {}
    for message in MESSAGES.values():
        for name, model in ((message.name, message.model), (f"{message.name}.body", message.signed)):
            if model is not None:
                schema = model.model_json_schema(mode="validation")
                made[f"{name}/{VERSION}"] = {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "$id": f"urn:sunmi-ipc:mqtt:{name}:{VERSION}",
                    **schema,
                }
    return made


def canonical(document: Any) -> str:
    """JSON as it is signed: short, keys in order, so that the same request is the same text."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
