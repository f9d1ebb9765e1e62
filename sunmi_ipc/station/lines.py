"""Who is to blame when cameras fall silent: one of them, their switch, or this computer's own network.

Cameras hang on lines: those that the station file names (``behind``), else the network that their addresses are
in. When everything on a line is silent, the line is told of, once, and its cameras are unknown, not bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network

from ..camera import split_address
from ..discovery.interfaces import source_address
from .file import WatchTable
from .judge import Judge
from .look import Look
from .roster import Member, Roster
from .verdict import Transition

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

    def explain(self, member: Member, made: Look) -> dict[str, float]:
        """Say in a silent camera's look what is to blame.

        Returns: seconds by code, before which nothing is told: all others must have had their turn first.
        """
        interval, line = self._settings.interval, self.of(member)
        who, details = member.sn or member.key, {**made.found["unreachable"], "group": line}
        count, first = self._judge.strikes(who, "unreachable")
        first = first or made.at
        early = count + 1 < self._settings.misses or made.at - first < interval
        open_codes = {reason.code for reason in self._judge.reasons(who)}
        if member.address and source_address(split_address(member.address)[0]) is None:
            made.found["no-network"] = details
            if not early:
                del made.found["unreachable"]
                self._told(line, "network", {"group": line})
            return dict.fromkeys(("unreachable", "no-network"), interval)
        peers = [m for m in self._roster.members() if self.of(m) == line] if line else []
        wait = interval
        if len(peers) >= (2 if line in self._settings.behind else _FEW):
            looks = {m.key: self._looks.get(m.key) for m in peers if m is not member}
            if any(look is None or look.at < first for look in looks.values()):
                wait = 2 * interval  # somebody was not looked at since
            elif all(look is not None and look.silent for look in looks.values()):
                made.found["behind"] = details
                if not early:
                    del made.found["unreachable"]
                    self._told(line, "uplink", {"group": line, "count": len(peers)})
                return dict.fromkeys(("unreachable", "behind"), interval)
        if early:  # the line is well again, but it is too soon to blame the camera
            for code in open_codes & {"behind", "no-network"}:
                made.found[code] = details
        return {"unreachable": wait}

    def _told(self, line: str, code: str, details: Mapping[str, object]) -> None:
        self._tell(self._judge.update(LINE + line, {code: details}, {"network", "uplink"}))

    def back(self, member: Member) -> list[Transition]:
        """A camera answers: its line is well, and the others there get their full time again."""
        line = self.of(member)
        told = self._judge.update(LINE + line, {}, {"network", "uplink"})
        if told:
            for other in self._roster.members():
                if other is not member and self.of(other) == line:
                    self._judge.pardon(other.sn or other.key, "unreachable")
        return told
