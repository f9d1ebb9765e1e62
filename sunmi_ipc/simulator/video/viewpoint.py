"""How a virtual camera looks at the shop, from what it has been told."""

from __future__ import annotations

from dataclasses import dataclass

from ...protocol.spec import Model
from ..lens import MAX_ZOOM, best_focus, position
from ..state import CameraState

#: What the lens magnifies from its widest to its longest end (our guess).
_MAGNIFICATION = 4.0
#: Steps of the focus motor that go unnoticed, and steps for one unit of blur.
_SHARP_STEPS, _STEPS_A_UNIT = 4, 10


@dataclass(frozen=True, slots=True)
class Look:
    """How the camera looks at the shop.

    Attributes:
        magnification: 1 is the whole scene.
        blur: Radius in units of the 1920 x 1080 scene; 0 is sharp.
        rotation: Degrees, clockwise.
        infrared: 0 off, 1 on, 2 automatic (at night).
        door_line: Left x, y and right x, y in 1920 x 1080; None where there is none.

    """

    magnification: float = 1.0
    blur: float = 0.0
    rotation: int = 0
    infrared: int = 2
    door_line: tuple[int, int, int, int] | None = None

    @classmethod
    def of(cls, state: CameraState) -> Look:
        """The look of a camera now, its motors on their way."""
        documents = state.documents
        common = {
            "rotation": documents["rotation"]["rotation"],
            "infrared": documents["ir"]["irmode"],
        }
        if state.model is Model.FM010:  # no motors, no door line
            return cls(**common)
        zoom = position(state, "zoom")
        off = max(abs(position(state, "focus") - best_focus(zoom)) - _SHARP_STEPS, 0)
        line = documents["door_line"]
        return cls(
            1 + (_MAGNIFICATION - 1) * zoom / MAX_ZOOM,
            off / _STEPS_A_UNIT,
            **common,
            door_line=(line["start_x"], line["start_y"], line["end_x"], line["end_y"]),
        )
