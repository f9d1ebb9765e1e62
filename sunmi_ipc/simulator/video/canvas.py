"""Pictures as planes: 8-bit YUV 4:2:0 in video range, which is what an encoder takes.

The costly part, drawing in RGB and converting, is done once for what stands still; what moves is
stamped into a copy of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

_LUMA = [16 + round(v * 219 / 255) for v in range(256)]
_CHROMA = [128 + round((v - 128) * 224 / 255) for v in range(256)]
Plane = Any  # numpy arrays: their types need numpy 2.2 and later to say more


class Canvas:
    """One picture; its three planes are views of one buffer."""

    def __init__(self, width: int, height: int, buffer: Any) -> None:
        self.width, self.height, self.buffer = width, height, buffer
        luma, chroma = width * height, width * height // 4
        small = (height // 2, width // 2)
        self.planes: tuple[Plane, Plane, Plane] = (
            buffer[:luma].reshape(height, width),
            buffer[luma : luma + chroma].reshape(small),
            buffer[luma + chroma :].reshape(small),
        )

    @classmethod
    def of(cls, image: Image.Image) -> Canvas:
        """*image* converted; its sides must be even."""
        return cls(*image.size, np.concatenate([np.asarray(plane).ravel() for plane in _split(image)]))

    def copy(self) -> Canvas:
        """A picture of its own."""
        return Canvas(self.width, self.height, self.buffer.copy())

    def turned(self, degrees: int) -> Canvas:
        """The picture turned clockwise by a multiple of 90 degrees."""
        turns = degrees // 90 % 4
        if not turns:
            return self
        planes = [np.rot90(plane, -turns).ravel() for plane in self.planes]
        size = (self.width, self.height) if turns == 2 else (self.height, self.width)
        return Canvas(*size, np.concatenate(planes))

    def array(self) -> Any:
        """The shape that PyAV takes for ``yuv420p``."""
        return self.buffer.reshape(self.height * 3 // 2, self.width)


class Sprite:
    """A small picture with transparency, to be stamped on canvases."""

    def __init__(self, image: Image.Image) -> None:
        width, height = (side + side % 2 for side in image.size)
        even = Image.new("RGBA", (width, height))
        even.paste(image)
        alpha = even.getchannel("A")
        self.width, self.height = width, height
        self._planes = []
        for plane, cover in zip(_split(even.convert("RGB")), (alpha, *2 * [alpha.reduce(2)]), strict=True):
            a = np.asarray(cover).astype(np.uint16)
            self._planes.append((np.asarray(plane).astype(np.uint16) * a, 255 - a))

    def stamp(self, canvas: Canvas, x: int, y: int) -> None:
        """Put the sprite with its upper left corner at *x*, *y* (made even); what hangs over is cut off."""
        x, y = x & ~1, y & ~1
        for (ours, clear), plane, step in zip(self._planes, canvas.planes, (1, 2, 2), strict=True):
            px, py = x // step, y // step
            left, top = max(-px, 0), max(-py, 0)
            right, bottom = min(ours.shape[1], plane.shape[1] - px), min(ours.shape[0], plane.shape[0] - py)
            if left >= right or top >= bottom:
                return
            under = plane[py + top : py + bottom, px + left : px + right]
            part = np.s_[top:bottom, left:right]
            under[...] = (under * clear[part] + ours[part]) // 255


class Stencil:
    """A full-size drawing of few pixels: stamped pixel by pixel, without looking at the rest."""

    def __init__(self, image: Image.Image) -> None:
        alpha = image.getchannel("A").point([0] * 128 + [255] * 128)
        self._planes = []
        for plane, cover in zip(_split(image.convert("RGB")), (alpha, *2 * [alpha.reduce(2)]), strict=True):
            where = np.flatnonzero(np.asarray(cover))
            self._planes.append((where, np.asarray(plane).ravel()[where]))

    def stamp(self, canvas: Canvas) -> None:
        """Put the drawing on *canvas*, which has its size."""
        for (where, values), plane in zip(self._planes, canvas.planes, strict=True):
            plane.reshape(-1)[where] = values


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image, Image.Image]:
    luma, blue, red = image.convert("YCbCr").split()
    return luma.point(_LUMA), blue.reduce(2).point(_CHROMA), red.reduce(2).point(_CHROMA)
