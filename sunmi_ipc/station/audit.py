"""Who did what to which camera, when, from where, with what result. Secrets never get here."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..redact import Secret, redact, scrub
from .store import Store

_LONG = 500


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done.

    Attributes:
        id: Its number.
        at: When, Unix seconds.
        who: A token's name, a user, or ``station``.
        origin: Where it came from: an address, ``cli``, ``broker``, ``station``.
        sn: The camera's serial number; empty for the station itself.
        action: An endpoint's key such as ``image.set_ir``, or a word of ours such as ``mute``.
        details: The parameters, secrets masked, pictures left out.
        result: ``ok``, or the error's type and code.

    """

    id: int
    at: float
    who: str
    origin: str
    sn: str
    action: str
    details: Mapping[str, Any]
    result: str

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


class Audit:
    """The audit of a station; every entry is on the disk, or waits for it, when :meth:`record` returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(
        self,
        action: str,
        *,
        who: str,
        origin: str,
        sn: str = "",
        details: Mapping[str, Any] | None = None,
        result: str = "ok",
    ) -> None:
        """Write an entry; see :class:`AuditEntry`. Never raises: an audit that fails is in the log."""
        text = json.dumps(_plain(redact(dict(details or {}))), ensure_ascii=False, default=str)
        self._store.later(
            (
                "INSERT INTO audit (at, who, origin, sn, action, details, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (time.time(), who, origin, sn, action, scrub(text), scrub(result)),
            )
        )

    def entries(self, *, sn: str = "", limit: int = 200, before: int = 0) -> list[AuditEntry]:
        """The newest entries, newest first.

        Args:
            sn: Of this camera only.
            limit: At most so many.
            before: Older than the entry of this number, to page.

        """
        rows = self._store.read(
            "SELECT id, at, who, origin, sn, action, details, result FROM audit"
            " WHERE (? = '' OR sn = ?) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?",
            (sn, sn, before, before, limit),
        )
        return [
            AuditEntry(number, at, who, origin, camera, action, json.loads(details), result)
            for number, at, who, origin, camera, action, details, result in rows
        ]


def _plain(value: Any) -> Any:
    """*value* without what is too long to keep: pictures, and texts of a page."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value[:100]]
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, str) and len(value) > _LONG:
        return value[:_LONG] + "…"
    return value
