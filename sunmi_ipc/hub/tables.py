"""What a hub keeps, as SQLAlchemy tables; :mod:`.migrations` makes them, and a test holds the two together.

Times are Unix seconds, revisions as the contract has them. ``stored`` is when the hub wrote a row. The views
(:mod:`.views`) are what people and dashboards should read.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, Table, Text

metadata = MetaData()

sites = Table(
    "sites",
    metadata,
    Column("site", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    # Of two equal revisions offline is the newer: it is the last will of that connection.
    Column("offline", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("hours", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("cameras", Integer, nullable=False),
    Column("stored", Double, nullable=False),
)

availability = Table(
    "availability",
    metadata,
    Column("site", Text, primary_key=True),
    Column("sn", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("online", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("stored", Double, nullable=False),
)

cameras = Table(
    "cameras",
    metadata,
    Column("site", Text, primary_key=True),
    Column("sn", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("seen", Double),
    Column("name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("firmware", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("clock_offset_s", Double),
    Column("stored", Double, nullable=False),
)

counts = Table(
    "counts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("sn", Text, nullable=False),
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    # NULL is a gap, which is no zero.
    Column("arrivals", BigInteger),
    Column("leaving", BigInteger),
    Column("passing", BigInteger),
    Column("completeness", Double, nullable=False),
    Column("people", Text, nullable=False),
    Column("stored", Double, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("key", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("sn", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("received", Double, nullable=False),
    Column("personal", Integer, nullable=False),
    Column("data", Text, nullable=False),
    Column("stored", Double, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("sn", Text),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened", Double, nullable=False),
    Column("closed", Double),
    Column("text", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("stored", Double, nullable=False),
)

#: Offsets from UTC of the zones that shops are in, so that both databases know the shop's days and hours.
zones = Table(
    "zones",
    metadata,
    Column("name", Text, primary_key=True),
    Column("starts", BigInteger, primary_key=True),
    Column("ends", BigInteger, nullable=False),
    Column("offset_s", Integer, nullable=False),
)

#: Messages that were not understood: the newest of each site and reason, and how many there were.
refused = Table(
    "refused",
    metadata,
    Column("site", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("first", Double, nullable=False),
    Column("last", Double, nullable=False),
    Column("topic", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("excerpt", Text, nullable=False),
)

#: Who writes here, with what it did since it was started.
hubs = Table(
    "hubs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("waits", BigInteger, nullable=False),
    Column("p50_ms", Double),
    Column("p99_ms", Double),
)
