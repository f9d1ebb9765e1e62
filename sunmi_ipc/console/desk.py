"""The cameras of a console: where each is now, one client for each, and what its card says."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from ..discovery import FAR, DiscoveredCamera
from ..discovery.scan import said_to_be_elsewhere
from ..discovery.sightings import places
from ..errors import (
    AuthenticationError,
    CameraNotFound,
    ConfigError,
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    SunmiIpcError,
    TlsError,
)
from ..i18n import Language, later, translate
from ..protocol.spec import Endpoint, Model, registry
from ..settings import Settings
from ..values import CardStatus
from .language import hint_of, message_of
from .roles import Role, needed, require
from .sessions import Session

if TYPE_CHECKING:
    from ..camera import Camera

#: In the order of a home page: what needs a hand comes first.
STATES = ("setup", "bad", "warning", "unknown", "ok")
_JOBS = 8


class Audit(Protocol):
    """Where it is written who did what."""

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
        """Write an entry."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a home page says of a camera.

    Attributes:
        sn: Serial number.
        name: The owner's name for it; empty where there is none.
        model: For example ``FM020``.
        address: Where it is.
        state: One of :data:`STATES`.
        reason: Why, an English template; ``hint`` what to do about it.
        values: What fills the templates.
        card: The SD card's state; None while it is not known.
        people: How many came in today; None where that is not known or not counted.
        at: When it was asked, Unix seconds.

    """

    sn: str
    name: str = ""
    model: str = ""
    address: str = ""
    firmware: str = ""
    state: str = "unknown"
    reason: str = ""
    hint: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    card: CardStatus | None = None
    people: int | None = None
    at: float = 0.0
    #: Reason and hint by language, where they are more than templates.
    said: Callable[[Language], tuple[str, str]] | None = None

    @property
    def counts(self) -> bool:
        """Whether this model counts people (FM020)."""
        return Model.read(self.model) is Model.FM020

    def words(self, lang: Language) -> tuple[str, str]:
        """Reason and hint in *lang*; empty for none."""
        if self.said is not None:
            return self.said(lang)
        return tuple(translate(t, lang, self.values) if t else "" for t in (self.reason, self.hint))  # type: ignore[return-value]


class Desk:
    """Finds cameras and keeps one client for each. Thread-safe; a context manager.

    Args:
        settings: Credentials, and which interfaces to look on.
        audit: Where calls are written down.
        interval: Seconds between looks for new cameras.
        refresh: Seconds after which a card is asked for anew.

    """

    settings: Settings
    audit: Audit

    def __init__(
        self, settings: Settings, audit: Audit, *, interval: float = 5.0, refresh: float = 20.0
    ) -> None:
        self.settings, self.audit, self._refresh = settings, audit, refresh
        self._interval = interval
        self._lock = threading.RLock()
        self._seen: dict[str, DiscoveredCamera] = {}
        self._gone: set[str] = set()
        self._proved: dict[str, str] = {}  # where each has proved that it is the one
        self._since: dict[str, float] = {}  # when each was heard first, time.monotonic()
        self._clients: dict[str, Camera] = {}
        self._cards: dict[str, Card] = {}
        self._asking: set[str] = set()
        self._places: set[str] = set()  # of those that are asked and have not proved yet who they are
        self._changed: list[Callable[[], None]] = []
        self._pool = ThreadPoolExecutor(_JOBS, thread_name_prefix="desk")
        self._tracker: Any = None

    def __enter__(self) -> Self:
        from ..discovery.tracker import Tracker

        self._tracker = Tracker(
            interval=self._interval, interfaces=self.settings.interfaces(), on_change=self._heard
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Look no more, and close every client."""
        if self._tracker is not None:
            self._tracker.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for camera in self._clients.values():
            camera.close()

    def on_change(self, hear: Callable[[], None]) -> Callable[[], None]:
        """Call *hear* (from any thread) when a camera comes, goes or changes; returns what ends that."""
        with self._lock:
            self._changed.append(hear)

        def end() -> None:
            with self._lock:
                if hear in self._changed:
                    self._changed.remove(hear)

        return end

    def _tell(self) -> None:
        with self._lock:
            hearers = list(self._changed)
        for hear in hearers:
            hear()

    def _heard(self, change: Any) -> None:
        camera, left = change.camera, None
        # Anybody may claim to be it: where it has proved itself it is, as long as it answers there.
        claimants = self._claimants(camera.sn)
        proved = self._proved.get(camera.sn, "")
        better = next((one for one in claimants if one.address == proved), None)
        if better is None and (str(change.kind) == "offline" or not FAR.isdisjoint(camera.flags)):
            better = next(iter(claimants), None)
        camera = better or camera
        with self._lock:
            if str(change.kind) == "offline" and better is None:
                self._gone.add(camera.sn)
                if camera.sn not in self._proved:
                    # It said that it was there, never proved it, and has gone: it was none of ours.
                    self._seen.pop(camera.sn, None)
                    self._gone.discard(camera.sn)
                    self._since.pop(camera.sn, None)
                    left = self._clients.pop(camera.sn, None)
            else:
                self._gone.discard(camera.sn)
                self._since.setdefault(camera.sn, time.monotonic())
                self._place(camera)
            self._cards.pop(camera.sn, None) if str(change.kind) != "changed" else None
        if left is not None:
            with contextlib.suppress(RuntimeError):  # closing
                self._pool.submit(left.close)  # a call under way is waited for there
        self._tell()

    def _place(self, camera: DiscoveredCamera) -> None:
        """It is there from now on, and so is its client."""
        self._seen[camera.sn] = camera
        client = self._clients.get(camera.sn)
        if client is not None and (client.host, client.port) != (camera.ip, camera.port):
            client.move(camera.address)

    def _claimants(self, sn: str) -> list[DiscoveredCamera]:
        """Who answers under a serial number now, each address once."""
        return places(self._tracker.cameras, sn) if self._tracker is not None else []

    def _settled(self, camera: DiscoveredCamera) -> DiscoveredCamera:
        """Of those that claim to be the camera, the one that is; raises as ``Claims.settle``."""
        with self.settings.claims(camera.sn) as claims:
            if not claims.proven and (since := self._since.get(camera.sn)):  # a second may come yet
                time.sleep(max(0.0, since + claims.linger - time.monotonic()))
            claimants = self._claimants(camera.sn)
            return claims.settle(claimants) if len(claimants) > 1 else camera

    def _elsewhere(self, sn: str) -> bool:
        """Who answers at its address is not the camera, or does not answer: whether another claimant is it."""
        here = self.found(sn).address
        if not (others := [one for one in self._claimants(sn) if one.address != here]):
            return False
        with contextlib.suppress(TlsError, ConnectionFailed), self.settings.claims(sn) as claims:
            if claims.proven:
                camera = claims.settle(others)
                with self._lock:
                    self._place(camera)
                return True
        return False

    # -- cameras ---------------------------------------------------------------------------------

    def cameras(self) -> list[DiscoveredCamera]:
        """Every camera that was seen, those that went silent too."""
        with self._lock:
            return list(self._seen.values())

    def online(self, sn: str) -> bool:
        """Whether it answers discovery."""
        with self._lock:
            return sn in self._seen and sn not in self._gone

    def found(self, sn: str) -> DiscoveredCamera:
        """The camera with this serial number; raises CameraNotFound for one that was never seen."""
        with self._lock:
            camera = self._seen.get(sn)
        if camera is None:
            raise CameraNotFound(
                "no camera {sn} was found",
                hint="Is it on, and in this network?",
                sn=sn,
            )
        return camera

    def look_for(self, sn: str, seconds: float) -> DiscoveredCamera | None:
        """Look for a camera with discovery for so many seconds; None where it does not answer."""
        from ..discovery import find

        try:
            return find(sn, timeout=seconds, interfaces=self.settings.interfaces())
        except CameraNotFound:
            return None

    def link(self, sn: str) -> Camera:
        """The client of a camera, shared by all: for what the console itself asks."""
        camera = self.found(sn)
        with self._lock:
            client = self._clients.get(sn)
        if client is None:
            if not FAR.isdisjoint(camera.flags):
                raise said_to_be_elsewhere(camera)
            camera = self._settled(camera)
            with self._lock:
                client = self._clients.get(sn)
                if client is None:
                    client = self._clients[sn] = self.settings.connect(
                        camera.address, sn=sn, model=camera.model
                    )
                    self._place(camera)
        return client

    def camera(self, sn: str, session: Session) -> Camera:
        """The same client as *session* may use it: every call is looked at, and what changes is written down."""
        return cast("Camera", Guarded(self.link(sn), sn, session, self.audit))

    # -- cards -----------------------------------------------------------------------------------

    def cards(self) -> list[Card]:
        """Every camera's card as it is known, what needs a hand first; old ones are asked for anew meanwhile."""
        made = []
        for camera in self.cameras():
            with self._lock:
                card = self._cards.get(camera.sn)
            if card is None or time.time() - card.at > self._refresh:
                self._ask(camera.sn)
            made.append(card or _blank(camera))
        return sorted(made, key=lambda c: (STATES.index(c.state), c.name or c.sn))

    def card(self, sn: str, *, fresh: bool = False) -> Card:
        """One camera's card; *fresh* asks the camera first."""
        if fresh:
            return self._read(sn)
        with self._lock:
            card = self._cards.get(sn)
        return card or _blank(self.found(sn))

    def _ask(self, sn: str) -> None:
        with self._lock:
            # Anybody can make up cameras by the hundred: of those at one address one is asked at a time.
            seen = self._seen.get(sn)
            place = seen.ip if seen is not None and sn not in self._proved else ""
            if sn in self._asking or (place and (place in self._places or len(self._places) >= _JOBS // 2)):
                return
            self._asking.add(sn)
            if place:
                self._places.add(place)

        def work() -> None:
            try:
                self._read(sn)
            finally:
                with self._lock:
                    self._asking.discard(sn)
                    self._places.discard(place)
            self._tell()

        try:
            self._pool.submit(work)
        except RuntimeError:  # closing
            with self._lock:
                self._asking.discard(sn)
                self._places.discard(place)

    def _read(self, sn: str) -> Card:
        camera = self.found(sn)
        values: dict[str, Any] = {}
        try:
            client = self.link(sn)
            try:
                values = self._facts(client)
            except (TlsError, ConnectionFailed):
                if not self._elsewhere(sn):
                    raise
                values = self._facts(client)
            camera = self.found(sn)
        except SunmiIpcError as error:
            values = _judged(error)
        known: dict[str, Any] = {
            "name": camera.name,
            "model": camera.model,
            "address": camera.address,
            "firmware": camera.firmware,
            "at": time.time(),
        }
        card = Card(sn, **known | values)
        with self._lock:
            if card.state in ("ok", "setup") or card.card is not None:
                self._proved[sn] = camera.address
            self._cards[sn] = card
        return card

    @staticmethod
    def _facts(camera: Camera) -> dict[str, Any]:
        info = camera.device.info()
        facts: dict[str, Any] = {
            "name": info.name,
            "model": info.model or camera.model,
            "firmware": info.software_version,
            "state": "ok",
        }
        try:
            facts["card"] = camera.sdcard.status().status
        except DeviceError:
            facts |= {"state": "warning", "reason": later("the SD card does not answer")}
        else:
            facts |= _CARDS.get(facts["card"], {})
        if Model.read(facts["model"]) is Model.FM020:
            try:
                facts["people"] = camera.people_flow.arrivals(*today()).total
            except SunmiIpcError:
                facts["people"] = None
        return facts


_CARDS: dict[CardStatus, dict[str, str]] = {
    CardStatus.NONE: {
        "state": "bad",
        "reason": later("no SD card: nothing is recorded or counted"),
        "hint": later("Insert one."),
    },
    CardStatus.BLANK: {
        "state": "bad",
        "reason": later("the SD card is blank: nothing is recorded or counted"),
        "hint": later("Format it."),
    },
    CardStatus.BROKEN: {
        "state": "bad",
        "reason": later("the SD card is not recognised"),
        "hint": later("Replace it."),
    },
}


def today(now: datetime | None = None) -> tuple[datetime, datetime]:
    """From this computer's midnight until now."""
    now = now or datetime.now().astimezone()
    return now.replace(hour=0, minute=0, second=0, microsecond=0), now


def _judged(error: SunmiIpcError) -> dict[str, Any]:
    """What a failed look says of a camera."""
    if isinstance(error, NotActivatedError):
        return {"state": "setup", "reason": later("waits for set-up")}
    state = "warning"
    if isinstance(error, TlsError | AuthenticationError | ConfigError | ConnectionFailed):
        state = "bad"
    return {
        "state": state,
        "reason": message_of(error),
        "hint": hint_of(error),
        "values": dict(error.values),
    }


def _blank(camera: DiscoveredCamera) -> Card:
    return Card(camera.sn, camera.name, camera.model, camera.address, camera.firmware)


@cache
def _groups() -> dict[str, Any]:
    """The group classes by their name on a camera."""
    found: dict[str, Any] = {}
    for module in ("detection", "device", "events", "faces", "image", "lens", "network", "people_flow",
                   "sdcard", "video", "wifi"):  # fmt: skip
        classes = vars(import_module(f"sunmi_ipc.api.{module}")).values()
        found[module] = next(
            c for c in classes if isinstance(c, type) and c.__module__ == f"sunmi_ipc.api.{module}"
            and any(isinstance(e, Endpoint) for e in vars(c).values())
        )  # fmt: skip
    return found


class Guarded:
    """A camera as one session may use it.

    Its groups are those of the camera itself, but their calls come here first: the session must live, its
    role must be the one that the endpoint's declaration asks for, and what is not a reading is written down.
    """

    def __init__(self, camera: Camera, sn: str, session: Session, audit: Audit) -> None:
        self._camera, self._sn, self._session, self._audit = camera, sn, session, audit

    def __getattr__(self, name: str) -> Any:
        if name in _groups():
            group = _groups()[name](self)
            self.__dict__[name] = group
            return group
        return getattr(self._camera, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass  # the client is everybody's

    def close(self) -> None:
        """Nothing: the client is everybody's."""

    # What makes it a way to the camera itself (``link.caller.Link``), for files and streams that calls have named.

    @property
    def tls(self) -> Any:
        """As the camera's own."""
        return self._camera.tls

    def read_sn(self) -> str:
        """The serial number, as the camera tells it."""
        return self._camera.read_sn()

    def move(self, address: str) -> None:
        """Nothing: where a camera is, is the desk's matter."""

    def call(
        self,
        endpoint: Endpoint[..., Any] | str,
        values: Mapping[str, Any] | None = None,
        *,
        sign: bool = True,
    ) -> Any:
        """As the camera's own, where the session may.

        Raises:
            ForbiddenError: It may not; nothing was sent.

        """
        if isinstance(endpoint, str):
            endpoint = registry().get(endpoint.removeprefix("/openapi/").strip("/"), endpoint)
        role = needed(endpoint)
        action = endpoint if isinstance(endpoint, str) else endpoint.key
        try:
            if self._session.ended:
                require(Role.VIEW, Role.ADMIN)
            require(self._session.role, role)
            if isinstance(endpoint, str):
                result = self._camera.call(endpoint, values, sign=sign)
            else:
                result = self._camera.call(endpoint, values)
        except SunmiIpcError as error:
            if role > Role.VIEW or self._session.role < role:
                self._write(action, values, f"{type(error).__name__} {getattr(error, 'code', '')}".strip())
            raise
        if role > Role.VIEW:
            self._write(action, values, "ok")
        return result

    def _write(self, action: str, values: Mapping[str, Any] | None, result: str) -> None:
        self._audit.record(
            action,
            who=self._session.name,
            origin=self._session.origin,
            sn=self._sn,
            details=values,
            result=result,
        )
