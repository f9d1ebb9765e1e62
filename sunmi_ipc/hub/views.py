"""What people, dashboards and reports read, for both databases.

Days and hours are the shop's: by the time zone that its station says, without one UTC. A gap is no zero: sums leave gaps out, and ``completeness`` is the share of the time that was surely counted.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Name, and the query with blanks for what the databases say differently.
_VIEWS: Mapping[str, str] = {
    # One row a window, with the shop's own hour. 'starts_s' is what the index knows: a year is not read for a week.
    "people_by_window": """
        SELECT c.site, s.name AS shop, c.sn, {starts} AS starts, {local_hour} AS hour, {local_day} AS day,
               c.ends - c.starts AS seconds, c.arrivals, c.leaving, c.passing, c.completeness,
               c.starts AS starts_s
        FROM counts c LEFT JOIN sites s ON s.site = c.site
             LEFT JOIN zones z ON z.name = s.timezone AND z.starts <= c.starts AND z.ends > c.starts
    """,
    "people_per_hour": """
        SELECT site, max(shop) AS shop, hour, sum(arrivals) AS arrivals, sum(leaving) AS leaving,
               sum(passing) AS passing,
               sum(CASE WHEN arrivals IS NULL THEN 0 ELSE completeness * seconds END) / sum(seconds) AS completeness,
               sum(CASE WHEN arrivals IS NULL THEN 1 ELSE 0 END) AS gaps, count(DISTINCT sn) AS cameras
        FROM people_by_window GROUP BY site, hour
    """,
    "people_per_day": """
        SELECT site, max(shop) AS shop, day, sum(arrivals) AS arrivals, sum(leaving) AS leaving,
               sum(passing) AS passing,
               sum(CASE WHEN arrivals IS NULL THEN 0 ELSE completeness * seconds END) / sum(seconds) AS completeness,
               sum(CASE WHEN arrivals IS NULL THEN 1 ELSE 0 END) AS gaps, count(DISTINCT sn) AS cameras
        FROM people_by_window GROUP BY site, day
    """,
    # Today is the shop's; nowhere did it begin two days ago.
    "people_today": """
        SELECT w.site, max(w.shop) AS shop, w.day, sum(w.arrivals) AS arrivals, sum(w.leaving) AS leaving,
               sum(w.passing) AS passing,
               sum(CASE WHEN w.arrivals IS NULL THEN 0 ELSE w.completeness * w.seconds END) / sum(w.seconds)
                 AS completeness,
               sum(CASE WHEN w.arrivals IS NULL THEN 1 ELSE 0 END) AS gaps
        FROM people_by_window w JOIN sites s ON s.site = w.site
             LEFT JOIN zones z ON z.name = s.timezone AND z.starts <= {now} AND z.ends > {now}
        WHERE w.starts_s > {now} - 172800 AND w.day = {today}
        GROUP BY w.site, w.day
    """,
    # Per shop, over all that is kept.
    "people_per_shop": """
        SELECT site, max(shop) AS shop, sum(arrivals) AS arrivals, sum(leaving) AS leaving,
               sum(passing) AS passing,
               sum(CASE WHEN arrivals IS NULL THEN 0 ELSE completeness * seconds END) / sum(seconds) AS completeness,
               min(day) AS first_day, max(day) AS last_day, count(DISTINCT sn) AS cameras
        FROM people_by_window GROUP BY site
    """,
    "shops_now": """
        SELECT s.site, s.name AS shop, CASE WHEN s.offline = 1 THEN 'offline' ELSE 'online' END AS state,
               {since} AS since, s.version, s.timezone, s.cameras,
               (SELECT count(*) FROM cameras c WHERE c.site = s.site AND c.verdict = 'bad') AS bad,
               (SELECT count(*) FROM cameras c WHERE c.site = s.site AND c.verdict = 'warning') AS warning,
               (SELECT count(*) FROM alerts a WHERE a.site = s.site AND a.state = 'open') AS alerts
        FROM sites s
    """,
    # What a station that is away said last is not what is: the verdict is unknown then.
    "verdicts_now": """
        SELECT c.site, s.name AS shop, c.sn, c.name AS camera,
               CASE WHEN s.offline = 1 THEN 'unknown' ELSE c.verdict END AS verdict, c.verdict AS last_verdict,
               c.reasons, {time} AS time, c.model, c.firmware, c.card, c.clock_offset_s,
               CASE WHEN s.offline = 1 OR a.online = 0 THEN 'offline' WHEN a.online = 1 THEN 'online' ELSE 'unknown' END
                 AS availability
        FROM cameras c LEFT JOIN sites s ON s.site = c.site
             LEFT JOIN availability a ON a.site = c.site AND a.sn = c.sn
    """,
    "alerts_open": """
        SELECT a.site, s.name AS shop, a.sn, c.name AS camera, a.code, a.level, {opened} AS opened, a.text, a.hint
        FROM alerts a LEFT JOIN sites s ON s.site = a.site LEFT JOIN cameras c ON c.site = a.site AND c.sn = a.sn
        WHERE a.state = 'open'
    """,
    "cameras_by_firmware": """
        SELECT model, firmware, count(*) AS cameras, count(DISTINCT site) AS sites FROM cameras
        GROUP BY model, firmware
    """,
}
_DIALECTS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "now": "CAST(extract(epoch FROM now()) AS BIGINT)",
        "today": "(to_timestamp(extract(epoch FROM now()) + coalesce(z.offset_s, 0)) AT TIME ZONE 'UTC')::date",
        "starts": "to_timestamp(c.starts)",
        "since": "to_timestamp(s.since)",
        "time": "to_timestamp(c.time)",
        "opened": "to_timestamp(a.opened)",
        "local_hour": "date_trunc('hour', to_timestamp(c.starts + coalesce(z.offset_s, 0)) AT TIME ZONE 'UTC')",
        "local_day": "(to_timestamp(c.starts + coalesce(z.offset_s, 0)) AT TIME ZONE 'UTC')::date",
    },
    "sqlite": {
        "now": "CAST(strftime('%s', 'now') AS INTEGER)",
        "today": "strftime('%Y-%m-%d', CAST(strftime('%s', 'now') AS INTEGER) + coalesce(z.offset_s, 0), 'unixepoch')",
        "starts": "strftime('%Y-%m-%dT%H:%M:%SZ', c.starts, 'unixepoch')",
        "since": "strftime('%Y-%m-%dT%H:%M:%SZ', s.since, 'unixepoch')",
        "time": "strftime('%Y-%m-%dT%H:%M:%SZ', c.time, 'unixepoch')",
        "opened": "strftime('%Y-%m-%dT%H:%M:%SZ', a.opened, 'unixepoch')",
        "local_hour": "strftime('%Y-%m-%dT%H:00:00', c.starts + coalesce(z.offset_s, 0), 'unixepoch')",
        "local_day": "strftime('%Y-%m-%d', c.starts + coalesce(z.offset_s, 0), 'unixepoch')",
    },
}


def names() -> list[str]:
    """The views, in the order in which they are made."""
    return list(_VIEWS)


def statements(dialect: str) -> list[str]:
    """The statements that make the views in *dialect*, ``postgresql`` or ``sqlite``."""
    return [
        f"CREATE VIEW {name} AS {query.format_map(_DIALECTS[dialect]).strip()}"
        for name, query in _VIEWS.items()
    ]
