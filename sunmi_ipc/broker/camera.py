"""A camera behind a station: all that a declared endpoint needs, so it has all groups.

What only reads is asked again where an answer is lost. What changes something never is: what became of it is
asked for by its nonce, and only if the station has not had it, and then never takes it, may it be sent again.
"""

from __future__ import annotations

import base64
import binascii
import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as day_time
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from ..errors import (
    AccessDenied,
    ConnectionFailed,
    ForbiddenError,
    OutcomeUnknown,
    ParameterError,
    ReplyError,
    SunmiIpcError,
    TlsError,
    UnsupportedError,
)
from ..protocol.serial import spelt
from ..protocol.spec import Endpoint, Group, registry
from .contract import Answer, CameraState, RequestKind
from .failures import Interrupted, lost, raised

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

#: Beside the camera's own time: the way through the broker, and the station's other calls to that camera.
_MARGIN_S = 5.0
#: How long what became of a lost call is asked for.
RECALL_S = 30.0
#: The pause before it is asked for again grows from the first to the second: keys have a number of calls a minute.
_AGAIN_S = (0.4, 3.0)
_MAX_PICTURE = 8 << 20


class Asked(Protocol):
    """The station that a camera stands behind; :class:`.site.RemoteSite` is one."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def once(  # noqa: D102
        self, kind: RequestKind, timeout: float, *, asked: list[str] | None = None, **fields: Any
    ) -> list[Answer]: ...

    def known(self, sn: str) -> CameraState | None: ...  # noqa: D102


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

    site: Asked
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

    #: So many questions may be on their way at once: the station asks the camera one by one.
    at_once: int = 4
    #: The station keeps the camera's clock in view; here it is not known.
    clock_ahead: float | None = None
    clock_offset: float = 0.0

    def __init__(
        self, site: Asked, sn: str, *, model: str = "", timeout: float = 10.0, retries: int = 2
    ) -> None:
        if not 0 < timeout < math.inf:
            raise ParameterError(
                "{name}: out of bounds",
                name="timeout",
                hint="Allowed: {bounds}.",
                bounds="more than 0 seconds",
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
            told = self.site.known(self.sn)
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
            AccessDenied: The station does not list this key, or the broker does not let us in; nothing was sent.
            ShopUnreachable: The broker or the station does not answer.
            ConnectionFailed: The camera does not answer.
            OutcomeUnknown: The station may have carried it out, and what became of it could not be found out.
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
        left, back_by = self.retries, 0.0
        pause, longest = _AGAIN_S
        while True:
            try:
                return self.site.once(kind, seconds, **fields)
            except Interrupted:
                if left <= 0:
                    raise
                # The station, whose connection broke with ours, may take a moment longer to be back.
                left, back_by = left - 1, back_by or time.monotonic() + seconds
            except ConnectionFailed as error:
                if isinstance(error, TlsError | AccessDenied):
                    raise
                if not error.sent and time.monotonic() < back_by:
                    time.sleep(pause)
                    pause = min(longest, pause * 1.5)
                    continue
                if left <= 0 or not error.sent:
                    raise
                left -= 1

    def _surely(self, seconds: float, fields: dict[str, Any]) -> Answer:
        """Have it carried out once: where the answer is lost, what became of it is asked for."""
        left = self.retries
        while True:
            asked: list[str] = []
            end = time.monotonic() + seconds
            try:
                return self.site.once(RequestKind.CALL, seconds, asked=asked, **fields)[-1]
            except ConnectionFailed as error:
                if not error.sent or not asked:
                    raise
            # Outside, so that what is raised there is not taken for a part of this.
            answer = self._recall(asked[-1], max(0.0, end - time.monotonic()))
            if answer is not None:
                return answer
            # The station has not had it, and will never take it: it may be sent again.
            if left <= 0:
                raise lost("the station {site} did not get the call", self.site.name, sent=False)
            left -= 1

    def _recall(self, nonce: str, left: float = 0.0) -> Answer | None:
        """What became of a call; None where the station has not had it and never will take it.

        Args:
            nonce: Of the call.
            left: Seconds that it may still take by itself.

        """
        end = time.monotonic() + left + RECALL_S + self.timeout
        pause, longest = _AGAIN_S
        unknown = OutcomeUnknown("the station {site} did not answer in time", site=self.site.name)
        unknown.camera = self.address
        while time.monotonic() < end:
            try:
                answer = self.site.once(RequestKind.RECALL, _MARGIN_S, of=nonce)[-1]
            except TlsError as error:
                error.sent = True
                raise
            except SunmiIpcError as error:
                if isinstance(error, AccessDenied) or not isinstance(error, ConnectionFailed):
                    # Nobody who can tell is to be asked any more; the call itself was sent all the same.
                    unknown.values["reason"] = error
                    unknown.template = "the station's answer was lost, and it cannot be asked for: {reason}"
                    raise unknown from None
            else:
                if answer.state == "unknown":
                    return None
                if answer.state == "lost":
                    unknown.template = "the station {site} was restarted during the call"
                    raise unknown from None
                # That we may not ask just now says nothing about the call.
                if answer.state not in ("running", "refused"):
                    return answer
            time.sleep(min(pause, max(0.0, end - time.monotonic())))
            pause = min(longest, pause * 1.5)
        raise unknown from None

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

    faces: Any = made["faces"]

    class RemoteFaces(faces):  # type: ignore[misc]
        """Faces' calls; a face's picture comes through the station."""

        def picture(self, faceid: str) -> Snapshot:
            from ..video.snapshot import of_face

            caller = self._caller
            return of_face(caller.address, self.show(faceid).pic_url, caller.fetch_picture)

    made["video"], made["faces"] = RemoteVideo, RemoteFaces
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
