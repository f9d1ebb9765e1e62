"""What a virtual camera serves to GET: pictures, clips and recordings, by the first part of the path.

Register a source with :func:`serves`; whole and partial answers (``Range``) are made here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .host import Host

_CHUNK = 262_144


@dataclass(frozen=True, slots=True)
class Content:
    """One thing to serve: its bytes, or the file they stand in, its content type and HTTP status."""

    data: bytes | Path = field(repr=False)
    kind: str = "application/octet-stream"
    status: int = 200

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from *start* to before *stop*, a piece at a time."""
        if isinstance(self.data, bytes):
            yield self.data[start:stop]
            return
        with self.data.open("rb") as file:
            file.seek(start)
            left = stop - start
            while left and (piece := file.read(min(left, _CHUNK))):
                left -= len(piece)
                yield piece


#: Finds the content for what follows the first part of the path; None answers 404.
Source = Callable[[Host, str], Content | None]
_SOURCES: dict[str, Source] = {}


def serves(first: str) -> Callable[[Source], Source]:
    """Serve paths ``/first/…`` from the decorated function."""

    def register(source: Source) -> Source:
        if first in _SOURCES:
            raise ValueError(f"/{first}/ has a source already")
        _SOURCES[first] = source
        return source

    return register


def find(camera: Host, path: str) -> Content | None:
    """The content at *path* (no query, no leading slash), if any."""
    first, _, rest = path.partition("/")
    source = _SOURCES.get(first)
    return source(camera, rest) if source is not None else None


def part(header: str, size: int) -> tuple[int, int] | None:
    """Start and stop of the part that a ``Range`` header asks for; the whole where it names none.

    Returns: None where the range lies outside (answer 416).
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if match is None or match.group(0) == "bytes=-":
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(size - int(last), 0), size) if int(last) else None
    start = int(first)
    stop = min(int(last) + 1, size) if last else size
    return (start, stop) if start < size and start < stop else None
