"""The database's versions: numbered steps, each carried out once, in one transaction.

Why not Alembic: there is one branch of a handful of steps for two databases, they must run by themselves when
any of several hubs starts first, and the views are made anew after each. That is thirty lines; Alembic would
be another dependency, an environment file and a command of its own for them.

A step is text that never changes once it was released; ``tables.py`` says where they lead. Both databases take
the same text.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, inspect, text

from ..errors import ConfigError
from . import views

#: From an empty database on, in order. The number of a step is its place here, from 1.
STEPS: tuple[str, ...] = (
    """
    CREATE TABLE sites (
        site TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL, offline INTEGER NOT NULL,
        since DOUBLE PRECISION NOT NULL, name TEXT NOT NULL, timezone TEXT NOT NULL, hours TEXT NOT NULL,
        version TEXT NOT NULL, cameras INTEGER NOT NULL, stored DOUBLE PRECISION NOT NULL
    );
    CREATE TABLE availability (
        site TEXT NOT NULL, sn TEXT NOT NULL, revision BIGINT NOT NULL, online INTEGER NOT NULL,
        time DOUBLE PRECISION NOT NULL, stored DOUBLE PRECISION NOT NULL, PRIMARY KEY (site, sn)
    );
    CREATE TABLE cameras (
        site TEXT NOT NULL, sn TEXT NOT NULL, revision BIGINT NOT NULL, verdict TEXT NOT NULL,
        reasons TEXT NOT NULL, time DOUBLE PRECISION NOT NULL, seen DOUBLE PRECISION, name TEXT NOT NULL,
        model TEXT NOT NULL, firmware TEXT NOT NULL, card TEXT NOT NULL, clock_offset_s DOUBLE PRECISION,
        stored DOUBLE PRECISION NOT NULL, PRIMARY KEY (site, sn)
    );
    CREATE TABLE counts (
        key TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL, site TEXT NOT NULL, sn TEXT NOT NULL,
        starts BIGINT NOT NULL, ends BIGINT NOT NULL, arrivals BIGINT, leaving BIGINT, passing BIGINT,
        completeness DOUBLE PRECISION NOT NULL, people TEXT NOT NULL, stored DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX counts_site_starts ON counts (site, starts);
    CREATE INDEX counts_starts ON counts (starts);
    CREATE TABLE events (
        key TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL, site TEXT NOT NULL, sn TEXT NOT NULL,
        type TEXT NOT NULL, time DOUBLE PRECISION NOT NULL, received DOUBLE PRECISION NOT NULL,
        personal INTEGER NOT NULL, data TEXT NOT NULL, stored DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX events_time ON events (time);
    CREATE TABLE alerts (
        key TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL, site TEXT NOT NULL, sn TEXT, code TEXT NOT NULL,
        level TEXT NOT NULL, state TEXT NOT NULL, opened DOUBLE PRECISION NOT NULL, closed DOUBLE PRECISION,
        text TEXT NOT NULL, hint TEXT NOT NULL, stored DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX alerts_state ON alerts (state, opened);
    CREATE TABLE zones (
        name TEXT NOT NULL, starts BIGINT NOT NULL, ends BIGINT NOT NULL, offset_s INTEGER NOT NULL,
        PRIMARY KEY (name, starts)
    );
    CREATE TABLE refused (
        site TEXT NOT NULL, reason TEXT NOT NULL, number BIGINT NOT NULL, first DOUBLE PRECISION NOT NULL,
        last DOUBLE PRECISION NOT NULL, topic TEXT NOT NULL, bytes BIGINT NOT NULL, excerpt TEXT NOT NULL,
        PRIMARY KEY (site, reason)
    );
    CREATE TABLE hubs (
        name TEXT NOT NULL PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL,
        started DOUBLE PRECISION NOT NULL, seen DOUBLE PRECISION NOT NULL, stored BIGINT NOT NULL,
        refused BIGINT NOT NULL, waits BIGINT NOT NULL, p50_ms DOUBLE PRECISION, p99_ms DOUBLE PRECISION
    );
    """,
    # Views that find a few days in a year of counts: nothing but they is new.
    "",
)
VERSION = len(STEPS)
#: Any number that other programs are unlikely to lock.
_LOCK = 0x73756E6D69697063
_TABLE = "hub_schema"


def version(connection: Connection) -> int:
    """Which version the database is of; 0 for an empty one."""
    if not inspect(connection).has_table(_TABLE):
        return 0
    return int(connection.execute(text(f"SELECT max(version) FROM {_TABLE}")).scalar() or 0)  # noqa: S608 - a constant


def migrate(connection: Connection) -> int:
    """Bring the database up to :data:`VERSION`, within the caller's transaction; several hubs may come at once.

    Returns: The version that it had.

    Raises:
        ConfigError: It is of a newer version than this program knows.

    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = version(connection)
    if found > VERSION:
        raise ConfigError(
            "the hub's database is of version {version}; this program knows up to {known}",
            hint="Update sunmi-ipc.",
            version=found,
            known=VERSION,
        )
    if found == VERSION:
        return found
    if not found:
        connection.execute(
            text(
                f"CREATE TABLE {_TABLE} (version INTEGER NOT NULL PRIMARY KEY, time DOUBLE PRECISION NOT NULL)"
            )
        )
    for name in reversed(views.names()):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    for number in range(found + 1, VERSION + 1):
        for statement in STEPS[number - 1].split(";"):
            if statement.strip():
                connection.execute(text(statement))
        connection.execute(
            text(f"INSERT INTO {_TABLE} (version, time) VALUES (:version, :time)"),  # noqa: S608 - a constant
            {"version": number, "time": time.time()},
        )
    for statement in views.statements(connection.dialect.name):
        connection.execute(text(statement))
    return found
