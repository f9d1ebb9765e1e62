"""What a virtual camera knows and remembers."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ..protocol.spec import Model
from ..protocol.values import CardStatus
from .filming import VideoSettings
from .quirks import NEIGHBOURS, UNKNOWN_FIELDS

#: Networks that every virtual camera sees, with the password that lets it in.
NETWORKS = (
    ("Shop-WiFi", "WPA-PSK", "welcome-2020"),
    ("Shop-Guest", "NONE", ""),
    ("咖啡店", "WPA-PSK", "kafei1234"),
)


#: The card's state that the SDK does not have (A W).
REMOVED = 4


@dataclass
class CameraState:
    """The state of one camera; guard it with ``lock``."""

    sn: str
    mac: str
    model: Model
    name: str
    firmware: str = "1.8.2"
    hardware: str = "V1.0"
    wired: bool = False
    activated: bool = False
    bound: bool = False
    ssid: str = ""
    wifi_password: str = field(default="", repr=False)
    networks: tuple[tuple[str | None, str, str], ...] = NETWORKS
    card: CardStatus = CardStatus.BLANK
    #: Removed by software (A W): it stays in its slot, and has to be put in again.
    card_removed: bool = False
    format_s: float = 2.0
    card_busy_until: float = 0.0
    join_s: float = 1.0
    clock_offset: float = 0.0
    #: Since when it has counted people, Unix seconds: a camera out of its box has seen nobody.
    filming_since: float = 0.0
    #: How many people there are who come by its door.
    people: int = 0
    #: When it neither counted nor recorded, for want of a card or of power: start and end by its own clock.
    blind: list[tuple[float, float]] = field(default_factory=list)
    #: Those whose faces were seen, by the minute's start: eight age ranges of males, then of females.
    arrived: dict[int, list[int]] = field(default_factory=dict)
    #: Those who were sent through the door on purpose: when, by ``arrivals``, ``leaving``, ``passing``.
    walks: dict[str, list[float]] = field(default_factory=dict)
    video: VideoSettings = field(default_factory=VideoSettings)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: How it calls its model, which has two names.
    model_word: str = ""
    #: See :mod:`.quirks`.
    quirks: frozenset[str] = frozenset()
    #: How often a path was carried out: what a test counts.
    counts: dict[str, int] = field(default_factory=dict)
    #: How many calls have changed something: what must stay as it is under a program that only looks.
    changes: int = 0
    #: Whether an answer had a field that nobody knows.
    told_unknown: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def on_wifi(self) -> bool:
        """Whether the network it was told to join lets it in."""
        return any(s == self.ssid and p == self.wifi_password for s, _, p in self.networks)

    @property
    def online(self) -> bool:
        """Whether it has internet."""
        return self.wired or self.on_wifi

    def sees(self, start: float, end: float) -> bool:
        """Whether it counted and recorded in all of a period, by its own clock."""
        return start >= self.filming_since and not self.blinded(start, end)

    def blinded(self, start: float, end: float) -> bool:
        """Whether it had no card or no power in some of a period, by its own clock."""
        return any(first < end and start < last for first, last in self.blind)

    def go_blind(self, now: float, until: float = math.inf) -> None:
        """See nothing from *now* until it is given a card again, or until *until*, by its own clock."""
        self.blind.append((now, until))

    def see_again(self, now: float) -> None:
        """A card is there."""
        self.blind = [(start, now if end == math.inf else end) for start, end in self.blind]

    @property
    def off_network(self) -> bool:
        """Whether it was told a network that does not let it in: it is at its own access point alone."""
        return not self.wired and bool(self.ssid) and not self.on_wifi

    @property
    def card_status(self) -> CardStatus | int:
        """The card's state now; blank while it is being formatted (our guess), 4 where it was removed."""
        if self.card_removed:
            return REMOVED
        if self.card_busy_until > time.monotonic():
            return CardStatus.BLANK
        return self.card


def new_state(
    model: Model, state: str, seed: int, number: int, quirks: frozenset[str] = frozenset()
) -> CameraState:
    """A camera out of its box (``factory``; ``wired``: on a cable), or set up (``ready``).

    The same arguments, the same camera.
    """
    die = random.Random(f"{seed}/{number}/{model}")  # noqa: S311 - made-up serial numbers
    # A step that shares no factor with 100,000: no two of a seed's cameras have one serial number.
    digits = (random.Random(f"{seed}/{model}").randrange(100_000) + 7919 * number) % 100_000  # noqa: S311
    prefix = "SS101D8BS" if model is Model.FM010 else "FS101D8BS"
    mac = ":".join(
        f"{b:02X}" for b in (0x02, 0x53, 0x4D, die.randrange(256), die.randrange(256), number % 256)
    )
    new = CameraState(f"{prefix}{digits:05d}", mac, model, f"SUNMI_{mac[-5:].replace(':', '')}")
    new.documents = {
        "ir": {"irmode": 2},
        "motion": {"motion_level": 2, "audio_level": 1, "weekday": 0x80, "start_time": 0, "stop_time": 1440},
        "led": {"led_switch": 1},
        "rotation": {"rotation": 0},
        "ip": {"dhcp": 1, "ip": "", "netmask": "", "gateway": "", "dns": ""},
        "ai_face": {"optimize_seconds": 3, "snap_size_thr": 80},
        "people_flow": {"facerecog_interval": 60, "customer_judgemode": 1},
        "door_line": {"resolution": 0, "start_x": 400, "start_y": 800, "end_x": 1500, "end_y": 800},
    }
    new.model_word, new.quirks, new.video = str(model), quirks, VideoSettings.of(model)
    if "neighbours" in quirks:
        new.networks += NEIGHBOURS
    if "unknown-fields" in quirks:
        for name, fields in UNKNOWN_FIELDS.items():
            new.documents[name] |= fields
    new.wired = state == "wired"
    if state == "ready":
        new.activated, new.wired, new.card = True, True, CardStatus.NORMAL
    else:
        new.filming_since = math.inf
    return new
