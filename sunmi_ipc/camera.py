"""One camera."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .errors import (
    ConfigError,
    ConnectionFailed,
    DeviceError,
    ParameterError,
    SunmiIpcError,
    TlsError,
    UnsupportedError,
)
from .protocol import wire
from .protocol.serial import SerialNumber
from .protocol.spec import ALL_MODELS, Endpoint, Model, Sign
from .protocol.wire import Credentials, Incoming, Outgoing, Override
from .redact import Secret, is_secret

if TYPE_CHECKING:
    import ssl

    from .api.detection import Detection
    from .api.device import Device
    from .api.events import Events
    from .api.faces import Faces
    from .api.image import Image
    from .api.lens import Lens
    from .api.network import Network
    from .api.people_flow import PeopleFlow
    from .api.sdcard import SdCard
    from .api.video import Video
    from .api.wifi import Wifi
    from .link.transport import Transport
    from .link.trust import KnownCameras

R = TypeVar("R")
_log = logging.getLogger("sunmi_ipc")

#: A camera's clock is taken to be wrong beyond this; how far it may differ is not documented.
CLOCK_TOLERANCE_S = 60.0
#: A camera whose clock is wrong refuses good credentials with these.
_CLOCK_CODES = frozenset({2, 5})
_RETRY_PAUSES_S = (0.1, 0.4)
# Names of hosts (of every language) and addresses, an IPv6 one with its zone.
_HOST = re.compile(r"[\w.:%-]{1,255}")


def _read(read: Callable[[Incoming], R], incoming: Incoming) -> R:
    """What *read* makes of an answer; its errors know that the request was sent."""
    try:
        return read(incoming)
    except SunmiIpcError as error:
        error.sent = True
        raise


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


class Camera:
    """A camera at an address. Thread-safe; calls on one camera run one after another.

    Args:
        address: ``host`` or ``host:port``; 192.168.200.1 on the camera's own access point.
        sn: Serial number, where known; the camera's certificate is pinned under it.
        model: Model, where known; else it is read once before a call that only some models have.
        app_id: From the vendor.
        secret_key: From the vendor; signs calls.
        activation_code: From the vendor; signs ``device.activate``.
        p12: Path of the vendor's ``openapi.p12``, the client certificate.
        p12_password: Its password.
        rtsp_user: User of the camera's video service.
        rtsp_password: Its password; both are ``admin`` by default (S).
        ca: Path of the vendor's CA certificate (PEM or DER) for the camera's side. Without it the
            camera's certificate is pinned at the first contact.
        known_cameras: Where pins are kept; default: in memory, for this object's life.
        insecure: Take any certificate. Somebody in the network can then read and change everything.
        legacy_tls: Allow TLS 1.0 and weak ciphers, for cameras of 2019 and 2020.
        timeout: Seconds a whole call may take, connecting and answering included.
        retries: How often a read is tried again after a broken connection.
        overrides: Corrections of inferred endpoints, by path.
        transport: Another way to the camera, for tests.

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
        transport: Transport | None = None,
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
                bounds="seconds, more than 0",
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
        self._lock = threading.RLock()
        self._until = math.inf  # the outermost call's deadline: a call may need another first
        self._own_transport = transport

    def __repr__(self) -> str:
        return f"Camera({self.address!r}" + (f", sn={self.sn!r})" if self.sn else ")")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    @cached_property
    def device(self) -> Device:
        """Activation and identity."""
        from .api.device import Device

        return Device(self)

    @cached_property
    def wifi(self) -> Wifi:
        """The network that the camera joins."""
        from .api.wifi import Wifi

        return Wifi(self)

    @cached_property
    def sdcard(self) -> SdCard:
        """The memory card."""
        from .api.sdcard import SdCard

        return SdCard(self)

    @cached_property
    def video(self) -> Video:
        """Live picture and recordings."""
        from .api.video import Video

        return Video(self)

    @cached_property
    def network(self) -> Network:
        """IP settings."""
        from .api.network import Network

        return Network(self)

    @cached_property
    def lens(self) -> Lens:
        """Zoom and focus motors (FS)."""
        from .api.lens import Lens

        return Lens(self)

    @cached_property
    def image(self) -> Image:
        """Night mode, rotation, LED, name."""
        from .api.image import Image

        return Image(self)

    @cached_property
    def detection(self) -> Detection:
        """Motion and sound detection."""
        from .api.detection import Detection

        return Detection(self)

    @cached_property
    def people_flow(self) -> PeopleFlow:
        """Door line, statistics, visitors (FS)."""
        from .api.people_flow import PeopleFlow

        return PeopleFlow(self)

    @cached_property
    def faces(self) -> Faces:
        """Face groups, attributes, faces (FS)."""
        from .api.faces import Faces

        return Faces(self)

    @cached_property
    def events(self) -> Events:
        """What the camera pushes, and where to."""
        from .api.events import Events

        return Events(self)

    @cached_property
    def _transport(self) -> Transport:
        if self._own_transport is not None:
            return self._own_transport
        from .link.transport import HttpsTransport

        context, approve = self.tls
        return HttpsTransport(self.host, self.port, context, approve=approve)

    @cached_property
    def tls(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """How this camera's https is trusted: a context, and who approves the certificate (DER), if any.

        For its links: pictures and recordings. Raises ConfigError where there is no client certificate, and
        TlsError where it does not open.
        """
        return self._tls(pin=True)

    @property
    def tls_of_links(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """As :attr:`tls`, for links that whoever posts an event may have written: compares, and never pins."""
        return self._tls(pin=False)

    def _tls(self, *, pin: bool) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        from .link.tls import ClientCertificate, client_context, read_ca
        from .link.trust import KnownCameras

        p12, password, ca, known, insecure, legacy = self._trust
        if p12 is None:
            raise ConfigError(
                "no client certificate is configured; the camera accepts no call without one",
                hint="Get openapi.p12 from the vendor and set SUNMI_IPC_P12, or run 'ipc configure'.",
            )
        certificate = ClientCertificate.load(p12, password)
        approve: Callable[[bytes], None] | None = None
        if insecure:
            _log.warning("%s: the camera's certificate is NOT checked (insecure)", self.address)
        elif ca is None:
            pins = known if known is not None else KnownCameras()

            def approve(der: bytes) -> None:
                if pin:
                    pins.approve(self.sn or self.address, der, by_address=not self.sn)
                else:
                    pins.compare(self.sn or self.address, der, by_address=not self.sn)

        return client_context(certificate, read_ca(ca) if ca and not insecure else None, legacy), approve

    def greet(self, timeout: float | None = None) -> str:
        """Shake hands now, before any call, to see whether this is the camera that we trust.

        The connection is kept for the first call.

        Args:
            timeout: Seconds; default: the camera's.

        Returns:
            The fingerprint of its certificate; empty where a connection was open already.

        Raises:
            ConnectionFailed: Not reachable in time.
            TlsError: Not the camera that we trust, or our certificate was refused.

        """
        from .link.tls import fingerprint
        from .link.transport import HttpsTransport

        with self._lock:
            transport = self._transport
            if not isinstance(transport, HttpsTransport):
                return ""
            shown = transport.greet(timeout=self.timeout if timeout is None else timeout)
        return fingerprint(shown) if shown else ""

    def send(self, outgoing: Outgoing, *, timeout: float | None = None) -> Incoming:
        """Send one request as it is and return the answer as it came: no check, no retry, no other clock.

        For finding out what a camera says; :meth:`call` is for everything else.

        Args:
            outgoing: From :mod:`sunmi_ipc.protocol.wire`.
            timeout: Seconds; default: the camera's.

        Raises:
            ConnectionFailed, TlsError, ReplyError: There is no answer.

        """
        with self._lock:
            return self._transport.send(outgoing, timeout=self.timeout if timeout is None else timeout)

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        with self._lock:
            if "_transport" in self.__dict__:
                self._transport.close()

    def move(self, address: str) -> None:
        """The camera is at another address now; its next call goes there.

        Raises:
            ParameterError: Not an address.

        """
        host, port = split_address(address)
        with self._lock:
            self.close()
            self.__dict__.pop("_transport", None)
            self.host, self.port = host, port

    def call(
        self,
        endpoint: Endpoint[..., Any] | str,
        values: Mapping[str, Any] | None = None,
        *,
        sign: bool = True,
    ) -> Any:
        """Call an endpoint, or any path.

        Args:
            endpoint: A declaration (``Wifi.set``), or ``"apiType/action"``.
            values: Parameters by Python name; for a path, by wire name.
            sign: Whether to sign; for a path only.

        Returns: the endpoint's result; for a path, the answer's fields as they came.

        Raises:
            ParameterError: A parameter is out of its bounds; nothing was sent.
            UnsupportedError: This model does not have the endpoint; nothing was sent.
            ConfigError: A credential that the call needs is missing; nothing was sent.
            ConnectionFailed, TlsError, ReplyError, DeviceError: see ``sunmi_ipc.errors``.

        """
        # Sealed first: a traceback with locals shows these frames.
        values = (
            {k: Secret(v) if is_secret(k) and isinstance(v, str) else v for k, v in (values or {}).items()}
            if isinstance(endpoint, str)
            else endpoint.seal(values or {})
        )
        try:
            if isinstance(endpoint, str):
                return self._call_path(endpoint, values, sign)
            checked = endpoint.check(values)
            with self._lock, self._deadline(endpoint.timeout_s):
                self._require_model(endpoint)
                override = self.overrides.get(endpoint.path)
                sent, theirs = (override.path, override.fields) if override else ("", None)

                def make(now: float) -> Outgoing:
                    return wire.build(
                        endpoint, checked, self._credentials, now=now, random=wire.nonce(), override=override
                    )

                return self._exchange(
                    make, lambda answer: wire.open_reply(endpoint, answer, path=sent, fields=theirs)
                )
        except SunmiIpcError as error:
            if error.camera is None and not isinstance(error, ParameterError):
                error.camera = self.address
            if self.sn and "sn" in error.values:  # the hint's next command can be copied as it is
                error.values = {**error.values, "sn": self.sn}
            # Bare: the frames below hold the request and the answer, and a traceback may show locals.
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None)  # noqa: B904

    def _call_path(self, path: str, values: Mapping[str, Any], sign: bool) -> dict[str, Any]:
        path = path.removeprefix("/openapi/").strip("/")
        if path.count("/") != 1 or not path.replace("/", "").replace("_", "").isalnum():
            raise ParameterError(
                "{name}: not apiType/action", name="path", hint="For example device/getInfo."
            )
        how = Sign.NONE if not sign else Sign.ACTIVATION if path == "device/activate" else Sign.SECRET

        def make(now: float) -> Outgoing:
            return wire.build_raw(path, values, self._credentials, now=now, random=wire.nonce(), how=how)

        with self._lock, self._deadline(None):
            return self._exchange(make, lambda answer: wire.open_json(answer, path=path))

    @contextlib.contextmanager
    def _deadline(self, timeout_s: float | None) -> Iterator[None]:
        """The whole call ends in time, whatever calls it makes itself."""
        outer = self._until
        self._until = min(outer, time.monotonic() + max(self.timeout, timeout_s or 0))
        try:
            yield
        finally:
            self._until = outer

    def read_sn(self) -> str:
        """Ask the camera for its serial number."""
        return self.device.info().sn

    def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""
        if not self.model:
            try:
                self.model = self.device.info().model
            except DeviceError:
                return ""  # the call that asks will say what is wrong
        return self.model

    def _require_model(self, endpoint: Endpoint[..., Any]) -> None:
        if endpoint.models == ALL_MODELS:
            return
        known = Model.read(self.known_model())
        if known is not None and known not in endpoint.models:
            raise UnsupportedError(
                "{feature} does not exist on the {model}",
                name=endpoint.key,
                feature=endpoint.key,
                model=str(known),
                hint="It needs {models}.",
                models=", ".join(sorted(endpoint.models)),
            )

    def _exchange(self, make: Callable[[float], Outgoing], read: Callable[[Incoming], R]) -> R:
        outgoing = make(time.time() + self.clock_offset)
        incoming = self._send(outgoing, self._until)
        try:
            return _read(read, incoming)
        except DeviceError as error:
            refused = error
            offset = self._other_clock(incoming, outgoing)
            if error.code not in _CLOCK_CODES or offset is None:
                raise
        # Refused, so not carried out: safe to say again with the camera's own time.
        answer = self._send(make(time.time() + offset), self._until)
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
        if incoming.date is None or stamp is None or abs(incoming.date - int(stamp)) <= CLOCK_TOLERANCE_S:
            return None
        return incoming.date - time.time()

    def _send(self, outgoing: Outgoing, deadline: float) -> Incoming:
        pauses = iter(_RETRY_PAUSES_S[: self.retries] if outgoing.safe else ())
        while True:
            left = deadline - time.monotonic()
            try:
                incoming = self._transport.send(outgoing, timeout=max(left, 0.001))
                self.clock_ahead = None if incoming.date is None else incoming.date - time.time()
                return incoming
            except TlsError:
                raise
            except ConnectionFailed:
                pause = next(pauses, None)
                if pause is None or deadline - time.monotonic() < pause:
                    raise
                time.sleep(pause)


__all__ = ["CLOCK_TOLERANCE_S", "Camera", "split_address"]
