"""Results of the ``detection`` group."""

from __future__ import annotations

from .base import DayTime, Int, Mask, Settings


class MotionDetectConfig(Settings):
    """Sensitivities (0 off, 1 to 3), days and times of detection; ``time.max`` is 24:00. None: not told."""

    motion_level: Int | None = None
    audio_level: Int | None = None
    weekday: Mask | None = None
    start_time: DayTime | None = None
    stop_time: DayTime | None = None
