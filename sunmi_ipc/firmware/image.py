"""A firmware image: a file, or the one file in a zip or tar archive that can be one.

Nothing is unpacked to a path: the one member is read as a stream, and both its size and what is read to
find it are bounded, whatever the archive says of itself.
"""

from __future__ import annotations

import bz2
import gzip
import io
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from ..errors import CardError
from ..protocol.spec import Model
from ..redact import printable

MAX_IMAGE: Final = 1 << 30
"""Bytes; more than the flash of such a camera can hold (inferred: no size is documented)."""

_MAX_MEMBERS: Final = 1_000
_MAX_UNPACKED: Final = 2 * MAX_IMAGE
_MAX_HEADER: Final = 1 << 20
#: A zip's list of its entries: a thousand names of any length that people give.
_MAX_DIRECTORY: Final = 4 << 20
_PAX: Final = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_MODEL = re.compile(r"FM[ _-]?(010|020)(?!\d)", re.IGNORECASE)
#: What lies beside an image in an archive: notes, checksums, what file managers leave.
_BESIDE = re.compile(
    r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$)|\.(txt|md|pdf|docx?|xlsx?|html?|png|jpe?g|md5|sha\d*|asc)$",
    re.IGNORECASE,
)
_UNREADABLE: Final = ((b"Rar!", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"\xfd7zXZ\x00", "xz"))
_BROKEN: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    IndexError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that can be put on a card.

    Attributes:
        path: The file.
        kind: ``file``, ``zip`` or ``tar``.
        member: Its name in the archive; empty for a plain file.
        size: Bytes, unpacked.
        models: The models that its name shows; the member's name counts before the archive's.

    """

    path: Path
    kind: str
    member: str
    size: int
    models: frozenset[Model]

    def chunks(self, size: int = 1 << 20) -> Generator[bytes, None, None]:
        """The image in pieces of *size* bytes.

        Raises:
            CardError: It cannot be read, the archive is broken, or it holds more than it says.

        """
        done = 0
        with _reading(self.path), _open(self) as stream:
            while piece := stream.read(size):
                done += len(piece)
                if done > self.size:
                    raise _broken(self.path)
                yield piece
        if done != self.size:
            raise _broken(self.path)

    def require_model(self, model: str) -> None:
        """Refuse an image for the other model.

        Raises:
            CardError: Its name shows another model than *model*, or both.

        """
        known = {m} if (m := Model.read(model)) else set()
        if self.models and known and self.models != known:
            raise CardError(
                "the image is for the {shown} by its name, the camera is an {model}",
                hint="The models' images are not interchangeable: ask the vendor for this model's.",
                shown=", ".join(sorted(self.models)),
                model=model.upper(),
            )


def read_image(path: str | Path, *, as_is: bool = False) -> Image:
    """Look at an image file.

    Args:
        path: The image, or a zip or tar archive (gzip, bzip2 or plain) that holds exactly one candidate:
            one ``*.bin`` file, else one file beside notes and checksums.
        as_is: Take the file as the image even where it looks like an archive.

    Raises:
        CardError: It cannot be read, is empty, too large, a web page, an archive of another kind, or an
            archive that holds no or several candidates.

    """
    file = Path(path)
    with _reading(file):
        info = file.stat()
        if not stat.S_ISREG(info.st_mode):
            raise CardError("{path} is not a file", path=str(file))
        with file.open("rb") as opened:
            head = opened.read(512)
        kind = "file" if as_is else _kind(file, head)
        size = _bounded(info.st_size, file)
        if kind == "file":
            return Image(file, kind, "", size, models_in(file.name))
        members = _zip_members(file) if kind == "zip" else _tar_members(file)
    name, size = _candidate(file, members)
    return Image(file, kind, name, _bounded(size, file), models_in(name) or models_in(file.name))


def models_in(name: str) -> frozenset[Model]:
    """The models that a file's name shows."""
    return frozenset(Model("FM" + number) for number in _MODEL.findall(name))


def _kind(file: Path, head: bytes) -> str:
    """``zip``, ``tar`` or ``file``, by content: a renamed archive is an archive."""
    for magic, name in _UNREADABLE:
        if head.startswith(magic):
            raise CardError(
                "{path} is a {kind} archive, which is not read here",
                hint="Unpack it and give the image in it.",
                path=str(file),
                kind=name,
            )
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head[257:262] == b"ustar" or head.startswith((b"\x1f\x8b", b"BZh")):
        return "tar"
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise CardError(
            "{path} is a web page, not an image",
            hint="The download needs a login, perhaps: get the file again.",
            path=str(file),
        )
    return "file"


def _bounded(size: int, file: Path) -> int:
    if size == 0:
        raise CardError("{path} is empty", path=str(file))
    if size > MAX_IMAGE:
        raise CardError("{path} is larger ({size} bytes) than an image can be", path=str(file), size=size)
    return size


def _candidate(file: Path, members: list[tuple[str, int]]) -> tuple[str, int]:
    files = [(name, size) for name, size in members if not _BESIDE.search(name)]
    images = [(name, size) for name, size in files if name.lower().endswith(".bin")] or files
    if len(images) == 1:
        return images[0]
    if not images:
        raise CardError("the archive {path} holds no image", path=str(file))
    listed = [printable(PurePosixPath(name).name)[:60] for name, _ in images]
    raise CardError(
        "the archive {path} holds {count} files that could be the image: {names}",
        hint="Unpack it and give the image for this camera; if the archive itself is the image, say --as-is.",
        path=str(file),
        count=len(images),
        names=", ".join(listed[:5]) + (" …" if len(listed) > 5 else ""),
    )


class _Frugal(io.BufferedReader):
    """A zip's file that gives no more at a time than a reasonable directory has: zipfile reads it at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        super().__init__(io.FileIO(file))

    def read(self, size: int | None = -1, /) -> bytes:
        bounded = size is not None and 0 <= size <= _MAX_DIRECTORY
        data = super().read(size if bounded else _MAX_DIRECTORY + 1)
        if len(data) > _MAX_DIRECTORY:
            raise _too_much(self._file)
        return data


@contextmanager
def _zip(file: Path) -> Iterator[zipfile.ZipFile]:
    with _Frugal(file) as stream, zipfile.ZipFile(stream) as archive:
        yield archive


def _zip_members(file: Path) -> list[tuple[str, int]]:
    with _zip(file) as archive:
        if len(archive.filelist) > _MAX_MEMBERS:
            raise _too_much(file)
        found = []
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if not info.filename or info.is_dir() or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
                continue
            if info.flag_bits & 1:
                raise CardError(
                    "the archive {path} is protected by a password",
                    hint="Unpack it and give the image in it.",
                    path=str(file),
                )
            found.append((info.filename, info.file_size))
        return found


class _Bounded:
    """A stream that ends in an error where an archive unpacks to more than an image can be."""

    def __init__(self, stream: IO[bytes], file: Path) -> None:
        self._stream, self._file, self._left = stream, file, _MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise _too_much(self._file)
        return piece


class _TarInfo(tarfile.TarInfo):
    """A header that may not ask for much memory: tarfile reads extended headers whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _TarInfo:
        made = super().frombuf(buf, encoding, errors)
        if made.type not in (*tarfile.SUPPORTED_TYPES, *_PAX) or (
            made.type not in tarfile.REGULAR_TYPES and made.size > _MAX_HEADER
        ):
            raise tarfile.ReadError  # too large a header
        return made

    def _proc_gnusparse_10(self, *_: object) -> None:
        """No map of a sparse file, which may claim to be of any length: an image has no holes."""
        raise tarfile.ReadError


@contextmanager
def _tar(file: Path) -> Iterator[tarfile.TarFile]:
    """The archive as a stream, read once from front to back."""
    with file.open("rb") as raw:
        head = raw.read(3)
        raw.seek(0)
        opener: Any = gzip.open if head.startswith(b"\x1f\x8b") else bz2.open if head == b"BZh" else None
        stream: IO[bytes] = opener(raw) if opener else raw
        with tarfile.open(fileobj=_Bounded(stream, file), mode="r|", tarinfo=_TarInfo) as archive:  # type: ignore[call-overload]
            yield archive


def _tar_members(file: Path) -> list[tuple[str, int]]:
    found = []
    with _tar(file) as archive:
        for number, member in enumerate(archive):
            if number >= _MAX_MEMBERS:
                raise _too_much(file)
            if member.isreg() and not member.issparse():
                found.append((member.name, member.size))
    return found


@contextmanager
def _open(image: Image) -> Iterator[IO[bytes]]:
    if image.kind == "zip":
        with _zip(image.path) as archive, archive.open(image.member) as stream:
            yield stream
    elif image.kind == "tar":
        with _tar(image.path) as tar:
            for member in tar:
                if member.name == image.member and member.isreg():
                    found = tar.extractfile(member)
                    assert found is not None
                    yield found
                    return
            raise _broken(image.path)
    else:
        with image.path.open("rb") as stream:
            yield stream


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _broken(file) from None
        raise CardError(
            "{path} cannot be read: {reason}", path=str(file), reason=error.strerror or type(error).__name__
        ) from None
    except _BROKEN:
        raise _broken(file) from None


def _broken(file: Path) -> CardError:
    return CardError(
        "the archive {path} is broken, or no archive of files",
        hint="Get it again; if the file itself is the image, say --as-is.",
        path=str(file),
    )


def _too_much(file: Path) -> CardError:
    return CardError(
        "the archive {path} unpacks to more than an image can be",
        hint="Unpack it and give the image in it.",
        path=str(file),
    )
