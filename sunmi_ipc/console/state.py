"""What all pages of a console share, and the audit of one that runs without a station."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..redact import redact
from ..station.live import LiveHub, Stills
from ..station.live.stills import decode
from .desk import Audit, Desk
from .footage import Footage
from .roles import Role
from .rollout import Rollout
from .sessions import Session, Sessions
from .setup import Setup
from .wall import Wall


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    action: str
    who: str
    origin: str
    sn: str
    details: Mapping[str, Any]
    result: str
    at: float


class MemoryAudit:
    """The audit of a console without a station: kept while it runs, and in the log."""

    def __init__(self, size: int = 1000) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)

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
        """Write an entry; secrets are masked."""
        kept = {k: f"<{len(v)} bytes>" if isinstance(v, bytes) else v for k, v in (details or {}).items()}
        entry = Entry(action, who, origin, sn, redact(kept), result, time.time())
        self._entries.append(entry)
        logging.getLogger("sunmi_ipc.audit").info("%s %s %s %s: %s", who, origin, sn, action, result)

    def entries(self) -> list[Entry]:
        """The newest first."""
        return list(reversed(self._entries))


@dataclass
class Console:
    """Everything that a console's pages use.

    Args:
        desk: The cameras.
        audit: Where it is written who did what.

    """

    desk: Desk
    audit: Audit
    sessions: Sessions = field(default_factory=Sessions)
    hub: LiveHub = field(default_factory=LiveHub)
    stills: Stills = field(default_factory=Stills)
    base: str = ""
    setups: dict[tuple[str, str], Setup] = field(default_factory=dict)
    footage: Footage = field(default_factory=Footage)
    wall: Wall = field(default_factory=Wall)
    rollout: Rollout | None = None

    def setup(self, sn: str, session: Session) -> Setup:
        """The set-up of a camera by *session*: it can be left and come back to."""
        key = (session.id, sn)
        if key not in self.setups:
            self.setups[key] = Setup(self.desk, sn, session)
        return self.setups[key]

    def close(self) -> None:
        """End what runs."""
        if self.rollout is not None:
            self.rollout.close()
        self.wall.close()
        self.hub.close()
        self.footage.close()
        self.desk.close()

    def picture(self, sn: str, *, age: float, width: int) -> bytes | None:
        """A camera's picture of no more than *age* seconds ago as JPEG; out of the live stream where there is one."""
        camera = self.desk.link(sn)

        def take() -> bytes:
            latest = next(
                (self.hub.latest(f"{sn}/{q}") for q in ("fhd", "hd") if self.hub.latest(f"{sn}/{q}")), None
            )
            return decode(*latest) if latest is not None else camera.video.snapshot().data

        made = self.stills.get(sn, take, age=age, width=width)
        return made.data if made is not None else None

    def warm(self, sn: str, quality: str = "fhd") -> None:
        """Somebody is about to look: the camera's stream is opened while the page is on its way."""
        camera = self.desk.link(sn)
        self.hub.warm(f"{sn}/{quality}", lambda: camera.video.live().best(quality))

    def link(self, role: Role) -> str:
        """A link that lets one in, once."""
        return f"{self.base}/enter?code={self.sessions.code(role)}"


#: The console that the pages of this process belong to: NiceGUI has one set of pages a process.
_current: list[Console] = []


def current() -> Console:
    """The console of this process."""
    return _current[-1]


def serve(console: Console) -> None:
    """From now on the pages are those of *console*."""
    _current[:] = [console]
