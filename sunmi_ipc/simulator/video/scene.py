"""The scene at a moment: who walks where, seen through the lens as it is set."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from .canvas import Canvas, Sprite, Stencil
from .shop import DOOR, HEIGHT, WIDTH, Figure, View, font, person, shop
from .viewpoint import Look

#: Somebody sets out as often as this, and takes so long, seconds.
EVERY_S, WALK_S = 5, (9.0, 14.0)
_DAY = range(6, 22)
Line = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody's way between the door and the shop."""

    figure: Figure
    start: float
    seconds: float
    inward: bool
    at_door: float
    in_shop: float

    def place(self, when: float) -> tuple[float, float, float] | None:
        """Feet (x, y) and height in the scene; None while not there."""
        way = (when - self.start) / self.seconds
        if not 0 <= way < 1:
            return None
        way = way if self.inward else 1 - way
        y = DOOR[3] + 4 + way * way * 900
        return self.at_door + (self.in_shop - self.at_door) * way, y, 225 + (y - DOOR[3]) * 0.55


@lru_cache(maxsize=64)
def _walker(sn: str, turn: int) -> Walker:
    die = random.Random(f"{sn}/walker/{turn}")  # noqa: S311 - the same second, the same people
    return Walker(
        Figure.of(die),
        turn * EVERY_S + die.random() * EVERY_S,
        die.uniform(*WALK_S),
        die.random() < 0.55,
        die.uniform(DOOR[0] + 60, DOOR[2] - 60),
        die.uniform(250, 1350),
    )


def walkers(sn: str, when: float) -> Iterator[tuple[Walker, float, float, float]]:
    """Who is in the shop at *when* (Unix seconds), farthest first, with place and height."""
    turn = int(when // EVERY_S)
    there = []
    for walker in (_walker(sn, t) for t in range(turn - int(WALK_S[1] // EVERY_S) - 2, turn + 1)):
        place = walker.place(when)
        if place is not None:
            there.append((walker, *place))
    return iter(sorted(there, key=lambda found: found[2]))


class Scene:
    """One camera's shop at one size.

    Args:
        sn: Serial number: shown in the picture, and the dice for who comes.
        width, height: Pixels, before rotation.
        zone: What the clock shows; None: this machine's time zone.

    """

    sn: str
    width: int
    height: int
    zone: tzinfo | None

    def __init__(self, sn: str, width: int, height: int, zone: tzinfo | None = None) -> None:
        self.sn, self.width, self.height, self.zone = sn, width, height, zone
        self._plate = lru_cache(maxsize=4)(self._draw_plate)
        self._person = lru_cache(maxsize=48)(self._draw_person)
        self._lines = lru_cache(maxsize=2)(self._draw_line)
        self._title = lru_cache(maxsize=2)(self._draw_title)

    def picture(self, when: float, look: Look) -> Canvas:
        """The picture at *when*, Unix seconds."""
        there = list(walkers(self.sn, when))
        local = datetime.fromtimestamp(when, self.zone)
        night = local.hour not in _DAY
        grey = look.infrared == 1 or (look.infrared == 2 and night)
        tone = "grey" if grey else "dark" if night else ""
        door_open = any(y < DOOR[3] + 60 for _, _, y, _ in there)
        canvas = self._plate(look.magnification, look.blur, tone, door_open).copy()
        view = self._view(look.magnification)
        for walker, x, y, height in there:
            left, top = view.at(x, y - height)
            tall = max(8, round(height * view.scale / 4) * 4)
            if top < self.height and abs(left - self.width / 2) < self.width / 2 + tall:
                phase = int((when - walker.start) * 8) % 8
                radius = round(look.blur * view.scale, 1)
                sprite = self._person(walker.figure, tall, phase, walker.inward, radius, tone)
                sprite.stamp(canvas, round(left - sprite.width / 2), round(top - (sprite.height - tall) / 2))
        canvas = canvas.turned(look.rotation)
        if look.door_line is not None:
            self._lines(canvas.width, canvas.height, look.door_line).stamp(canvas)
        self._title(canvas.width, f"{local:%Y-%m-%d %H:%M:%S}  {self.sn}").stamp(canvas, 8, 6)
        return canvas

    def _view(self, magnification: float) -> View:
        """The middle of the scene; a side that is too long for the scene is cut."""
        scale = max(self.width / WIDTH, self.height / HEIGHT) * magnification
        return View((WIDTH - self.width / scale) / 2, (HEIGHT - self.height / scale) / 2, scale)

    def _draw_plate(self, magnification: float, blur: float, tone: str, door_open: bool) -> Canvas:
        view = self._view(magnification)
        image = _toned(shop(self.width, self.height, view, door_open), tone)
        return Canvas.of(_blurred(image, blur * view.scale))

    def _draw_person(
        self, figure: Figure, height: int, phase: int, facing: bool, radius: float, tone: str
    ) -> Sprite:
        image = person(figure, height, phase / 8, facing)
        if tone:
            toned = _toned(image.convert("RGB"), tone)
            toned.putalpha(image.getchannel("A"))
            image = toned
        if radius:
            edge = round(2 * radius)
            wide = Image.new("RGBA", (image.width + 2 * edge, image.height + 2 * edge))
            wide.paste(image, (edge, edge))
            # Transparent pixels must not darken their neighbours: blur with premultiplied colours.
            image = _blurred(wide.convert("RGBa"), radius).convert("RGBA")
        return Sprite(image)

    def _draw_line(self, width: int, height: int, line: Line) -> Stencil:
        image = Image.new("RGBA", (width, height))
        draw = ImageDraw.Draw(image)
        ends = [(line[i] * width / WIDTH, line[i + 1] * height / HEIGHT) for i in (0, 2)]
        thick = max(2, round(height / 180))
        draw.line(ends, fill=(255, 210, 0, 255), width=thick)
        for x, y in ends:
            draw.ellipse(
                (x - 2 * thick, y - 2 * thick, x + 2 * thick, y + 2 * thick), fill=(255, 60, 40, 255)
            )
        return Stencil(image)

    def _draw_title(self, width: int, text: str) -> Sprite:
        letters = font(max(8, width // 48))
        left, top, right, bottom = (round(side) for side in letters.getbbox(text))
        image = Image.new("RGBA", (right - left + 8, bottom - top + 8), (0, 0, 0, 120))
        ImageDraw.Draw(image).text((4 - left, 4 - top), text, fill=(255, 255, 255, 255), font=letters)
        return Sprite(image)


def _toned(image: Image.Image, tone: str) -> Image.Image:
    if tone == "grey":
        return image.convert("L").convert("RGB")
    return image.point([v // 6 for v in range(256)] * 3) if tone == "dark" else image


def _blurred(image: Image.Image, radius: float) -> Image.Image:
    if radius < 0.4:
        return image
    # Three boxes are close to a Gaussian, and cost the same at any radius.
    return image.filter(ImageFilter.GaussianBlur(radius))
