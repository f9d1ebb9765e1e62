"""Results of the ``detection`` group."""

from __future__ import annotations

from ..protocol.values import Weekdays
from .base import DayTime, Int, Mask, Reply


class MotionDetectConfig(Reply):
    """Sensitivities (0 off, 1 to 3), days and times of detection; ``time.max`` is 24:00."""

    motion_level: Int
    audio_level: Int
    weekday: Mask = Weekdays.ALWAYS
    start_time: DayTime
    stop_time: DayTime
