"""The one place that opens SQLite files of ours: event spool, fleet journal, station store.

What went wrong elsewhere, and what stands here against it:

- **No second descriptor.** POSIX locks belong to the process. Closing *any* descriptor of a file drops all
  locks that the process holds on it, also those of SQLite's other connections. A second process then takes
  the database for unused and deletes the write-ahead log under the first. So nothing here, and nothing
  elsewhere, ever opens a database file but SQLite itself.
- **Made whole.** A new database is built under another name and linked to its place when it is complete.
  Nobody sees one without tables, with the wrong mode, or one that is just being switched to WAL.
- **Busy is not broken.** SQLite answers "database is locked" at once, without its own patience, while
  another connection recovers, opens first or closes last. Opening is tried again for a while.
- **Looked at before it is written to.** A file that is not ours, of another version or damaged is refused
  before anything in it changes. ``access="read"`` changes nothing at all.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

__all__ = [
    "Busy",
    "Damaged",
    "Foreign",
    "NoRoom",
    "OtherVersion",
    "Schema",
    "Unusable",
    "connect",
    "look_into",
    "reason",
    "settle",
    "transaction",
    "used_bytes",
    "why",
]

T = TypeVar("T")
_PATIENCE_S = 20.0
#: SQLite's own patience with each statement, once a database is open.
_BUSY_S = 10
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
#: Above this size the content is checked only where the last user did not end in order.
_CHECK_BYTES = 64 << 20


class Unusable(Exception):
    """The database cannot be used; its text says why, in SQLite's or the system's words.

    Owners turn it into an error of their own, with their own hint.
    """


class NoRoom(Unusable):
    """The disk is full, or fails. A short write shows as either, by file system."""


class Busy(Unusable):
    """Another process held it for longer than we waited."""


class Damaged(Unusable):
    """Its content is not what SQLite wrote."""


class Foreign(Unusable):
    """It is the database of another program, or no database."""


class OtherVersion(Unusable):
    """It is of a newer version than this program knows."""

    version: int
    known: int

    def __init__(self, version: int, known: int) -> None:
        super().__init__(f"version {version}, known is {known}")
        self.version, self.known = version, known


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database of ours holds.

    Args:
        version: Of the tables, kept as ``user_version``; from 1.
        create: The statements that make them, separated by ``;`` and a line break.
        tables: Names by which one of ours is known.
        migrations: From each older version the statements to the next one, or a function that carries it
            out within the transaction.
        durable: Have each commit on the disk when it returns (``synchronous=FULL``); else a power cut may
            lose the last ones.
        incremental_vacuum: Whether space can be given back to the disk.
        cache_kib: Page cache of each connection.

    """

    version: int
    create: str
    tables: tuple[str, ...]
    migrations: Mapping[int, str | Callable[[sqlite3.Connection], None]] = field(default_factory=dict)
    durable: bool = True
    incremental_vacuum: bool = False
    cache_kib: int = 4096


def connect(
    path: str | os.PathLike[str],
    schema: Schema,
    *,
    access: Literal["write", "read"] = "write",
    check: bool = False,
    patience: float = _PATIENCE_S,
) -> sqlite3.Connection:
    """Open a database; autocommit, usable from any thread (one at a time).

    Args:
        path: The file; ``:memory:`` keeps it in memory.
        schema: What it holds. A new file is made, an older version brought up to this one.
        access: ``read`` makes and changes nothing; the file must exist.
        check: Look through the content first, as the first of a process should: always in a small
            database, in a large one where the last user did not end in order.
        patience: Seconds to wait for others.

    Raises:
        Unusable: One of its kinds; nothing in the file has changed.

    """
    if str(path) == ":memory:":
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _create(connection, schema)
        return connection
    place = Path(path)
    deadline = time.monotonic() + patience
    try:
        if access == "write":
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _made(place, schema)
        uncertain = _unfinished(place)
        found = _regular(place)
    except OSError as error:
        raise _of_system(error) from None
    except sqlite3.Error as error:
        raise why(error) from None
    if not found:
        raise Unusable("no such file")
    return _patiently(
        lambda: _open(place, schema, access, check and (uncertain or _is_small(place)), deadline), deadline
    )


def look_into(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open a database that may be damaged, to save what can be read of it; nothing in it changes.

    Raises:
        sqlite3.Error: It cannot even be opened.

    """
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=2, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= _CHECK_BYTES


def _open(path: Path, schema: Schema, access: str, check: bool, deadline: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'rw' if access == 'write' else 'ro'}"
    patience = min(_BUSY_S, max(0.0, deadline - time.monotonic()))
    connection = sqlite3.connect(
        uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        if access == "read":
            connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = -{schema.cache_kib}")
        version = _version(connection, schema)
        if check:
            _check(connection)
        if access == "write":
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if schema.durable else 'NORMAL'}")
            if version != schema.version:
                _migrate(connection, schema)
        elif version != schema.version:
            raise OtherVersion(version, schema.version) if version else Unusable("it is empty")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000}")
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection, schema: Schema) -> int:
    """The version of what is in the file; 0 for an empty one. Reads only."""
    connection.execute("BEGIN")  # one look at both, while another process may be making the tables
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.rollback()
    if not names and version == 0:
        return 0
    if version > schema.version and (not names or schema.tables[0] in names):
        raise OtherVersion(version, schema.version)
    if version < 1 or not names.issuperset(schema.tables):
        raise Foreign("it is the database of another program")
    return int(version)


def _check(connection: sqlite3.Connection) -> None:
    ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
    if found != "ok":
        raise Damaged(str(found).splitlines()[0])


def _create(connection: sqlite3.Connection, schema: Schema) -> None:
    for statement in schema.create.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {schema.version}")


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    with transaction(connection):
        # Another process may have been first.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:  # an empty file that somebody laid there
            _create(connection, schema)
            return
        while version < schema.version:
            step = schema.migrations.get(version)
            if step is None:
                raise OtherVersion(version, schema.version)
            if callable(step):
                step(connection)
            else:
                for statement in step.split(";\n"):
                    if statement.strip():
                        connection.execute(statement)
            version += 1
        connection.execute(f"PRAGMA user_version = {version}")


def _made(path: Path, schema: Schema) -> None:
    """Make the file where there is none: complete, for this user alone, under a name of its own until then."""
    if os.path.lexists(path):
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)  # of a file that nobody else opens: no lock is lost
    temporary = Path(name)
    try:
        connection = sqlite3.connect(temporary, timeout=10, isolation_level=None)
        try:
            connection.execute(
                f"PRAGMA auto_vacuum = {'INCREMENTAL' if schema.incremental_vacuum else 'NONE'}"
            )
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = WAL")
            with transaction(connection):
                _create(connection, schema)
        finally:
            connection.close()  # the last one: the log's content goes into the file, and the log goes
        _place(temporary, path)
    finally:
        for side in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(f"{temporary}{side}")


def _place(temporary: Path, path: Path) -> None:
    """Put the finished file where nobody else has put one meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return  # another was first: theirs is complete, too
    except OSError:  # a file system without links: a moment in which another's could be replaced
        if not os.path.lexists(path):
            os.rename(temporary, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _regular(path: Path) -> bool:
    """Whether there is a file. A device, a pipe or another user's link is refused, not opened."""
    try:
        own = path.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(own.st_mode):
        if hasattr(os, "geteuid") and own.st_uid not in (0, os.geteuid()):
            raise Unusable("it is a link that another user made")
        own = path.stat()
    if not stat.S_ISREG(own.st_mode):
        raise Unusable("it is no file")
    return True


def _unfinished(path: Path) -> bool:
    """Whether the last user has left a write-ahead log behind (or is still there)."""
    with contextlib.suppress(OSError):
        return path.with_name(path.name + "-wal").stat().st_size > 0
    return False


def _patiently(function: Callable[[], T], deadline: float) -> T:
    pause = 0.005
    while True:
        try:
            return function()
        except sqlite3.Error as error:
            found = why(error)
            if not isinstance(found, Busy) or time.monotonic() >= deadline:
                raise found from None
        except OSError as error:
            raise _of_system(error) from None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: ``BEGIN IMMEDIATE``, and ``COMMIT``, or ``ROLLBACK`` whatever happens within."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def why(error: BaseException) -> Unusable:
    """What *error*, SQLite's or another, means; its text is fit to show."""
    if isinstance(error, Unusable):
        return error
    if isinstance(error, OSError):
        return _of_system(error)
    code = getattr(error, "sqlite_errorcode", 0) or 0
    primary = code & 0xFF
    text = reason(error)
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return NoRoom(text)
    if primary in _BUSY:
        return Busy(text)
    if primary == sqlite3.SQLITE_CORRUPT:
        return Damaged(text)
    if primary == sqlite3.SQLITE_NOTADB:
        return Foreign("it is no database")
    return Unusable(text)


def reason(error: BaseException) -> str:
    """*error* in words. Other exceptions than SQLite's may quote what could not be stored: their kind alone."""
    return str(error) if isinstance(error, sqlite3.Error | Unusable) else type(error).__name__


def _of_system(error: OSError) -> Unusable:
    import errno

    text = error.strerror or type(error).__name__
    return NoRoom(text) if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else Unusable(text)


def settle(path: str | os.PathLike[str]) -> bool:
    """Bring all of a database that nobody uses into its one file, so that it can be moved.

    Returns: False where somebody has it open, or it cannot be written.
    """
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
        with contextlib.closing(connection):
            # Only who is alone can leave the log's mode.
            return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    return False


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes that the content takes; space that is free for reuse not counted."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
