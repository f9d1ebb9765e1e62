"""The cloud's client."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, overload
from urllib.parse import urlsplit

from ..errors import CloudError, ConfigError, ConnectionFailed, ParameterError, TlsError
from ..protocol.spec import Endpoint
from ..protocol.wire import Credentials, Incoming, nonce
from ..redact import Secret
from . import wire
from .fields import SHOP_NO
from .periods import NOTHING
from .spec import CloudEndpoint

if TYPE_CHECKING:
    from .api.devices import Devices
    from .api.faces import Faces
    from .api.flow import Flow
    from .api.media import Media
    from .api.messages import Messages

R = TypeVar("R")
_log = logging.getLogger("sunmi_ipc.cloud")

#: Both are documented.
URLS = {
    "production": "https://store.sunmi.com/openapi",
    "test": "https://store.uat.sunmi.com/openapi",
}
_RETRY_PAUSES_S = (0.2, 0.8)
_CLOCK_TOLERANCE_S = 60.0


class Transport(Protocol):
    """What a cloud needs of the network."""

    def send(self, request: wire.Request, *, timeout: float) -> Incoming:
        """Send, and return the whole answer within *timeout* seconds, or raise a SunmiIpcError."""

    def fetch(self, url: str, *, timeout: float) -> bytes:
        """The file at *url*, within *timeout* seconds."""

    def close(self) -> None:
        """Close what is open."""


def base_url(text: str) -> str:
    """``production``, ``test`` or a URL, as the URL that paths are appended to.

    Raises:
        ParameterError: It is none of these, or not HTTPS.

    """
    url = URLS.get(text or "production", text).rstrip("/")
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and parts.hostname and parts.username is None and not parts.query
        _ = parts.port
    except ValueError:
        good = False
    if not good:
        raise ParameterError(
            "{name}: not the URL of a service",
            name="url",
            hint="Use production, test, or a URL like https://store.sunmi.com/openapi (SUNMI_IPC_CLOUD_URL).",
        )
    return url


class Cloud:
    """The vendor's cloud, as one app and one shop see it. May be used by several threads at once.

    Args:
        app_id: From the vendor.
        secret_key: From the vendor; signs calls.
        shop_no: The shop's number in the digital store, digits.
        shop_id: The shop's id in your own system, which the service took before it had numbers. By week and by
            month the page knows the id alone: give both there.
        url: ``production``, ``test`` or the URL of another service, ``https://…/openapi``.
        ca: Path of a CA file to trust instead of the system's CAs.
        timeout: Seconds a whole call may take.
        retries: How often a read is tried again after a broken connection.
        parallel: How many parts of a long period are asked for at once.
        on_part: Called with (done, all) while a long period is being fetched.
        transport: Another way to the service, for tests.

    Raises:
        ParameterError: The shop's number is not made of digits, or the URL is none.

    """

    url: str
    ca: str
    timeout: float
    retries: int
    parallel: int
    on_part: Callable[[int, int], None] | None

    def __init__(
        self,
        *,
        app_id: str = "",
        secret_key: str = "",
        shop_no: str = "",
        shop_id: str = "",
        url: str = "production",
        ca: str | os.PathLike[str] | None = None,
        timeout: float = 15.0,
        retries: int = 2,
        parallel: int = 8,
        on_part: Callable[[int, int], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.url, self.ca = base_url(url), os.fspath(ca) if ca else ""
        self.shop: dict[str, str] = _shop(shop_no, shop_id)
        if parallel < 1:
            raise ParameterError("{name}: out of bounds", name="parallel", hint="From 1.")
        self.timeout, self.retries, self.parallel, self.on_part = timeout, retries, parallel, on_part
        #: Seconds that the service's clock is ahead of ours, once a refused call has shown it.
        self.clock_offset: float = 0.0
        self._credentials = Credentials(app_id, Secret(secret_key))
        self._own_transport = transport
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        shop = next(iter(self.shop.values()), "")
        return f"Cloud({self.url!r}" + (f", shop={shop!r})" if shop else ")")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        transport = self._own_transport or self.__dict__.get("_made_transport")
        if transport is not None:
            transport.close()

    def at(self, shop_no: str = "", shop_id: str = "") -> Cloud:
        """The same cloud, seen from another shop; it shares the connections."""
        return Cloud(
            app_id=self._credentials.app_id,
            secret_key=self._credentials.secret_key,
            shop_no=shop_no,
            shop_id=shop_id,
            url=self.url,
            ca=self.ca,
            timeout=self.timeout,
            retries=self.retries,
            parallel=self.parallel,
            on_part=self.on_part,
            transport=self._transport,
        )

    @cached_property
    def _made_transport(self) -> Transport:
        from .transport import CloudTransport

        return CloudTransport(self.url, ca=self.ca)

    @property
    def _transport(self) -> Transport:
        if self._own_transport is not None:
            return self._own_transport
        with self._lock:
            return self._made_transport

    @cached_property
    def devices(self) -> Devices:
        """The cameras of a shop or a company."""
        from .api.devices import Devices

        return Devices(self)

    @cached_property
    def media(self) -> Media:
        """Live picture, recordings, snapshots."""
        from .api.media import Media

        return Media(self)

    @cached_property
    def flow(self) -> Flow:
        """People who come and pass."""
        from .api.flow import Flow

        return Flow(self)

    @cached_property
    def faces(self) -> Faces:
        """Face groups and faces."""
        from .api.faces import Faces

        return Faces(self)

    @cached_property
    def messages(self) -> Messages:
        """What the cloud posts to you, and where to."""
        from .api.messages import Messages

        return Messages(self)

    def known_model(self) -> str:
        """Nothing: a cloud is no camera."""
        return ""

    @overload
    def call(self, endpoint: Endpoint[..., R], values: Mapping[str, object] | None = None) -> R: ...
    @overload
    def call(self, endpoint: str, values: Mapping[str, object] | None = None) -> dict[str, object]: ...
    def call(
        self, endpoint: Endpoint[..., R] | str, values: Mapping[str, object] | None = None
    ) -> R | dict[str, object]:
        """Call an endpoint, or any path.

        Args:
            endpoint: A declaration (``Devices.list``), or a path such as ``"face/updatePicture"``.
            values: Parameters by Python name; for a path, by wire name, bytes for files.

        Returns: the endpoint's result; for a path, the answer's ``data`` as it came.

        Raises:
            ParameterError: A parameter, the period or the size is out of bounds; nothing was sent.
            ConfigError: A credential or the shop is missing; nothing was sent.
            ConnectionFailed, TlsError, ReplyError, CloudError: see ``sunmi_ipc.errors``.

        """
        values = values or {}
        shop = {k: v for k, v in self.shop.items() if k == "sunmi_shop_no"} or self.shop
        if isinstance(endpoint, str):
            path = endpoint.strip("/").removeprefix("openapi/")
            if not re.fullmatch(r"\w+(/\w+)+", path, re.ASCII):
                raise ParameterError(
                    "{name}: not a path", name="path", hint="For example device/ipc/getList."
                )

            def make() -> wire.Request:
                now = time.time() + self.clock_offset
                return wire.build_raw(path, values, self._credentials, shop=shop, now=now, random=nonce())

            return self._exchange(make, lambda answer: wire.open_json(path, answer))
        assert isinstance(endpoint, CloudEndpoint)
        declared: CloudEndpoint[..., R] = endpoint
        checked = declared.check(values)
        if declared.shop:
            self.require_shop()

        shop = self._shop_of(declared)

        def build() -> wire.Request:
            now = time.time() + self.clock_offset
            return wire.build(declared, checked, self._credentials, shop=shop, now=now, random=nonce())

        return self._exchange(build, lambda answer: wire.open_reply(declared, answer))

    def _shop_of(self, endpoint: CloudEndpoint[..., Any]) -> dict[str, str]:
        """The shop's field for a call: the one that the page has there, where it is known, else the one that is."""
        wanted = endpoint.shop_field if endpoint.shop_field in self.shop else "sunmi_shop_no"
        return {wanted: self.shop[wanted]} if wanted in self.shop else self.shop

    def require_shop(self) -> None:
        """Check that a shop is named.

        Raises:
            ConfigError: None is.

        """
        if not self.shop:
            raise ConfigError(
                "no shop is configured",
                hint="Set SUNMI_IPC_SHOP_NO or say --shop; the number stands in the digital store.",
            )

    def _exchange(self, make: Callable[[], wire.Request], read: Callable[[Incoming], R]) -> R:
        request = make()
        deadline = time.monotonic() + max(self.timeout, request.timeout_s or 0)
        incoming = self._send(request, deadline)
        try:
            return read(incoming)
        except CloudError as error:
            if error.code not in (401, 5091) or not self._clock_differs(incoming):
                raise
        # Refused, so not carried out: safe to say again with the service's own time.
        return read(self._send(make(), deadline))

    def _clock_differs(self, incoming: Incoming) -> bool:
        if incoming.date is None:
            return False
        ours = time.time() + self.clock_offset
        if abs(incoming.date - ours) <= _CLOCK_TOLERANCE_S:
            return False
        self.clock_offset = incoming.date - time.time()
        _log.warning("this computer's clock is %+.0f s off the service's", -self.clock_offset)
        return True

    def _send(self, request: wire.Request, deadline: float) -> Incoming:
        pauses = iter(_RETRY_PAUSES_S[: self.retries] if request.safe else ())
        while True:
            try:
                return self._transport.send(request, timeout=max(deadline - time.monotonic(), 0.001))
            except TlsError:
                raise
            except ConnectionFailed:
                pause = next(pauses, None)
                if pause is None or deadline - time.monotonic() < pause:
                    raise
                time.sleep(pause)

    def fetch(self, url: str) -> bytes:
        """The picture or other file of at most 16 MB at a URL that the cloud has answered with."""
        return self._transport.fetch(url, timeout=max(self.timeout, 30.0))

    def gather(
        self, endpoint: Endpoint[..., R], parts: Sequence[Mapping[str, object]]
    ) -> list[R | CloudError]:
        """Call *endpoint* for every part, in parallel.

        Returns: the answers in order; a CloudError where a part has no data. The first other error is
        raised, and what was not yet asked is not asked any more.
        """

        def ask(part: Mapping[str, object]) -> R | CloudError:
            try:
                return self.call(endpoint, part)
            except CloudError as error:
                if error.code not in NOTHING:
                    raise
                return error

        if len(parts) == 1 or self.parallel == 1:
            answers = []
            for number, part in enumerate(parts, 1):
                answers.append(ask(part))
                self._report(number, len(parts))
            return answers
        done = 0
        pool = ThreadPoolExecutor(min(self.parallel, len(parts)), "sunmi-cloud")
        try:
            futures: list[Future[R | CloudError]] = [pool.submit(ask, part) for part in parts]
            left = set(futures)
            while left:
                finished, left = wait(left, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if len(parts) - len(left) != done:
                    done = len(parts) - len(left)
                    self._report(done, len(parts))
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _report(self, done: int, every: int) -> None:
        if self.on_part is not None:
            self.on_part(done, every)


def _shop(shop_no: str, shop_id: str) -> dict[str, str]:
    """The wire's fields for the shop: its number, its id, or both."""
    if shop_no and shop_id:
        return _shop(shop_no, "") | _shop("", shop_id)
    if shop_no:
        if not SHOP_NO.fullmatch(shop_no):
            raise ParameterError(
                "{name}: a shop's number is made of digits",
                name="shop_no",
                hint="It stands in the digital store; see SUNMI_IPC_SHOP_NO.",
            )
        return {"sunmi_shop_no": shop_no}
    if shop_id:
        if not shop_id.isprintable() or len(shop_id) > 64:
            raise ParameterError("{name}: out of bounds", name="shop_id")
        return {"shop_id": shop_id}
    return {}
