"""The spool's database: its tables, how it is opened, and what SQLite's errors mean here."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from .. import database
from ..database import used_bytes
from ..errors import SpoolDamaged, SpoolError, SpoolFull
from .decoding import content

__all__ = ["FILE", "connect", "ready_of", "take_place", "translate", "used_bytes"]

FILE = "events.sqlite3"
_TABLES = """
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so a cursor never skips
  sn TEXT NOT NULL,
  type TEXT NOT NULL,
  event_id TEXT NOT NULL,
  content TEXT NOT NULL,                  -- digest of what it says: the same number may be another event
  received INTEGER NOT NULL,              -- Unix microseconds by this computer's clock
  source TEXT NOT NULL,                   -- address that the event came from
  verified INTEGER NOT NULL,              -- whether its signature was checked
  face INTEGER NOT NULL,                  -- whether it is about a face: kept by a shorter rule
  body TEXT NOT NULL                      -- the event's fields as JSON
);
CREATE UNIQUE INDEX events_once ON events (sn, type, event_id, content, verified);
CREATE INDEX events_received ON events (received);
CREATE TABLE seals (                      -- each signed envelope counts once, longer than its event is kept
  seal TEXT PRIMARY KEY,                  -- digest of app_id, timestamp, random and sign
  received INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE folders (                    -- where pictures were saved
  path TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE consumers (
  name TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL,                -- everything up to here is acknowledged
  seen INTEGER NOT NULL,                  -- Unix microseconds of its last sign of life, to be shown
  idle REAL NOT NULL DEFAULT 0,           -- seconds that were counted, not read off a clock, since then
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
#: Version 1 knew an event again by its number alone.
_FROM_1 = """
ALTER TABLE events ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN face INTEGER NOT NULL DEFAULT 0;
UPDATE events SET face = 1 WHERE type IN ('face_recog_event', 'cloud_2001');
DROP INDEX events_once;
CREATE UNIQUE INDEX events_once ON events (sn, type, event_id, content, verified);
ALTER TABLE consumers ADD COLUMN idle REAL NOT NULL DEFAULT 0;
CREATE TABLE seals (seal TEXT PRIMARY KEY, received INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE folders (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def _contents(connection: sqlite3.Connection) -> None:
    """Bring version 1 up: its events are known by their content from now on, too."""
    for statement in _FROM_1.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.create_function("content_of", 1, lambda body: content(json.loads(body)), deterministic=True)
    connection.execute("UPDATE events SET content = content_of(body)")


#: What a spool of this version has.
TABLES = ("events", "seals", "folders", "consumers", "given_up", "pictures", "counters")
_SCHEMA = database.Schema(
    version=2,
    create=_TABLES,
    migrations={1: _contents},
    tables=("events", "consumers", "given_up", "pictures", "counters"),  # of every version
    incremental_vacuum=True,
)
_HINT = "Check that the folder is on a local disk and yours to write; else name another folder."


def translate(error: BaseException, path: Path) -> SpoolError:
    """*error*, mostly SQLite's, as ours."""
    found = database.why(error)
    if isinstance(found, database.NoRoom):
        return SpoolFull(
            "the event spool {path} cannot take another event: the disk is full or failing",
            hint="Free space on that disk, or give a smaller limit. Cameras are told to try again.",
            path=str(path),
        )
    if isinstance(found, database.OtherVersion):
        return SpoolError(
            "the event spool {path} is of version {version}; this program knows version {known}",
            hint="Update sunmi-ipc, or name another folder.",
            path=str(path),
            version=found.version,
            known=found.known,
        )
    if isinstance(found, database.Damaged):
        return SpoolDamaged(
            "the event spool {path} is damaged: {reason}",
            hint="'ipc events salvage' saves what can be read of it; 'ipc events listen' and 'ipc serve' do so at their start.",
            path=str(path),
            reason=str(found),
        )
    return SpoolError(
        "the event spool {path} cannot be used: {reason}", hint=_HINT, path=str(path), reason=str(found)
    )


def ready_of(path: Path) -> Path:
    """What is to take the place of the database *path*, complete; there only while it does so."""
    return path.with_name(f".{path.name}.ready")


def take_place(path: Path) -> Path:
    """Put a salvaged database into its place; where a power cut ends that half-way, the next opening goes on.

    Returns: where the damaged one is kept.

    Raises:
        SpoolError: A file cannot be renamed.

    """
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    try:
        # The log goes first: beside the new file it would be taken for the new file's.
        for side in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}{side}", f"{aside}{side}")
        with contextlib.suppress(FileNotFoundError):  # another process was as quick
            os.rename(ready_of(path), path)
    except OSError as error:
        raise translate(error, path) from None
    return aside


def connect(
    path: Path, *, access: Literal["write", "read"] = "write", check: bool = False
) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return; see :func:`sunmi_ipc.database.connect`.

    Raises:
        SpoolError: The file cannot be made or opened, is damaged, or is no spool of this version.

    """
    if access == "write" and os.path.exists(ready_of(path)):
        take_place(path)  # a salvage that was cut off between two renames
    try:
        # Faces are personal data: the file is made for this user alone, and SQLite's side files inherit it.
        return database.connect(path, _SCHEMA, access=access, check=check)
    except database.Unusable as error:
        raise translate(error, path) from None
