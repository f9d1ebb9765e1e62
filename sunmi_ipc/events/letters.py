"""Dead letters: what a sink gave up for good, in a file beside the spool, to be looked at and sent again."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ..atomic import open_own, whole
from ..lock import try_lock
from .consumer import StoredEvent, Typed, stored_event

FILE = "given-up.jsonl"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One event that one sink gave up.

    Args:
        sink: The consumer's name.
        reason: Why, in words.
        at: When, Unix seconds.
        seq: The event's place in the spool.
        received: When it came, Unix microseconds.
        source: The address that it came from.
        verified: Whether its signature was checked.
        body: Its fields as JSON text: text within a line, so that nothing in it can break the file.

    """

    sink: str
    reason: str
    at: float
    seq: int
    received: int
    source: str
    verified: bool
    body: str = field(repr=False)

    def stored(self, typed: Typed) -> StoredEvent:
        """The event as it was in the spool."""
        row = (self.seq, self.received, self.source, int(self.verified), self.body, "", "", "")
        return stored_event(row, typed)

    def is_about(self, typed: Typed, *, sn: str, faceid: str, until: datetime | None) -> bool:
        """Whether it is about a face: of that camera, that face, received before that time, where given."""
        try:
            stored = self.stored(typed)
        except (ValueError, RecursionError):
            return True  # what cannot be read any more is not kept against anybody's wish
        if not stored.event.is_personal or (sn and stored.event.sn != sn):
            return False
        if until is not None and stored.received >= until.astimezone(UTC):
            return False
        return not faceid or json.dumps(faceid) in self.body


class DeadLetters:
    """The file of a spool; every process may add, read and remove."""

    def __init__(self, directory: Path) -> None:
        self.path: Path = directory / FILE

    def add(self, letter: Letter) -> None:
        """Write a letter; it is on the disk when this returns. Raises OSError."""
        line = json.dumps(asdict(letter), separators=(",", ":")).encode() + b"\n"
        with self._locked():
            handle = open_own(self.path, os.O_RDWR | os.O_CREAT)
            with os.fdopen(handle, "r+b") as file:
                end = file.seek(0, os.SEEK_END)
                try:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(handle, end)  # no half line
                    raise

    def read(self, sink: str = "") -> list[Letter]:
        """All letters, or those of one sink, in the order in which they were given up."""
        return [letter for letter in self._lines() if not sink or letter.sink == sink]

    def counts(self) -> dict[str, int]:
        """How many there are, by sink."""
        return dict(Counter(letter.sink for letter in self._lines()))

    def remove(self, unwanted: Callable[[Letter], bool]) -> int:
        """Remove letters; how many. Raises OSError."""
        if not os.path.exists(self.path):
            return 0
        with self._locked():
            letters = list(self._lines())
            kept = [letter for letter in letters if not unwanted(letter)]
            if len(kept) == len(letters):
                return 0
            if kept:
                with whole(self.path, sync=True) as file:
                    for letter in kept:
                        file.write(json.dumps(asdict(letter), separators=(",", ":")).encode() + b"\n")
            else:
                self.path.unlink()
        return len(letters) - len(kept)

    def _lines(self) -> Iterator[Letter]:
        try:
            with os.fdopen(open_own(self.path, os.O_RDONLY), "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            with contextlib.suppress(
                ValueError, TypeError, RecursionError
            ):  # cut short, or somebody edited it
                yield Letter(**json.loads(line))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[IO[bytes] | None]:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                guard = try_lock(self.path.with_name(self.path.name + ".lock"))
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)
        with guard:
            yield guard
