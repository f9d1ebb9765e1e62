"""Cameras reached through a broker: a caller's side.

A :class:`Caller <sunmi_ipc.protocol.spec.Caller>` is all that a declared endpoint needs, so a :class:`RemoteCamera`
has all groups::

    with Channel(Broker.of("mqtts://hq.example:8883", user="hq", password=...), key) as channel:
        camera = channel.site("shop-0017").camera("FS101D8BS00106")
        camera.lens.zoom(500)

What only reads is asked again where an answer is lost. What changes something never is: what became of it is
asked for by its nonce, and only if the station has not had it, and then never takes it, may it be sent again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as day_time
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from .. import untrusted
from ..atomic import whole
from ..errors import (
    CameraNotFound,
    ConfigError,
    ConnectionFailed,
    ForbiddenError,
    ParameterError,
    ReplyError,
    TlsError,
    UnsupportedError,
)
from ..protocol.serial import spelt
from ..protocol.spec import Endpoint, Group, registry
from . import contract, keys
from .connection import LOST, Broker, BrokerError, Connection, Delivered, Sent
from .contract import PREFIX, Answer, BadMessage, CameraState, Envelope, Request, RequestKind, StationState
from .failures import CLOCK, raised

if TYPE_CHECKING:
    from ..api.detection import Detection
    from ..api.device import Device
    from ..api.events import Events
    from ..api.faces import Faces
    from ..api.image import Image
    from ..api.lens import Lens
    from ..api.network import Network
    from ..api.people_flow import PeopleFlow
    from ..api.sdcard import SdCard
    from ..api.video import Video
    from ..api.wifi import Wifi
    from ..video.snapshot import Snapshot

_log = logging.getLogger("sunmi_ipc")
#: Beside the camera's own time: the way through the broker, and the station's other calls to that camera.
_MARGIN_S = 5.0
#: How long what became of a lost call is asked for.
RECALL_S = 30.0
_AGAIN_S = 0.4
_RETAINED_S = 5.0
_MAX_PICTURE = 8 << 20
#: Cameras, and sites, whose state is remembered at most: a broker may make them up.
_MOST_CAMERAS, _MOST_SITES = 5000, 20_000


class KnownStations:
    """The public keys that stations signed with first; like known hosts.

    Args:
        path: Where they are kept; None: in memory.

    """

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._memory: dict[str, str] = {}

    def approve(self, name: str, public: str) -> None:
        """Remember it, or compare; raises TlsError where it is another."""
        with self._lock:
            known = self._read()
            if name not in known:
                known[name] = public
                self._write(known)
            elif known[name] != public:
                raise TlsError(
                    "the answers of {site} are signed with another key than before",
                    hint="Was its data folder lost, or does somebody else answer? 'ipc keys forget-station {site}' if you know why.",
                    site=name.partition("/")[2] or name,
                )

    def forget(self, site: str) -> bool:
        """Know a site's key no longer; whether there was one."""
        with self._lock:
            known = self._read()
            kept = {name: public for name, public in known.items() if name.partition("/")[2] != site}
            if len(kept) == len(known):
                return False
            self._write(kept)
            return True

    def _read(self) -> dict[str, str]:
        if self._path is None:
            return dict(self._memory)
        try:
            found = untrusted.load_json(self._path.read_bytes())
            return {str(k): str(v) for k, v in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            # An unreadable list must not turn into a new first contact.
            raise ConfigError(
                "{path} cannot be read: {reason}", path=str(self._path),
                reason=getattr(error, "strerror", None) or type(error).__name__,
            ) from None  # fmt: skip

    def _write(self, known: dict[str, str]) -> None:
        self._memory = known
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole(self._path) as file:
                file.write(json.dumps(known, indent=1).encode())
        except OSError as error:
            raise ConfigError(
                "{path} cannot be written: {reason}", path=str(self._path),
                reason=error.strerror or type(error).__name__,
            ) from None  # fmt: skip


class _Wait:
    """Somebody who waits for the answer to a nonce."""

    def __init__(self, site: str, public: str) -> None:
        self.site, self.public = site, public
        self.arrived = threading.Event()
        self.answers: list[Answer] = []

    def take(self, answer: Answer) -> None:
        if self.arrived.is_set():
            return
        self.answers.append(answer)
        chunk = answer.chunk
        if chunk is None or len(self.answers) >= chunk.parts:
            self.arrived.set()


class Channel:
    """A connection for calls to stations; a context manager. Thread-safe.

    Args:
        broker: Where it is.
        key: What signs the calls; None: only to look at what stations tell.
        sites: Whose state is wanted from the beginning.
        prefix: What stands before the site in topics.
        stations: The stations' keys that are known.
        name: Our name at the broker, which an ACL may go by; default: a random one.

    """

    broker: Broker

    def __init__(
        self,
        broker: Broker,
        key: keys.SigningKey | None,
        *,
        sites: tuple[str, ...] = (),
        prefix: str = PREFIX,
        stations: KnownStations | None = None,
        name: str = "",
    ) -> None:
        self.broker, self._key, self._prefix = broker, key, prefix
        self._stations = stations or KnownStations()
        self.client: str = name or f"ipc-{secrets.token_hex(8)}"
        self._lock = threading.Condition()
        self._waiting: dict[str, _Wait] = {}
        self._states: dict[str, StationState] = {}
        self._cameras: dict[str, dict[str, CameraState]] = {}
        self._sites: dict[str, RemoteSite] = {}
        self._offset = 0.0
        replies = f"{prefix}/+/replies/{self.client}"
        self.connection: Connection = Connection(
            broker,
            client_id=self.client,
            subscriptions=[replies, *(text for site in sites for text in self._filters(site))],
            on_message=self._came,
            name="ipc-via",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; whoever waits for an answer is told."""
        self.connection.close()
        with self._lock:
            waiting = list(self._waiting.values())
        for wait in waiting:
            wait.arrived.set()

    def site(self, name: str) -> RemoteSite:
        """A shop by its name; raises BadMessage where it is none."""
        contract.topic("station", name)
        with self._lock:
            if name in self._sites:
                return self._sites[name]
            made = self._sites[name] = RemoteSite(self, name)
        self.connection.subscribe(self._filters(name))
        return made

    def _filters(self, site: str) -> list[str]:
        return contract.filters(site=site, names=["station", "state"], prefix=self._prefix)

    # -- what stations tell ---------------------------------------------------------------------------

    def _came(self, message: Delivered) -> None:
        try:
            found = contract.read(message.topic, message.payload, self._prefix) if message.payload else None
        except BadMessage as error:
            _log.debug("%s", error)
            return
        if found is None:
            return
        payload = found.payload
        if isinstance(payload, Envelope):
            self._answered(found.site, payload)
            return
        with self._lock:
            if isinstance(payload, StationState):
                known = self._states.get(found.site)
                if known is None and len(self._states) >= _MOST_SITES:
                    return
                if known is None or _newer(payload, known):
                    if known is not None and payload.state == "offline" and not payload.public:
                        payload = known.model_copy(update={"state": "offline", "since": payload.since})
                    self._states[found.site] = payload
            elif isinstance(payload, CameraState):
                cameras = self._cameras.setdefault(found.site, {})
                known_camera = cameras.get(found.sn)
                if known_camera is None and len(cameras) >= _MOST_CAMERAS:
                    return
                if known_camera is None or payload.revision > known_camera.revision:
                    cameras[found.sn] = payload
            self._lock.notify_all()

    def _answered(self, site: str, envelope: Envelope) -> None:
        # By the key that was approved when the call went out: what the broker tells meanwhile changes nothing.
        with self._lock:
            approved = {wait.public for wait in self._waiting.values() if wait.site == site}
        answer: Answer | None = None
        for public in approved:
            try:
                text = keys.verify(envelope, keys.ANSWER, public)
                answer = contract.decode(Answer, text, limit=contract.MAX_CALL)
                break
            except (keys.BadSignature, BadMessage) as error:
                _log.debug("%s: an answer is not the station's: %s", site, error)
        if answer is None:
            return
        with self._lock:
            wait = self._waiting.get(answer.nonce)
        if wait is not None and answer.site == site == wait.site:
            wait.take(answer)

    # -- asking ---------------------------------------------------------------------------------------

    def once(
        self,
        site: str,
        kind: RequestKind,
        timeout: float,
        *,
        asked: list[str] | None = None,
        by_its_clock: bool = True,
        **fields: Any,
    ) -> list[Answer]:
        """Send one request and wait for its answer.

        Args:
            site: Whose station.
            kind: What is asked.
            timeout: Seconds.
            asked: Takes the nonces that were sent: the last one may have been carried out, those before were refused.
            by_its_clock: Whether to ask once more with the station's time where ours is refused.
            fields: Of the request.

        Raises:
            ConnectionFailed: No answer, ``sent`` tells whether the station may have had it.
            ForbiddenError: The station's key is not the known one, or there is no key to sign with.

        """
        if self._key is None:
            raise ConfigError(
                "calls through a broker are signed, and it is not said with which key",
                hint="'ipc keys new NAME' makes one; with several, name it: --sign-key NAME or $SUNMI_IPC_KEY.",
            )
        public = self.approve(site)
        now = time.time() + self._offset
        nonce = new_nonce()
        if asked is not None:
            asked.append(nonce)
        request = Request(
            kind=kind, site=site, nonce=nonce, issued=now, expires=now + min(timeout + 1.0, 590.0),
            client=self.client, **fields,
        )  # fmt: skip
        wait = _Wait(site, public)
        with self._lock:
            self._waiting[nonce] = wait
        try:
            sent = self.connection.publish(
                contract.topic("calls", site, prefix=self._prefix),
                self._key.sign(keys.CALL, request).encode(),
                schema=contract.MESSAGES["calls"].schema,
                expiry_s=int(timeout) + 1,
                response_topic=contract.topic("replies", site, client=self.client, prefix=self._prefix),
                correlation=nonce.encode(),
            )
            self._await(wait, sent, timeout, site)
        finally:
            with self._lock:
                self._waiting.pop(nonce, None)
        if not wait.answers:
            raise _lost("the station {site} did not answer in time", site)
        if by_its_clock and self._other_clock(wait.answers[0], site):
            return self.once(site, kind, timeout, asked=asked, by_its_clock=False, **fields)
        return wait.answers

    def _await(self, wait: _Wait, sent: Sent, timeout: float, site: str) -> None:
        end = time.monotonic() + timeout
        while not wait.arrived.wait(max(0.0, min(0.25, end - time.monotonic()))):
            if sent.done and sent.problem and sent.problem != LOST and not wait.answers:
                raise BrokerError(
                    "the broker does not let the call through: {reason}",
                    hint="May our name write to {topic}? See the broker's ACL.",
                    reason=sent.problem,
                    topic=contract.topic("calls", site, prefix=self._prefix),
                )
            if time.monotonic() >= end:
                if wait.answers:
                    wait.answers.clear()  # of a picture, a piece is missing
                return

    def _other_clock(self, answer: Answer, site: str) -> bool:
        """Whether our clock is what was refused: then nothing was carried out, and the station's is signed with."""
        if answer.state != "refused" or answer.error is None or answer.error.template not in CLOCK.values():
            return False
        offset = answer.at - time.time()
        if abs(offset - self._offset) < 5.0:
            return False
        _log.warning("%s: the clocks differ by %+.0f s; signing with the station's time", site, offset)
        self._offset = offset
        return True

    def approve(self, site: str) -> str:
        """Know the station's key, and that it is there; the key."""
        state = self.state(site)
        if state is None:
            if not self.connection.connected:
                raise self.connection.absent()
            raise CameraNotFound(
                "the broker knows no station {site}",
                hint="Is the name right (the station file's 'site'), and may we read its topics?",
                sn=site,
                site=site,
            )
        if state.state != "online":
            raise ConnectionFailed(
                "the station {site} is offline",
                hint="Look at the shop's computer and its network; 'ipc serve' says why there.",
                site=site,
            )
        self._stations.approve(f"{self.broker.name}/{site}", state.public)
        return state.public

    def state(self, site: str) -> StationState | None:
        """What a station says of itself; waits for it a little, None where the broker knows none."""
        self.site(site)
        if not self.connection.wait(10.0):
            return None
        end = time.monotonic() + _RETAINED_S
        with self._lock:
            while site not in self._states and (left := end - time.monotonic()) > 0:
                self._lock.wait(left)
            return self._states.get(site)

    def cameras(self, site: str) -> dict[str, CameraState]:
        """A site's cameras as its station tells of them, by serial number."""
        state = self.state(site)
        if state is None:
            return {}
        end = time.monotonic() + _RETAINED_S
        with self._lock:
            # What is retained comes in one go, after the station's own message or before it.
            while (
                not {*state.cameras} <= {*self._cameras.get(site, {})}
                and (left := end - time.monotonic()) > 0
            ):
                self._lock.wait(left)
            return dict(self._cameras.get(site, {}))

    def known(self, site: str, sn: str) -> CameraState | None:
        """What was told of a camera until now; never waits."""
        with self._lock:
            return self._cameras.get(site, {}).get(sn)


def _newer(one: StationState, other: StationState) -> bool:
    return (one.revision, one.state == "offline") >= (other.revision, other.state == "offline")


def new_nonce() -> str:
    """A nonce: 128 random bits, hex."""
    return secrets.token_hex(16)


def _lost(template: str, site: str, *, sent: bool = True) -> ConnectionFailed:
    error = ConnectionFailed(
        template, hint="Is the shop's connection slow? Try again in a moment.", site=site
    )
    error.sent = sent
    return error


class RemoteSite:
    """A shop's cameras, through the broker; made by :meth:`Channel.site`."""

    channel: Channel
    name: str

    def __init__(self, channel: Channel, name: str) -> None:
        self.channel, self.name = channel, name

    def state(self) -> StationState | None:
        """What the station says of itself; None where the broker knows none."""
        return self.channel.state(self.name)

    def cameras(self) -> dict[str, CameraState]:
        """How its cameras are, by serial number."""
        return self.channel.cameras(self.name)

    def camera(self, sn: str, *, model: str = "", timeout: float = 10.0, retries: int = 2) -> RemoteCamera:
        """A camera by its serial number.

        Args:
            sn: Serial number.
            model: Its model, where known.
            timeout: Seconds that a call may take, beside the way through the broker.
            retries: How often a read is tried again.

        """
        return RemoteCamera(self, sn, model=model, timeout=timeout, retries=retries)


class RemoteCamera:
    """A camera behind a station; has the groups of :class:`~sunmi_ipc.Camera`. Thread-safe.

    What needs the camera's own address (live video, recordings, subscriptions) is refused with the reason.

    Args:
        site: Whose it is.
        sn: Serial number.
        model: Model, where known.
        timeout: Seconds that a call may take, beside the way through the broker.
        retries: How often a read is tried again.

    """

    site: RemoteSite
    sn: str
    model: str
    timeout: float
    retries: int

    device: Device
    wifi: Wifi
    sdcard: SdCard
    video: Video
    network: Network
    lens: Lens
    image: Image
    detection: Detection
    people_flow: PeopleFlow
    faces: Faces
    events: Events

    #: The station keeps the camera's clock in view; here it is not known.
    clock_ahead: float | None = None
    clock_offset: float = 0.0

    def __init__(
        self, site: RemoteSite, sn: str, *, model: str = "", timeout: float = 10.0, retries: int = 2
    ) -> None:
        if not 0 < timeout < math.inf:
            raise ParameterError(
                "{name}: out of bounds",
                name="timeout",
                hint="Allowed: {bounds}.",
                bounds="seconds, more than 0",
            )
        self.site, self.sn, self.model = site, spelt(sn), model
        self.timeout, self.retries = timeout, retries

    def __repr__(self) -> str:
        return f"RemoteCamera({self.address!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if (group := _groups().get(name)) is not None:
            made = self.__dict__[name] = group(self)
            return made
        if name in _DIRECT:
            self._needs_link(name)
        raise AttributeError(name)

    @property
    def address(self) -> str:
        """``SITE/SN``, for errors and tables."""
        return f"{self.site.name}/{self.sn}"

    def close(self) -> None:
        """Nothing of its own: the connection is the channel's."""

    def greet(self, timeout: float | None = None) -> str:
        """The station vouches for the camera; empty."""
        return ""

    def known_model(self) -> str:
        """The camera's model: as the station tells it, else as the camera says."""
        if not self.model:
            told = self.site.channel.known(self.site.name, self.sn)
            self.model = (told.model if told else "") or self.device.info().model
        return self.model

    def call(
        self,
        endpoint: Endpoint[..., Any] | str,
        values: Mapping[str, Any] | None = None,
        *,
        sign: bool = True,
    ) -> Any:
        """Call a declared endpoint.

        Args:
            endpoint: A declaration (``Wifi.set``); a path only of a declared one without parameters.
            values: Parameters by Python name.
            sign: Always; for the likeness to ``Camera``.

        Returns: the endpoint's result.

        Raises:
            ParameterError: A parameter is out of its bounds; nothing was sent.
            ForbiddenError: The station does not allow it to this key; nothing was carried out.
            ConnectionFailed: The broker, the station or the camera does not answer.
            SunmiIpcError: What the station's call raised, as what it was.

        """
        if isinstance(endpoint, str):
            return self._call_path(endpoint, values or {})
        sealed = endpoint.seal(values or {})
        checked = endpoint.check(sealed)
        seconds = max(self.timeout, endpoint.timeout_s or 0.0) + _MARGIN_S
        fields = {
            "sn": self.sn,
            "endpoint": endpoint.key,
            "values": {name: plain(value) for name, value in checked.items()},
            "confirm": self.sn if endpoint.destroys else "",
        }
        if endpoint.safe:
            answer = self._again(RequestKind.CALL, seconds, fields)[-1]
        else:
            answer = self._surely(seconds, fields)
        result = self._result(answer)
        if endpoint.result is None:
            return None
        try:
            return endpoint.result.read(result)  # type: ignore[attr-defined]
        except ReplyError as error:
            error.sent, error.camera = True, self.address
            raise

    def _call_path(self, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        path = path.removeprefix("/openapi/").strip("/")
        endpoint = registry().get(path)
        if endpoint is None or values:
            raise UnsupportedError(
                "{feature} does not go through a broker", name="path", feature="a call by its wire names",
                hint="Only declared calls do, by their own command; 'ipc protocol list' shows them.",
            )  # fmt: skip
        answer = self.call(endpoint)
        return {} if answer is None else dict(answer.as_dict())

    def _again(self, kind: RequestKind, seconds: float, fields: dict[str, Any]) -> list[Answer]:
        """Ask, and once more where an answer is lost: nothing but reading."""
        left = self.retries
        while True:
            try:
                return self.site.channel.once(self.site.name, kind, seconds, **fields)
            except ConnectionFailed as error:
                if left <= 0 or isinstance(error, TlsError) or not error.sent:
                    raise
                left -= 1

    def _surely(self, seconds: float, fields: dict[str, Any]) -> Answer:
        """Have it carried out once: where the answer is lost, what became of it is asked for."""
        left = self.retries
        while True:
            asked: list[str] = []
            try:
                return self.site.channel.once(
                    self.site.name, RequestKind.CALL, seconds, asked=asked, **fields
                )[-1]
            except ConnectionFailed as error:
                if not error.sent or not asked:
                    raise
                answer = self._recall(asked[-1], error)
            if answer is not None:
                return answer
            # The station has not had it, and will never take it: it may be sent again.
            if left <= 0:
                raise _lost("the station {site} did not get the call", self.site.name, sent=False)
            left -= 1

    def _recall(self, nonce: str, lost: ConnectionFailed) -> Answer | None:
        """What became of a call; None where the station has not had it and never will take it."""
        end = time.monotonic() + RECALL_S + self.timeout
        while time.monotonic() < end:
            try:
                answer = self.site.channel.once(self.site.name, RequestKind.RECALL, _MARGIN_S, of=nonce)[-1]
            except ConnectionFailed as error:
                if isinstance(error, TlsError):
                    raise
                time.sleep(_AGAIN_S)
                continue
            if answer.state == "unknown":
                return None
            if answer.state == "lost":
                raise _lost("the station {site} was restarted during the call", self.site.name)
            if answer.state != "running":
                return answer
            time.sleep(_AGAIN_S)
        lost.sent = True
        raise lost

    def _result(self, answer: Answer) -> dict[str, Any]:
        if answer.state == "done":
            return answer.result or {}
        if answer.error is not None:
            raise raised(answer.error, self.address)
        raise ForbiddenError("the station refuses the call")

    # -- pictures -------------------------------------------------------------------------------------

    def take_snapshot(self) -> Snapshot:
        """A picture taken now, through the station; see :meth:`sunmi_ipc.api.video.Video.snapshot`."""
        from ..video.snapshot import Snapshot

        data, media = self._picture(RequestKind.SNAPSHOT, {"sn": self.sn})
        return Snapshot(data, "png" if media == "image/png" else "jpeg")

    def fetch_picture(self, url: str) -> bytes:
        """A picture that the camera has given a link to, such as a face's ``pic_url``.

        Args:
            url: As the camera gave it.

        Raises:
            ForbiddenError: Pictures stay in the shop, or our key may not.

        """
        return self._picture(RequestKind.LINK, {"sn": self.sn, "link": url})[0]

    def _picture(self, kind: RequestKind, fields: dict[str, Any]) -> tuple[bytes, str]:
        answers = self._again(kind, max(self.timeout, 15.0) + _MARGIN_S, fields)
        self._result(answers[-1])
        pieces = {a.chunk.part: a.chunk for a in answers if a.chunk is not None}
        first = next(iter(pieces.values()), None)
        try:
            if first is None or first.size > _MAX_PICTURE or {*pieces} != {*range(first.parts)}:
                raise ValueError
            data = b"".join(base64.b64decode(pieces[part].data, validate=True) for part in range(first.parts))
            if len(data) != first.size:
                raise ValueError
        except (ValueError, binascii.Error):
            raise ReplyError("the station's picture is not whole", camera=self.address) from None
        return data, first.media

    def _needs_link(self, name: str) -> NoReturn:
        raise UnsupportedError(
            "{feature} needs a direct connection to the camera",
            name=name,
            feature="this",
            hint="Live video, recordings and subscriptions do not go through a broker: use the shop's console, or a "
            "computer in the camera's own network. 'ipc video snapshot' works.",
        )


#: What only a direct connection has.
_DIRECT = frozenset(
    {
        "host", "port", "tls", "tls_of_links", "credentials", "rtsp_user", "rtsp_password", "move", "send",
        "read_sn", "overrides",
    }
)  # fmt: skip


@cache
def _groups() -> dict[str, Callable[[Any], Any]]:
    """The groups of endpoints by name."""
    registry()  # imports them
    made: dict[str, Callable[[Any], Any]] = {
        group.name: group for group in Group.__subclasses__() if group.api == "device" and group.name
    }
    video: Any = made["video"]

    class RemoteVideo(video):  # type: ignore[misc]
        """Video calls; a snapshot comes through the station, all else needs the camera's own address."""

        def snapshot(self) -> Snapshot:
            taken: Snapshot = self._caller.take_snapshot()
            return taken

        def _direct(self, *_: Any, **__: Any) -> Any:
            self._caller._needs_link("video")

        live = playback = frames = record = clip = download = _direct

    made["video"] = RemoteVideo
    return made


def plain(value: Any) -> Any:
    """A parameter as JSON, in the form that a station reads (:func:`sunmi_ipc.station.execute.values_of`)."""
    if isinstance(value, bool | None):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return "".join(value)  # a Secret would show its mask
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, os.PathLike):
        return base64.b64encode(Path(value).read_bytes()).decode()
    if isinstance(value, datetime):
        return int(value.timestamp()) if value.microsecond == 0 else value.astimezone().isoformat()
    if isinstance(value, day_time):
        return "24:00" if value == day_time.max else value.isoformat("minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


_SHARED: dict[tuple[Any, ...], Channel] = {}
_SHARING = threading.Lock()


def shared(
    broker: Broker,
    key: Callable[[], keys.SigningKey | None],
    *,
    site: str,
    stations: KnownStations,
    prefix: str,
) -> Channel:
    """The channel of this process to a broker: a command opens one, however many cameras it calls."""
    wanted = (broker.name, broker.user, broker.certificate, prefix)
    with _SHARING:
        if wanted not in _SHARED:
            import atexit

            _SHARED[wanted] = made = Channel(broker, key(), sites=(site,), prefix=prefix, stations=stations)
            atexit.register(made.close)
        return _SHARED[wanted]


def close_shared() -> None:
    """Close every shared channel."""
    with _SHARING:
        for channel in _SHARED.values():
            with contextlib.suppress(Exception):
                channel.close()
        _SHARED.clear()


__all__ = ["Broker", "Channel", "KnownStations", "RemoteCamera", "RemoteSite", "close_shared", "shared"]
