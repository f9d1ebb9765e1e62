"""Shops that only say what a station says: plausible days of people, events, trouble, outages, restarts.

Everything follows from the seed, the shop's name and the time: the same seed says the same again, under the same
keys. Nothing here connects; see :mod:`.sites`.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ..broker import contract

_QUARTER, _HOUR, _DAY = 900, 3600, 86_400
#: How full a shop is, hour by hour, as a share of its busiest hour.
_CURVE = (
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0.05,
    0.25,
    0.45,
    0.6,
    0.8,
    0.7,
    0.55,
    0.6,
    0.7,
    0.9,
    1,
    0.95,
    0.75,
    0.4,
    0.05,
    0,
)
_WEEKDAY = (0.75, 0.75, 0.8, 0.85, 1.0, 1.4, 1.3)
_ZONES = ("Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin")
_FIRMWARE = {"FM010": ("1.5.2", "1.6.0"), "FM020": ("2.1.9", "2.2.0", "2.2.4")}
#: Code, level, card, whether people are counted, whether the camera is there, text.
_TROUBLES = (
    ("unreachable", "bad", "", False, False, "the camera does not answer"),
    ("card-none", "bad", "none", False, True, "no SD card"),
    ("clock", "warning", "normal", True, True, "its clock is off"),
)
_Trouble = tuple[tuple[str, str, str, bool, bool, str], int, int]
_PLACES = ("Entrance", "Cashier", "Window", "Stairs", "Back door", "Aisle")


@dataclass(frozen=True, slots=True)
class VirtualShopCamera:
    """A camera that a shop speaks of."""

    sn: str
    name: str
    model: str
    firmware: str
    busy: float = field(repr=False)  # people in the busiest quarter hour


@dataclass(order=True, slots=True)
class Saying:
    """Something that a shop says at a moment.

    ``what`` is a kind of message; or ``outage`` (until *until*), or ``restart``, which are done and not said.
    """

    at: float
    order: int
    what: str = field(compare=False)
    sn: str = field(compare=False, default="")
    payload: contract.Payload | None = field(compare=False, default=None)
    until: float = field(compare=False, default=0.0)


class VirtualShop:
    """A shop: cameras, and what its station says from a moment on.

    Args:
        number: Which of the shops, from 1; it names the site, such as ``sim-0001``.
        cameras: How many it has.
        seed: The same number gives the same shop.
        prefix: Of its name.
        events: Events of each camera in its busiest hour, on average.
        troubles: Whether cameras fail, the line breaks and the station is restarted.

    """

    def __init__(
        self,
        number: int,
        *,
        cameras: int,
        seed: int = 0,
        prefix: str = "sim",
        events: float = 8.0,
        troubles: bool = True,
    ) -> None:
        self.site: str = f"{prefix}-{number:04d}"
        self._seed, self._events, self._troubled = f"{seed}:{self.site}", events, troubles
        chance = self._random("shop")
        self.name: str = f"Shop {number}"
        self.timezone = chance.choice(_ZONES)
        self._zone = ZoneInfo(self.timezone)
        self.cameras: tuple[VirtualShopCamera, ...] = tuple(self._camera(n, chance) for n in range(cameras))
        #: How the cameras are, by serial number, as they were said last: for when the broker has to be told anew.
        self.states: dict[str, contract.CameraState] = {}
        self.online: dict[str, bool] = {}
        self._troubles: dict[tuple[str, int], _Trouble | None] = {}

    def _random(self, *parts: object) -> random.Random:
        return random.Random(f"{self._seed}:{':'.join(map(str, parts))}")  # noqa: S311 - a simulation

    def _camera(self, number: int, chance: random.Random) -> VirtualShopCamera:
        model = "FM010" if chance.random() < 0.3 else "FM020"
        word = "".join(chance.choice("0123456789ABCDEF") for _ in range(8))
        place = _PLACES[number % len(_PLACES)]
        return VirtualShopCamera(
            sn=f"{'SS' if model == 'FM010' else 'FS'}101{word}{number:03d}",
            name=place if number < len(_PLACES) else f"{place} {number // len(_PLACES) + 1}",
            model=model,
            firmware=chance.choice(_FIRMWARE[model]),
            busy=chance.uniform(5, 60),
        )

    def state(self, camera: VirtualShopCamera, revision: int, at: float) -> contract.CameraState:
        """How *camera* is, as it was said last."""
        said = self.states.get(camera.sn) or self._state(camera, at, None)
        return said.model_copy(update={"revision": revision})

    def sayings(self, start: float) -> Iterator[Saying]:
        """Everything from *start* on, without end, in the order of time."""
        hour = int(start) // _HOUR * _HOUR
        later: list[Saying] = []
        order = 0
        while True:
            for saying in self._hour(hour):
                if saying.at >= start:
                    order += 1
                    saying.order = order
                    heapq.heappush(later, saying)
            hour += _HOUR
            while later and later[0].at < hour:
                yield heapq.heappop(later)

    def _fullness(self, at: float) -> float:
        local = datetime.fromtimestamp(at, self._zone)
        return _CURVE[local.hour] * _WEEKDAY[local.weekday()]

    def _hour(self, hour: int) -> Iterator[Saying]:
        """What is said of one hour; of a window when it is over, which is later."""
        chance = self._random("hour", hour)
        fullness = self._fullness(hour)
        for camera in self.cameras:
            trouble = self._trouble(camera, hour // _DAY * _DAY)
            for start in range(hour, hour + _HOUR, _QUARTER):
                yield from self._window(camera, start, camera.busy * fullness, trouble, chance)
            for _ in range(_poisson(chance, self._events * fullness)):
                at = round(hour + chance.random() * _HOUR, 3)
                yield Saying(at, 0, "events", camera.sn, self._event(camera, at, chance))
        if hour % _DAY == 0 and self._troubled:
            yield from self._day(hour)

    def _event(self, camera: VirtualShopCamera, at: float, chance: random.Random) -> contract.Event:
        number = round(at * 1000)
        return contract.Event(
            key=contract.event_key(self.site, camera.sn, "dynamic_detect_event", str(number)),
            revision=number,
            sn=camera.sn,
            type="dynamic_detect_event",
            time=at,
            received=at,
            data={"event_id": str(number), "duration": chance.randint(3, 40)},
        )

    def _window(
        self,
        camera: VirtualShopCamera,
        start: int,
        expected: float,
        trouble: _Trouble | None,
        chance: random.Random,
    ) -> Iterator[Saying]:
        arrivals = _poisson(chance, expected)
        leaving, passing = _poisson(chance, expected), _poisson(chance, expected * 3)
        said = round(start + _QUARTER + 20 + chance.random() * 30, 3)
        known = contract.Counts(
            key=contract.counts_key(self.site, camera.sn, start),
            revision=1,
            sn=camera.sn,
            start=start,
            end=start + _QUARTER,
            arrivals=arrivals,
            leaving=leaving,
            passing=passing,
            completeness=1.0,
        )
        if trouble is None or trouble[0][3] or not trouble[1] <= start < trouble[2]:
            yield Saying(said, 0, "counts", camera.sn, known)
            return
        gap = {"arrivals": None, "leaving": None, "passing": None, "completeness": 0.0}
        yield Saying(said, 0, "counts", camera.sn, known.model_copy(update=gap))
        if trouble[0][0] == "unreachable":  # the camera counted all the same, and is asked when it is back
            again = known.model_copy(update={"revision": 2})
            yield Saying(round(trouble[2] + 60 + chance.random() * 60, 3), 0, "counts", camera.sn, again)

    def _trouble(self, camera: VirtualShopCamera, day: int) -> _Trouble | None:
        """What is the matter with a camera on a day, from when until when."""
        if (camera.sn, day) not in self._troubles:
            if len(self._troubles) > 4 * len(self.cameras):
                self._troubles.clear()
            self._troubles[camera.sn, day] = self._draw(camera, day)
        return self._troubles[camera.sn, day]

    def _draw(self, camera: VirtualShopCamera, day: int) -> _Trouble | None:
        chance = self._random("trouble", camera.sn, day)
        if not self._troubled or chance.random() > 0.03:
            return None
        begin = day + chance.randrange(1, 20) * _HOUR
        return chance.choice(_TROUBLES), begin, begin + chance.randrange(1, 4) * _HOUR

    def _day(self, day: int) -> Iterator[Saying]:
        for camera in self.cameras:
            if trouble := self._trouble(camera, day):
                (code, level, _, _, there, text), begin, end = trouble
                alert = contract.Alert(
                    key=contract.alert_key(self.site, camera.sn, code, begin),
                    revision=1, sn=camera.sn, code=code, level=level, state="open", opened=begin, text=text,  # type: ignore[arg-type]
                )  # fmt: skip
                yield Saying(begin, 0, "state", camera.sn, self._state(camera, begin, trouble[0]))
                yield Saying(begin, 0, "alerts", camera.sn, alert)
                yield Saying(end, 0, "state", camera.sn, self._state(camera, end, None))
                over = {"revision": 2, "state": "closed", "closed": float(end)}
                yield Saying(end, 0, "alerts", camera.sn, alert.model_copy(update=over))
                if not there:
                    yield Saying(begin, 0, "availability", camera.sn, _availability(begin, there=False))
                    yield Saying(end, 0, "availability", camera.sn, _availability(end, there=True))
        chance = self._random("day", day)
        if chance.random() < 0.05:  # the shop's line
            begin = day + chance.randrange(_DAY)
            yield Saying(begin, 0, "outage", until=begin + chance.randrange(300, 4 * _HOUR))
        if chance.random() < 0.1:
            yield Saying(day + chance.randrange(_DAY), 0, "restart")

    def _state(
        self, camera: VirtualShopCamera, at: float, trouble: tuple[str, str, str, bool, bool, str] | None
    ) -> contract.CameraState:
        reasons: tuple[contract.Reason, ...] = ()
        if trouble is not None:
            reasons = (contract.Reason(code=trouble[0], level=trouble[1], since=at, text=trouble[5]),)  # type: ignore[arg-type]
        return contract.CameraState(
            verdict=trouble[1] if trouble else "ok",  # type: ignore[arg-type]
            reasons=reasons,
            revision=0,
            time=at,
            seen=at,
            name=camera.name,
            model=camera.model,
            firmware=camera.firmware,
            card=trouble[2] if trouble else "normal",
            clock_offset_s=-120.0 if trouble and trouble[0] == "clock" else 0.0,
        )


def _availability(at: float, *, there: bool) -> contract.Availability:
    return contract.Availability(state="online" if there else "offline", revision=0, time=at)


def _poisson(chance: random.Random, mean: float) -> int:
    """A number of independent happenings, of which there are *mean* on average."""
    if mean <= 0:
        return 0
    if mean > 30:  # near enough
        return max(0, round(chance.gauss(mean, mean**0.5)))
    number, left = -1, 0.0
    while left < mean:
        left += chance.expovariate(1.0)
        number += 1
    return number


def midnight(at: float, zone: str = "UTC") -> float:
    """The beginning of the day that *at* is in."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(UTC).timestamp()
