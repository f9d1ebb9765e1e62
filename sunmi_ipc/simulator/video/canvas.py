"""Pictures as planes: 8-bit YUV 4:2:0 in video range, which is what an encoder takes.

The costly part, drawing in RGB and converting, is done once for what stands still; what moves is
stamped into a copy of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

_LUMA = np.array([16 + round(v * 219 / 255) for v in range(256)], np.uint8)
_CHROMA = np.array([128 + round((v - 128) * 224 / 255) for v in range(256)], np.uint8)
Plane = Any  # numpy arrays: their types need numpy 2.2 and later to say more


class Canvas:
    """One picture; its three planes are views of one buffer."""

    width: int
    height: int
    buffer: Any

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
        return cls(*image.size, np.concatenate([plane.ravel() for plane in _split(image)]))

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
    """A small picture with transparency, to be stamped on canvases; an odd last row or column is cut."""

    width: Any
    height: Any

    def __init__(self, image: Image.Image) -> None:
        width, height = self.width, self.height = image.width & ~1, image.height & ~1
        if (width, height) != image.size:
            image = image.crop((0, 0, width, height))
        self._planes = []
        for plane, cover in zip(_split(image.convert("RGB")), _covers(image), strict=True):
            a = cover.astype(np.uint16)
            self._planes.append((plane * a, 255 - a))

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
        self._planes = []
        for plane, cover in zip(_split(image.convert("RGB")), _covers(image), strict=True):
            where = np.flatnonzero(cover > 127)
            self._planes.append((where, plane.ravel()[where]))

    def stamp(self, canvas: Canvas) -> None:
        """Put the drawing on *canvas*, which has its size."""
        for (where, values), plane in zip(self._planes, canvas.planes, strict=True):
            plane.reshape(-1)[where] = values


def _split(image: Image.Image) -> tuple[Plane, Plane, Plane]:
    full = np.asarray(image.convert("YCbCr"))
    return _LUMA[full[..., 0]], _CHROMA[full[::2, ::2, 1]], _CHROMA[full[::2, ::2, 2]]


def _covers(image: Image.Image) -> tuple[Plane, Plane, Plane]:
    alpha = np.asarray(image.getchannel("A"))
    return alpha, alpha[::2, ::2], alpha[::2, ::2]
