"""The tables of the station's database."""

from __future__ import annotations

from ..database import Schema

_CREATE = (
    """CREATE TABLE cameras (
             sn TEXT PRIMARY KEY,
             mac TEXT NOT NULL,
             model TEXT NOT NULL,
             name TEXT NOT NULL,
             firmware TEXT NOT NULL,
             address TEXT NOT NULL,                -- where it was last
             added INTEGER NOT NULL,               -- Unix seconds
             seen INTEGER NOT NULL                 -- Unix seconds of its last answer
           )""",
    """CREATE TABLE reasons (
             id INTEGER PRIMARY KEY,
             sn TEXT NOT NULL,                     -- '' for the station itself
             code TEXT NOT NULL,
             level TEXT NOT NULL,                  -- warning, bad, unknown
             since REAL NOT NULL,                  -- Unix seconds
             until REAL,                           -- NULL while it lasts
             details TEXT NOT NULL                 -- JSON, what fills the texts
           )""",
    "CREATE INDEX reasons_open ON reasons (sn) WHERE until IS NULL",
    "CREATE INDEX reasons_since ON reasons (since)",
    """CREATE TABLE spans (
             sn TEXT NOT NULL,
             state TEXT NOT NULL,                  -- able (answers, card normal), card (no usable card), away
             start REAL NOT NULL,                  -- Unix seconds
             end REAL NOT NULL,
             PRIMARY KEY (sn, state, start)
           ) WITHOUT ROWID""",
    """CREATE TABLE counts (
             sn TEXT NOT NULL,
             start INTEGER NOT NULL,               -- Unix seconds
             seconds INTEGER NOT NULL,
             arrivals INTEGER NOT NULL,
             leaving INTEGER NOT NULL,
             passing INTEGER NOT NULL,
             covered INTEGER NOT NULL,             -- seconds in which the camera surely counted
             state TEXT NOT NULL,                  -- counted, partial, gap
             asked INTEGER NOT NULL,               -- Unix seconds
             people TEXT NOT NULL,                 -- JSON: arrivals by gender and age range
             PRIMARY KEY (sn, start)
           ) WITHOUT ROWID""",
    "CREATE INDEX counts_start ON counts (start)",
    """CREATE TABLE mutes (
             sn TEXT PRIMARY KEY,
             until REAL NOT NULL,
             reason TEXT NOT NULL,
             who TEXT NOT NULL
           )""",
    """CREATE TABLE audit (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             at REAL NOT NULL,                     -- Unix seconds
             who TEXT NOT NULL,
             origin TEXT NOT NULL,                 -- cli, an address, the broker
             sn TEXT NOT NULL,
             action TEXT NOT NULL,                 -- an endpoint's key, or a word of ours
             details TEXT NOT NULL,                -- JSON; secrets masked
             result TEXT NOT NULL                  -- ok, or the error's type
           )""",
    "CREATE INDEX audit_at ON audit (at)",
    "CREATE TABLE notices (key TEXT PRIMARY KEY, body TEXT NOT NULL)",
)
#: A later version adds its steps under ``migrations``, by the version that they begin with.
SCHEMA = Schema(
    version=1,
    create=";\n".join(_CREATE),
    tables=("reasons", "cameras", "counts", "spans", "audit"),
    durable=False,  # a killed process loses no commit; a dead battery may lose the last one
    cache_kib=1024,
)
