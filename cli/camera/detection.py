"""``ipc detection``."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.values import Weekdays

from ..screen.choices import choice
from ..screen.output import show
from ..state import State
from ..target import open_camera

app = typer.Typer(
    rich_markup_mode=None, add_completion=False, no_args_is_help=True, help=tr("Motion and sound detection.")
)
_DAYS = {
    day.name[:3].lower(): day
    for day in Weekdays
    if day.name and day < Weekdays.ALWAYS and day.bit_count() == 1
}
_DAYS |= {"everyday": Weekdays.EVERY_DAY, "always": Weekdays.ALWAYS}
_SCALE = "off|low|medium|high"
_LEVELS = {word: level for level, word in enumerate(_SCALE.split("|"))} | {str(n): n for n in range(4)}


def parse_days(text: str) -> Weekdays:
    """``mon,tue``, ``周一、周二``, ``everyday`` or ``always``; raises ParameterError."""
    days = Weekdays(0)
    for word in filter(None, re.split(r"[,，、\s]+", text)):
        days |= choice(word, _DAYS, "--days")
    return days


def parse_time(text: str, name: str) -> time:
    """``HH:MM``, 00:00 to 24:00; raises ParameterError."""
    hours, colon, minutes = text.partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2:
        total = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and total <= 1440:
            return time.max if total == 1440 else time(total // 60, total % 60)
    raise ParameterError("{name}: not a time of day", name=name, hint="Write HH:MM, 00:00 to 24:00.")


@app.command("show")
def show_(ctx: typer.Context) -> None:
    """Show sensitivities, days and times."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.detection.show())


@app.command("set")
def set_(
    ctx: typer.Context,
    motion: Annotated[
        str, typer.Option(metavar=_SCALE, help=tr("Motion sensitivity; 0 to 3 are taken, too."))
    ] = "",
    sound: Annotated[
        str, typer.Option(metavar=_SCALE, help=tr("Sound sensitivity; 0 to 3 are taken, too."))
    ] = "",
    days: Annotated[str, typer.Option(help=tr("mon,tue,… or everyday, or always (round the clock)."))] = "",
    from_: Annotated[
        str, typer.Option("--from", metavar="HH:MM", help=tr("Start of the day's detection."))
    ] = "",
    to: Annotated[
        str, typer.Option("--to", metavar="HH:MM", help=tr("End; before the start means the next day."))
    ] = "",
) -> None:
    """Change what is given, keep the rest."""
    state = State.of(ctx)
    weekday = parse_days(days) if days else None
    start = parse_time(from_, "--from") if from_ else None
    stop = parse_time(to, "--to") if to else None
    motion_level = choice(motion, _LEVELS, "--motion") if motion else None
    audio_level = choice(sound, _LEVELS, "--sound") if sound else None
    if motion_level is None and audio_level is None and weekday is None and start is None and stop is None:
        raise ParameterError(
            "{name}: nothing to change", name="detection", hint="See 'ipc detection set --help'."
        )
    with open_camera(state) as camera:
        changed = camera.detection.update(
            motion_level=motion_level,
            audio_level=audio_level,
            weekday=weekday,
            start_time=start,
            stop_time=stop,
        )
    show(state, changed)
