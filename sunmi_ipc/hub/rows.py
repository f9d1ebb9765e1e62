"""A message of the contract as the row that a hub keeps."""

from __future__ import annotations

import json
from typing import Any

from .. import untrusted
from ..broker import contract


def row(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    """The table and the row of a message; texts are tidied, as they are a stranger's."""
    return _ROWS[incoming.message.name](incoming, now)


def gone(topic: str, prefix: str) -> tuple[str, str, str] | None:
    """The table, the site and the serial number of what an empty message takes back; None where it is nothing retained."""
    message, site, sn, _ = contract.parse_topic(topic, prefix)
    table = _TABLES.get(message.name)
    return (table, site, sn) if table and message.retained else None


#: Where that is kept which is retained.
_TABLES = {"station": "sites", "availability": "availability", "state": "cameras"}


def _text(value: str) -> str:
    return untrusted.clean(value, 500)


def _json(value: Any) -> str:
    return json.dumps(untrusted.tidy(value), ensure_ascii=False, separators=(",", ":"))


def _station(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.StationState = incoming.payload
    return "sites", {
        "site": incoming.site,
        "revision": said.revision,
        "offline": int(said.state == "offline"),
        "since": said.since,
        "name": _text(said.name),
        "timezone": _text(said.timezone),
        "hours": _text(said.hours),
        "version": _text(said.version),
        "cameras": len(said.cameras),
        "stored": now,
    }


def _availability(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.Availability = incoming.payload
    return "availability", {
        "site": incoming.site,
        "sn": incoming.sn,
        "revision": said.revision,
        "online": int(said.state == "online"),
        "time": said.time,
        "stored": now,
    }


def _state(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.CameraState = incoming.payload
    return "cameras", {
        "site": incoming.site,
        "sn": incoming.sn,
        "revision": said.revision,
        "verdict": said.verdict,
        "reasons": _json([reason.model_dump() for reason in said.reasons]),
        "time": said.time,
        "seen": said.seen,
        "name": _text(said.name),
        "model": _text(said.model),
        "firmware": _text(said.firmware),
        "card": _text(said.card),
        "clock_offset_s": said.clock_offset_s,
        "stored": now,
    }


def _counts(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.Counts = incoming.payload
    return "counts", {
        "key": said.key,
        "revision": said.revision,
        "site": incoming.site,
        "sn": said.sn,
        "starts": said.start,
        "ends": said.end,
        "arrivals": said.arrivals,
        "leaving": said.leaving,
        "passing": said.passing,
        "completeness": said.completeness,
        "people": _json(said.people) if said.people else "{}",
        "stored": now,
    }


def _events(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.Event = incoming.payload
    return "events", {
        "key": said.key,
        "revision": said.revision,
        "site": incoming.site,
        "sn": said.sn,
        "type": said.type,
        "time": said.time,
        "received": said.received,
        "personal": int(said.personal),
        "data": _json(said.data),
        "stored": now,
    }


def _alerts(incoming: contract.Incoming, now: float) -> tuple[str, dict[str, Any]]:
    said: contract.Alert = incoming.payload
    return "alerts", {
        "key": said.key,
        "revision": said.revision,
        "site": incoming.site,
        "sn": said.sn,
        "code": said.code,
        "level": said.level,
        "state": said.state,
        "opened": said.opened,
        "closed": said.closed,
        "text": _text(said.text),
        "hint": _text(said.hint),
        "stored": now,
    }


_ROWS = {
    "station": _station,
    "availability": _availability,
    "state": _state,
    "counts": _counts,
    "events": _events,
    "alerts": _alerts,
}
