"""A subscription that stays, whatever becomes of addresses, cables and the camera's memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

from ..errors import (
    ConnectionFailed,
    DeviceError,
    NotSupportedError,
    ReplyError,
    SunmiIpcError,
    TlsError,
)
from ..protocol.values import EventType

if TYPE_CHECKING:
    from ..link.caller import Link
    from ..models import IpcEventCollection

_log = logging.getLogger("sunmi_ipc")
#: Where ``ipc events listen`` listens, and what callbacks name, unless told otherwise.
PORT = 8480
PATH = "/events"
_LOOK_S = 2.0  # how often our own address is looked at: that costs no packet
_SOON_S, _LATE_S = 5.0, 60.0  # after a failure, after many
_FINDING = threading.Lock()  # when the power comes back, every camera is looked for: one after another


def own_address(camera: str) -> str:
    """Our address on the way to *camera*, by the system's routes; nothing is sent.

    Raises:
        ConnectionFailed: There is no route.

    """
    from ..discovery.interfaces import source_address

    found = source_address(camera)
    if found is None:
        raise ConnectionFailed(
            "there is no route to the camera, so the callback's address cannot be worked out",
            hint="Check the network, or name the callback.",
            camera=camera,
        )
    return found


def callback_for(camera: str, port: int = PORT, path: str = PATH) -> str:
    """The URL under which *camera* reaches this computer; raises as :func:`own_address`."""
    return f"http://{own_address(camera)}:{port}{path}"


_Events = list[EventType]


class Hooks(Protocol):
    """What a subscription needs of ``camera.events``."""

    @property
    def link(self) -> Link:
        """The way to the camera."""

    def subscribe(self, *events: EventType | str, callback: str = "") -> str:
        """Have events posted."""

    def list(self) -> IpcEventCollection:
        """What is subscribed."""

    def unsubscribe(self, events: _Events, callback: str) -> None:
        """End it."""


class HasHooks(Protocol):
    """A camera."""

    @property
    def events(self) -> Hooks:
        """Its ``events``."""


class Subscription:
    """Subscribes, and keeps it so until :meth:`close`, which unsubscribes; a context manager.

    It is renewed when this computer's address changes, and when the camera has forgotten it. A camera
    that has got another address is found by its serial number, and moved to (``camera.move``).

    Args:
        camera: The camera, or its ``events``; its calls may go on meanwhile.
        events: What to subscribe to.
        port: Where the receiver listens.
        path: The receiver's path.
        callback: The URL to subscribe with, where the camera does not reach this computer directly;
            default: worked out from the route to the camera, and again when that changes.
        every: Seconds between looks at whether the camera still has the subscription.
        interfaces: Where to look for a camera that has gone; default: on all.
        patient: Go on without a camera that cannot be reached yet, and subscribe when it can.

    Raises:
        ParameterError, UnsupportedError: As ``camera.events.subscribe``; nothing was sent.
        SunmiIpcError: The camera could not be subscribed to.

    """

    def __init__(
        self,
        camera: Hooks | HasHooks,
        events: Sequence[EventType | str],
        *,
        port: int = PORT,
        path: str = PATH,
        callback: str = "",
        every: float = 30.0,
        interfaces: Sequence[str] | None = None,
        patient: bool = False,
    ) -> None:
        self._hooks = camera.events if hasattr(camera, "events") else camera
        #: The way to the camera.
        self.camera: Link = self._hooks.link
        self._events = tuple(events)
        self._sn, self._interfaces, self._failures = self.camera.sn, interfaces, 0
        self._port, self._path, self._fixed, self._every = port, path, callback, every
        #: Why the last look failed; empty since one succeeded.
        self.problem: str = ""
        #: How often it was renewed.
        self.renewed: int = 0
        #: Where the camera posts to; empty while it never could be reached.
        self.callback: str = ""
        self._closing = threading.Event()
        try:
            wanted = self._wanted()
            self._hooks.subscribe(*self._events, callback=wanted)
            self.callback = wanted
        except TlsError:
            raise
        except ConnectionFailed as error:
            if not patient:
                raise
            self._failed(error)
        self._thread = threading.Thread(target=self._keep, name="event-subscription", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe. A camera that cannot be reached keeps it; that is logged."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        if not self.callback:
            return
        try:
            self._end(self.callback)
        except SunmiIpcError as error:
            _log.warning("events: the camera keeps posting to %s: %s", self.callback, error)

    def _wanted(self) -> str:
        return self._fixed or callback_for(self.camera.host, self._port, self._path)

    def _end(self, callback: str) -> None:
        for event in self._events:
            try:
                self._hooks.unsubscribe([EventType(event)], callback)
            except DeviceError as error:
                # 310: gone already, as after a restart. Each event by itself, so that one does not keep another.
                if error.code != 310:
                    raise

    def _keep(self) -> None:
        look = time.monotonic() + (min(_SOON_S, self._every) if self.problem else self._every)
        while not self._closing.wait(min(_LOOK_S, max(0.0, look - time.monotonic()))):
            due = time.monotonic() >= look
            try:
                wanted = self._wanted()
                if wanted != self.callback and (due or not self.problem):
                    self._change(wanted)
                elif due:
                    self._renew()
                else:
                    continue
            except SunmiIpcError as error:
                self._failed(error)
                pause = 0.0 if self._found(error) else min(_SOON_S * 2.0**self._failures, _LATE_S)
                self._failures = min(self._failures + 1, 10)
            else:
                self.problem, self._failures, pause = "", 0, self._every
            look = time.monotonic() + min(pause, self._every)

    def _failed(self, error: SunmiIpcError) -> None:
        if not self.problem:
            _log.warning("events: cannot subscribe now, will try again: %s", error)
        self.problem = str(error)

    def _found(self, error: SunmiIpcError) -> bool:
        """Whether the camera, which does not answer where it was, has another address."""
        if not self._sn or not isinstance(error, ConnectionFailed) or self._closing.is_set():
            return False
        from ..discovery import find

        try:
            with _FINDING:
                found = find(self._sn, interfaces=self._interfaces)
        except (SunmiIpcError, OSError) as missing:
            _log.debug("events: %s", missing)
            return False
        address = found.address
        if address == self.camera.address:
            return False
        _log.warning("events: %s is at %s now", self._sn, address)
        self.camera.move(address)
        return True

    def _change(self, wanted: str) -> None:
        _log.info("events: %s is to post to %s", self.camera.address, wanted)
        self.camera.close()  # its connection is from the old address
        self._hooks.subscribe(*self._events, callback=wanted)
        before, self.callback = self.callback, wanted
        self.renewed += 1
        if before:
            self._end(before)

    def _renew(self) -> None:
        missing = self._missing()
        if missing:
            self._check_who()
            _log.info("events: %s has forgotten its subscription: renewed", self.camera.address)
            self._hooks.subscribe(*missing, callback=self.callback)
            self.renewed += 1

    def _check_who(self) -> None:
        """Addresses are handed out anew: another camera may answer at this one's."""
        sn = self.camera.read_sn()
        if self._sn and sn != self._sn:
            raise ConnectionFailed("another camera, {sn}, is at this address now", camera=self._sn, sn=sn)
        self._sn = sn

    def _missing(self) -> tuple[EventType | str, ...]:
        try:
            listed = self._hooks.list()
        except (NotSupportedError, ReplyError):
            # The list's path is inferred. Without it, subscribing again does no harm: repeats are recognised.
            return self._events
        there = {s.event for s in listed.sub_event if self.callback in s.http_callback}
        return tuple(event for event in self._events if str(event) not in there)
