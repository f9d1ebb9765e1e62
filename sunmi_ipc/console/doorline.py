"""A door line while it is being drawn: what is wrong with it, undo, and whether the camera kept it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..api.people_flow import PeopleFlow
from ..errors import ParameterError, ReplyError
from ..models import DoorLineConfig
from ..protocol.values import MIN_DOOR_LINE
from ..values import DoorLine, Resolution

Ends = tuple[int, int, int, int]
WIDTH, HEIGHT = 1920, 1080


def ordered(ends: Sequence[float]) -> Ends:
    """Whole pixels, the left end first: somebody may drag one end past the other."""
    x1, y1, x2, y2 = (round(value) for value in ends)
    return (x1, y1, x2, y2) if x1 <= x2 else (x2, y2, x1, y1)


def checked(ends: Sequence[float]) -> DoorLine:
    """The line; raises ParameterError with the reason where it is none."""
    return DoorLine(*ordered(ends))


def ends_of(config: DoorLineConfig) -> Ends | None:
    """The camera's line in pixels of the 1080p picture; None where it has none yet."""
    if config.end_x <= config.start_x:
        return None
    ends = (config.start_x, config.start_y, config.end_x, config.end_y)
    if config.resolution is Resolution.P720:
        ends = tuple(round(v * 1.5) for v in ends)  # type: ignore[assignment]
    return ends


@dataclass
class Draft:
    """A line on its way.

    Attributes:
        kept: What the camera has; None for none.
        ends: What is shown.

    """

    kept: Ends | None
    ends: Ends = (480, 720, 1440, 720)
    _before: list[Ends] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = self.kept or self.ends

    @property
    def changed(self) -> bool:
        """Whether the camera has another line, or none."""
        return self.ends != self.kept

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    @property
    def error(self) -> ParameterError | None:
        """Why it is no line; None where it is one."""
        try:
            checked(self.ends)
        except ParameterError as error:
            return error
        return None

    def move(self, ends: Sequence[float]) -> None:
        """Somebody has drawn it anew."""
        new = ordered(ends)
        if new != self.ends:
            self._before = [*self._before[-49:], self.ends]
            self.ends = new

    def undo(self) -> None:
        """Take the last step back."""
        if self._before:
            self.ends = self._before.pop()

    def save(self, people_flow: PeopleFlow) -> Ends:
        """Set it, read it back, compare; returns what the camera has.

        Raises:
            ParameterError: It is no line; nothing was sent.
            ReplyError: The camera says that it has another.

        """
        line = checked(self.ends)
        people_flow.draw(line)
        there = ends_of(people_flow.door_line())
        if there != self.ends:
            raise ReplyError(
                "the camera has another door line than it was given",
                hint="Look at the line that it shows now, and save again.",
            )
        self.kept, self._before = there, []
        return there


__all__ = ["HEIGHT", "MIN_DOOR_LINE", "WIDTH", "Draft", "Ends", "checked", "ends_of", "ordered"]
