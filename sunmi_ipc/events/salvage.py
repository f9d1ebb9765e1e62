"""What can still be read of a damaged spool becomes a whole one; the damaged file is kept beside it.

Two ways are gone. Through SQLite, number by number: a damaged page costs the numbers on it and no others. Where
SQLite meets damage, the file is gone through page by page as well, the write-ahead log too, so that the rows of a
leaf are found although the way to it is broken. A row counts only where it has the form that ours have.

What was removed is not brought back: pages that SQLite lists as free are left out, and of a page only the rows that
it says it has.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import database
from ..errors import SpoolDamaged, SpoolError
from ..lock import try_lock
from .adapters import CAMERA, Dialect
from .retention import Retention
from .spool import KEEP, Spool
from .store import FILE, TABLES, connect, ready_of, take_place

__all__ = ["Salvaged", "open_or_salvage", "salvage"]

_log = logging.getLogger("sunmi_ipc.events")
_PAGE = 500
_LEAF = 0x0D
#: What a row's values are, by the table's columns: i a whole number, t text, r a number, n nothing.
#: Unix microseconds of the year 10000: Python's own last moment.
_LAST_US = 253_402_300_800_000_000
_EVENT = ("n", "t", "t", "t", "t", "i", "t", "i", "i", "t")
_CONSUMER = ("t", "i", "i", "r", "i")
_SIDES = ("", "-wal", "-shm")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged spool.

    Attributes:
        events: How many events were saved.
        missing: Numbers between the first and the last that were not found. Some may have been removed before.
        first_missing: The lowest of them; 0: none.
        last_missing: The highest of them; 0: none.
        readers: Readers whose place was saved, by name. One that is not here begins at the oldest event again.
        complete: Whether every other table (envelopes seen, pictures, what was given up) was read to its end.
        kept: Where the damaged file is now.

    """

    events: int
    missing: int
    first_missing: int
    last_missing: int
    readers: tuple[str, ...]
    complete: bool
    kept: Path


def open_or_salvage(
    directory: str | os.PathLike[str],
    *,
    retention: Retention | None = KEEP,
    dialect: Dialect = CAMERA,
    told: Callable[[Salvaged], None] = lambda saved: None,
) -> Spool:
    """A spool for a program that must receive: a damaged one is salvaged first, and that is told.

    Args:
        directory: See :class:`Spool`.
        retention: See :class:`Spool`.
        dialect: See :class:`Spool`.
        told: Called with what became of a damaged one; the log has it, too.

    Raises:
        SpoolError: See :class:`Spool` and :func:`salvage`.

    """
    try:
        return Spool(directory, retention=retention, dialect=dialect)
    except SpoolDamaged:
        told(salvage(directory))
        return Spool(directory, retention=retention, dialect=dialect)


def salvage(
    directory: str | os.PathLike[str], *, progress: Callable[[int], None] = lambda saved: None
) -> Salvaged:
    """Make the spool in *directory* whole again from what can be read of it.

    Args:
        directory: The spool's folder; no program may use it meanwhile.
        progress: Told how many events were saved so far.

    Raises:
        SpoolError: A program uses it, there is none, or there is no room for another one.

    """
    folder = Path(directory)
    path = folder / FILE
    if os.path.exists(ready_of(path)):
        take_place(path)  # an earlier one that was cut off
    if not os.path.exists(path):
        raise SpoolError("there is no event spool in {path}", path=str(folder))
    _check_unused(folder)
    made = folder / f".{FILE}.salvaged"
    try:
        for side in _SIDES:
            made.with_name(made.name + side).unlink(missing_ok=True)
        target = connect(made)
        try:
            result = _fill(path, target, progress)
        finally:
            target.close()
        if not database.settle(made):
            raise SpoolError(
                "the event spool {path} cannot be used: {reason}", path=str(made), reason="locked"
            )
        os.rename(made, ready_of(path))  # from here on it is complete, whatever is cut off
        aside = take_place(path)
    except OSError as error:
        raise SpoolError(
            "the event spool {path} cannot be used: {reason}",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    except sqlite3.Error as error:
        raise SpoolError(
            "the event spool {path} cannot be used: {reason}", path=str(made), reason=database.reason(error)
        ) from None
    finally:
        for side in _SIDES:
            with contextlib.suppress(OSError):
                made.with_name(made.name + side).unlink(missing_ok=True)
    saved = Salvaged(kept=aside, **result)
    _log.error(
        "the event spool was damaged: %d events were saved, at most %d were lost; the damaged file is kept as %s",
        saved.events, saved.missing, aside,
    )  # fmt: skip
    return saved


def _check_unused(folder: Path) -> None:
    for file in [*folder.glob("reader-*.lock"), *folder.glob("reader-*.alive")]:
        try:
            try_lock(file).close()
        except BlockingIOError:
            raise SpoolError(
                "another program uses the event spool {path}",
                hint="End it first: 'ipc events listen', 'ipc serve' or a program of yours.",
                path=str(folder),
            ) from None
        except OSError:
            continue  # a file system without locks


def _fill(path: Path, target: sqlite3.Connection, progress: Callable[[int], None]) -> dict[str, Any]:
    """Put into *target* what can be read of *path*."""
    broken = False
    tables: dict[str, list[Row]] = {name: [] for name in TABLES if name != "events"}
    source: sqlite3.Connection | None = None
    count = last = 0

    def add(rows: list[Row]) -> None:
        nonlocal count
        with database.transaction(target):
            for row in rows:
                if _is_event(row):
                    marks = ", ".join("?" * len(row))
                    count += target.execute(
                        f"INSERT OR IGNORE INTO events VALUES ({marks})",  # noqa: S608 - question marks
                        row,
                    ).rowcount
        progress(count)

    try:
        source = database.look_into(path)
        for name in tables:
            broken |= not _table(source, name, tables[name])
        (last,) = source.execute(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'"
        ).fetchone()
        broken |= not _events(source, add)
    except sqlite3.Error:
        broken = True
    finally:
        if source is not None:
            source.close()
    complete = not broken
    if broken:
        found = _Pages(path)
        batch: list[Row] = []
        for rowid, values in found.rows():
            if _has_form(values, _EVENT):
                batch.append((rowid, *values[1:]))
                if len(batch) >= _PAGE:
                    add(batch)
                    batch = []
            elif _has_form(values, _CONSUMER) and all(values[0] != row[0] for row in tables["consumers"]):
                tables["consumers"].append(values)
        add(batch)
    with database.transaction(target):
        for name, rows in tables.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                with contextlib.suppress(sqlite3.Error):
                    target.execute(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", row)  # noqa: S608 - ours
        ((lowest, highest, kept),) = target.execute(
            "SELECT min(seq), max(seq), count(*) FROM events"
        ).fetchall()
        # A number is never used again: a reader's place would skip what comes under it.
        places = [row[1] for row in tables["consumers"] if isinstance(row[1], int)]
        newest = max([last, highest or 0, *places])
        target.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", (newest,))
        if not kept and newest:
            target.execute(
                "INSERT OR REPLACE INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (newest,)
            )
    gaps = list(_gaps(target, lowest, newest)) if broken and kept else []
    if broken and not kept and newest:
        gaps = [(1, newest)]
    return {
        "events": kept,
        "missing": sum(end - start + 1 for start, end in gaps),
        "first_missing": gaps[0][0] if gaps else 0,
        "last_missing": gaps[-1][1] if gaps else 0,
        "readers": tuple(sorted(str(row[0]) for row in tables["consumers"])),
        "complete": complete,
    }


def _gaps(target: sqlite3.Connection, lowest: int, newest: int) -> Iterator[tuple[int, int]]:
    before = lowest - 1
    for (seq,) in target.execute("SELECT seq FROM events ORDER BY seq"):
        if seq > before + 1:
            yield before + 1, seq - 1
        before = seq
    if newest > before:
        yield before + 1, newest


def _table(source: sqlite3.Connection, name: str, rows: list[Row]) -> bool:
    """Add a table's rows as far as they can be read; whether that was to its end."""
    try:
        cursor = source.execute(f"SELECT * FROM {name}")  # noqa: S608 - ours
        while page := cursor.fetchmany(_PAGE):
            rows += page
    except sqlite3.Error:
        return False
    return True


def _events(source: sqlite3.Connection, add: Callable[[list[Row]], None]) -> bool:
    """Every event that SQLite finds; whether it met no damage."""
    try:
        (highest,) = source.execute("SELECT max(seq) FROM events NOT INDEXED").fetchone()
    except sqlite3.Error:
        (highest,) = source.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'").fetchone()
    whole = True
    todo = [(0, highest or 0)]
    while todo:
        after, until = todo.pop()
        position = after
        try:
            while position < until:
                page = source.execute(
                    "SELECT * FROM events NOT INDEXED WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                    (position, until, _PAGE),
                ).fetchall()
                if not page:
                    break
                add(page)
                position = page[-1][0]
        except sqlite3.Error:
            whole = False
            # The upper half first onto the pile, so that the order stays.
            if until - position > 1:
                middle = (position + until) // 2
                todo += [(middle, until), (position, middle)]
    return whole


_KINDS: dict[str, tuple[type, ...]] = {"n": (type(None),), "t": (str,), "i": (int,), "r": (int, float)}


def _has_form(values: Row, form: tuple[str, ...]) -> bool:
    return len(values) == len(form) and all(
        isinstance(value, _KINDS[kind]) for value, kind in zip(values, form, strict=True)
    )


def _is_event(row: Row) -> bool:
    """Whether a row is an event of ours: its types, and a body that is an object."""
    if not _has_form((None, *row[1:]), _EVENT) or not isinstance(row[0], int) or row[0] < 1:
        return False
    if not 0 <= row[5] < _LAST_US:  # a moment that no clock of ours has told
        return False
    try:
        return isinstance(json.loads(row[9]), dict)
    except (ValueError, RecursionError):
        return False


class _Pages:
    """A SQLite file as pages: https://www.sqlite.org/fileformat2.html."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        with path.open("rb") as file:
            head = file.read(100)
        size = int.from_bytes(head[16:18])
        size = 65_536 if size == 1 else size
        self._size: int = size if size >= 512 and not size & (size - 1) else 4096
        self._usable: int = self._size - (head[20] if len(head) > 20 and head[20] < 64 else 0)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """The rows of every leaf that is in use, the newest form of each page first."""
        with self._path.open("rb") as file:
            newest = dict(self._log())
            self._file, self._newest = file, newest
            free = self._free()
            count = max(os.fstat(file.fileno()).st_size // self._size, max(newest, default=0))
            for number in range(1, count + 1):
                if number not in free:
                    page = self._page(number)
                    with contextlib.suppress(IndexError, ValueError, OverflowError):
                        yield from self._leaf(page, 100 if number == 1 else 0)

    def _page(self, number: int) -> bytes:
        if (place := self._newest.get(number)) is not None:
            with self._wal.open("rb") as log:
                log.seek(place)
                return log.read(self._size)
        self._file.seek((number - 1) * self._size)
        return self._file.read(self._size)

    def _log(self) -> Iterator[tuple[int, int]]:
        """Where the log has a page: number and place; of several the last."""
        try:
            with self._wal.open("rb") as log:
                head = log.read(32)
                salt, place = head[16:24], 32
                while len(frame := log.read(24)) == 24 and frame[8:16] == salt:
                    yield int.from_bytes(frame[:4]), place + 24
                    place += 24 + self._size
                    log.seek(place)
        except OSError:
            return

    def _free(self) -> set[int]:
        """The pages that SQLite lists as free."""
        free: set[int] = set()
        trunk = int.from_bytes(self._page(1)[32:36])
        while trunk and trunk not in free and len(free) < 10_000_000:
            free.add(trunk)
            page = self._page(trunk)
            number = min(int.from_bytes(page[4:8]), self._size // 4 - 2)
            free.update(int.from_bytes(page[8 + 4 * i : 12 + 4 * i]) for i in range(max(0, number)))
            trunk = int.from_bytes(page[:4])
        return free

    def _leaf(self, page: bytes, start: int) -> Iterator[tuple[int, Row]]:
        if len(page) < self._size or page[start] != _LEAF:
            return
        for i in range(min(int.from_bytes(page[start + 3 : start + 5]), self._size // 4)):
            at = int.from_bytes(page[start + 8 + 2 * i : start + 10 + 2 * i])
            if start + 8 < at < self._size:
                with contextlib.suppress(IndexError, ValueError, OverflowError):
                    yield self._cell(page, at)

    def _cell(self, page: bytes, at: int) -> tuple[int, Row]:
        size, at = _varint(page, at)
        rowid, at = _varint(page, at)
        usable = self._usable
        if size > 64 << 20:
            raise ValueError
        if size <= usable - 35:
            payload = page[at : at + size]
        else:
            least = (usable - 12) * 32 // 255 - 23
            local = least + (size - least) % (usable - 4)
            local = least if local > usable - 35 else local
            payload = page[at : at + local]
            following = int.from_bytes(page[at + local : at + local + 4])
            while len(payload) < size and following:
                more = self._page(following)
                payload += more[4:usable]
                following = int.from_bytes(more[:4])
                if len(more) < self._size:
                    raise ValueError
        payload = payload[:size]
        if len(payload) < size:
            raise ValueError
        return rowid, tuple(_values(payload))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(9):
        byte = data[at + i]
        if i == 8:
            return _signed(value << 8 | byte), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    raise ValueError


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _values(payload: bytes) -> Iterator[Any]:
    import struct

    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    at = end
    for kind in kinds:
        size = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2
        raw = payload[at : at + size]
        if kind in (10, 11) or len(raw) < size:
            raise ValueError
        at += size
        if kind == 0:
            yield None
        elif kind in (8, 9):
            yield kind - 8
        elif kind < 7:
            yield int.from_bytes(raw, signed=True)
        elif kind == 7:
            yield struct.unpack(">d", raw)[0]
        else:
            yield raw.decode("utf-8") if kind % 2 else raw
