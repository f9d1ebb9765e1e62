"""The tables of the station's database."""

from __future__ import annotations

from ..database import Schema

#: What goes out through the broker: each change of a count or a reason takes a place at the end. Its number is the
#: message's revision, so it begins at the clock: a database that was made anew goes on above the lost one.
_OUTBOX = (
    """CREATE TABLE outbox (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             kind TEXT NOT NULL,                   -- counts, alerts; events that nobody heard
             sn TEXT NOT NULL,
             ref INTEGER NOT NULL,                 -- counts: start; alerts: id of the reason; events: number in the spool
             tries INTEGER NOT NULL DEFAULT 0,
             due REAL NOT NULL DEFAULT 0,          -- Unix seconds; not tried again before
             UNIQUE (kind, sn, ref)
           )""",
    "CREATE INDEX outbox_due ON outbox (due, id)",
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', CAST(strftime('%s', 'now') AS INTEGER) * 1000)",
    # A line break after a semicolon would end the statement.
    "CREATE TRIGGER counts_out AFTER INSERT ON counts BEGIN"
    " DELETE FROM outbox WHERE kind = 'counts' AND sn = NEW.sn AND ref = NEW.start;"
    " INSERT INTO outbox (kind, sn, ref) VALUES ('counts', NEW.sn, NEW.start); END",
    "CREATE TRIGGER reasons_out AFTER INSERT ON reasons BEGIN"
    " INSERT INTO outbox (kind, sn, ref) VALUES ('alerts', NEW.sn, NEW.id); END",
    "CREATE TRIGGER reasons_over AFTER UPDATE OF until ON reasons BEGIN"
    " DELETE FROM outbox WHERE kind = 'alerts' AND sn = NEW.sn AND ref = NEW.id;"
    " INSERT INTO outbox (kind, sn, ref) VALUES ('alerts', NEW.sn, NEW.id); END",
    """CREATE TABLE requests (
             nonce TEXT PRIMARY KEY,
             who TEXT NOT NULL,                    -- the key that signed
             forget REAL NOT NULL,                 -- Unix seconds; nobody can send it any more then
             state TEXT NOT NULL,                  -- running, done, never
             answer TEXT NOT NULL                  -- of what changes something, kept for whoever lost it
           ) WITHOUT ROWID""",
    "CREATE INDEX requests_forget ON requests (forget)",
)
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
SCHEMA = Schema(
    version=2,
    create=";\n".join((*_CREATE, *_OUTBOX)),
    tables=("reasons", "cameras", "counts", "spans", "audit"),
    durable=False,  # a killed process loses no commit; a dead battery may lose the last one
    cache_kib=1024,
    migrations={1: ";\n".join(_OUTBOX)},
)
