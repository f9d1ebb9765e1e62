"""Put an image on a card, and make sure that it is there: on the medium, not in this computer's memory."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Literal

from ..errors import CardError, CardWriteError
from .card import PART, UP_BIN, find_images, held, sync_directory, unreadable, unwritable
from .image import Image
from .linux import mounts
from .volume import Volume

Phase = Literal["copy", "verify"]
Progress = Callable[[Phase, int, int], None]
"""Called with the phase, the bytes done and the bytes in all."""

Source = Literal["medium", "cache dropped", "maybe cache"]
"""Where a digest's bytes came from: past the page cache; after it was told to forget; or unknown."""

_CHUNK: Final = 1 << 20
#: The card is waited for this often, or progress would show how fast memory is.
_SYNC_EVERY: Final = 4 * _CHUNK
_BLKFLSBUF: Final = 0x1261  # linux/fs.h


@dataclass(frozen=True, slots=True)
class Installed:
    """An image on a card.

    Attributes:
        path: Where it is.
        size: Bytes.
        sha256: Its digest, computed from what was written and compared with what the card gave back.
        read_back: Where the bytes of the comparison came from.

    """

    path: Path
    size: int
    sha256: str
    read_back: Source


def install(
    image: Image, volume: Volume, *, on_progress: Progress = lambda phase, done, total: None
) -> Installed:
    """Copy *image* to the card as ``up.bin``, under another name until it has been read back.

    What is on the card (an older ``up.bin`` too) stays as it is until then. The card itself is checked
    with :func:`~sunmi_ipc.firmware.require`.

    Args:
        image: The image.
        volume: The card.
        on_progress: Told how far it is.

    Raises:
        CardError: There is no room for it, or the image cannot be read.
        CardWriteError: The card failed, or gave back something else than was written.

    """
    if image.size > volume.free:
        raise CardError(
            "the card has {free:,} bytes free, the image needs {size:,}",
            hint="Make room, or remove an older image with 'ipc firmware clean'.",
            free=volume.free,
            size=image.size,
        )
    root = Path(volume.mountpoint)
    part, target = root / PART, root / UP_BIN
    with held(volume):
        return _install(image, volume, part, target, on_progress)


def _install(image: Image, volume: Volume, part: Path, target: Path, on_progress: Progress) -> Installed:
    try:
        written = _write(image, part, volume, on_progress)
        given, source = digest(part, volume, on_progress=lambda d, t: on_progress("verify", d, t))
        if given != written:
            raise CardWriteError(
                "the card gives back something else than was written to it",
                hint="It is broken, or smaller than it says: use another card.",
            )
        try:
            for old in find_images(volume):
                if old.name != PART:
                    old.unlink()  # whatever its case: exFAT keeps the old spelling else
            os.replace(part, target)
        except OSError as error:
            raise unwritable(volume, error) from None
        sync_directory(volume.mountpoint)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return Installed(target, image.size, written, source)


def _write(image: Image, part: Path, volume: Volume, on_progress: Progress) -> str:
    made = hashlib.sha256()
    done = 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(part, flags, 0o644)
    except OSError as error:
        raise unwritable(volume, error) from None
    file = os.fdopen(handle, "wb", buffering=0)
    try:
        with contextlib.closing(image.chunks(_CHUNK)) as chunks:
            for piece in chunks:  # its own errors are the image's
                try:
                    _write_all(file.fileno(), piece)
                    made.update(piece)
                    done += len(piece)
                    if done % _SYNC_EVERY == 0:
                        os.fsync(file.fileno())
                except OSError as error:
                    raise _full(volume, error) from None
                on_progress("copy", done, image.size)
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise _full(volume, error) from None
    finally:
        with contextlib.suppress(OSError):  # a card that is gone says so again
            file.close()
    return made.hexdigest()


def _write_all(handle: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _full(volume: Volume, error: OSError) -> CardWriteError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return unwritable(volume, error)
    return CardWriteError(
        "the card in {device} is full",
        hint="Make room on it, or format it, then repeat.",
        device=volume.device,
    )


def digest(
    path: Path, volume: Volume, *, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[str, Source]:
    """SHA-256 of a file on the card, read from the medium where this system allows it.

    Args:
        path: The file.
        volume: The card.
        on_progress: Told the bytes done and the bytes in all.

    Raises:
        CardWriteError: The card cannot be read.

    """
    made = hashlib.sha256()
    done = 0
    try:
        total = path.stat().st_size
        with _uncached(path, volume) as (pieces, source):
            for piece in pieces:
                made.update(piece)
                done += len(piece)
                on_progress(done, total)
    except OSError as error:
        raise unreadable(volume, error) from None
    return made.hexdigest(), source


@contextlib.contextmanager
def _uncached(path: Path, volume: Volume) -> Iterator[tuple[Iterator[bytes], Source]]:
    if sys.platform == "linux":
        fuse_flushed = _flush_device(volume.device)
        with contextlib.suppress(OSError), open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            handle = os.open(path, os.O_RDONLY)  # a file system that cannot
            source: Source = "cache dropped"
        else:
            # In user space (FUSE) the device's own cache lies behind the file's.
            source = "medium" if fuse_flushed or not _is_fuse(path) else "cache dropped"
    else:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        source = "maybe cache"
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(handle, fcntl.F_NOCACHE, 1)
            source = "cache dropped"
    with os.fdopen(handle, "rb", buffering=0) as file, mmap.mmap(-1, _CHUNK) as buffer:
        yield _pieces(file, buffer), source


def _pieces(file: FileIO, buffer: mmap.mmap) -> Iterator[bytes]:
    while count := file.readinto(buffer):  # whole pages, as direct reads need it
        yield buffer[:count]


def _flush_device(device: str) -> bool:
    """Empty the block device's cache; it takes root."""
    import fcntl

    try:
        handle = os.open(device, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.ioctl(handle, _BLKFLSBUF)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _is_fuse(path: Path) -> bool:
    place = os.path.realpath(path.parent)
    return any(m.place == place and m.filesystem.startswith("fuse") for m in mounts())
