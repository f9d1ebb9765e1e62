"""One camera."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, overload

from .errors import SunmiIpcError
from .groups import Groups
from .link.exchange import CLOCK_TOLERANCE_S, Exchange, Send, Talk, split_address
from .protocol.spec import Endpoint
from .protocol.steps import Sync
from .protocol.wire import Incoming, Outgoing

if TYPE_CHECKING:
    from .link.transport import Transport

P = ParamSpec("P")
R = TypeVar("R")


class Camera(Exchange["Transport"], Groups[Sync]):
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

    def _set_up(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _transport(self) -> Transport:
        if self._own_transport is not None:
            return self._own_transport
        from .link.transport import HttpsTransport

        context, approve = self.tls
        self._connected_as = self._accepted()
        return HttpsTransport(self.host, self.port, context, approve=approve)

    def _as_trusted_now(self) -> None:
        """Let go of a connection whose certificate was judged otherwise than it would be now."""
        if self._trust_has_changed():
            self.close()
            self.__dict__.pop("_transport", None)

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
            self._as_trusted_now()
            transport = self._transport
            if not isinstance(transport, HttpsTransport):
                return ""
            try:
                shown = transport.greet(timeout=self.timeout if timeout is None else timeout)
            except SunmiIpcError as error:
                self._whose(error)
                raise
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
            self._as_trusted_now()
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
            self._moved(host, port)

    @overload
    def call(self, endpoint: Endpoint[..., R], values: Mapping[str, object] | None = None) -> R: ...
    @overload
    def call(
        self, endpoint: str, values: Mapping[str, object] | None = None, *, sign: bool = True
    ) -> dict[str, object]: ...
    def call(
        self,
        endpoint: Endpoint[..., R] | str,
        values: Mapping[str, object] | None = None,
        *,
        sign: bool = True,
    ) -> R | dict[str, object]:
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
        talk = self._talk(endpoint, values, sign, math.inf)
        values = None  # a traceback with locals shows this frame; the talk seals what it was given
        try:
            return self._carry_out(talk)  # type: ignore[no-any-return]
        except SunmiIpcError as error:
            raise self._named(error, endpoint)  # noqa: B904

    def _carry_out(self, talk: Talk[R]) -> R:
        with self._lock:
            self._as_trusted_now()
            answer: Incoming | None = None
            failure: BaseException | None = None
            while True:
                try:
                    step = talk.throw(failure) if failure is not None else talk.send(answer)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                answer = failure = None
                try:
                    if isinstance(step, Send):
                        answer = self._transport.send(step.outgoing, timeout=step.timeout)
                    else:
                        time.sleep(step.seconds)
                except BaseException as error:
                    failure = error

    def read_sn(self) -> str:
        """Ask the camera for its serial number."""
        return self.device.info().sn

    def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""
        return self._carry_out(self._know_model(math.inf))


__all__ = ["CLOCK_TOLERANCE_S", "Camera", "split_address"]
