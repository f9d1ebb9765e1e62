"""What cameras push: received, kept, subscribed to at every camera that is there or comes later."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import (
    ConnectionFailed,
    DeviceError,
    NotSupportedError,
    ReplyError,
    SunmiIpcError,
    UnsupportedError,
)
from ..events.receiver import Receiver
from ..events.salvage import open_or_salvage
from ..events.spool import Retention, Spool
from ..events.subscription import PATH, callback_for
from ..protocol.values import EventType
from .delivering import deliver, fetch_pictures
from .look import problem_of
from .verdict import Transition

if TYPE_CHECKING:
    from ..camera import Camera
    from ..events.delivery import Delivery
    from ..settings import Settings
    from .loading import Loaded
    from .roster import Member, Roster
    from .scheduler import Scheduler
    from .watch import Watch

_log = logging.getLogger("sunmi_ipc")
#: A camera is asked whether it still has our subscription at every so many looks.
_EVERY = 5
_GONE = 310  # no such subscription


class Intake:
    """Receives and keeps events from its making until :meth:`close`, and keeps cameras subscribed.

    Subscriptions stay at the end: a station that is restarted misses nothing that a camera tries again.

    Args:
        loaded: The station file.
        settings: Whose secrets verify events.
        roster, watch, scheduler: Of the station.

    Attributes:
        spool: The events, see :class:`sunmi_ipc.events.Spool`.
        receiver: What cameras post to.
        deliveries: To where events go on.

    """

    deliveries: list[Delivery]

    def __init__(
        self, loaded: Loaded, settings: Settings, roster: Roster, watch: Watch, scheduler: Scheduler
    ) -> None:
        self._file, self._roster, self._watch, self._scheduler = loaded.file.events, roster, watch, scheduler
        keep = loaded.file.keep
        size = keep.megabytes << 20
        self.spool: Spool = open_or_salvage(
            loaded.data / "events",
            retention=Retention(
                max_age_s=keep.events,
                faces_age_s=min(keep.faces, keep.events),
                max_bytes=size,
                hard_bytes=max(8 << 30, 2 * size),
            ),
        )
        self._stack = contextlib.ExitStack()
        self._stack.callback(self.spool.close)
        host, _, port = self._file.listen.rpartition(":")
        try:
            self.receiver: Receiver = Receiver(
                self.spool,
                host=host.removeprefix("[").removesuffix("]"),
                port=int(port),
                secrets={settings.app_id: settings.secret_key}
                if settings.app_id and settings.secret_key
                else None,
                path="",  # whatever path a camera was once subscribed with
            )
            self._deliver(loaded, settings)
        except BaseException:
            self.close()
            raise
        self._callbacks: dict[str, str] = {}
        watch.subscribe(self._changed)

    def _deliver(self, loaded: Loaded, settings: Settings) -> None:
        """Hand events on, and fetch what belongs to them."""
        self._stack.callback(self.receiver.close)
        urls = [loaded.secret(url) for url in self._file.sinks]
        secret = loaded.secret(self._file.webhook_secret) if self._file.webhook_secret else ""
        self.deliveries = deliver(self.spool, urls, secret=secret, site=loaded.file.station.site)
        for delivery in self.deliveries:
            self._stack.callback(delivery.close)
        if self._file.pictures:
            pictures = fetch_pictures(
                self.spool, loaded.data / "pictures", self._roster, settings.connect, loaded.file.keep
            )
            self._stack.callback(pictures.close)

    def close(self) -> None:
        """Receive no more; what has come is kept."""
        self._stack.close()

    def add(self, member: Member) -> None:
        """Subscribe at a member, and keep it so."""
        delay = 0.5 + len(self._callbacks) % 50 * 0.05
        self._scheduler.add(
            f"subscribe {member.key}", lambda: self._keep(member), owner=member.owner, delay=delay
        )

    def last_of(self, sn: str) -> float:
        """When a camera's newest event came, Unix seconds; 0: none is kept."""
        return self.newest().get(sn, 0.0)

    def newest(self) -> dict[str, float]:
        """When each camera's newest event came, Unix seconds."""
        return self.spool.newest()

    def figures(self) -> dict[str, Any]:
        """What was received and kept, and what waits for each sink."""
        return {"received": dict(self.receiver.counts), **self.spool.counts()}

    def _changed(self, told: Sequence[Transition]) -> None:
        """A camera that is back may have forgotten its subscription."""
        for transition in told:
            if transition.began or transition.reason.code not in (
                "unreachable",
                "behind",
                "no-network",
                "not-activated",
            ):
                continue
            for member in self._roster.members():
                if member.sn == transition.sn:
                    self.add(member)

    def _keep(self, member: Member) -> float | None:
        if member not in self._roster.members():
            return None
        interval = self._watch.settings.interval
        if not member.sn or member.verified != member.address or not member.address:
            return interval  # the look will find it first
        found: dict[str, dict[str, Any]] = {}
        try:
            self._subscribe(member, self._roster.camera(member.sn))
        except ConnectionFailed:
            return interval  # the look tells of it
        except SunmiIpcError as error:
            found["subscription"] = problem_of(error)
        self._watch.tell(self._watch.judge.update(member.sn, found, ["subscription"]))
        return interval if found else interval * _EVERY

    def _subscribe(self, member: Member, camera: Camera) -> None:
        wanted = self._file.callback or callback_for(camera.host, self.receiver.port, PATH)
        types = [
            kind
            for kind in self._file.types
            if member.counts_people or kind is not EventType.FACE_RECOGNITION
        ]
        if not types:
            return
        before = self._callbacks.get(member.key, "")
        if missing := self._missing(camera, types, wanted):
            camera.events.subscribe(*missing, callback=wanted)
        self._callbacks[member.key] = wanted
        if before and before != wanted:
            for kind in types:
                with contextlib.suppress(DeviceError):
                    camera.events.unsubscribe([kind], before)

    def _missing(self, camera: Camera, types: Sequence[EventType], wanted: str) -> list[EventType]:
        try:
            listed = camera.events.list()
        except (NotSupportedError, UnsupportedError, ReplyError):
            return list(types)  # the list's path is inferred; to subscribe again does no harm
        there = {entry.event for entry in listed.sub_event if wanted in entry.http_callback}
        return [kind for kind in types if str(kind) not in there]
