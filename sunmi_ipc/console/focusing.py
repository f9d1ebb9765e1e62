"""How sharp a picture is, as a number that rises while somebody turns the focus the right way.

The picture component measures the same in the browser, on the video that it shows; here it is for scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

#: The part of the picture that is measured is brought to this width, so that sizes compare.
WIDTH = 320


def sharpness(image: Image, *, x: float = 50.0, y: float = 50.0, part: float = 50.0) -> float:
    """The variance of the Laplacian (Pech-Pacheco and others, 2000) around a point.

    Args:
        image: Of any size.
        x: The point, percent from the left.
        y: And from the top.
        part: How much of the picture's width and height, percent; kept within the picture.

    Returns: 0 for a picture without any edge; compare values of one scene, not of two.

    """
    import numpy as np

    wide, high = image.width * part / 100, image.height * part / 100
    left = min(max(image.width * x / 100 - wide / 2, 0), image.width - wide)
    top = min(max(image.height * y / 100 - high / 2, 0), image.height - high)
    cut = image.convert("L").crop((round(left), round(top), round(left + wide), round(top + high)))
    cut = cut.resize((WIDTH, max(3, round(WIDTH * cut.height / cut.width))))
    grey: Any = np.asarray(cut, np.float32)
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return float(edges.var())
