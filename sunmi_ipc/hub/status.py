"""How hubs and database are, in one document."""

from __future__ import annotations

import time
from typing import Any

from .store import Away, Store

#: A hub that was not seen for so long does not run.
ALIVE_S = 30.0


def status(store: Store) -> dict[str, Any]:
    """The hubs, how many rows there are, and what was not understood.

    Raises:
        Away: The database cannot be read, or no hub has ever written to it.

    """
    if not store.exists():
        raise Away("No such file or directory")
    now = time.time()
    (version,) = store.read("SELECT max(version) AS version FROM hub_schema")
    (online,) = store.read("SELECT count(*) AS n FROM sites WHERE offline = 0")
    (open_,) = store.read("SELECT count(*) AS n FROM alerts WHERE state = 'open'")
    hubs = store.read("SELECT * FROM hubs ORDER BY name")
    return {
        "database": store.place,
        "version": version["version"],
        "rows": store.sizes(),
        "sites_online": online["n"],
        "alerts_open": open_["n"],
        "hubs": [{**hub, "running": now - hub["seen"] < ALIVE_S} for hub in hubs],
        "refused": store.read("SELECT * FROM refused ORDER BY last DESC, site, reason LIMIT 100"),
    }
