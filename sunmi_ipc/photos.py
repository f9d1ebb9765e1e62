"""Photos of faces as cameras take them: folders walked, large ones made smaller, other kinds converted.

Only what a camera would refuse is changed. Making smaller and converting needs Pillow (extra ``video``).
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import ParameterError
from .i18n import later
from .installation import advice
from .video.giants import MAX_PIXELS
from .video.libraries import has_library, library

#: Larger pictures are refused before sending; the cloud API's limit, taken over (I).
MAX_PICTURE = 1_000_000
#: No photo of a face is larger; a file that is would fill this computer's memory.
MAX_FILE = 60_000_000
#: Pixels of the longer side after making smaller: plenty for a face.
SIDE = 1280
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_NO_PICTURE = "{name}: no picture that can be read"
_KINDS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
#: What is taken out of a folder; what is named itself is tried whatever its name.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic"})


def walk(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The files that *paths* name, folders with all that is below them, in order.

    Raises:
        ParameterError: There is no picture in a folder.

    """
    for given in paths:
        path = Path(given)
        if not os.path.isdir(path):
            yield path
            continue
        found = sorted(p for p in path.rglob("*") if _is_photo(p.relative_to(path)) and p.is_file())
        if not found:
            raise ParameterError("{name}: there is no picture in this folder", name=str(path))
        yield from found


def _is_photo(inside: Path) -> bool:
    """Whether a file of a folder is a photo: no hidden one, none of macOS' shadows."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in inside.parts)
    return inside.suffix.lower() in SUFFIXES and not hidden


def digest(data: bytes) -> str:
    """What tells a file's content from others'."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> bytes:
    """A file's bytes as they are.

    Raises:
        ParameterError: It cannot be read, or is larger than any photo.

    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ParameterError(
            "{name}: cannot be read: {reason}", name=str(path), reason=error.strerror or ""
        ) from None
    if len(data) > MAX_FILE:
        raise ParameterError("{name}: larger than 60 MB", name=str(path), hint="Make the picture smaller.")
    return data


def fitted(data: bytes, name: str) -> bytes:
    """*data* as a camera takes it: JPEG or PNG of less than 1 MB; what is so already stays as it is.

    Args:
        data: A picture file.
        name: For the error.

    Raises:
        ParameterError: It is no picture, or Pillow is needed and not installed.

    """
    kind = next((kind for magic, kind in _KINDS.items() if data.startswith(magic)), "")
    if kind and len(data) < MAX_PICTURE:
        return data
    if not has_library("PIL"):
        what = "{name}: larger than 1 MB" if kind else "{name}: neither JPEG nor PNG"
        how = advice("video", later("To have it made to fit, run: {install}"))
        raise ParameterError(what, name=name, hint=how["hint"], install=how["install"])
    try:
        return shrunk(data, name=name)
    except ParameterError as error:
        if kind or error.template != _NO_PICTURE:
            raise
        raise ParameterError("{name}: neither JPEG nor PNG", name=name, hint="Convert the picture.") from None


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
        image = pillow.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise ParameterError("{name}: too many pixels", name=name, hint="Make the picture smaller.")
        image.draft("RGB", (SIDE, SIDE))  # a large JPEG is not unpacked in full
        image = ImageOps.exif_transpose(image).convert("RGB")
    except (ParameterError, MemoryError):
        raise
    except Exception:  # bombs, and whatever its decoders happen to stumble over
        raise ParameterError(_NO_PICTURE, name=name, hint="Choose a JPEG or PNG photo.") from None
    image.thumbnail((SIDE, SIDE))
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
