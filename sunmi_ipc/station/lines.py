"""Who is to blame when cameras fall silent: one of them, their switch, or this computer's own network.

Cameras hang on lines: those that the station file names (``behind``), else the network that their addresses are
in. When everything on a line is silent, the line is told of, once, and its cameras are unknown, not bad.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network

from ..camera import split_address
from ..discovery.interfaces import source_address
from .file import WatchTable
from .judge import Judge
from .look import Look
from .roster import Member, Roster
from .verdict import BLAMED, Transition

#: Begins the name under which a line's own trouble is kept.
LINE = "@"
#: So many cameras must be silent before a line that nobody named is suspected.
_FEW = 3


class Lines:
    """What cameras hang on.

    Args:
        roster: The cameras.
        judge: What is told.
        looks: The newest look at each, by the member's key.
        settings: Of the station file.
        tell: Given what began with a line.

    """

    def __init__(
        self,
        roster: Roster,
        judge: Judge,
        looks: Mapping[str, Look],
        *,
        settings: WatchTable,
        tell: Callable[[Sequence[Transition]], None],
    ) -> None:
        self._roster, self._judge, self._looks, self._settings, self._tell = (
            roster,
            judge,
            looks,
            settings,
            tell,
        )
        self._silent: dict[str, tuple[int, float]] = {}  # by the member's key: looks, and since when
        self._named = {sn: name for name, serials in settings.behind.items() for sn in serials}

    def of(self, member: Member) -> str:
        """The line that a camera hangs on; empty where nothing is known of it."""
        if named := self._named.get(member.sn) or self._named.get(member.key):
            return named
        if not member.address:
            return ""
        host = split_address(member.address)[0]
        try:
            address = ip_address(host)
        except ValueError:
            return host
        if address.is_loopback:
            return "loopback"
        return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))

    def explain(self, member: Member, made: Look) -> float:
        """Say in a silent camera's look what is to blame; nothing, as long as it is too soon to tell.

        It is soon until the camera was silent often enough, and all others on its line had their turn since: where
        all are silent, it is not this camera.

        Returns: since when it has been silent, Unix seconds.
        """
        interval, line = self._settings.interval, self.of(member)
        details = {**made.found.pop("unreachable"), "group": line}
        count, first = self._silent.get(member.key, (0, made.at))
        self._silent[member.key] = count + 1, first
        soon = count + 1 < self._settings.misses or made.at - first < interval
        if member.address and source_address(split_address(member.address)[0]) is None:
            code = "no-network"
        else:
            code, waits = self._blamed(member, line, first)
            soon = soon or (waits and made.at - first < 3 * interval)
        if soon:
            made.checked -= BLAMED  # what was told stays told
            return first
        made.found[code] = details
        if code == "no-network":
            self._told(line, "network", {"group": line})
        elif code == "behind":
            self._told(line, "uplink", {"group": line, "count": len(self._peers(line))})
        return first

    def _peers(self, line: str) -> list[Member]:
        return [m for m in self._roster.members() if self.of(m) == line] if line else []

    def _blamed(self, member: Member, line: str, first: float) -> tuple[str, bool]:
        """The camera or its line, and whether others there were not looked at since *first*."""
        peers = self._peers(line)
        if len(peers) < (2 if line in self._settings.behind else _FEW):
            return "unreachable", False
        looks = [self._looks.get(m.key) for m in peers if m is not member]
        if all(look is not None and look.silent for look in looks):
            return "behind", False
        return "unreachable", any(look is None or look.at < first for look in looks)

    def undecided(self, member: Member) -> bool:
        """Whether a camera is silent, and it is not told yet who is to blame."""
        told = {reason.code for reason in self._judge.reasons(member.sn or member.key)}
        return member.key in self._silent and not told & BLAMED

    def _told(self, line: str, code: str, details: Mapping[str, object]) -> None:
        self._tell(self._judge.update(LINE + line, {code: details}, {"network", "uplink"}))

    def back(self, member: Member) -> list[Transition]:
        """A camera answers: its line is well, and the others there get their full time again."""
        self._silent.pop(member.key, None)
        line = self.of(member)
        told = self._judge.update(LINE + line, {}, {"network", "uplink"})
        if told:
            now = time.time()
            for other in self._peers(line):
                if other.key in self._silent:
                    self._silent[other.key] = 0, now
        return told
