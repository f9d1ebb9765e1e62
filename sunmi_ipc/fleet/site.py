"""The site file's model: what a shop's cameras should be like.

Its JSON Schema ships beside this module (``site.schema.json``); bounds come from ``sunmi_ipc.protocol.fields``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from ipaddress import IPv4Address, ip_network
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ..errors import ParameterError
from ..protocol.fields import (
    AudioLevel,
    CameraName,
    Capacity,
    Description,
    GroupName,
    MotionLevel,
    Sn,
    Ssid,
)
from ..protocol.spec import Model
from ..protocol.values import DoorLine, EventType, Weekdays
from ..protocol.wifi import AsIs
from ..redact import Secret
from .pool import DEFAULT_JOBS
from .secret import Secrets, is_reference

#: Of one block: they are asked one by one.
_MOST_ADDRESSES = 65_536


def _reference(text: str, info: ValidationInfo) -> str:
    if not is_reference(text) and not (info.context or {}).get("inline"):
        raise PydanticCustomError("inline_secret", "a secret stands in the file")
    return text


def hex_digits(mac: str) -> str:
    """A MAC without what stands between its digits."""
    return re.sub(r"[:.\s-]", "", mac).upper()


def _mac(text: str) -> str:
    digits = hex_digits(text)
    if not re.fullmatch(r"[0-9A-F]{12}", digits):
        raise PydanticCustomError("mac", "not a MAC")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _model(text: str) -> str:
    model = Model.read(text)
    if model is None or len(text.strip()) > 5:
        raise PydanticCustomError("camera_model", "no such model")
    return str(model)


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text)) if text else ""
    except ValueError:
        raise PydanticCustomError("ipv4", "not an IPv4 address") from None


def _block(text: str) -> str:
    try:
        block = ip_network(text.strip(), strict=False)
    except ValueError:
        raise PydanticCustomError("target", "not an address or block") from None
    if block.num_addresses > _MOST_ADDRESSES:
        raise PydanticCustomError("target", "too many addresses")
    return text.strip()


# As people and spreadsheets write it: 9:00, 09:00:00, 9:00 PM, 09:00:00 a.m., 下午 6:00, with full-width colons.
_TIME = re.compile(
    r"(?P<before>[AaPp]\.?[Mm]\.?|上午|下午)?\s*(?P<hour>\d{1,2})\s*[:：](?P<minute>[0-5]\d)(?:[:：](?P<second>[0-5]\d)(?:\.0*)?)?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?|上午|下午)?",
    re.ASCII,
)


def _day_time(value: Any) -> Any:
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    text = re.sub(r"\s", " ", value).strip() if isinstance(value, str) and len(value) < 40 else ""
    match = _TIME.fullmatch(text)
    if match and not (match["before"] and match["after"]):
        half, hour = (match["before"] or match["after"] or "").lower(), int(match["hour"])
        if half and not 1 <= hour <= 12 and half not in ("上午", "下午"):
            hour = 99
        if half in ("下午",) or half.startswith("p"):
            hour += 12 if hour < 12 else 0
        elif half and hour == 12:
            hour = 0
        minutes = hour * 60 + int(match["minute"])
        if minutes <= 1440:
            return time.max if minutes == 1440 else time(minutes // 60, minutes % 60)
    raise PydanticCustomError("day_time", "not a time of day")


def _line(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 4 and all(type(v) is int for v in value):
        try:
            DoorLine(*value)
        except ParameterError:
            raise PydanticCustomError("door_line", "not a door line") from None
        return tuple(value)
    raise PydanticCustomError("door_line", "not a door line")


def _callback(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise PydanticCustomError("url", "not a URL")
    return text


def _position(value: Any) -> Any:
    good = type(value) is int and value >= 0
    if not good and not (isinstance(value, str) and re.fullmatch(r"(\d{1,2}|100)%", value)):
        raise PydanticCustomError("position", "not a position")
    return value


SecretText = Annotated[
    str,
    AfterValidator(_reference),
    Field(description="env:NAME, keyring:SERVICE/USER or file:PATH; the secret itself only where allowed"),
]
Mac = Annotated[str, AfterValidator(_mac)]
Ipv4 = Annotated[str, AfterValidator(_ipv4)]
DayTime = Annotated[
    time,
    BeforeValidator(_day_time),
    WithJsonSchema({"type": "string", "pattern": "^([01]?[0-9]|2[0-4]):[0-5][0-9]$"}),
]
Line = Annotated[
    tuple[int, int, int, int],
    BeforeValidator(_line),
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}),
]
Position = Annotated[
    int | str,
    BeforeValidator(_position),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(\\d{1,2}|100)%$"}]}
    ),
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Table(BaseModel):
    """Base of every table: an unknown key is an error, and no error shows a value."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )


class WifiWish(Table):
    """The network to join."""

    ssid: Ssid
    password: SecretText = Field(default="", repr=False)
    hidden: bool = Field(default=False, description="the camera need not see it when it is told")

    def passphrase(self, secrets: Secrets) -> Secret:
        """The password itself, marked where it is insisted on."""
        secret = secrets.get(self.password)
        return AsIs("".join(secret)) if secrets.as_is else secret


class IpWish(Table):
    """IP settings; the wire's names for them are our guess."""

    dhcp: bool = Field(default=True, description="take everything from DHCP")
    address: Ipv4 = ""
    netmask: Ipv4 = ""
    gateway: Ipv4 = ""
    dns: Ipv4 = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.dhcp and not (self.address and self.netmask):
            raise PydanticCustomError("static_ip", "address and netmask are needed")
        return self


class DetectionWish(Table):
    """Motion and sound detection; what is left out stays as it is."""

    motion: MotionLevel | None = Field(default=None, description="sensitivity, 0 off, 1 to 3")
    sound: AudioLevel | None = Field(default=None, description="sensitivity, 0 off, 1 to 3")
    days: list[Day] | Literal["everyday", "always"] | None = Field(
        default=None, description="'always' means round the clock, whatever the times say"
    )
    from_: DayTime | None = Field(default=None, alias="from", description="HH:MM")
    to: DayTime | None = Field(default=None, description="HH:MM, up to 24:00")

    @property
    def weekday(self) -> Weekdays | None:
        """The days as the wire's mask."""
        if self.days is None:
            return None
        if isinstance(self.days, str):
            return Weekdays.ALWAYS if self.days == "always" else Weekdays.EVERY_DAY
        every = {d.name[:3].lower(): d for d in Weekdays if d.name and d < Weekdays.EVERY_DAY}
        mask = Weekdays(0)
        for day in self.days:
            mask |= every[day]
        return mask


class LensWish(Table):
    """Where the motors should stand (FM020): steps, or percent of the camera's range."""

    zoom: Position | None = None
    focus: Position | None = None


class FaceGroupWish(Table):
    """A face group that should be there (FM020)."""

    name: GroupName
    capacity: Capacity
    description: Description = ""


class MoveRuleWish(Table):
    """A stranger seen ``times`` times within ``period`` days becomes a regular (FM020)."""

    period: Annotated[int, Ge(1)]
    times: Annotated[int, Ge(1)]


class SubscriptionWish(Table):
    """Events that the camera should post to a URL."""

    events: Annotated[list[Annotated[EventType, Field(strict=False)]], MinLen(1)]
    callback: Annotated[str, AfterValidator(_callback)]


class Wanted(Table):
    """What a camera should be like. A key that is nowhere given is left as it is, and not read."""

    name: CameraName | None = Field(
        default=None, description="{n} is the number within 'count', {sn} the serial number"
    )
    activation_code: SecretText | None = Field(default=None, repr=False)
    activate: bool | None = Field(default=None, description="false leaves a camera unactivated; default true")
    wifi: WifiWish | None = None
    ip: IpWish | None = None
    sdcard: Literal["ignore", "require", "format-blank"] | None = Field(
        default=None, description="'format-blank' formats blank cards alone; a normal card is never formatted"
    )
    ir: Literal["off", "on", "auto"] | None = Field(default=None, description="night mode")
    led: bool | None = Field(default=None, description="status light")
    rotation: Annotated[int, Ge(0), Le(359)] | None = Field(default=None, description="degrees")
    detection: DetectionWish | None = None
    lens: LensWish | None = None
    door_line: Line | None = Field(
        default=None, description="left end x, y, right end x, y in pixels of the 1080p picture (FM020)"
    )
    face_groups: list[FaceGroupWish] | None = Field(default=None, description="others are left alone (FM020)")
    move_rule: MoveRuleWish | None = None
    subscriptions: list[SubscriptionWish] | None = Field(default=None, description="others are left alone")

    def given(self) -> set[str]:
        """The keys that say something."""
        return {name for name in Wanted.model_fields if getattr(self, name) is not None}


class CameraEntry(Wanted):
    """One camera by serial number or MAC, or ``count`` cameras of a model, whichever are found."""

    sn: Sn | None = None
    mac: Mac | None = None
    any: Annotated[str, AfterValidator(_model)] | None = Field(default=None, description="FM010 or FM020")
    count: Annotated[int, Ge(1), Le(1000)] | None = Field(default=None, description="with 'any'; default 1")
    address: str | None = Field(
        default=None, description="where it is, for networks that no broadcast reaches"
    )
    groups: list[str] = Field(default=[], description="later ones win over earlier ones")
    unset: list[str] = Field(default=[], description="keys that defaults and groups do not give this camera")

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        given = [v for v in (self.sn, self.mac, self.any) if v]
        if len(given) != 1:
            raise PydanticCustomError("identity", "exactly one of sn, mac, any")
        if self.count and not self.any:
            raise PydanticCustomError("count", "count goes with any")
        return self


class Policy(Table):
    """How the work is done."""

    jobs: Annotated[int, Ge(1), Le(256)] = Field(
        default=DEFAULT_JOBS, description="cameras talked to at once"
    )
    timeout: Annotated[float, Gt(0), Le(120)] = Field(
        default=10.0, description="seconds a call may take", strict=False
    )
    deadline: Annotated[float, Gt(0)] = Field(
        default=300.0, description="seconds for one camera", strict=False
    )
    find: Annotated[float, Gt(0)] = Field(
        default=20.0, description="seconds to look for a camera before it counts as absent", strict=False
    )
    restart: Annotated[float, Ge(0)] = Field(
        default=60.0, description="seconds that services may need after a restart", strict=False
    )
    settle: Annotated[float, Ge(0)] = Field(
        default=30.0,
        description="seconds after which an activation or format without an answer counts as not carried out",
        strict=False,
    )
    activations_per_minute: Annotated[float, Gt(0)] = Field(default=60.0, strict=False)
    activation_quota: Annotated[int, Ge(0)] | None = Field(
        default=None, description="activations that this site may use in all"
    )
    inline_secrets: bool = Field(default=False, description="allow secrets in this file")


class Site(Table):
    """A shop, or a van-load of cameras."""

    version: Literal[1] = 1
    name: str = ""
    include: list[str] = Field(
        default=[], description="TOML files whose 'apply', 'defaults' and 'groups' this one builds on"
    )
    targets: list[Annotated[str, AfterValidator(_block)]] = Field(
        default=[],
        description="addresses or blocks (10.17.0.0/24) to ask one by one; then only cameras in them are this site's",
    )
    interfaces: list[str] = Field(default=[], description="network interfaces to look at; default: all")
    apply: Policy = Policy()
    defaults: Wanted = Wanted()
    groups: dict[str, Wanted] = {}
    cameras: list[CameraEntry]

    def slots(self) -> Iterator[Slot]:
        """One for each camera, with what defaults, groups and its own entry want of it."""
        numbers: dict[str, int] = {}
        for index, entry in enumerate(self.cameras):
            wanted = self._wanted(entry)
            for n in range(1, (entry.count or 1) + 1):
                if entry.any:
                    numbers[entry.any] = numbers.get(entry.any, 0) + 1
                key = entry.sn or entry.mac or f"any:{entry.any}#{numbers[entry.any or '']}"
                yield Slot(key, index, n, entry.sn or "", entry.mac or "", entry.any or "", entry.address or "",
                           wanted, frozenset(entry.given()))  # fmt: skip

    def _wanted(self, entry: CameraEntry) -> Wanted:
        merged: dict[str, Any] = {}
        for source in (self.defaults, *(self.groups[name] for name in entry.groups)):
            merged |= {key: getattr(source, key) for key in source.given() - set(entry.unset)}
        merged |= {key: getattr(entry, key) for key in entry.given()}
        return Wanted.model_construct(**merged)


@dataclass(frozen=True, slots=True)
class Slot:
    """One camera of a site.

    Attributes:
        key: What it is called in journal and output: serial number, MAC, or ``any:FM020#1``.
        index: Its entry in the file, from 0.
        number: Within the entry, from 1.
        sn, mac, any, address: As the entry says.
        wanted: Everything that is wanted of it.
        own: The keys that stand in its own entry.

    """

    key: str
    index: int
    number: int
    sn: str
    mac: str
    any: str
    address: str
    wanted: Wanted
    own: frozenset[str]

    def name_for(self, sn: str) -> str:
        """Its name, blanks filled."""
        return (self.wanted.name or "").replace("{n}", str(self.number)).replace("{sn}", sn)
