"""Who is here: codes that let somebody in once, and the sessions that come of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ForbiddenError
from ..i18n import Language
from .roles import Role

#: Letters and digits that are not taken for one another; eight of them are 40 bits.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_S = 600.0
IDLE_S = 12 * 3600.0
AGE_S = 7 * 86_400.0
#: Wrong codes within a minute, from one address and from all, before nothing is looked at any more.
TRIES, TRIES_OF_ALL, WINDOW_S = 10, 60, 60.0
MAX_SESSIONS, MAX_CODES = 200, 20


def counted() -> float:
    """Seconds that went by, also while the computer slept: a clock that is set ends no session and keeps no code."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class CodeError(ForbiddenError):
    """The code lets nobody in, or there were too many tries."""


@dataclass
class Session:
    """Somebody who was let in.

    Attributes:
        id: What the audit calls it; no secret.
        role: What it may do.
        lang: The language that was chosen; None: the browser's.
        dark: Dark or light; None: as the device is.
        began, seen: By the clock of :class:`Sessions`, which no hand sets.
        since: When it began, Unix seconds: for people.
        origin: The address that it came from.
        agent: What the browser says it is.

    """

    id: str
    role: Role
    origin: str
    agent: str = ""
    began: float = 0.0
    seen: float = 0.0
    since: float = field(default_factory=time.time)
    lang: Language | None = None
    dark: bool | None = None
    ended: bool = False

    @property
    def name(self) -> str:
        """Who did it, as the audit writes it."""
        return f"console:{self.id}:{self.role.name.lower()}"


@dataclass
class _Code:
    role: Role
    until: float


@dataclass
class Sessions:
    """The codes and sessions of one console; in memory, so that they end with it.

    Args:
        clock: Seconds; for tests.

    """

    clock: Callable[[], float] = counted
    #: The role of a secret that is known from elsewhere, as a station's tokens are; None for no such.
    known: Callable[[str], Role | None] = lambda secret: None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _wrong: deque[tuple[float, str]] = field(default_factory=deque)

    def code(self, role: Role, *, seconds: float = CODE_S) -> str:
        """A new code for one *role*; it lets one in, within *seconds*."""
        made = "".join(secrets.choice(ALPHABET) for _ in range(8))
        with self._lock:
            self._forget()
            while len(self._codes) >= MAX_CODES:
                self._codes.pop(next(iter(self._codes)))
            self._codes[_digest(made)] = _Code(role, self.clock() + seconds)
        return made

    def enter(self, code: str, *, origin: str, agent: str = "") -> tuple[str, Session]:
        """Let somebody in: the session's secret, for a cookie, and the session.

        Raises:
            CodeError: Not a code, used already, too old, or too many wrong ones were tried.

        """
        now = self.clock()
        with self._lock:
            self._forget()
            tries = sum(who == origin for _, who in self._wrong)
            if tries >= TRIES or len(self._wrong) >= TRIES_OF_ALL:
                raise CodeError("too many wrong codes", hint="Wait a minute.")
            wanted = _digest(_plain(code))
            # Every code is compared, so that the time tells nothing.
            found = [key for key in self._codes if hmac.compare_digest(key, wanted)]
            role = self.known(code.strip())
            if not found and role is None:
                self._wrong.append((now, origin))
                raise CodeError(
                    "this code lets nobody in",
                    hint="A code works once and for ten minutes. Ask for a new one.",
                )
            if found:
                role = self._codes.pop(found[0]).role
            assert role is not None
            secret = secrets.token_urlsafe(32)
            session = Session(secrets.token_hex(4), role, origin, agent[:200], now, now)
            while len(self._sessions) >= MAX_SESSIONS:
                oldest = min(self._sessions, key=lambda key: self._sessions[key].seen)
                self._sessions.pop(oldest).ended = True
            self._sessions[_digest(secret)] = session
        return secret, session

    def get(self, secret: str) -> Session | None:
        """The session of a cookie, where it still lives."""
        if not secret:
            return None
        with self._lock:
            self._forget()
            session = self._sessions.get(_digest(secret))
            if session is not None:
                session.seen = self.clock()
            return session

    def alive(self, session: Session) -> bool:
        """Whether *session* has not ended; its pages may still stand open."""
        with self._lock:
            self._forget()
            return not session.ended

    def list(self) -> list[Session]:
        """Who is here, the newest first."""
        with self._lock:
            self._forget()
            return sorted(self._sessions.values(), key=lambda s: -s.began)

    def end(self, id: str) -> bool:
        """End the session called *id*; whether there was one."""
        with self._lock:
            for key, session in list(self._sessions.items()):
                if session.id == id:
                    self._sessions.pop(key).ended = True
                    return True
        return False

    def _forget(self) -> None:
        now = self.clock()
        self._codes = {k: c for k, c in self._codes.items() if c.until > now}
        for key, session in list(self._sessions.items()):
            if now - session.seen > IDLE_S or now - session.began > AGE_S:
                self._sessions.pop(key).ended = True
        while self._wrong and now - self._wrong[0][0] > WINDOW_S:
            self._wrong.popleft()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _plain(code: str) -> str:
    """A code as somebody types it from a screen."""
    return "".join(c for c in code.upper() if c in ALPHABET)[:64]


def spoken(code: str) -> str:
    """A code in two groups of four, to be read out."""
    return f"{code[:4]}-{code[4:]}"
