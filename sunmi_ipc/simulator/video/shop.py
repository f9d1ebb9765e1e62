"""The shop, drawn: a back wall with a door, shelves, a counter, a test chart, and people.

Everything stands in a world of 1920 x 1080, which is what the lens sees at zoom 0.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1920, 1080
#: Where the floor meets the back wall, and the door in it.
HORIZON = 540
DOOR = (830, 210, 1090, 560)
_INK = (45, 45, 52)
Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class View:
    """The part of the world that fills the picture: upper left corner, and pixels for one unit."""

    x: float
    y: float
    scale: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the world is in the picture."""
        return (x - self.x) * self.scale, (y - self.y) * self.scale

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A rectangle of the world in the picture."""
        return *self.at(x0, y0), *self.at(x1, y1)


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that pictures are the same everywhere."""
    return ImageFont.load_default(max(size, 4))


def shop(width: int, height: int, view: View, door_open: bool) -> Image.Image:
    """The shop without people, as far as *view* sees it."""
    image = Image.new("RGB", (width, height), (226, 219, 203))
    draw = ImageDraw.Draw(image)

    def box(x0: float, y0: float, x1: float, y1: float, fill: Color, outline: Color | None = None) -> None:
        draw.rectangle(view.box(x0, y0, x1, y1), fill=fill, outline=outline)

    def text(x: float, y: float, words: str, size: float, fill: Color) -> None:
        draw.text(view.at(x, y), words, fill=fill, font=font(round(size * view.scale)), anchor="mm")

    box(0, HORIZON, WIDTH, HEIGHT, (172, 150, 124))
    _tiles(draw, view)
    box(0, HORIZON - 14, WIDTH, HORIZON, (120, 104, 88))
    _door(draw, view, door_open)
    text(960, 165, "WELCOME", 44, (150, 40, 36))
    for left in (60, 430, 1180, 1550):
        _shelf(box, left, random.Random(left))  # noqa: S311 - always the same goods
    _counter(box, text)
    _chart(draw, view)
    return image


def _tiles(draw: ImageDraw.ImageDraw, view: View) -> None:
    for i in range(-14, 15):
        line = (*view.at(960 + i * 90, HORIZON), *view.at(960 + i * 260, HEIGHT))
        draw.line(line, fill=(150, 129, 105), width=max(1, round(2 * view.scale)))
    for i in range(1, 12):
        y = HORIZON + (HEIGHT - HORIZON) * (i / 11) ** 1.8
        draw.line((*view.at(0, y), *view.at(WIDTH, y)), fill=(150, 129, 105), width=1)


def _door(draw: ImageDraw.ImageDraw, view: View, is_open: bool) -> None:
    x0, y0, x1, y1 = DOOR
    draw.rectangle(view.box(x0 - 16, y0 - 16, x1 + 16, y1), fill=(92, 66, 48))
    draw.rectangle(view.box(x0, y0, x1, y1), fill=(196, 222, 240))
    draw.rectangle(view.box(x0, y1 - 90, x1, y1), fill=(150, 160, 150))
    leaves = ((x0, x0 + 34), (x1 - 34, x1)) if is_open else ((x0, 960), (960, x1))
    for left, right in leaves:
        frame = max(2, round(8 * view.scale))
        draw.rectangle(view.box(left, y0, right, y1), outline=(60, 84, 100), width=frame)


def _shelf(box: object, left: int, die: random.Random) -> None:
    assert callable(box)
    box(left, 250, left + 310, HORIZON + 30, (128, 92, 62))
    for row in range(4):
        top = 262 + row * 76
        box(left + 10, top, left + 300, top + 66, (88, 62, 42))
        x = left + 14
        while x < left + 276:
            width, rise = die.randrange(14, 34), die.randrange(30, 60)
            color = (die.randrange(70, 245), die.randrange(60, 220), die.randrange(50, 220))
            box(x, top + 66 - rise, min(x + width, left + 298), top + 66, color)
            x += width + 3


def _counter(box: object, text: object) -> None:
    assert callable(box)
    assert callable(text)
    box(1420, 640, 1920, 900, (104, 72, 54))
    box(1400, 610, 1920, 650, (150, 112, 84))
    box(1560, 520, 1700, 612, _INK)
    box(1572, 532, 1688, 600, (90, 160, 190))
    text(1660, 770, "CASHIER", 46, (232, 216, 190))


def _chart(draw: ImageDraw.ImageDraw, view: View) -> None:
    """A star of fine rays on the wall: the easiest thing to focus on."""
    cx, cy, radius = 380, 140, 92
    draw.rectangle(view.box(cx - 100, cy - 100, cx + 100, cy + 100), fill=(250, 250, 250), outline=_INK)
    for ray in range(0, 360, 10):
        edge = [(cx + radius * math.cos(a), cy + radius * math.sin(a)) for a in _arc(ray, 5)]
        draw.polygon([view.at(cx, cy), *(view.at(*point) for point in edge)], fill=(20, 20, 20))


def _arc(start: float, sweep: float) -> tuple[float, float]:
    return math.radians(start), math.radians(start + sweep)


@dataclass(frozen=True, slots=True)
class Figure:
    """How somebody looks."""

    coat: Color
    trousers: Color
    skin: Color
    hair: Color

    @classmethod
    def of(cls, die: random.Random) -> Figure:
        """Somebody, by the dice."""
        bright = (die.randrange(40, 230), die.randrange(40, 200), die.randrange(40, 220))
        dark = die.randrange(25, 90)
        skin = die.choice(((236, 196, 164), (214, 168, 130), (160, 112, 80), (112, 76, 54)))
        return cls(bright, (dark, dark, dark + 25), skin, die.choice((_INK, (92, 62, 40), (150, 150, 155))))


def person(figure: Figure, height: int, phase: float, facing: bool) -> Image.Image:
    """Somebody *height* pixels tall, *phase* (0 to 1) of the way through a step, seen from front or back."""
    width = max(2, round(height * 0.44))
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    unit, middle = height / 100, width / 2
    swing = math.sin(phase * math.tau) * 7

    def limb(x: float, y0: float, lean: float, y1: float, thick: float, color: Color) -> None:
        draw.line(
            (middle + x * unit, y0 * unit, middle + (x + lean) * unit, y1 * unit),
            fill=color,
            width=max(1, round(thick * unit)),
        )

    for side in (-1, 1):
        limb(side * 5, 55, side * swing * 0.5, 98 - max(side * swing, 0), 8, figure.trousers)
        limb(side * 13, 24, side * 3 - swing * 0.3, 52 + side * swing * 0.3, 6, figure.coat)
    draw.rounded_rectangle(
        (middle - 13 * unit, 17 * unit, middle + 13 * unit, 60 * unit), radius=6 * unit, fill=figure.coat
    )
    draw.ellipse((middle - 7 * unit, 1 * unit, middle + 7 * unit, 16 * unit), fill=figure.hair)
    if facing:
        draw.ellipse((middle - 6 * unit, 5 * unit, middle + 6 * unit, 17 * unit), fill=figure.skin)
    return image
