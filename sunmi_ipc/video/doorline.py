"""The door line drawn over a picture, with the way that people go in (Pillow, extra ``video``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from ..errors import ParameterError
from ..protocol.values import DoorLine, Resolution
from .libraries import library

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..models import DoorLineConfig

Direction = Literal["down", "up"]
#: Which way over the line is "in" is not documented (I): the app has people stand facing the camera, whose
#: work is their faces, so those who enter come towards it, down the picture.
IN: Direction = "down"
_SIZES = {Resolution.P1080: (1920, 1080), Resolution.P720: (1280, 720)}
_LINE, _ARROW, _EDGE = (255, 196, 0), (0, 200, 83), (0, 0, 0)


def draw(image: Image, line: DoorLine, *, direction: Direction = IN) -> Image:
    """A copy of *image* with the line, its ends (left first, in the line's own pixels), and an arrow inwards.

    Args:
        image: Of any size: the line is scaled from its resolution.
        line: The door line.
        direction: The side of "in", seen in the picture; not documented (I).

    Raises:
        ExtraMissingError: Pillow is not installed.

    """
    library("PIL.ImageDraw")
    from PIL import ImageDraw, ImageFont

    made = image.convert("RGB")
    width, height = _SIZES[line.resolution]
    fx, fy = made.width / width, made.height / height
    left, right = (line.start_x * fx, line.start_y * fy), (line.end_x * fx, line.end_y * fy)
    pen = ImageDraw.Draw(made)
    thick = max(2, round(made.width / 320))
    font = ImageFont.load_default(max(11, round(made.width / 60)))
    for colour, wide in ((_EDGE, thick + 4), (_LINE, thick)):
        pen.line((*left, *right), fill=colour, width=wide)
    _arrow(pen, left, right, made.width / 12, thick, direction)
    for (x, y), text in (
        (left, f"{line.start_x},{line.start_y}"),
        (right, f"{line.end_x},{line.end_y}"),
    ):
        size = 2 * thick
        pen.ellipse((x - size, y - size, x + size, y + size), fill=_LINE, outline=_EDGE, width=2)
        box = pen.textbbox((0, 0), text, font=font, stroke_width=2)
        # Within the picture, wherever the end is.
        at_x = min(max(x - box[2] / 2, 4), made.width - box[2] - 4)
        at_y = y - box[3] - 3 * thick if y - box[3] - 3 * thick > 4 else y + 3 * thick
        pen.text((at_x, at_y), text, fill=_LINE, font=font, stroke_width=2, stroke_fill=_EDGE)
    return made


def _arrow(
    pen: object,
    left: tuple[float, float],
    right: tuple[float, float],
    length: float,
    thick: int,
    way: Direction,
) -> None:
    from PIL import ImageDraw, ImageFont

    assert isinstance(pen, ImageDraw.ImageDraw)
    span = math.hypot(right[0] - left[0], right[1] - left[1])
    along = ((right[0] - left[0]) / span, (right[1] - left[1]) / span)
    # The line runs from left to right, so turning it a quarter clockwise (y grows downwards) points down.
    inward = (-along[1], along[0]) if way == "down" else (along[1], -along[0])
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    tail = (middle[0] - inward[0] * length / 2, middle[1] - inward[1] * length / 2)
    tip = (middle[0] + inward[0] * length / 2, middle[1] + inward[1] * length / 2)
    head = length / 4
    neck = (tip[0] - inward[0] * head, tip[1] - inward[1] * head)
    sides = [(neck[0] + s * along[0] * head * 0.7, neck[1] + s * along[1] * head * 0.7) for s in (1, -1)]
    for colour, wide in ((_EDGE, thick + 4), (_ARROW, thick)):
        pen.line((*tail, *neck), fill=colour, width=wide)
    pen.polygon([tip, *sides], fill=_ARROW, outline=_EDGE)
    font = ImageFont.load_default(max(12, round(length / 4)))
    at = (tip[0] + along[0] * head * 1.5, tip[1] + along[1] * head * 1.5)
    pen.text(at, "IN", fill=_ARROW, font=font, stroke_width=2, stroke_fill=_EDGE, anchor="lm")


def current(kept: DoorLineConfig) -> DoorLine:
    """The line that a camera keeps; raises ParameterError where it has none yet."""
    if kept.end_x <= kept.start_x:
        raise ParameterError(
            "{name}: the camera has no door line yet",
            name="line",
            hint="Propose one: ipc doorline preview X1 Y1 X2 Y2.",
        )
    return kept.line
