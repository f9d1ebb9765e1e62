"""One camera as a partner of talk, in neither colour: what is sent, in which order, and what is tried again.

Nothing here does I/O. A call is a generator: it yields what is to be sent or waited for, and is given what
came; ``Camera`` and ``AsyncCamera`` carry that out, each in its way.
"""

from __future__ import annotations

import logging
import math
import os
import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypedDict, TypeVar

from ..errors import (
    LOOK_FIRST,
    CameraNotFound,
    CertificateMissingError,
    ConnectionFailed,
    DeviceError,
    ParameterError,
    ReplyError,
    SunmiIpcError,
    TlsError,
    UnsupportedError,
)
from ..protocol import wire
from ..protocol.serial import SerialNumber, same_serial_number
from ..protocol.spec import ALL_MODELS, DOC, Endpoint, Model, Sign, registry
from ..protocol.wire import Credentials, Incoming, Outgoing, Override
from ..redact import Secret, is_secret

if TYPE_CHECKING:
    import ssl

    from .trust import KnownCameras

R = TypeVar("R")
X = TypeVar("X")
_log = logging.getLogger("sunmi_ipc")

#: A camera's clock is taken to be wrong beyond this; how far it may differ is not documented.
CLOCK_TOLERANCE_S = 60.0
#: A camera whose clock is wrong refuses good credentials with these.
_CLOCK_CODES = frozenset({2, 5})
_RETRY_PAUSES_S = (0.1, 0.4)
# Names of hosts (of every language) and addresses, an IPv6 one with its zone.
_HOST = re.compile(r"[\w.:%-]{1,255}")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the answer is what came."""

    outgoing: Outgoing
    timeout: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for so many seconds."""

    seconds: float


#: A call: what it yields is carried out, what came is sent in.
Talk: TypeAlias = Generator[Send | Wait, Incoming | None, R]


def _read(read: Callable[[Incoming], R], incoming: Incoming) -> R:
    """What *read* makes of an answer; its errors know that the request was sent."""
    try:
        return read(incoming)
    except SunmiIpcError as error:
        error.sent = True
        raise


def _bare(path: str) -> str:
    """``apiType/action`` of a path as people write it."""
    return path.removeprefix("/openapi/").strip("/")


def split_address(address: str) -> tuple[str, int]:
    """``host`` or ``host:port`` as (host, port); the port is 443 where none is given.

    A URL that was pasted from a browser is taken, too; of it, host and port count.

    Raises:
        ParameterError: The port is no number from 1 to 65535, or there is no host.

    """
    text = address.strip()
    scheme, marked, rest = text.partition("://")
    if marked:
        # Pasted from a browser: host and port are what we need of it.
        text = re.split(r"[/?#]", rest, maxsplit=1)[0] if scheme.lower() in ("http", "https") else ""
    host, colon, port = text.partition(":")
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
    elif text.count(":") > 1:
        host, colon, port = text, "", ""
    if (
        not _HOST.fullmatch(host)
        or colon not in ("", ":")
        or (colon and not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536))
    ):
        raise ParameterError(
            "{name}: not an address", name="camera", hint="Write it like 192.168.1.20 or 192.168.1.20:8443."
        )
    return host, int(port) if colon else 443


class CameraOptions(TypedDict, total=False):
    """What a camera is made with besides its address, for who hands it on: see :class:`sunmi_ipc.Camera`."""

    sn: str
    model: str
    app_id: str
    secret_key: str
    activation_code: str
    p12: str | os.PathLike[str] | None
    p12_password: str
    rtsp_user: str
    rtsp_password: str
    ca: str | os.PathLike[str] | None
    known_cameras: KnownCameras | None
    insecure: bool
    legacy_tls: bool
    timeout: float
    retries: int
    overrides: Mapping[str, Override] | None


class Exchange(Generic[X]):
    """What cameras of both colours have: address, credentials, trust, clock, and how a call goes.

    ``X`` is their kind of transport.
    """

    host: str
    port: int
    timeout: float
    retries: int
    rtsp_user: str
    rtsp_password: Secret

    def __init__(
        self,
        address: str,
        *,
        sn: str = "",
        model: str = "",
        app_id: str = "",
        secret_key: str = "",
        activation_code: str = "",
        p12: str | os.PathLike[str] | None = None,
        p12_password: str = "",
        rtsp_user: str = "admin",
        rtsp_password: str = "admin",  # noqa: S107 - the camera's default (S)
        ca: str | os.PathLike[str] | None = None,
        known_cameras: KnownCameras | None = None,
        insecure: bool = False,
        legacy_tls: bool = False,
        timeout: float = 10.0,
        retries: int = 2,
        overrides: Mapping[str, Override] | None = None,
        transport: X | None = None,
    ) -> None:
        self.host, self.port = split_address(address)
        #: Its serial number in the one spelling, or "" where it is not known.
        self.sn: str = SerialNumber(sn) if sn else ""
        self.model: str = model
        if not 0 < timeout < math.inf:
            raise ParameterError(
                "{name}: out of bounds",
                name="timeout",
                hint="Allowed: {bounds}.",
                bounds="more than 0 seconds",
            )
        self.timeout, self.retries = timeout, retries
        self.overrides: dict[str, Override] = dict(overrides or {})
        #: Seconds that the camera's clock is ahead of ours, once a refused call has shown it.
        self.clock_offset: float = 0.0
        #: Seconds that its clock was ahead of ours in its last answer (HTTP Date); None where it does not say.
        self.clock_ahead: float | None = None
        self._credentials = Credentials(app_id, Secret(secret_key), Secret(activation_code))
        self._trust = (p12, Secret(p12_password), ca, known_cameras, insecure, legacy_tls)
        self.rtsp_user, self.rtsp_password = rtsp_user, Secret(rtsp_password)
        self._own_transport = transport
        #: What :attr:`tls` is, and whether by a certificate that a person has accepted.
        self._trusted: tuple[tuple[ssl.SSLContext, Callable[[bytes], None] | None], bool] | None = None
        #: As which of both the connection was made.
        self._connected_as: bool | None = None
        self._set_up()

    def _set_up(self) -> None:
        """Make what this colour needs besides."""

    def _moved(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r}" + (f", sn={self.sn!r})" if self.sn else ")")

    @property
    def address(self) -> str:
        """``host``, or ``host:port`` where the port is not 443."""
        if self.port == 443:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def credentials(self) -> Credentials:
        """What signs the calls; its ``repr`` shows no secret."""
        return self._credentials

    @property
    def tls(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """How this camera's https is trusted: a context, and who approves the certificate (DER), if any.

        For its links: pictures and recordings. Raises ConfigError where there is no client certificate, and
        TlsError where it does not open.
        """
        accepted = self._accepted()
        if self._trusted is None or self._trusted[1] != accepted:
            self._trusted = self._tls(pin=True), accepted
        return self._trusted[0]

    @property
    def tls_of_links(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """As :attr:`tls`, for links that whoever posts an event may have written: compares, and never pins."""
        return self._tls(pin=False)

    def _tls(self, *, pin: bool) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        from .tls import camera_context
        from .trust import KnownCameras

        p12, password, ca, known, insecure, legacy = self._trust
        accepted = self._accepted()
        if p12 is None:
            raise CertificateMissingError(
                "no client certificate is configured; the camera accepts no call without one",
                hint="Get openapi.p12 from the vendor and set SUNMI_IPC_P12, or run 'ipc configure'.",
            )
        context = camera_context(p12, password, None if insecure or accepted else ca, legacy)
        approve: Callable[[bytes], None] | None = None
        if insecure:
            _log.warning("%s: the camera's certificate is NOT checked (insecure)", self.address)
        elif ca is None or accepted:
            pins = known if known is not None else KnownCameras()

            def approve(der: bytes) -> None:
                # Beside a CA nothing is pinned by itself: one that was forgotten meanwhile is asked for anew.
                if pin and ca is None:
                    pins.approve(self.sn or self.address, der, by_address=not self.sn)
                else:
                    pins.compare(self.sn or self.address, der, by_address=not self.sn)

        return context, approve

    def _accepted(self) -> bool:
        """Whether a person has accepted this camera's certificate: then that one counts, and the CA does not."""
        _, _, ca, known, insecure, _ = self._trust
        return ca is not None and not insecure and known is not None and known.accepted(self.sn)

    def _trust_has_changed(self) -> bool:
        """Whether a person has accepted the certificate since, or has taken that back: connect anew."""
        return self._connected_as is not None and self._connected_as != self._accepted()

    def _trust_is_at_hand(self) -> bool:
        """Whether :attr:`tls` would read no file."""
        from .tls import context_is_at_hand

        p12, password, ca, _, insecure, legacy = self._trust
        accepted = self._accepted()
        if p12 is None or (self._trusted is not None and self._trusted[1] == accepted):
            return True
        return context_is_at_hand(p12, password, None if insecure or accepted else ca, legacy)

    def _talk(
        self, endpoint: Endpoint[..., Any] | str, values: Mapping[str, Any] | None, sign: bool, until: float
    ) -> Talk[Any]:
        """Call an endpoint, or any path, before *until*; see ``Camera.call``."""
        # Sealed first: a traceback with locals shows these frames.
        if isinstance(endpoint, str):
            given = values or {}
            values = {k: Secret(v) if is_secret(k) and isinstance(v, str) else v for k, v in given.items()}
            return (yield from self._call_path(endpoint, values, sign, until))
        values = endpoint.seal(values or {})
        checked = endpoint.check(values)
        until = min(until, time.monotonic() + max(self.timeout, endpoint.timeout_s or 0))
        try:
            yield from self._require_model(endpoint, until)
            if endpoint.destroys and endpoint.sign is Sign.SECRET:
                yield from self._look_again(until)
        except SunmiIpcError as error:
            error.sent = False  # a question before the call was; the call itself was not
            raise
        override = self.overrides.get(endpoint.path)
        sent, theirs = (override.path, override.fields) if override else ("", None)

        def make(now: float) -> Outgoing:
            return wire.build(
                endpoint, checked, self._credentials, now=now, random=wire.nonce(), override=override
            )

        return (
            yield from self._exchange(
                make, lambda answer: wire.open_reply(endpoint, answer, path=sent, fields=theirs), until
            )
        )

    def _whose(self, error: SunmiIpcError) -> None:
        """Have *error* say which camera, so that its hint's next command can be copied as it is."""
        if self.sn and "sn" in error.values:
            error.values = {**error.values, "sn": self.sn}

    def _named(self, error: SunmiIpcError, endpoint: Endpoint[..., Any] | str) -> SunmiIpcError:
        """*error* with the camera's name, and bare: the frames below it hold the request and the answer."""
        if error.camera is None and not isinstance(error, ParameterError):
            error.camera = self.address
        if isinstance(error, ConnectionFailed) and error.sent and not isinstance(error, TlsError):
            known = registry().get(_bare(endpoint)) if isinstance(endpoint, str) else endpoint
            if known is None or not known.safe:
                error.hint_template = LOOK_FIRST
        self._whose(error)
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)

    def _call_path(
        self, path: str, values: Mapping[str, Any], sign: bool, until: float
    ) -> Talk[dict[str, Any]]:
        path = _bare(path)
        if path.count("/") != 1 or not path.replace("/", "").replace("_", "").isalnum():
            raise ParameterError(
                "{name}: not apiType/action", name="path", hint="For example device/getInfo."
            )
        how = Sign.NONE if not sign else Sign.ACTIVATION if path == "device/activate" else Sign.SECRET

        def make(now: float) -> Outgoing:
            return wire.build_raw(path, values, self._credentials, now=now, random=wire.nonce(), how=how)

        until = min(until, time.monotonic() + self.timeout)
        ours = registry().get(path)

        def read(answer: Incoming) -> dict[str, Any]:
            return wire.open_json(answer, path=path, inferred=ours is not None and ours.evidence is not DOC)

        return (yield from self._exchange(make, read, until))

    def _know_model(self, until: float) -> Talk[str]:
        """The camera's model, read once; empty where the camera does not say it."""
        if not self.model:
            try:
                self.model = (yield from self._talk(registry()["device/getInfo"], {}, True, until)).model
            except DeviceError:
                return ""  # the call that asks will say what is wrong
        return self.model

    def _require_model(self, endpoint: Endpoint[..., Any], until: float) -> Talk[None]:
        if endpoint.models == ALL_MODELS:
            return
        known = Model.read((yield from self._know_model(until)))
        if known is not None and known not in endpoint.models:
            raise UnsupportedError(
                "the {model} has no {feature}",
                name=endpoint.key,
                feature=endpoint.title or endpoint.key,
                model=str(known),
                hint="Cameras that have it: {models}.",
                models=", ".join(sorted(endpoint.models)),
            )

    def _look_again(self, until: float) -> Talk[None]:
        """Before anything is destroyed: the address may be another camera's by now, of the same CA.

        A camera that does not say who it is is taken for the one that was named.
        """
        if not self.sn:
            return
        try:
            there = (yield from self._talk(registry()["device/getInfo"], {}, True, until)).sn
        except (DeviceError, ReplyError):
            return
        if SerialNumber.read(there) is not None and not same_serial_number(there, self.sn):
            raise CameraNotFound(
                "the camera here is {other} now, and not {sn}; nothing was destroyed",
                hint="Addresses change: 'ipc scan' shows where each camera is.",
                sn=self.sn,
                other=str(there),
            )

    def _exchange(
        self, make: Callable[[float], Outgoing], read: Callable[[Incoming], R], until: float
    ) -> Talk[R]:
        outgoing = make(time.time() + self.clock_offset)
        incoming = yield from self._sent(outgoing, until)
        try:
            return _read(read, incoming)
        except DeviceError as error:
            refused = error
            offset = self._other_clock(incoming, outgoing)
            if error.code not in _CLOCK_CODES or offset is None:
                raise
        # Refused, so not carried out: safe to say again with the camera's own time.
        answer = yield from self._sent(make(time.time() + offset), until)
        try:
            result = _read(read, answer)
        except DeviceError as error:
            if error.code in _CLOCK_CODES:
                raise refused from None  # the time was not what was wrong
            raise
        # Only now is it proved: a web server's clock need not be the one that checks signatures.
        self.clock_offset = offset
        _log.warning(
            "%s: the camera's clock is %+.0f s off; signing with the camera's time", self.address, offset
        )
        return result

    def _other_clock(self, incoming: Incoming, outgoing: Outgoing) -> float | None:
        """Seconds to be added to our clock for the camera's, where a signed call's time may be what was refused."""
        stamp = dict(outgoing.fields).get("timestamp")
        date = incoming.date
        if date is None or stamp is None or abs(date - int(stamp)) <= CLOCK_TOLERANCE_S:
            return None
        return date - time.time()

    def _sent(self, outgoing: Outgoing, until: float) -> Talk[Incoming]:
        pauses = iter(_RETRY_PAUSES_S[: self.retries] if outgoing.safe else ())
        while True:
            left = until - time.monotonic()
            try:
                incoming = yield Send(outgoing, max(left, 0.001))
                assert incoming is not None
                date = incoming.date
                self.clock_ahead = None if date is None else date - time.time()
                return incoming
            except TlsError:
                raise
            except ConnectionFailed:
                pause = next(pauses, None)
                if pause is None or until - time.monotonic() < pause:
                    raise
                yield Wait(pause)


__all__ = ["CLOCK_TOLERANCE_S", "Exchange", "Send", "Talk", "Wait", "split_address"]
