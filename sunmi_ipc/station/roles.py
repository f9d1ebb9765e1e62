"""Who may do what: *view* looks, *tune* sets pictures and people up, *admin* may destroy and disconnect."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..protocol.spec import Endpoint, Sign
from ..redact import Secret

if TYPE_CHECKING:
    from .file import Role
    from .loading import Loaded

ORDER: tuple[Role, ...] = ("view", "tune", "admin")
#: Groups of personal data: to read them needs *tune*, to change them *admin*.
PERSONAL = frozenset({"faces"})
PERSONAL_READS = frozenset({"people_flow.visitors_page", "people_flow.visits"})
#: What may cut a camera off, or send what it sees elsewhere.
_ADMIN = frozenset(
    {
        "wifi.set",
        "wifi.set_without_auth",
        "network.set",
        "events.add",
        "events.unsubscribe",
        "device.activate",
    }
)
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has shown a token."""

    name: str
    role: Role


def allows(role: Role, needed: Role) -> bool:
    """Whether *role* may do what needs *needed*."""
    return ORDER.index(role) >= ORDER.index(needed)


def needed(endpoint: Endpoint[..., Any]) -> Role:
    """The role that a declared endpoint needs."""
    if endpoint.destroys or endpoint.key in _ADMIN or endpoint.sign is Sign.NONE:
        return "admin"
    if endpoint.group in PERSONAL:
        return "tune" if endpoint.safe else "admin"
    if endpoint.safe and endpoint.key not in PERSONAL_READS:
        return "view"
    return "tune"


class Tokens:
    """The tokens of a station file, compared in constant time.

    Raises:
        ConfigError: One is too short to be kept secret.

    """

    def __init__(self, loaded: Loaded) -> None:
        self._known: list[tuple[bytes, Person]] = []
        for name, table in loaded.file.tokens.items():
            secret = loaded.secret(table.secret)
            if len(secret) < _SHORTEST:
                raise ConfigError(
                    "the token {name} is shorter than {count} characters",
                    hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
                    name=name,
                    count=_SHORTEST,
                )
            self._known.append((_digest(secret.reveal()), Person(name, table.role)))

    def whose(self, token: str) -> Person | None:
        """Who has this token; None where nobody has."""
        given, found = _digest(Secret(token, remember=False).reveal()), None
        for digest, person in self._known:
            if hmac.compare_digest(digest, given):
                found = person
        return found

    def __len__(self) -> int:
        return len(self._known)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def summary(endpoint: Endpoint[..., Any]) -> Mapping[str, Any]:
    """What people should know of an endpoint before they call it."""
    return {
        "key": endpoint.key,
        "path": endpoint.path,
        "summary": endpoint.summary,
        "evidence": str(endpoint.evidence),
        "parameters_evidence": str(endpoint.params_evidence),
        "models": sorted(str(model) for model in endpoint.models),
        "codes": sorted(int(code) for code in endpoint.codes),
        "destroys": endpoint.destroys,
        "role": needed(endpoint),
    }
