"""A shop behind a broker: what its station tells, and how it is asked."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..errors import AccessDenied, CameraNotFound, ConfigError, ShopUnreachable
from ..events.broker_reasons import NOT_AUTHORISED, coded
from . import contract, keys
from .camera import RemoteCamera
from .connection import LOST, Broker, BrokerError, BrokerRefused, Connection, Sent
from .contract import PREFIX, Answer, BadMessage, CameraState, Envelope, Request, RequestKind, StationState
from .failures import CLOCK, Interrupted, lost
from .keys import SigningKey, new_nonce
from .stations import KnownStations

_log = logging.getLogger("sunmi_ipc")
_RETAINED_S = 5.0
#: Cameras whose state is remembered at most: a broker may make them up.
_MOST_CAMERAS = 5000


@dataclass(frozen=True)
class Line:
    """What all sites of a channel share.

    Attributes:
        broker: Where it is.
        connection: To it.
        client: Our name there: answers come to a topic of that name.
        key: What signs the calls; None: only to look at what stations tell.
        stations: The stations' keys that are known.
        prefix: What stands before the site in topics.

    """

    broker: Broker
    connection: Connection
    client: str
    key: SigningKey | None
    stations: KnownStations
    prefix: str = PREFIX

    @cached_property
    def fingerprint(self) -> str:
        """Of our key, as stations tell whose calls they take; empty where there is none."""
        return keys.fingerprint(self.key.public) if self.key is not None else ""


class _Wait:
    """Somebody who waits for the answer to a nonce."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.answers: list[Answer] = []

    def take(self, answer: Answer) -> None:
        if self.arrived.is_set():
            return
        self.answers.append(answer)
        chunk = answer.chunk
        if chunk is None or len(self.answers) >= chunk.parts:
            self.arrived.set()


class RemoteSite:
    """A shop's cameras, through the broker; made by :meth:`.channel.Channel.site`. Thread-safe."""

    name: str

    def __init__(self, line: Line, name: str) -> None:
        self._line, self.name = line, name
        self._changed = threading.Condition()
        self._waiting: dict[str, _Wait] = {}
        self._state: StationState | None = None
        self._cameras: dict[str, CameraState] = {}
        self._approved = ""
        #: How far the station's clock is ahead of ours, as far as that matters; seconds.
        self._offset = 0.0

    def camera(self, sn: str, *, model: str = "", timeout: float = 10.0, retries: int = 2) -> RemoteCamera:
        """A camera by its serial number.

        Args:
            sn: Serial number.
            model: Its model, where known.
            timeout: Seconds that a call may take, beside the way through the broker.
            retries: How often a read is tried again.

        """
        return RemoteCamera(self, sn, model=model, timeout=timeout, retries=retries)

    # -- what the station tells -----------------------------------------------------------------------

    def state(self) -> StationState | None:
        """What the station says of itself; waits for it a little, None where the broker knows none."""
        if not self._line.connection.wait(10.0):
            return None
        end = time.monotonic() + _RETAINED_S
        with self._changed:
            while self._state is None and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._state

    def cameras(self) -> dict[str, CameraState]:
        """How its cameras are, as the station tells of them, by serial number."""
        state = self.state()
        if state is None:
            return {}
        end = time.monotonic() + _RETAINED_S
        with self._changed:
            # What is retained comes in one go, after the station's own message or before it.
            while not {*state.cameras} <= {*self._cameras} and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            return dict(self._cameras)

    @property
    def told(self) -> StationState | None:
        """What the station has said of itself until now; never waits."""
        with self._changed:
            return self._state

    def cameras_told(self) -> dict[str, CameraState]:
        """What was told of its cameras until now; never waits."""
        with self._changed:
            return dict(self._cameras)

    def known(self, sn: str) -> CameraState | None:
        """What was told of a camera until now; never waits."""
        with self._changed:
            return self._cameras.get(sn)

    def take(self, sn: str, payload: Any) -> None:
        """What came from the broker about this site."""
        if isinstance(payload, Envelope):
            self._answered(payload)
            return
        with self._changed:
            if isinstance(payload, StationState):
                known = self._state
                if known is None or _newer(payload, known):
                    if known is not None and payload.state == "offline" and not payload.public:
                        payload = known.model_copy(update={"state": "offline", "since": payload.since})
                    self._state = payload
            elif isinstance(payload, CameraState):
                known_camera = self._cameras.get(sn)
                if known_camera is None and len(self._cameras) >= _MOST_CAMERAS:
                    return
                if known_camera is None or payload.revision > known_camera.revision:
                    self._cameras[sn] = payload
            self._changed.notify_all()

    def _answered(self, envelope: Envelope) -> None:
        # By the key that was approved when the call went out: what the broker tells meanwhile changes nothing.
        if not self._approved:
            return
        try:
            text = keys.verify(envelope, keys.ANSWER, self._approved)
            answer: Answer = contract.decode(Answer, text, limit=contract.MAX_CALL)
        except (keys.BadSignature, BadMessage) as error:
            _log.debug("%s: an answer is not the station's: %s", self.name, error)
            return
        with self._changed:
            wait = self._waiting.get(answer.nonce)
        if wait is not None and answer.site == self.name:
            wait.take(answer)

    def give_up(self) -> None:
        """The connection ends: whoever waits for an answer is told."""
        with self._changed:
            waiting = list(self._waiting.values())
        for wait in waiting:
            wait.arrived.set()

    # -- asking ---------------------------------------------------------------------------------------

    def once(
        self,
        kind: RequestKind,
        timeout: float,
        *,
        asked: list[str] | None = None,
        by_its_clock: bool = True,
        **fields: Any,
    ) -> list[Answer]:
        """Send one request and wait for its answer.

        Args:
            kind: What is asked.
            timeout: Seconds.
            asked: Takes the nonces that were sent: the last one may have been carried out, those before were refused.
            by_its_clock: Whether to ask once more with the station's time, where ours is refused.
            fields: Of the request.

        Raises:
            Interrupted: The connection broke meanwhile and is there again: what became of it is to be asked now.
            ConnectionFailed: No answer, ``sent`` tells whether the station may have had it.
            AccessDenied: The station does not list our key, or the broker does not let us in: nothing was sent.
            TlsError: The station's key is not the known one.
            ConfigError: There is no key to sign with.

        """
        line = self._line
        if line.key is None:
            raise ConfigError(
                "calls through a broker are signed, and it is not said with which key",
                hint="'ipc keys new NAME' makes one; with several, name it: --sign-key NAME or $SUNMI_IPC_KEY.",
            )
        self.approve()
        now = time.time() + self._offset
        nonce = new_nonce()
        if asked is not None:
            asked.append(nonce)
        request = Request(
            kind=kind, site=self.name, nonce=nonce, issued=now, expires=now + min(timeout + 1.0, 590.0),
            client=line.client, **fields,
        )  # fmt: skip
        wait = _Wait()
        with self._changed:
            self._waiting[nonce] = wait
        try:
            sent = line.connection.publish(
                contract.topic("calls", self.name, prefix=line.prefix),
                line.key.sign(keys.CALL, request).encode(),
                schema=contract.MESSAGES["calls"].schema,
                expiry_s=int(timeout) + 1,
                response_topic=contract.topic("replies", self.name, client=line.client, prefix=line.prefix),
                correlation=nonce.encode(),
            )
            self._await(wait, sent, timeout)
        finally:
            with self._changed:
                self._waiting.pop(nonce, None)
        if not wait.answers:
            # To a key that it does not list a station says nothing: its refusal could pass for that of a true call.
            raise lost(
                "the station {site} did not answer in time", self.name, key=line.key.name,
                hint="Is the shop's connection slow, or does its station file list our key {key} no longer? "
                "Its audit says what it has refused.",
            )  # fmt: skip
        if by_its_clock and self._other_clock(wait.answers[0]):
            return self.once(kind, timeout, asked=asked, by_its_clock=False, **fields)
        return wait.answers

    def _await(self, wait: _Wait, sent: Sent, timeout: float) -> None:
        end = time.monotonic() + timeout
        while not wait.arrived.wait(max(0.0, min(0.25, end - time.monotonic()))):
            if sent.done and sent.problem and sent.problem != LOST and not wait.answers:
                kind = BrokerRefused if sent.problem == coded(NOT_AUTHORISED).problem else BrokerError
                raise kind(
                    "the broker does not let the call through: {reason}",
                    hint="May our name write to {topic}? See the broker's ACL.",
                    reason=sent.problem,
                    topic=contract.topic("calls", self.name, prefix=self._line.prefix),
                )
            if sent.unheard and not wait.answers:
                raise lost(
                    "the station {site} does not listen at the broker", self.name, sent=False,
                    hint="Nothing was carried out. Is 'ipc serve' running in the shop, and may its name read "
                    "its own calls at the broker (ACL)?",
                )  # fmt: skip
            link = self._line.connection
            if link.connected and link.connections != sent.connection:
                # The broker keeps nothing for us while we are away: the answer may never come.
                raise lost(
                    "the connection to the broker broke while the station {site} was asked", self.name,
                    kind=Interrupted,
                )  # fmt: skip
            if time.monotonic() >= end:
                if wait.answers:
                    wait.answers.clear()  # of a picture, a piece is missing
                return

    def _other_clock(self, answer: Answer) -> bool:
        """Whether our clock is what was refused: then nothing was carried out, and the station's is signed with."""
        if answer.state != "refused" or answer.error is None or answer.error.template not in CLOCK.values():
            return False
        offset = answer.at - time.time()
        if abs(offset - self._offset) < 5.0:
            return False
        _log.warning("%s: the clocks differ by %+.0f s; signing with the station's time", self.name, offset)
        self._offset = offset
        return True

    def approve(self) -> None:
        """Know the station's key, and that it is there."""
        state = self.state()
        line = self._line
        if state is None:
            if not line.connection.connected:
                raise line.connection.absent()
            raise CameraNotFound(
                "the broker knows no station {site}",
                hint="Is the name right (the station file's 'site'), and may we read its topics?",
                sn=self.name,
                site=self.name,
            )
        if state.state != "online":
            raise ShopUnreachable(
                "the station {site} is offline",
                hint="Look at the shop's computer and its network; 'ipc serve' says why there.",
                site=self.name,
            )
        if state.public != self._approved:
            line.stations.approve(f"{line.broker.name}/{self.name}", state.public)
            self._approved = state.public
        if line.key is not None and state.callers is not None and line.fingerprint not in state.callers:
            raise AccessDenied(
                "the station {site} does not list our key {key}",
                hint="Nothing was sent. Has somebody taken it out of the station file ([[broker.keys]])? Ask who runs "
                "the shop; 'ipc keys list' shows our keys.",
                site=self.name,
                key=line.key.name,
            )


def _newer(one: StationState, other: StationState) -> bool:
    return (one.revision, one.state == "offline") >= (other.revision, other.state == "offline")
