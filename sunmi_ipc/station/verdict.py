"""What can be wrong with a camera or the station, in words, with the next step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from ..i18n import Language, language, translate


class Level(StrEnum):
    """How well a camera is; ``unknown`` where nobody can tell."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    BAD = "bad"


_ORDER = [Level.OK, Level.WARNING, Level.UNKNOWN, Level.BAD]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble.

    Attributes:
        level: How bad it is.
        text: What is the matter, a template.
        hint: The next step, likewise.
        looks: So many looks must see it before it is told: a single lost answer is no alarm.
        clear: So many looks must not see it before all is well again.

    """

    level: Level
    text: str
    hint: str = ""
    looks: int = 1
    clear: int = 1


#: Every reason by code. Codes are a contract: scripts, alert rules and metrics use them.
KINDS: dict[str, Kind] = {
    # Whether it is there, and the one.
    "unreachable": Kind(
        Level.BAD,
        "the camera does not answer",
        "Look at its LED, power and cable; 'ipc scan' shows who answers.",
    ),
    "never-seen": Kind(
        Level.BAD,
        "the camera has never been found",
        "Is its serial number right, is it on and in this network?",
        looks=2,
    ),
    "behind": Kind(
        Level.UNKNOWN, "not to be reached: all cameras of {group} are away", "See the station's own reasons."
    ),
    "no-network": Kind(
        Level.UNKNOWN,
        "not to be reached: this computer has no network to it",
        "See the station's own reasons.",
    ),
    "wrong-camera": Kind(
        Level.BAD,
        "another camera, {other}, answers at its address",
        "Two with one address, or a swapped one: look at both labels.",
        looks=2,
    ),
    "not-trusted": Kind(
        Level.BAD,
        "not trusted: {problem}",
        "Somebody may be in between, or the camera was replaced: 'ipc trust list', and 'ipc trust accept' if you know why.",
        looks=2,
    ),
    "not-activated": Kind(
        Level.BAD, "the camera is not activated", "It was reset, or is new: 'ipc activate {sn}'.", looks=2
    ),
    "credentials": Kind(
        Level.BAD,
        "the camera refuses our credentials: {problem}",
        "Check app_id, secret key and clock with 'ipc doctor'.",
        looks=2,
    ),
    "refused": Kind(
        Level.WARNING,
        "the camera refuses to say how it is: {problem}",
        "'ipc info' shows what it says.",
        looks=2,
    ),
    "not-understood": Kind(
        Level.WARNING,
        "the camera's answers are not understood: {problem}",
        "Its firmware may speak differently: 'ipc -vv info'.",
        looks=2,
    ),
    "duplicate": Kind(
        Level.WARNING,
        "two devices claim its serial number",
        "One is an impostor or a copy: 'ipc scan' shows both.",
        looks=2,
    ),
    # Whether it does its work.
    "clock": Kind(
        Level.WARNING,
        "its clock is {seconds:+.0f} s off",
        "Without internet it cannot set it; let it reach a time server.",
        looks=2,
    ),
    "card-none": Kind(
        Level.BAD, "no SD card", "Put a card in: without it nothing is recorded or counted.", looks=2
    ),
    "card-blank": Kind(
        Level.BAD,
        "the SD card is not formatted",
        "'ipc sdcard format', which deletes what is on it.",
        looks=2,
    ),
    "card-broken": Kind(Level.BAD, "the SD card is not recognised", "Replace the card.", looks=2),
    "card-removed": Kind(
        Level.BAD, "the SD card was removed by software", "Take the card out and put it back.", looks=2
    ),
    "card-unknown": Kind(
        Level.WARNING, "the SD card is in the unknown state {state}", "'ipc sdcard status' shows it.", looks=2
    ),
    "no-recording": Kind(
        Level.BAD,
        "nothing was recorded in the last {minutes:.0f} min",
        "Look at the card and at motion detection.",
        looks=2,
        clear=1,
    ),
    "subscription": Kind(
        Level.WARNING,
        "its events do not reach us: {problem}",
        "It is tried again; can it reach this computer?",
        looks=2,
    ),
    "quiet": Kind(
        Level.WARNING,
        "no event in {hours:.1f} opening hours",
        "Is detection on ('ipc detection show'), and the view free?",
    ),
    "nobody-enters": Kind(
        Level.WARNING,
        "{passing} people passed and nobody entered in {hours:.1f} opening hours",
        "Check the door line: 'ipc doorline preview'.",
    ),
    "not-counting": Kind(
        Level.WARNING,
        "people cannot be counted: {problem}",
        "It is asked again; 'ipc flow arrivals' shows what it says.",
        looks=2,
    ),
    "camera-certificate": Kind(
        Level.WARNING,
        "its certificate ends {when}",
        "Leave the CA out (SUNMI_IPC_CA): the certificate is then pinned instead.",
    ),
    "drift": Kind(
        Level.WARNING,
        "differs from the site file: {keys}",
        "'ipc fleet plan' shows it, 'ipc fleet apply' puts it right.",
    ),
    # The station itself.
    "network": Kind(Level.BAD, "this computer has no network to {group}", "Look at its cable or Wi-Fi."),
    "uplink": Kind(
        Level.BAD, "all {count} cameras of {group} are away", "Look at their switch, its power and its cable."
    ),
    "disk": Kind(
        Level.WARNING, "{megabytes} MB are left on this computer's disk ({path})", "Free some space."
    ),
    "database": Kind(
        Level.BAD, "the station's memory cannot be written: {problem}", "Free some space; watching goes on."
    ),
    "events": Kind(
        Level.BAD, "events cannot be kept: {problem}", "Free some space; cameras are told to try again."
    ),
    "sink": Kind(
        Level.WARNING, "{name}: {count} events wait to be delivered", "Is the other side there?", looks=3
    ),
    "broker": Kind(
        Level.WARNING,
        "no connection to the broker: {problem}",
        "{step} What is to be sent waits on the disk.",
        looks=3,
    ),
    "broker-refused": Kind(
        Level.WARNING,
        "the broker does not take {kinds}: {problem}",
        "May our name there, {user}, write these topics? Look at its access list (ACL): it has to be the name that the list gives the site {site}.",
        looks=2,
    ),
    "broker-taken": Kind(
        Level.BAD,
        "another station uses this site's name, {site}, at the broker: they take each other's place",
        "Look for a second 'ipc serve' with this 'site' under [station], on this computer or another: give each its own name, or end one.",
    ),
    "broker-unheard": Kind(
        Level.WARNING,
        "nobody has subscribed at the broker to {kinds}",
        "Start the hub ('ipc hub'): all of it waits on the disk, and goes out then. 'hold = false' under [broker] lets it go.",
        looks=3,
    ),
    "certificate": Kind(
        Level.WARNING, "our client certificate ends {when}", "Get a new openapi.p12 from the vendor."
    ),
    "certificate-over": Kind(
        Level.BAD, "our client certificate ended {when}", "Get a new openapi.p12 from the vendor."
    ),
    "certificate-file": Kind(
        Level.WARNING, "the certificate in {path} ends {when}", "Get a new one, and start the station again."
    ),
    "certificate-file-over": Kind(
        Level.BAD, "the certificate in {path} ended {when}", "Get a new one, and start the station again."
    ),
}
#: Exactly one of these at a time says whether the camera is there.
REACH = frozenset(
    {
        "unreachable", "never-seen", "behind", "no-network", "wrong-camera", "not-trusted", "not-activated",
        "credentials", "refused", "not-understood",
    }
)  # fmt: skip
#: Who is to blame for a silence.
BLAMED = frozenset({"unreachable", "behind", "no-network"})
CARD = frozenset({"card-none", "card-blank", "card-broken", "card-removed", "card-unknown"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that is the matter.

    Attributes:
        code: Its kind, a key of :data:`KINDS`.
        since: Since when, Unix seconds.
        details: What fills the texts.

    """

    code: str
    since: float
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How bad it is."""
        kind = KINDS.get(self.code)
        return kind.level if kind else Level.WARNING

    def text(self, lang: Language | None = None) -> str:
        """What is the matter, in words."""
        kind = KINDS.get(self.code)
        return _filled(kind.text, lang, self.details) if kind else self.code

    def hint(self, lang: Language | None = None) -> str:
        """The next step, in words."""
        kind = KINDS.get(self.code)
        return _filled(kind.hint, lang, self.details) if kind and kind.hint else ""

    def as_dict(self, lang: Language | None = None) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "code": self.code,
            "level": str(self.level),
            "text": self.text(lang),
            "hint": self.hint(lang) or None,
            "since": self.since,
        }


def _filled(template: str, lang: Language | None, details: Mapping[str, Any]) -> str:
    lang = lang or language()
    # What another error said is kept in both languages.
    details = {**details, **{k: details[f"{k}_{lang}"] for k in details if f"{k}_{lang}" in details}}
    try:
        return translate(template, lang, details)
    except (LookupError, ValueError):  # kept by another version
        empty = {field: "" for _, field, _, _ in Formatter().parse(template) if field}
        return translate(template, lang, empty | details).strip()


def worst(reasons: Iterable[Reason]) -> Level:
    """The verdict that follows from *reasons*."""
    return highest(reason.level for reason in reasons)


def highest(levels: Iterable[Level]) -> Level:
    """The worst of *levels*."""
    return max(levels, key=_ORDER.index, default=Level.OK)


@dataclass(frozen=True, slots=True)
class Transition:
    """A reason that began or ended.

    Attributes:
        sn: The camera; empty for the station.
        reason: What it is.
        began: Whether it began; else it ended.
        at: When that was seen, Unix seconds.

    """

    sn: str
    reason: Reason
    began: bool
    at: float


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """How a camera is.

    Attributes:
        sn, name, address, model, firmware: As known; *sn* is the site file's key while none was found.
        verdict: The worst of its reasons.
        reasons: What is the matter, the worst first.
        muted_until: Nobody is told before; Unix seconds, 0: not muted.
        seen: When it last answered, Unix seconds; 0: never.
        facts: What the last look found: answer time, clock, card, newest recording.

    """

    sn: str
    name: str
    address: str
    model: str
    firmware: str
    verdict: Level
    reasons: tuple[Reason, ...]
    muted_until: float = 0.0
    seen: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self, lang: Language | None = None) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "sn": self.sn,
            "name": self.name,
            "address": self.address,
            "model": self.model,
            "firmware": self.firmware,
            "verdict": str(self.verdict),
            "reasons": [reason.as_dict(lang) for reason in self.reasons],
            "muted_until": self.muted_until or None,
            "seen": self.seen or None,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class StationStatus:
    """How a shop is: its cameras, and what is the matter with the station itself."""

    site: str
    verdict: Level
    cameras: tuple[CameraStatus, ...]
    reasons: tuple[Reason, ...] = ()

    def as_dict(self, lang: Language | None = None) -> dict[str, Any]:
        """Ready for JSON, in the form of ``ipc watch --once --json``."""
        return {
            "cameras": [camera.as_dict(lang) for camera in self.cameras],
            "site": self.site,
            "verdict": str(self.verdict),
            "reasons": [reason.as_dict(lang) for reason in self.reasons],
        }


def by_severity(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """*reasons*, the worst and oldest first."""
    return tuple(sorted(reasons, key=lambda reason: (-_ORDER.index(reason.level), reason.since)))
