"""The spool's database: its tables, how it is opened, and what SQLite's errors mean here."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ..errors import SpoolError, SpoolFull

FILE = "events.sqlite3"
_VERSION = 1
_SCHEMA = """
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so a cursor never skips
  sn TEXT NOT NULL,
  type TEXT NOT NULL,
  event_id TEXT NOT NULL,
  received INTEGER NOT NULL,              -- Unix microseconds by this computer's clock
  source TEXT NOT NULL,                   -- address that the event came from
  verified INTEGER NOT NULL,              -- whether its signature was checked
  body TEXT NOT NULL                      -- the event's fields as JSON
);
CREATE UNIQUE INDEX events_once ON events (sn, type, event_id);
CREATE INDEX events_received ON events (received);
CREATE TABLE consumers (
  name TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL,                -- everything up to here is acknowledged
  seen INTEGER NOT NULL,                  -- Unix microseconds of its last sign of life
  lost INTEGER NOT NULL DEFAULT 0         -- dropped by the hard limit before it was acknowledged
);
CREATE TABLE given_up (                   -- what a sink refused for good
  consumer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (consumer, seq)
) WITHOUT ROWID;
CREATE TABLE pictures (
  seq INTEGER NOT NULL,
  link TEXT NOT NULL,                     -- the event's field
  status TEXT NOT NULL,                   -- saved, refused, lost
  path TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (seq, link)
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


def translate(error: Exception, path: Path) -> SpoolError:
    """*error*, mostly SQLite's, as ours. A short write shows as FULL or as an I/O error, by file system."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return SpoolFull(
            "the event spool {path} cannot take another event: the disk is full or failing",
            hint="Free space on that disk, or give a smaller limit. Cameras are told to try again.",
            path=str(path),
        )
    return SpoolError(
        "the event spool {path} cannot be used: {reason}",
        hint="Check that the folder is on a local disk and yours to write; else name another folder.",
        path=str(path),
        # Others than SQLite's may quote what could not be stored.
        reason=str(error) if isinstance(error, sqlite3.Error) else type(error).__name__,
    )


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return.

    Raises:
        SpoolError: The file cannot be made or opened, or is no spool of this version.

    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Faces are personal data: made for this user alone, and SQLite's side files inherit it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise SpoolError(
            "the event spool {path} cannot be used: {reason}",
            hint="Check that the folder is on a local disk and yours to write; else name another folder.",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    connection: sqlite3.Connection | None = None
    try:
        # Every connection is used by one thread at a time, under its owner's lock.
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            # Of effect before the first table only. Later it would write: on a full disk nobody could read.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -4096")
        _migrate(connection, path)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise translate(error, path) from None
    except SpoolError:
        if connection is not None:
            connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been first.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
                version = _VERSION
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    if version != _VERSION:
        raise SpoolError(
            "the event spool {path} is of version {version}; this program knows version {known}",
            hint="Update sunmi-ipc, or name another folder.",
            path=str(path),
            version=version,
            known=_VERSION,
        )


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes that the spool's content takes; space that is free for reuse not counted."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
