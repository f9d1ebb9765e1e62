"""Periods as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sunmi_ipc.errors import ParameterError


def parse_when(text: str, name: str, *, now: datetime | None = None) -> datetime:
    """``14:00``, ``yesterday``, ``yesterday 14:00``, ``2026-11-24``, ``2026-11-24T14:00`` as an aware time.

    Raises:
        ParameterError: It is none of these.

    """
    now = now or datetime.now().astimezone()
    words = text.strip().lower().split()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if words and words[0] in ("today", "今天", "yesterday", "昨天"):
        if words.pop(0) in ("yesterday", "昨天"):
            day -= timedelta(days=1)
        if not words:
            return day
    try:
        clock = datetime.strptime(" ".join(words), "%H:%M")
    except ValueError:
        try:
            made = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ParameterError(
                "{name}: not a time", name=name, hint="Write 14:00, yesterday 14:00, or 2026-11-24T14:00."
            ) from None
        return made if made.tzinfo else made.astimezone()
    return day.replace(hour=clock.hour, minute=clock.minute)


def parse_period(start: str, end: str, *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """A period; default: today so far. Raises ParameterError where it ends before it starts."""
    now = now or datetime.now().astimezone()
    first = parse_when(start or "today", "--from", now=now)
    last = parse_when(end, "--to", now=now) if end else now
    if last <= first:
        raise ParameterError(
            "{name}: the period ends before it starts", name="--to", hint="Give --from and --to."
        )
    return first, last
