"""A picture of now: from the camera, or where it refuses, out of the live stream."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..atomic import whole
from ..codes.device import DeviceCode
from ..errors import DeviceError, FileMissingError, ParameterError, ReplyError
from ..i18n import later
from ..installation import advice
from .fetch import read
from .giants import MAX_PIXELS
from .libraries import has_library, library
from .partial import cannot_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from ..link.caller import Link
    from .address import RtspAddress

MAX_BYTES = 32 * 1024 * 1024
_KINDS = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"))
#: The camera takes no picture (233), or does not know the call (6, 13: its path is inferred).
_NO_SNAPSHOT = {DeviceCode.SNAPSHOT_FAILED, DeviceCode.URL_NOT_FOUND, DeviceCode.OP_NOT_SUPPORT}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A picture.

    Attributes:
        data: The file's bytes.
        kind: ``jpeg`` or ``png``.
        source: ``snapshot``; ``stream`` where it is a frame of the live picture; ``face`` of a known face.
        url: Where the camera had it; empty for a frame.

    """

    data: bytes = field(repr=False)
    kind: str = "jpeg"
    source: Literal["snapshot", "stream", "face"] = "snapshot"
    url: str = ""

    def image(self) -> Image:
        """As a Pillow image, RGB.

        Raises:
            ExtraMissingError: Pillow is not installed.
            ReplyError: It is damaged, or has more than :data:`MAX_PIXELS`.

        """
        pillow = library("PIL.Image")
        try:
            # Of these formats alone: Pillow knows some sixty.
            image = pillow.open(io.BytesIO(self.data), formats=("JPEG", "PNG"))
            if image.width * image.height <= MAX_PIXELS:
                return image.convert("RGB")  # type: ignore[no-any-return]
        except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
            pass
        except MemoryError:
            raise
        except Exception:  # Pillow's decoders raise what they happen to stumble over
            raise ReplyError("the camera's picture is damaged") from None
        raise ReplyError("the camera's picture has more than {count} pixels", count=MAX_PIXELS)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it into a file, whole or not at all; ``.png`` and other suffixes that Pillow knows convert it.

        Raises:
            DiskError: The file cannot be written.
            ParameterError: Pillow does not know the suffix.

        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix in ("", f".{self.kind}") or (suffix == ".jpg" and self.kind == "jpeg"):
            write_whole(path, self.data)
        else:
            save_image(self.image(), path)
        return path


def save_image(image: Image, path: Path) -> None:
    """Write a Pillow image in the format of its suffix, whole or not at all."""
    data = io.BytesIO()
    kind = library("PIL.Image").registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise ParameterError("{name}: unknown kind of picture", name=path.suffix, hint="Use .jpg or .png.")
    image.save(data, kind)
    write_whole(path, data.getvalue())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    try:
        with whole(path, mode=0o666 & ~_umask()) as file:
            file.write(data)
    except OSError as error:
        raise cannot_write(path, error) from None


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def snapshot(link: Link, ask: Callable[[], str], live: Callable[[], RtspAddress]) -> Snapshot:
    """Take a picture. See ``Video.snapshot``.

    Args:
        link: The way to the camera.
        ask: Tells the camera to take one, and returns its address.
        live: The live picture, for a frame where the camera refuses.

    """
    try:
        url = ask()
        data, _ = read(link, url, limit=MAX_BYTES)
    except (DeviceError, FileMissingError) as error:
        if isinstance(error, DeviceError) and error.code not in _NO_SNAPSHOT:
            raise
        return Snapshot(_frame(link, live, error), "jpeg", "stream")
    return Snapshot(data, _kind(data, link.address), url=url)


def of_face(address: str, url: str, fetch: Callable[[str], bytes]) -> Snapshot:
    """The picture of a face. See ``Faces.picture``.

    Args:
        address: The camera's, for errors.
        url: Where the camera has it; empty where it names none.
        fetch: The bytes at an address of the camera's.

    """
    if not url:
        raise FileMissingError("the camera has no picture of this face", camera=address)
    data = fetch(url)
    return Snapshot(data, _kind(data, address), "face", url)


def _kind(data: bytes, address: str) -> str:
    kind = next((kind for magic, kind in _KINDS if data.startswith(magic)), "")
    if not kind:
        raise ReplyError("the camera's snapshot is no picture", camera=address)
    return kind


def _frame(link: Link, live: Callable[[], RtspAddress], refused: DeviceError | FileMissingError) -> bytes:
    from .stream import still

    if not (has_library("av") and has_library("PIL")):
        if isinstance(refused, DeviceError):
            how = advice("video", later("For a frame of the live picture in its place, run: {install}"))
            instead = DeviceError.of(
                refused.code, endpoint=refused.endpoint, camera=link.address, hint=how["hint"]
            )
            instead.values["install"] = how["install"]
            raise instead from None
        raise refused
    return still(live())
