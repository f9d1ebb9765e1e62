"""What all pages of a console share, and the audit of one that runs without a station."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError, SunmiIpcError
from ..redact import redact
from ..station.live import LiveHub, Stills
from ..station.live.stills import decode
from . import siting
from .desk import Audit, Desk
from .footage import Footage
from .roles import ACTIONS, ForbiddenError, Role, require
from .rollout import Rollout
from .sessions import Session, Sessions
from .setup import Setup
from .wall import Wall

T = TypeVar("T")
#: So long a picture waits for the first of a stream that is being opened.
FIRST_S = 3.0


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
    #: One photo at a time is unpacked: a small file may have fifty million pixels.
    unpacking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    #: Where a site file is kept that a page has made or taken; None: nowhere.
    site_folder: Path | None = None
    #: Threads for what pages ask of cameras, and others for their pictures: one silent camera holds up neither.
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32, "console"))
    _picture_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "pictures"))

    async def work(self, blocking: Callable[[], T], *, picture: bool = False) -> T:
        """Do what blocks in a thread, with the language and whatever else the caller's context has."""
        pool = self._picture_pool if picture else self._pool
        context = copy_context()
        try:
            work = asyncio.get_running_loop().run_in_executor(pool, lambda: context.run(blocking))
        except RuntimeError:  # closing: no page is looked at any more
            raise ForbiddenError("the session has ended", hint="Ask for a new code.") from None
        return await work

    def setup(self, sn: str, session: Session) -> Setup:
        """The set-up of a camera by *session*: it can be left and come back to."""
        self.setups = {key: one for key, one in self.setups.items() if not one.session.ended}
        key = (session.id, sn)
        if key not in self.setups:
            self.setups[key] = Setup(self.desk, sn, session)
        return self.setups[key]

    def act(
        self, session: Session, action: str, *, sn: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        """Before one of :data:`~sunmi_ipc.console.roles.ACTIONS`: may *session*? Either way it is written down.

        Raises:
            ForbiddenError: It has ended, or its role is less than the action's.

        """

        def write(result: str) -> None:
            self.audit.record(
                action, who=session.name, origin=session.origin, sn=sn, details=details, result=result
            )

        try:
            if not self.sessions.alive(session):
                raise ForbiddenError("the session has ended", hint="Ask for a new code.")
            require(session.role, ACTIONS[action])
        except ForbiddenError:
            write("ForbiddenError")
            raise
        write("ok")

    @property
    def own_site(self) -> bool:
        """Whether pages may put another site file in the place of the one there is: it came by a page itself."""
        if self.site_folder is None:
            return False
        return self.rollout is None or self.rollout.path.parent == self.site_folder

    def draw_up_site(self, session: Session) -> dict[str, SunmiIpcError]:
        """Write down how the cameras are now, as the site file; returns why a camera is not in it.

        Raises:
            ConfigError: No camera could be asked, the file cannot be written, or it is another's.

        """
        path, missing = siting.draw_up(self.desk, session, self._place_for_site())
        self._use_site(path)
        return missing

    def take_site(self, raw: bytes, name: str) -> None:
        """Use a site file that somebody has sent.

        Raises:
            SiteError: Something in it is wrong, with line and key.
            ConfigError: It is too large, cannot be written, or there is another's.

        """
        self._use_site(siting.take(raw, name, self._place_for_site()))

    def _place_for_site(self) -> Path:
        if not self.own_site or self.site_folder is None:
            raise ConfigError("the site file is not this console's own", hint="Change it where it is kept.")
        if self.rollout is not None and self.rollout.running:
            raise ConfigError("the site file is in use", hint="Wait until the run has ended, or stop it.")
        return self.site_folder

    def _use_site(self, path: Path) -> None:
        self.rollout = Rollout(self.desk.settings, path)

    def close(self) -> None:
        """End what runs."""
        if self.rollout is not None:
            self.rollout.close()
        self.wall.close()
        self.hub.close()
        self.footage.close()
        for pool in (self._pool, self._picture_pool):
            pool.shutdown(wait=False, cancel_futures=True)
        self.desk.close()

    def picture(self, sn: str, *, age: float, width: int) -> bytes | None:
        """A camera's picture of no more than *age* seconds ago as JPEG; out of the live stream where there is one."""
        camera = self.desk.link(sn)

        def take() -> bytes:
            for quality in ("fhd", "hd"):
                # A stream that is being opened has its picture sooner than a second session would.
                if (latest := self.hub.latest(f"{sn}/{quality}", timeout=FIRST_S)) is not None:
                    return decode(*latest)
            return camera.video.snapshot().data

        made = self.stills.get(sn, take, age=age, width=width)
        return made.data if made is not None else None

    def warm(self, sn: str, quality: str = "fhd") -> None:
        """Somebody is about to look: the camera's stream is opened while the page is on its way."""
        camera = self.desk.link(sn)
        self.hub.warm(f"{sn}/{quality}", lambda: camera.video.live().best(quality))

    def link(self, role: Role) -> str:
        """A link that lets one in, once."""
        return self.invitation(role)[1]

    def invitation(self, role: Role) -> tuple[str, str]:
        """A code to type, and the link that does the same: together they let one in, once."""
        code, link = self.sessions.codes(role)
        return code, f"{self.base}/enter?code={link}"


#: The console that the pages of this process belong to: NiceGUI has one set of pages a process.
_current: list[Console] = []


def current() -> Console:
    """The console of this process."""
    return _current[-1]


def serve(console: Console) -> None:
    """From now on the pages are those of *console*."""
    _current[:] = [console]
