"""Who is here: codes that let somebody in once, and the sessions that come of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import Counter, deque
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
#: Wrong codes within a minute from one address before nothing that is typed there is looked at; and from all before
#: an address is left only so few. Nobody who guesses locks out who has a code: an address that has not guessed is
#: looked at always, and what stands in a link (130 bits) even where others guess from the same address. What that
#: costs: whoever has all of a /16 (65,534 addresses) makes 200,000 guesses a minute, 2 million while a code lives; with
#: all twenty codes alive, 20 of 2^40 are right: 4 in 100,000. From the 254 of a shop's network it is 1 in 7 million.
TRIES, TRIES_OF_ALL, FEW, WINDOW_S = 10, 60, 3, 60.0
MAX_SESSIONS, MAX_CODES = 200, 20
#: Letters of a code in a link.
LINK = 26


def counted() -> float:
    """Seconds that went by, also while the computer slept: a clock that is set ends no session and keeps no code."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class CodeError(ForbiddenError):
    """The code lets nobody in, or too many were tried from this address."""


class TooManyError(CodeError):
    """Whether the code is right was not looked at."""


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
        sockets: How many WebSockets it has open.

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
    sockets: int = 0

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
    _by_origin: Counter[str] = field(default_factory=Counter)

    def code(self, role: Role, *, seconds: float = CODE_S) -> str:
        """A new code for one *role*, to be typed; it lets one in, within *seconds*."""
        return self.codes(role, seconds=seconds)[0]

    def codes(self, role: Role, *, seconds: float = CODE_S) -> tuple[str, str]:
        """The same as a code to be typed and as one for a link: whichever comes first lets one in."""
        made, link = ("".join(secrets.choice(ALPHABET) for _ in range(n)) for n in (8, LINK))
        with self._lock:
            self._forget()
            while len(self._codes) >= 2 * MAX_CODES:
                self._use(next(iter(self._codes.values())))
            self._codes[_digest(made)] = self._codes[_digest(link)] = _Code(role, self.clock() + seconds)
        return made, link

    def _use(self, code: _Code) -> Role:
        self._codes = {key: one for key, one in self._codes.items() if one is not code}
        return code.role

    def enter(self, code: str, *, origin: str, agent: str = "") -> tuple[str, Session]:
        """Let somebody in: the session's secret, for a cookie, and the session.

        Raises:
            CodeError: Not a code, used already, or too old.
            TooManyError: Too many wrong ones were tried from this address.

        """
        now = self.clock()
        with self._lock:
            self._forget()
            plain = _plain(code)
            few = self._by_origin[origin] >= (TRIES if len(self._wrong) < TRIES_OF_ALL else FEW)
            if few and len(plain) != LINK:
                raise TooManyError("too many wrong codes", hint="Wait a minute.")
            wanted = _digest(plain)
            # Every code is compared, so that the time tells nothing.
            found = [key for key in self._codes if hmac.compare_digest(key, wanted)]
            role = self.known(code.strip()) if not few else None
            if not found and role is None:
                if few:
                    raise TooManyError("too many wrong codes", hint="Wait a minute.")
                self._wrong.append((now, origin))
                self._by_origin[origin] += 1
                raise CodeError(
                    "this code lets nobody in",
                    hint="A code works once and for ten minutes. Ask for a new one.",
                )
            if found:
                role = self._use(self._codes[found[0]])
            assert role is not None
            secret = secrets.token_urlsafe(32)
            session = Session(secrets.token_hex(4), role, origin, agent[:200], now, now)
            while len(self._sessions) >= MAX_SESSIONS:
                oldest = min(self._sessions, key=lambda key: self._sessions[key].seen)
                self._sessions.pop(oldest).ended = True
            self._sessions[_digest(secret)] = session
        return secret, session

    @property
    def under_fire(self) -> bool:
        """Whether so many wrong codes come that not each is worth an entry of the audit."""
        with self._lock:
            self._forget()
            return len(self._wrong) > TRIES_OF_ALL

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
            _, origin = self._wrong.popleft()
            self._by_origin[origin] -= 1
            if not self._by_origin[origin]:
                del self._by_origin[origin]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _plain(code: str) -> str:
    """A code as somebody types it from a screen."""
    return "".join(c for c in code.upper() if c in ALPHABET)[:64]


def spoken(code: str) -> str:
    """A code in two groups of four, to be read out."""
    return f"{code[:4]}-{code[4:]}"
