"""The console of a station: its cameras, its verdicts, its audit, its port; tokens let people in."""

from __future__ import annotations

import contextlib
import hmac
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..discovery import DiscoveredCamera
from ..errors import CameraNotFound, NotActivatedError, SpoolError, SunmiIpcError
from .certificate import names_in, own_names
from .desk import Card, Desk
from .gate import Gate
from .roles import Role
from .rollout import Rollout
from .server import build, prepare
from .siting import kept
from .state import Console
from .wall import KEPT, Item, Wall

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..camera import Camera
    from ..station.roster import Member
    from ..station.station import Station

#: So many events of before the console's start are shown, so many read at once, so many looked up for pictures.
_BEFORE, _PAGE, _PICTURED = 2000, 500, 60
#: What looks after itself: tokens in the API, and health, which tells nothing.
PASSED = ("/api/", "/metrics", "/healthz", "/readyz", "/openapi.json", "/docs")


class StationDesk(Desk):
    """The station's cameras as a console's: nothing is discovered or asked twice.

    Args:
        station: It.

    """

    def __init__(self, station: Station) -> None:
        super().__init__(station.settings, station.audit)
        self._station = station

    def __enter__(self) -> Self:
        return self

    def cameras(self) -> list[DiscoveredCamera]:
        """The station's members that have a serial number."""
        return [_found(member) for member in self._station.roster.members() if member.sn]

    def online(self, sn: str) -> bool:
        """Whether discovery hears it."""
        try:
            return bool(self._station.roster.member(sn).online)
        except CameraNotFound:
            return False

    def found(self, sn: str) -> DiscoveredCamera:
        """The member with this serial number; raises CameraNotFound."""
        return _found(self._station.roster.member(sn))

    def link(self, sn: str) -> Camera:
        """The member's client, once it has proved who it is; one that waits for set-up has proved it too."""
        roster = self._station.roster
        try:
            return roster.camera(sn)
        except NotActivatedError:
            return roster.client(roster.member(sn))

    def _read(self, sn: str) -> Card:
        card = super()._read(sn)
        status = self._station.camera_status(sn)
        reason = next(iter(status.reasons), None)
        if reason is None or card.state == "setup":
            return card
        made = replace(
            card,
            state=str(status.verdict),
            said=lambda lang: (reason.text(lang), reason.hint(lang)),
        )
        with self._lock:
            self._cards[sn] = made
        return made


class StationWall(Wall):
    """The events that the station receives anyway: no camera is told to post them twice.

    Args:
        station: One that takes events.

    """

    lasting = True

    def __init__(self, station: Station) -> None:
        super().__init__()
        assert station.intake is not None
        self._intake, self._folder_of_pictures = station.intake, station.loaded.data / "pictures"
        self._roster = station.roster
        self._came: dict[str, deque[Item]] = {}
        self._reading = threading.Lock()
        self._at = max(0, self._intake.spool.newest_seq() - _BEFORE)

    def listening(self, sn: str) -> bool:
        """It always is."""
        return True

    def listen(self, sn: str, camera: Camera, *, counts: bool) -> None:
        """The station does so."""

    def leave(self, sn: str) -> None:
        """The station goes on."""

    def items(self, sn: str, *, kind: str = "", after: int = 0) -> list[Item]:
        """What came, the newest first."""
        with self._reading:
            with contextlib.suppress(SpoolError):  # the station tells of it
                self._read()
            found = list(self._came.get(sn, ()))
        chosen = [i for i in reversed(found) if i.number > after and kind in ("", i.kind)]
        return [self._pictured(item) if place < _PICTURED else item for place, item in enumerate(chosen)]

    def _read(self) -> None:
        # Events may name cameras that nobody has: of those nothing is kept here.
        ours = {member.sn for member in self._roster.members()}
        while page := self._intake.spool.after(self._at, _PAGE):
            for stored in page:
                if stored.event.sn not in ours:
                    continue
                item = Item(stored.seq, stored.received.timestamp(), stored.event)
                self._came.setdefault(stored.event.sn, deque(maxlen=KEPT)).append(item)
            self._at = page[-1].seq
            if len(page) < _PAGE:
                return

    def _pictured(self, item: Item) -> Item:
        if item.picture is not None or not item.event.links:
            return item
        with contextlib.suppress(SpoolError):
            told = self._intake.spool.pictures(item.number).get("pic_url", {}).get("path")
            if told:
                path = Path(told)
                return replace(item, picture=path if path.is_absolute() else self._folder_of_pictures / path)
        return item


def _found(member: Member) -> DiscoveredCamera:
    host, _, port = member.address.partition(":")
    return DiscoveredCamera(
        sn=member.sn,
        ip=host,
        port=int(port or 443),
        mac=member.mac,
        model=member.model,
        name=member.name,
        firmware=member.firmware,
        network=member.network,
        flags=member.flags,
    )


def mount(app: FastAPI, station: Station) -> Gate:
    """Put the console into a station's application.

    Args:
        app: The station's.
        station: It.

    Returns: the application with the gate around it; closing it lets go of what the console holds.

    """
    http = station.file.http
    assert http is not None
    desk = StationDesk(station)
    console = Console(desk, station.audit)
    if station.intake is not None:
        console.wall.close()
        console.wall = StationWall(station)
    console.site_folder = station.loaded.data / "site"
    if station.loaded.site is not None:
        # The station's own folder is written to; that of its files may not be.
        console.rollout = Rollout(
            station.settings, station.loaded.site.path, kept=station.loaded.data / "site.journal"
        )
    elif (path := kept(console.site_folder)) is not None:
        console.rollout = Rollout(station.settings, path)
    console.sessions.known = lambda secret: _role_of(station, secret)
    host = http.listen.rpartition(":")[0]
    secure = bool(http.certificate)
    names = ["localhost", "127.0.0.1", host.strip("[]"), *http.hosts]
    if host.strip("[]") in ("0.0.0.0", "::"):  # noqa: S104 - the file says so
        names += own_names()
    if secure:
        names += names_in(station.loaded.path.parent / http.certificate)
    # Under any port: it may be a free one, and what a forged name can do is the name's matter.
    hosts = [f"{name}:*" for name in names]
    # The pages' own 404 builds a page, for whoever asks, as these paths need no session.
    app.add_api_route(
        "/api/{rest:path}",
        _nothing,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    prepare()
    return Gate(
        build(console, app), console.sessions, hosts, secure=secure, passed=PASSED, on_close=console.close
    )


def _nothing(rest: str) -> None:
    from starlette.exceptions import HTTPException

    raise HTTPException(404)


def _role_of(station: Station, secret: str) -> Role | None:
    """The role of a token of the station file; every token is compared, so that the time tells nothing."""
    found = None
    for table in station.file.tokens.values():
        try:
            kept = station.loaded.secret(table.secret).reveal()
        except SunmiIpcError:
            continue
        if hmac.compare_digest(kept.encode(), secret.encode()):
            found = Role.named(table.role)
    return found
