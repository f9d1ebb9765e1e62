"""The hub's database: opened by URL, brought up to date, written to in batches.

SQLite or PostgreSQL, through SQLAlchemy Core. A batch is one transaction of upserts; for one key the highest
revision is kept, so that repeats, and several hubs at once, change nothing.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError, ExtraMissingError
from ..redact import Secret, printable

try:
    import sqlalchemy
    from sqlalchemy import Connection, Engine, Table, event, func, select
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, NoSuchModuleError, SQLAlchemyError
except ImportError:
    raise ExtraMissingError("the hub needs SQLAlchemy, which is not installed", extra="hub") from None

from .. import database
from . import migrations, tables, views
from .zones import offsets

#: Of a message's own making. What else a database says is its own trouble, and is waited for.
_ITS_OWN = (DataError, IntegrityError)
#: PostgreSQL's classes of the same: data, constraints, limits (a key that no index takes).
_ITS_OWN_STATES = ("22", "23", "54")
#: Kinds of refusal that are kept; others are counted together.
REFUSED_KINDS = 500
_TOO_FAR_MS = 86_400_000

_SQLITE = database.Schema(
    version=1,
    create="CREATE TABLE hub_file (made REAL NOT NULL)",
    tables=("hub_file",),
)


#: What PostgreSQL says of a table, or a schema, that is not there.
_NO_TABLE = ("42P01", "3F000")


class Unstorable(Exception):
    """A row that no database takes; the fault is the message's."""


class Away(Exception):
    """The database does not take anything now; its text says why, and is fit to show."""

    def __init__(self, reason: str, *, emptied: bool = False, hopeless: bool = False) -> None:
        super().__init__(reason)
        #: Whether waiting does not help: the file is damaged, or another program's.
        self.hopeless: bool = hopeless
        #: Whether a table is not there: somebody may have emptied the database.
        self.emptied: bool = emptied


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was not understood."""

    site: str
    reason: str
    topic: str
    size: int
    excerpt: str


@dataclass(slots=True)
class Batch:
    """What is written at once: rows by table, and refusals."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    #: What is no more: table, site and serial number (of a shop: empty).
    gone: set[tuple[str, str, str]] = field(default_factory=set)

    def lose(self, table: str, site: str, sn: str) -> None:
        """A shop or a camera is no more: what of it came before in this batch goes, too."""
        self.gone.add((table, site, sn))
        for name, rows in self.rows.items():
            if name == table or (table == "sites" and name in _OF_A_SHOP):
                rows[:] = [row for row in rows if not (row["site"] == site and sn in ("", row.get("sn", "")))]

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Take a row along."""
        self.rows.setdefault(table, []).append(row)


_NO_URL = "the database is no URL that the hub knows"
#: What stands in no host's name or address: brackets are left only where they do not pair.
_NO_HOST = re.compile(r"[\[\]\s\x00-\x1f\x7f]")
#: How libpq says that an option is none, or not so written: waiting would not help.
_NO_OPTION = re.compile(
    r"invalid (connection option|port number|integer value|\w+ value)\b|\b\w+ parameter must be an integer"
)


def open_url(text: str, *, password: str = "", folder: Path | None = None) -> URL:
    """Read where the database is.

    Args:
        text: ``postgresql://user@host/name``, ``sqlite:///file``, or a file's path.
        password: Where it should not stand in the URL.
        folder: What a relative path is relative to; default: the current folder.

    Raises:
        ConfigError: It is no such URL.

    """
    hint = "For example postgresql://localhost/sunmi, or hub.db for a file."
    if "://" not in text:
        if re.match("postgres(ql)?:", text):  # no file is called so, and a password may stand in it
            raise ConfigError(_NO_URL, hint=hint)
        path = (folder or Path()) / Path(text).expanduser()
        return URL.create("sqlite", database=str(path))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(_NO_URL, hint=hint) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("postgresql+psycopg", "sqlite"):
        raise ConfigError(_NO_URL, hint=hint)
    # A server that does not answer is waited for; one that cannot be is told at once.
    port = 1 if url.port is None else url.port
    if _NO_HOST.search(url.host or "") or not 0 < port < 65536:
        raise ConfigError(_NO_URL, hint=hint)
    if "password" in url.query:  # kept where it is never shown
        given = url.query["password"]
        url = url.difference_update_query(["password"]).set(
            password=given if isinstance(given, str) else given[-1]
        )
    if password:
        url = url.set(password=password)
    return url


def _engine(url: URL) -> Engine:
    if url.drivername != "sqlite":
        try:
            return sqlalchemy.create_engine(
                url,
                pool_size=2,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": 5,
                    "application_name": "sunmi-ipc hub",
                    # A server that is gone without a word is noticed; a lock is not waited for without end.
                    "options": "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s",
                    "keepalives_idle": 10,
                    "keepalives_interval": 5,
                    "keepalives_count": 3,
                    "tcp_user_timeout": 20_000,
                },
            )
        except (ImportError, NoSuchModuleError):
            raise ExtraMissingError("PostgreSQL needs psycopg, which is not installed", extra="hub") from None
    path = url.database or ":memory:"
    first = [True]  # the first connection looks through the file

    def connected() -> sqlite3.Connection:
        made = database.connect(path, _SQLITE, check=first[0])
        first[0] = False
        return made

    engine = sqlalchemy.create_engine(
        "sqlite://",
        creator=connected,
        poolclass=sqlalchemy.pool.QueuePool if path != ":memory:" else sqlalchemy.pool.StaticPool,
        **({"pool_size": 2, "max_overflow": 0} if path != ":memory:" else {}),
    )

    # The connection is in autocommit; a transaction takes the write lock at its beginning, or two that began
    # with reading would fail each other.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class Store:
    """The hub's database.

    Args:
        url: See :func:`open_url`.

    Raises:
        ConfigError: SQLAlchemy or the driver is not installed, or the database is another program's or newer.
        Away: It cannot be reached now.

    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = _engine(url)
        self._insert = postgresql.insert if self.is_postgresql else sqlite.insert
        self._statements: dict[str, Any] = {}
        self._zones: set[str] = set()

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL, and not SQLite."""
        return self._url.drivername != "sqlite"

    @property
    def place(self) -> str:
        """Where it is, without password; of SQLite its file."""
        if not self.is_postgresql:
            return self._url.database or ":memory:"
        return self._url.difference_update_query(["sslpassword"]).render_as_string(hide_password=True)

    def exists(self) -> bool:
        """Whether there is a file; of a server nobody knows before it is asked."""
        return (
            self.is_postgresql
            or self._url.database in (None, "", ":memory:")
            or os.path.exists(str(self._url.database))
        )

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def migrate(self) -> int:
        """Make the tables, or bring them up to date; returns the version that they had."""
        try:
            with self._engine.begin() as connection:
                return migrations.migrate(connection)
        except (SQLAlchemyError, database.Unusable, sqlite3.Error) as error:
            raise _away(error) from None

    def read(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a query."""
        try:
            with self._engine.connect() as connection:
                return [dict(row._mapping) for row in connection.execute(sqlalchemy.text(query), values)]
        except (SQLAlchemyError, database.Unusable, sqlite3.Error) as error:
            raise _away(error) from None

    def write(self, batch: Batch) -> None:
        """Write all of *batch*, or nothing of it.

        Raises:
            Unstorable: Something in it cannot be stored by any database.
            Away: The database does not take anything now.

        """
        try:
            with self._engine.begin() as connection:
                self._write(connection, batch)
        except _ITS_OWN as error:
            raise Unstorable(type(getattr(error, "orig", None) or error).__name__) from None
        except (SQLAlchemyError, database.Unusable, sqlite3.Error) as error:
            inner = getattr(error, "orig", None)
            before = isinstance(inner, ValueError | OverflowError | TypeError)  # it came to the database
            if before or str(getattr(inner, "sqlstate", None)).startswith(_ITS_OWN_STATES):
                raise Unstorable(type(inner).__name__) from None
            raise _away(error) from None
        except (ValueError, OverflowError, TypeError, RecursionError) as error:
            raise Unstorable(type(error).__name__) from None

    def _write(self, connection: Connection, batch: Batch) -> None:
        for name, site, sn in sorted(batch.gone):
            self._lose(connection, name, site, sn)
        # Tables and keys in one order everywhere: two hubs that hold the same keys do not lock each other out.
        for name in sorted(batch.rows):
            table = tables.metadata.tables[name]
            if rows := _newest(table, batch.rows[name]):
                connection.execute(self._upsert(table), rows)
        wanted = {str(row["timezone"]) for row in batch.rows.get("sites", ())} - self._zones
        for zone in sorted(wanted):
            self._add_zone(connection, zone)
        if batch.refused:
            self._refuse(connection, batch.refused)

    def _lose(self, connection: Connection, name: str, site: str, sn: str) -> None:
        """Forget how a shop or a camera is; what happened there stays, and an alert of a shop that is gone is closed."""
        for kind in (name, *_OF_A_SHOP) if name == "sites" else (name,):
            table = tables.metadata.tables[kind]
            of_it = table.c.site == site
            connection.execute(table.delete().where(of_it & (table.c.sn == sn) if sn else of_it))
        if name == "sites":
            alerts = tables.alerts
            connection.execute(
                alerts.update()
                .where((alerts.c.site == site) & (alerts.c.state == "open"))
                .values(state="closed", closed=time.time())
            )

    def _upsert(self, table: Table) -> Any:
        """Insert, or replace what is older. A revision far in the future (a clock that was wrong) gives way, too."""
        if table.name not in self._statements:
            made = self._insert(table)
            new, old = made.excluded, table.c
            newer = new.revision > old.revision
            if table.name == "sites":
                newer = newer | ((new.revision == old.revision) & (new.offline > old.offline))
            if table.name in _BY_CLOCK:
                ahead = sqlalchemy.cast(new.stored * 1000 + _TOO_FAR_MS, sqlalchemy.BigInteger)
                newer = newer | ((old.revision > ahead) & (new.revision <= ahead))
            key = [column.name for column in table.primary_key]
            self._statements[table.name] = made.on_conflict_do_update(
                index_elements=key,
                set_={c.name: new[c.name] for c in table.columns if c.name not in key},
                where=newer,
            )
        return self._statements[table.name]

    def _add_zone(self, connection: Connection, zone: str) -> None:
        rows = [{"name": zone, "starts": a, "ends": b, "offset_s": offset} for a, b, offset in offsets(zone)]
        if rows:
            made = self._insert(tables.zones)
            connection.execute(
                made.on_conflict_do_update(
                    index_elements=["name", "starts"],
                    set_={"ends": made.excluded.ends, "offset_s": made.excluded.offset_s},
                ),
                rows,
            )
        if len(self._zones) < 1000:
            self._zones.add(zone)

    def _refuse(self, connection: Connection, refused: Sequence[Refusal]) -> None:
        now = time.time()
        known = {
            tuple(row) for row in connection.execute(select(tables.refused.c.site, tables.refused.c.reason))
        }
        gathered: dict[tuple[str, str], dict[str, Any]] = {}
        for refusal in sorted(refused, key=lambda r: (r.site, r.reason)):
            kind = (refusal.site, refusal.reason)
            if kind not in known and len(known | set(gathered)) >= REFUSED_KINDS:
                kind = ("", "others")
            row = gathered.setdefault(kind, {"site": kind[0], "reason": kind[1], "number": 0, "first": now})
            row |= {
                "number": row["number"] + 1,
                "last": now,
                "topic": refusal.topic,
                "bytes": refusal.size,
                "excerpt": refusal.excerpt,
            }
        made = self._insert(tables.refused)
        new = made.excluded
        connection.execute(
            made.on_conflict_do_update(
                index_elements=["site", "reason"],
                set_={
                    "number": tables.refused.c.number + new.number,
                    **{name: new[name] for name in ("last", "topic", "bytes", "excerpt")},
                },
            ),
            [gathered[kind] for kind in sorted(gathered)],
        )

    def started(self, name: str) -> float:
        """When the hub that wrote last under a name was started, Unix seconds; 0 where none has."""
        found = self.read("SELECT started FROM hubs WHERE name = :name", name=name)
        return float(found[0]["started"]) if found else 0.0

    def beat(self, hub: Mapping[str, Any]) -> None:
        """Say that a hub is alive, and what it did."""
        made = self._insert(tables.hubs)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    made.on_conflict_do_update(
                        index_elements=["name"], set_={k: made.excluded[k] for k in hub if k != "name"}
                    ),
                    dict(hub),
                )
        except (SQLAlchemyError, database.Unusable, sqlite3.Error) as error:
            raise _away(error) from None

    def sizes(self) -> dict[str, int]:
        """How many rows each table has."""
        try:
            with self._engine.connect() as connection:
                return {
                    name: int(
                        connection.execute(
                            select(func.count()).select_from(tables.metadata.tables[name])
                        ).scalar()
                        or 0
                    )
                    for name in ("sites", "cameras", "counts", "events", "alerts")
                }
        except (SQLAlchemyError, database.Unusable, sqlite3.Error) as error:
            raise _away(error) from None


#: How a shop is: gone with it.
_OF_A_SHOP = ("availability", "cameras")
#: Whose revision is a clock's milliseconds.
_BY_CLOCK = frozenset({"sites", "availability", "cameras"})


def _newest(table: Table, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The highest revision for each key, sorted by key."""
    names = [column.name for column in table.primary_key]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        other = found.get(key)
        if other is None or (row["revision"], row.get("offline", 0)) > (
            other["revision"],
            other.get("offline", 0),
        ):
            found[key] = row
    return [found[key] for key in sorted(found)]


def _away(error: BaseException) -> Away | ConfigError:
    """What went wrong, in words; the statement and its values are left out."""
    inner = getattr(error, "orig", None) or error
    emptied = getattr(inner, "sqlstate", "") in _NO_TABLE or "no such table" in str(inner)
    if isinstance(inner, database.Unusable | sqlite3.Error):
        why = database.why(inner)
        return Away(str(why), emptied=emptied, hopeless=isinstance(why, database.Damaged | database.Foreign))
    lines = str(inner).strip().splitlines()
    # libpq names every address that it tried, a line each; no password is among them.
    if _NO_OPTION.search(lines[0] if lines else ""):
        return ConfigError(
            "the database's URL cannot be used: {reason}",
            hint="Look at what stands behind the question mark.",
            reason=printable(lines[0], 300),
        )
    return Away(printable(lines[0] if lines else type(inner).__name__, 300), emptied=emptied)


def password_of(environment: Mapping[str, str] = os.environ) -> Secret:
    """The database's password from the environment."""
    return Secret(environment.get("SUNMI_IPC_DATABASE_PASSWORD", ""))


__all__ = ["Away", "Batch", "Refusal", "Store", "Unstorable", "open_url", "password_of", "views"]
