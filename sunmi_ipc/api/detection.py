"""``camera.detection``: motion and sound."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from ..protocol.fields import AudioLevel, Days, DayTime, MotionLevel
from ..protocol.spec import INFERRED, C, Group, endpoint
from ..protocol.steps import Steps, steps
from ..protocol.values import Weekdays

if TYPE_CHECKING:
    from ..models import MotionDetectConfig


class Detection(Group[C], name="detection"):
    """Motion and sound detection."""

    @endpoint("config/getMotionDetect", evidence=INFERRED, document="motion")
    def show(self) -> MotionDetectConfig:
        """Read sensitivities, days and times."""

    @endpoint(
        "config/setMotionDetect", evidence=INFERRED, codes={114, 115, 116, 117}, document="motion", keeps=True
    )
    def set(
        self,
        motion_level: MotionLevel | None = None,
        audio_level: AudioLevel | None = None,
        weekday: Days | None = None,
        start_time: DayTime | None = None,
        stop_time: DayTime | None = None,
    ) -> None:
        """Set sensitivities, days and times; a stop before the start means the next day (app).

        What a camera does with a field that is left out is not known: ``update`` sends the whole set.
        """

    @steps
    def update(
        self,
        *,
        motion_level: int | None = None,
        audio_level: int | None = None,
        weekday: Weekdays | None = None,
        start_time: time | None = None,
        stop_time: time | None = None,
    ) -> Steps[MotionDetectConfig]:
        """Read, change what is given, and send back everything that came. Returns: what was set.

        Times mean nothing to a camera that detects round the clock: where only times are given to such a one, it
        detects every day between them.
        """
        before = yield from Detection.show.ask()
        timed = start_time is not None or stop_time is not None
        if weekday is None and timed and before.weekday is not None and Weekdays.ALWAYS in before.weekday:
            weekday = Weekdays.EVERY_DAY
        changed, values = before.changed(
            motion_level=motion_level,
            audio_level=audio_level,
            weekday=weekday,
            start_time=start_time,
            stop_time=stop_time,
        )
        yield from Detection.set.ask_with(values)
        return changed
