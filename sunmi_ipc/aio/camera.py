"""One camera, for asyncio."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from typing import ParamSpec, Self, TypeVar, overload
from weakref import WeakKeyDictionary

from ..errors import SunmiIpcError
from ..groups import Groups
from ..link.exchange import Exchange, Send, Talk, split_address
from ..protocol.spec import Endpoint
from ..protocol.steps import Async, Series, Steps
from ..protocol.wire import Incoming, Outgoing
from .steps import follow, iterate
from .threads import ThreadLink
from .transport import AsyncHttpsTransport, AsyncTransport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
#: Who opens a client certificate, of the cameras in an event loop.
_OPENING: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class AsyncCamera(Exchange[AsyncTransport], Groups[Async]):
    """A camera at an address, for asyncio. Calls on one camera run one after another.

    The arguments are those of :class:`sunmi_ipc.Camera`, and so are the groups, the calls and their errors; a call
    is awaited, and what gives many items is an asynchronous generator::

        async with AsyncCamera("192.168.1.20", app_id=..., secret_key=..., p12=...) as camera:
            await camera.wifi.set("Shop", password=...)
            async for face in camera.faces.list("VIP"):
                print(face.faceid)

    A call that is cancelled closes the connection; the camera can be used on, and the next call opens another.
    Whether a call that was cancelled has been carried out is not known, as after a broken connection. What blocks
    (video, files) is done in threads; a cancellation ends the waiting at once, and the thread at its next call.

    One object belongs to one event loop at a time.
    """

    def _set_up(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._transport: AsyncTransport | None = self._own_transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _here(self) -> None:
        """Let go of what belongs to another event loop, as where ``asyncio.run`` is called twice."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            self._lock = asyncio.Lock()
            abandon = getattr(self._transport, "abandon", None)
            if abandon is not None:
                abandon()
        self._loop = loop

    async def _connected(self) -> AsyncTransport:
        if self._transport is not None and self._trust_has_changed():
            await self._transport.close()
            self._transport = self._own_transport
        if self._transport is None:
            if not self._trust_is_at_hand():
                # The client certificate is read and opened: that takes a while, and one camera does it for all.
                async with _OPENING.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                    if not self._trust_is_at_hand():
                        await asyncio.to_thread(lambda: self.tls)
            context, approve = self.tls
            self._connected_as = self._accepted()
            self._transport = AsyncHttpsTransport(self.host, self.port, context, approve=approve)
        return self._transport

    async def greet(self, timeout: float | None = None) -> str:
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
        from ..link.tls import fingerprint

        self._here()
        async with self._lock:
            transport = await self._connected()
            if not isinstance(transport, AsyncHttpsTransport):
                return ""
            try:
                shown = await transport.greet(timeout=self.timeout if timeout is None else timeout)
            except SunmiIpcError as error:
                self._whose(error)
                raise
        return fingerprint(shown) if shown else ""

    async def send(self, outgoing: Outgoing, *, timeout: float | None = None) -> Incoming:
        """Send one request as it is and return the answer as it came: no check, no retry, no other clock.

        For finding out what a camera says; :meth:`call` is for everything else.

        Args:
            outgoing: From :mod:`sunmi_ipc.protocol.wire`.
            timeout: Seconds; default: the camera's.

        Raises:
            ConnectionFailed, TlsError, ReplyError: There is no answer.

        """
        self._here()
        async with self._lock:
            transport = await self._connected()
            return await transport.send(outgoing, timeout=self.timeout if timeout is None else timeout)

    async def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        self._here()
        async with self._lock:
            if self._transport is not None:
                await self._transport.close()

    async def move(self, address: str) -> None:
        """The camera is at another address now; its next call goes there.

        Raises:
            ParameterError: Not an address.

        """
        host, port = split_address(address)
        self._here()
        async with self._lock:
            if self._transport is not None:
                await self._transport.close()
            self._transport = self._own_transport
            self._moved(host, port)

    @overload
    async def call(self, endpoint: Endpoint[..., R], values: Mapping[str, object] | None = None) -> R: ...
    @overload
    async def call(
        self, endpoint: str, values: Mapping[str, object] | None = None, *, sign: bool = True
    ) -> dict[str, object]: ...
    async def call(
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
            return await self._carry_out(talk)
        except SunmiIpcError as error:
            raise self._named(error, endpoint)  # noqa: B904

    async def _carry_out(self, talk: Talk[R]) -> R:
        self._here()
        async with self._lock:
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
                        transport = await self._connected()
                        answer = await transport.send(step.outgoing, timeout=step.timeout)
                    else:
                        await asyncio.sleep(step.seconds)
                except BaseException as error:
                    failure = error

    async def read_sn(self) -> str:
        """Ask the camera for its serial number."""
        return (await self.device.info()).sn

    async def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""
        return await self._carry_out(self._know_model(math.inf))

    # -- what the groups need --

    async def follow(self, steps: Steps[T]) -> T:
        """Carry out steps to one result."""
        return await follow(self, steps)

    def iterate(self, series: Series[T]) -> AsyncGenerator[T, None]:
        """Carry out steps to many items."""
        return iterate(self, series)

    def in_threads(self) -> ThreadLink:
        """Give this camera to code that blocks, which runs in other threads than the event loop's.

        Its calls are carried out by this camera, in its event loop.
        """
        return ThreadLink(self, asyncio.get_running_loop())


__all__ = ["AsyncCamera"]
