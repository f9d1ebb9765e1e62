"""Results in words: one place that turns a field into its name and a value into what it means.

``--json`` keeps the wire's names and numbers; everything else that people see comes through here. The
words themselves are in ``sunmi_ipc.words``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from enum import Enum
from typing import TYPE_CHECKING, Any

from sunmi_ipc import words
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import EventType, Weekdays
from sunmi_ipc.redact import MASK, is_secret, redact

if TYPE_CHECKING:
    from sunmi_ipc.models.base import Reply

Row = tuple[str, str]
#: Nobody was seen before then: a camera that says so means never.
_FIRST_YEAR = 2000


def label(field: str, model: str = "") -> str:
    """The name of a field in the user's language; a name of nobody's declaring as it is."""
    return tr(words.label(field, model))


def heading(field: str) -> str:
    """The name of a table's column in the user's language."""
    return tr(words.heading(field))


def told(value: Any, field: str = "", *, tz: tzinfo | None = None) -> str:
    """A value in words: dates as dates, days as days, ``not told`` for what did not come.

    Args:
        value: As the models hold it.
        field: Its name on the wire, for its unit.
        tz: The zone for times; None for this computer's.

    """
    if value is None or value == "":
        return tr(words.NOT_TOLD)
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if field.endswith("_level") and isinstance(value, int):
        return tr(words.LEVELS[value]) if 0 <= value < len(words.LEVELS) else str(value)
    if isinstance(value, Weekdays):
        return listed([tr(day) for day in words.days(value)])
    if isinstance(value, Enum):
        label = getattr(value, "label", None)  # an age range's
        return label if isinstance(label, str) else tr(words.word(value))
    if isinstance(value, datetime):
        return moment(value, tz)
    if isinstance(value, time):
        return "24:00" if value == time.max else f"{value:%H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, (tuple, list)):
        return listed([told(item, field, tz=tz) for item in value]) if value else tr(words.NONE)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if field in ("event", "event_type") and value in list(
        EventType
    ):  # before Python 3.12 only members may be asked for
        return tr(words.word(EventType(value)))
    if field == "key_mgmt" and str(value).upper() in ("NONE", "OPEN"):
        return tr("open")
    return tr(words.UNITS[field], value=value) if field in words.UNITS else str(value)


def moment(value: datetime, tz: tzinfo | None = None) -> str:
    """A time on the wall: 2026-11-24 15:30; ``never`` for the beginning of all clocks."""
    if value.year < _FIRST_YEAR:
        return tr(words.NEVER)
    return f"{value.astimezone(tz) if value.tzinfo else value:%Y-%m-%d %H:%M}"


def weekday(day: date) -> str:
    """The day of the week, short: Mon, 周一."""
    return tr(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()])


def group(name: str) -> str:
    """A face group's name; the two that every camera has are called so in the user's language, too.

    Commands take the camera's name, so that stays in front.
    """
    known = words.GROUPS.get(name)
    return name if known is None or tr(known) in (name, known) else f"{name}（{tr(known)}）"


def listed(parts: Sequence[str]) -> str:
    """Words in a row."""
    return tr(", ").join(parts)


def _point(x: Any, y: Any, field_x: str, field_y: str) -> str:
    if x is None and y is None:
        return tr(words.NOT_TOLD)
    return tr("{x} from the left, {y} from the top", x=told(x, field_x), y=told(y, field_y))


def _lens(lens: Any) -> list[Row]:
    def of(value: Any, most: Any) -> str:
        return told(value) if most is None else tr("{value} of {most}", value=told(value), most=most)

    return [
        (tr("zoom"), of(lens.zoom, lens.max_zoom)),
        (tr("focus"), of(lens.focus, lens.max_focus)),
        (tr("focus point"), _point(lens.focused_x, lens.focused_y, "focused_x", "focused_y")),
    ]


def _door_line(line: Any) -> list[Row]:
    return [
        (tr("left end"), _point(line.start_x, line.start_y, "start_x", "start_y")),
        (tr("right end"), _point(line.end_x, line.end_y, "end_x", "end_y")),
        (label("resolution"), told(line.resolution)),
    ]


def _detection(made: Any) -> list[Row]:
    rows = [(label(name), told(getattr(made, name), name)) for name in ("motion_level", "audio_level")]
    rows.append((label("weekday"), told(made.weekday)))
    if made.weekday is not None and made.weekday & Weekdays.ALWAYS:
        return rows  # then the camera does not look at the times
    begin, stop = made.start_time, made.stop_time
    until = told(stop)
    if begin is not None and stop is not None and stop < begin:
        until = tr("{time} the next day", time=until)
    kind = type(made).__name__
    return [*rows, (label("start_time", kind), told(begin)), (label("stop_time", kind), until)]


def _age(face: Any) -> str:
    """Years where they are known, else the range."""
    age = getattr(face, "age", None)
    return told(face.age_range if age is None else age)


#: Fields that only some records have at all, which is not "not told": the move rule is one group's.
_ONLY_SOME = frozenset({"period", "times", "description"})
#: Results of which several fields say one thing.
_OWN: Mapping[str, Callable[[Any], list[Row]]] = {
    "DoorLineConfig": _door_line,
    "LensConfiguration": _lens,
    "MotionDetectConfig": _detection,
}


def cells(reply: Reply, *, tz: tzinfo | None = None, reveal: bool = False) -> dict[str, str]:
    """A result's values in words, by the wire's names: a row of a table."""
    kind = type(reply)
    masked = {} if reveal else reply.as_dict()
    made: dict[str, str] = {}
    for name, field in kind.model_fields.items():
        wire, value = field.alias or name, getattr(reply, name)
        if isinstance(value, str) and not isinstance(value, Enum):
            value = masked.get(wire, value)
        if is_secret(wire) and value and not reveal:
            value = MASK
        if wire == "age":
            made[wire] = _age(reply)
            continue
        if value is None and wire in _ONLY_SOME:
            made[wire] = ""
            continue
        if value and (wire == "group_name" or (wire == "name" and kind.__name__ == "GroupInfo")):
            value = group(value)
        made[wire] = told(value, wire, tz=tz)
    return made


def record(reply: Reply, *, tz: tzinfo | None = None, reveal: bool = False) -> list[Row]:
    """A result as names and values, one a line."""
    kind = type(reply)
    if own := _OWN.get(kind.__name__):
        return own(reply)
    values = cells(reply, tz=tz, reveal=reveal)
    if "age" in values:
        values.pop("age_range", None)  # the age says it already
    return [(label(name, kind.__name__), text) for name, text in values.items() if text]


def mapping(values: Mapping[str, Any], *, wire: bool = False, reveal: bool = False) -> list[Row]:
    """A command's own facts as names and values.

    Args:
        values: Under their names.
        wire: They are a camera's raw answer: names and values stay as they came.
        reveal: Show secrets.

    """
    shown = values if reveal else redact(values)
    if wire:
        return [
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in shown.items()
        ]
    return [(label(name), told(value, name)) for name, value in shown.items()]
