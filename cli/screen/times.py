"""Times and periods as people write them.

A camera does not tell its time zone (its API has no call for it), so times are this computer's unless
``--tz`` names another zone.
"""

from __future__ import annotations

import re
import shlex
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import later, tr
from sunmi_ipc.video.timeline import fixed, placed

From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        help=tr(
            "Start: 14:00, yesterday 14:00, -2h, last week, 2026-11-24, 2026/11/24 14:00; default: today."
        ),
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="TIME",
        help=tr("End, likewise; 15:00 is on the start's day, a day means its end; default: now."),
    ),
]
Tz = Annotated[
    str,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help=tr(
            "Time zone of the times, as Asia/Shanghai or +08:00; default: this computer's, as cameras do not tell theirs."
        ),
    ),
]
ShopTz = Annotated[
    str,
    typer.Option(
        "--tz", metavar="ZONE", help=tr("The shop's time zone, in which people of a day are counted.")
    ),
]

_DAYS = {"today": 0, "今天": 0, "yesterday": 1, "昨天": 1, "前天": 2}
#: Weeks begin on Monday; how many weeks or months ago.
_WEEKS = {"this week": 0, "本周": 0, "这周": 0, "last week": 1, "上周": 1, "上星期": 1}
_MONTHS = {"this month": 0, "本月": 0, "这个月": 0, "last month": 1, "上月": 1, "上个月": 1}
#: 2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日.
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?=$|[ tT])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_AGO = re.compile(r"-((?:\d{1,6}[wdhms])+)|((?:\d{1,6}[wdhms])+) ?(?:ago|前)")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.I)
_UNIX = re.compile(r"\d{9,11}")


def zone(text: str) -> tzinfo | None:
    """The time zone that ``--tz`` names: ``Asia/Shanghai``, ``UTC``, ``+08:00``; None for this computer's.

    Raises:
        ParameterError: There is no such zone.

    """
    if not text:
        return None
    if match := _OFFSET.fullmatch(text):
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset < timedelta(hours=24):
            return timezone(-offset if sign == "-" else offset)
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a LookupError
        if not available_timezones():
            from sunmi_ipc.installation import advice

            how = advice(
                template=later("Write an offset like +08:00, or run: {install}"), libraries=("tzdata",)
            )
            raise ParameterError(
                "{name}: this computer has no time zone database",
                name="--tz",
                hint=how["hint"],
                install=how["install"],
            ) from None
        raise ParameterError(
            "{name}: not a time zone", name="--tz", hint="Write it like Asia/Shanghai, UTC or +08:00."
        ) from None


def _on_day(day: datetime, words: str) -> datetime | None:
    """The clock time *words* on *day* (a midnight without zone); 24:00 ends the day."""
    match = _CLOCK.fullmatch(words)
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    if (hour, minute, second) == (24, 0, 0):
        return day + timedelta(days=1)
    try:
        return day.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return None


def _span(words: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The day, week or month that *words* name, as midnights without zone; None where they name none.

    Raises:
        ValueError: A date that no calendar has.

    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if words in _DAYS:
        begin = today - timedelta(days=_DAYS[words])
        return begin, begin + timedelta(days=1)
    if words in _WEEKS:
        begin = today - timedelta(days=today.weekday() + 7 * _WEEKS[words])
        return begin, begin + timedelta(days=7)
    if words in _MONTHS:
        begin = today.replace(day=1)
        for _ in range(_MONTHS[words]):
            begin = (begin - timedelta(days=1)).replace(day=1)
        return begin, (begin + timedelta(days=31)).replace(day=1)
    if match := _DATE.fullmatch(words):
        begin = datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
        return begin, begin + timedelta(days=1)
    return None


def _written(text: str) -> str:
    """*text* with its date, if it has one, in ISO's form."""
    return _DATE.sub(lambda d: f"{d[1]}-{int(d[2]):02}-{int(d[3]):02}", " ".join(text.split()), count=1)


def parse_when(
    text: str,
    name: str,
    *,
    now: datetime | None = None,
    tz: tzinfo | None = None,
    day: datetime | None = None,
) -> datetime:
    """A time as an aware datetime.

    ``14:00``, ``14:00:30``, ``24:00``, ``now``, ``yesterday``, ``yesterday 14:00``, ``-2h``, ``-1h30m``,
    ``2h ago``, ``2026-11-24``, ``2026/11/24 14:00``, ``last week``, ``上周``, ISO 8601 with or without offset,
    and Unix seconds (what ``--json`` prints). A day, a week or a month is its beginning.

    Args:
        text: What was written.
        name: The option, for the error.
        now: Default: the present.
        tz: The zone that times without an offset are in; None for this computer's.
        day: The day that a bare clock time is on; default: today.

    Raises:
        ParameterError: It is none of these.

    """
    now = fixed(now or datetime.now().astimezone(), tz)
    written = _written(text)
    words = written.lower()
    if words in ("now", "现在"):
        return now
    try:
        if match := _AGO.fullmatch(words):
            parts = re.findall(r"(?<!\d)(\d+)([wdhms])", match[1] or match[2])
            return fixed(now - sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in parts), timedelta()), tz)
        if _UNIX.fullmatch(words):
            return fixed(datetime.fromtimestamp(int(words), UTC), tz)
        if span := _span(words, now):
            return placed(span[0], tz)
        midnight = (day or now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        head, _, rest = words.partition(" ")
        if head in _DAYS:
            today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            midnight, words = today - timedelta(days=_DAYS[head]), rest
        if (wall := _on_day(midnight, words)) is not None:
            return placed(wall, tz)
        made = datetime.fromisoformat(written)
        return fixed(made, made.tzinfo) if made.tzinfo else placed(made, tz)
    except (ValueError, OverflowError, OSError):
        raise ParameterError(
            "{name}: not a time", name=name, hint="Write 14:00, yesterday 14:00, -2h, or 2026-11-24T14:00."
        ) from None


def parse_period(
    start: str,
    end: str,
    *,
    now: datetime | None = None,
    tz: tzinfo | None = None,
    whole: bool = False,
) -> tuple[datetime, datetime]:
    """A period; default: today so far.

    An end that is a day, a week or a month is the end of it, or now where that comes first. With *whole*,
    such a start without an end means all of it: ``--from yesterday`` is yesterday, and not today.

    A bare clock time as the end is on the start's day, or on the next where that would be before the start
    and is not in the future: ``yesterday 14:00`` to ``15:00``, ``yesterday 22:00`` to ``06:00``.

    Raises:
        ParameterError: Not a time, or the period ends before it starts.

    """
    now = fixed(now or datetime.now().astimezone(), tz)
    first = parse_when(start or "today", "--from", now=now, tz=tz)
    last = now
    if end:
        begun = first.astimezone(tz)
        last = parse_when(end, "--to", now=now, tz=tz, day=begun)
        if span := _span(_written(end).lower(), now):
            last = min(placed(span[1], tz), now)
        elif last <= first and _CLOCK.fullmatch(end.strip()):
            next_day = parse_when(end, "--to", now=now, tz=tz, day=begun + timedelta(days=1))
            last = next_day if next_day <= now else last
    elif whole and (span := _span(_written(start or "today").lower(), now)):
        last = min(placed(span[1], tz), now)
    if not end and first > now:
        raise ParameterError(
            "{name}: in the future", name="--from", hint="Only what has been is counted and recorded."
        )
    if last <= first:
        swapped = start and end and last < first <= now
        raise ParameterError(
            "{name}: the period ends before it starts",
            name="--to" if end else "--from",
            hint="Try --from {end} --to {start}." if swapped else "Give --from and --to.",
            start=shlex.quote(start),
            end=shlex.quote(end),
        )
    return first, last


def parse_until(end: str, *, now: datetime | None = None, tz: tzinfo | None = None) -> datetime:
    """The end of a period that begins with the oldest that is kept; a day, a week or a month is the end of it.

    Raises:
        ParameterError: Not a time.

    """
    now = fixed(now or datetime.now().astimezone(), tz)
    last = parse_when(end, "--to", now=now, tz=tz)
    span = _span(_written(end).lower(), now)
    return min(placed(span[1], tz), now) if span else last


def parse_days(start: str, end: str, today: date) -> tuple[date, date]:
    """First and last day of a period of whole days; default: today alone, else until yesterday.

    A start that is a week or a month means all of it, as far as it is over.

    Raises:
        ParameterError: Not a time, or the period ends before it starts.

    """
    now = datetime.combine(today, time(12)).astimezone()
    first = parse_when(start or "today", "--from", now=now).date()
    if first > today:
        raise ParameterError(
            "{name}: in the future", name="--from", hint="Only what has been is counted and recorded."
        )
    yesterday = today - timedelta(days=1)
    last = max(first, yesterday)
    if end:
        last = parse_when(end, "--to", now=now).date()
    span = _span(_written(end or start or "today").lower(), now)
    if span and span[1] - span[0] > timedelta(days=1):
        last = max(first, min(span[1].date() - timedelta(days=1), yesterday))
    if last < first:
        raise ParameterError(
            "{name}: the period ends before it starts",
            name="--to",
            hint="Try --from {end} --to {start}.",
            start=shlex.quote(start or "today"),
            end=shlex.quote(end),
        )
    return first, last
