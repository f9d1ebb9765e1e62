"""``camera.detection``: motion and sound."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from ..protocol.fields import AudioLevel, Days, DayTime, MotionLevel
from ..protocol.spec import INFERRED, Group, endpoint
from ..protocol.values import Weekdays

if TYPE_CHECKING:
    from ..models import MotionDetectConfig


class Detection(Group, name="detection"):
    """Motion and sound detection."""

    @endpoint("config/getMotionDetect", evidence=INFERRED, document="motion")
    def show(self) -> MotionDetectConfig:
        """Read sensitivities, days and times."""

    @endpoint("config/setMotionDetect", evidence=INFERRED, codes={114, 115, 116, 117}, document="motion")
    def set(
        self,
        motion_level: MotionLevel,
        audio_level: AudioLevel,
        weekday: Days = Weekdays.ALWAYS,
        start_time: DayTime = time(0, 0),
        stop_time: DayTime = time.max,
    ) -> None:
        """Set sensitivities, days and times; a stop before the start means the next day (app)."""

    def update(
        self,
        *,
        motion_level: int | None = None,
        audio_level: int | None = None,
        weekday: Weekdays | None = None,
        start_time: time | None = None,
        stop_time: time | None = None,
    ) -> MotionDetectConfig:
        """Change what is given, keep the rest. Returns: what was set."""
        now = self.show()
        changed = now.model_copy(
            update={
                k: v
                for k, v in {
                    "motion_level": motion_level,
                    "audio_level": audio_level,
                    "weekday": weekday,
                    "start_time": start_time,
                    "stop_time": stop_time,
                }.items()
                if v is not None
            }
        )
        self.set(
            changed.motion_level, changed.audio_level, changed.weekday, changed.start_time, changed.stop_time
        )
        return changed
