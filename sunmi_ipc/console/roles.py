"""Who may call what. A role follows from the endpoint's own declaration, so that no call is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from ..errors import ForbiddenError as ForbiddenError
from ..protocol.spec import Endpoint
from ..station.roles import PERSONAL, PERSONAL_READS


class Role(IntEnum):
    """What somebody may do; each may what the one before may.

    ``VIEW`` looks, ``TUNE`` sets what can be set back and sees faces, ``ADMIN`` also what destroys, takes a camera off its
    network or lets others in.
    """

    VIEW = 1
    TUNE = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> Role:
        """The role ``view``, ``tune`` or ``admin``; raises KeyError for another word."""
        return cls[name.upper()]


#: Beyond what destroys: what takes a camera off its network, tells others of it, or lets faces in and out.
_ADMIN = frozenset(
    {
        "config/setWifiConf",
        "config/setWifiConfWithoutAuth",
        "config/setIpConf",
        "device/activate",
        "face/deleteGroup",
        "hook/add",
        "hook/delete",
    }
)


#: What pages do beyond calls to one camera, and the role that each needs.
ACTIONS: Mapping[str, Role] = {
    "leave": Role.VIEW,
    "fleet.plan": Role.VIEW,
    "events.listen": Role.TUNE,
    "events.stop": Role.TUNE,
    "fleet.apply": Role.ADMIN,
    "fleet.file": Role.ADMIN,
    "fleet.stop": Role.ADMIN,
    "trust.accept": Role.ADMIN,
    "trust.forget": Role.ADMIN,
    "code": Role.ADMIN,
    "end": Role.ADMIN,
}


def needed(endpoint: Endpoint[..., Any] | str) -> Role:
    """The role that a call needs. A path that nobody has declared may do anything: ``ADMIN``."""
    if isinstance(endpoint, str):
        return Role.ADMIN
    if endpoint.destroys or endpoint.path in _ADMIN:
        return Role.ADMIN
    personal = endpoint.group in PERSONAL or endpoint.key in PERSONAL_READS
    return Role.VIEW if endpoint.safe and not personal else Role.TUNE


def require(role: Role, wanted: Role) -> None:
    """Raise unless *role* is at least *wanted*.

    Raises:
        ForbiddenError: It is less.

    """
    if role < wanted:
        raise ForbiddenError(
            "this needs the role '{role}'", hint="Ask who set this console up.", role=wanted.name.lower()
        )
