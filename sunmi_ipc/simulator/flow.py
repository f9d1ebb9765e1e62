"""Door line and people flow of the virtual camera: plausible numbers by hour, gender and age range."""

from __future__ import annotations

import random
import time
from typing import Any

from .checks import Refused
from .faces import HOUR_S, arrived
from .handlers import plays
from .state import CameraState

#: Visitors an hour of the day, before the dice: closed at night, busy at noon and after work.
HOURS = (0, 0, 0, 0, 0, 0, 0, 2, 5, 9, 14, 20, 26, 18, 14, 12, 14, 22, 28, 20, 12, 6, 0, 0)
_AGES = (2, 3, 5, 12, 10, 8, 5, 3)
_SHARE = {"arrivals": 1.0, "passing": 3.0, "leaving": 0.97}


@plays("peopleFlow/setDoorLine")
def _set_line(state: CameraState, values: dict[str, Any]) -> None:
    if values.get("resolution", 0) != 0:
        raise Refused(264)
    if values["end_x"] - values["start_x"] < 100:
        raise Refused(276)
    state.documents["door_line"] = {"resolution": 0} | values


def _stat(kind: str, state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    start, end = values["start_time"], values["end_time"]
    now = int(time.time() + state.clock_offset)
    if start < 0 or start > now:
        raise Refused(266)
    if end < start or end - start > 366 * 86_400:
        raise Refused(267)
    faces = arrived(state) if kind == "arrivals" else {}
    units = []
    begin = start - start % HOUR_S
    while begin < min(end, now):
        first, last = max(begin, start), min(begin + HOUR_S, end, now)
        units.append(_unit(kind, state, begin, first, last, faces) | {"end_time": min(begin + HOUR_S, end)})
        begin += HOUR_S
    _walked(kind, state, units)
    return {"total": sum(u["total"] for u in units), "stat_list": units}


def _walked(kind: str, state: CameraState, units: list[dict[str, Any]]) -> None:
    """Count those who were sent through the door on purpose (``VirtualCamera.walk``): men of 19 to 28."""
    for unit in units:
        count = sum(unit["start_time"] <= moment < unit["end_time"] for moment in state.walks.get(kind, ()))
        unit["total"] += count
        unit["male_num_stat"][3] += count


def _unit(
    kind: str, state: CameraState, hour: int, start: int, end: int, faces: dict[int, list[int]]
) -> dict[str, Any]:
    """What of an hour was asked for: those whose faces were seen, and those who kept theirs to themselves."""
    die = random.Random(f"{state.sn}/{kind}/{hour}")  # noqa: S311 - the same hour, the same people
    expected = HOURS[time.gmtime(hour).tm_hour] * _SHARE[kind]
    count = max(0, round(die.gauss(expected, expected**0.5)))
    moments = [hour + HOUR_S * die.random() for _ in range(count)]
    people = die.choices(range(16), weights=_AGES + _AGES, k=count)
    counts = [0] * 16
    for moment, person in zip(moments, people, strict=True):
        counts[person] += start <= moment < end and state.sees(moment, moment)
    for minute in range(start - start % 60, end, 60):
        if minute in faces:  # a minute that was only asked for in part counts where it begins
            counts = [a + b * (minute >= start) for a, b in zip(counts, faces[minute], strict=True)]
    return {
        "start_time": start,
        "end_time": end,
        "total": sum(counts),
        "male_num_stat": counts[:8],
        "female_num_stat": counts[8:],
    }


@plays("peopleFlow/getArrivalStat")
def _arrivals(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return _stat("arrivals", state, values)


@plays("peopleFlow/getPassingStat")
def _passing(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return _stat("passing", state, values)


@plays("peopleFlow/getLeavingStat")
def _leaving(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return _stat("leaving", state, values)
