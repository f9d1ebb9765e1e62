"""Photos as phones take them, brought down to what a camera takes for a face."""

from __future__ import annotations

import io

from ..api.faces import MAX_PICTURE
from ..errors import ParameterError
from ..video.libraries import library
from ..video.snapshot import MAX_PIXELS

#: Longer sides are not worth their bytes: a face has a few hundred pixels.
LONGEST = 1280
#: What is taken from a browser at most.
MAX_UPLOAD = 30 * 1024 * 1024


def shrunk(data: bytes, *, name: str = "photo", limit: int = MAX_PICTURE) -> bytes:
    """The photo as JPEG of at most *limit* bytes, turned as it was held, without what it tells of the place.

    Args:
        data: JPEG, PNG, WebP, or what else Pillow reads.
        name: What it is called in errors.
        limit: Bytes.

    Raises:
        ParameterError: It is no picture, or has too many pixels.
        ExtraMissingError: Pillow is not installed.

    """
    pillow = library("PIL.Image")
    from PIL import ImageOps

    try:
        image = pillow.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "MPO"))
        if image.width * image.height > MAX_PIXELS:
            raise ParameterError("{name}: too many pixels", name=name, hint="Make the picture smaller.")
        image = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError):
        raise ParameterError(
            "{name}: no picture that can be read", name=name, hint="Choose a JPEG or PNG photo."
        ) from None
    image.thumbnail((LONGEST, LONGEST))
    for quality in (90, 80, 70, 55, 40):
        made = io.BytesIO()
        image.save(made, "JPEG", quality=quality)
        if made.tell() < limit:
            return made.getvalue()
    while True:  # noise: as small as it takes
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
        made = io.BytesIO()
        image.save(made, "JPEG", quality=55)
        if made.tell() < limit or image.width <= 64:
            return made.getvalue()
