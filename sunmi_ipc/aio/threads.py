"""A bridge to code that blocks: it runs in threads, and its calls in the camera's event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConnectionFailed
from ..redact import Secret

if TYPE_CHECKING:
    import ssl

    from ..link.caller import AsyncLink
    from ..protocol.spec import Endpoint
    from ..protocol.wire import Credentials

T = TypeVar("T")
#: Set once nobody waits any longer for the work of this thread.
_LEFT: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("left", default=None)


async def in_thread(function: Callable[[], T]) -> T:
    """Call what blocks in a thread.

    A cancellation ends the waiting at once. The thread ends at its next call to a camera, or when it is done.
    """
    left = threading.Event()
    token = _LEFT.set(left)  # the thread gets a copy of this context
    try:
        return await asyncio.to_thread(function)
    finally:
        _LEFT.reset(token)
        left.set()


class ThreadLink:
    """An asyncio camera as blocking code sees it: a :class:`~sunmi_ipc.link.caller.Link`.

    Args:
        camera: The camera, which carries out the calls.
        loop: Its event loop.

    """

    def __init__(self, camera: AsyncLink, loop: asyncio.AbstractEventLoop) -> None:
        self._camera, self._loop = camera, loop

    @property
    def sn(self) -> str:
        """Its serial number, or "" where it is not known."""
        return self._camera.sn

    @property
    def host(self) -> str:
        """Its address, without the port."""
        return self._camera.host

    @property
    def port(self) -> int:
        """Its HTTPS port."""
        return self._camera.port

    @property
    def rtsp_user(self) -> str:
        """User of its video service."""
        return self._camera.rtsp_user

    @property
    def rtsp_password(self) -> Secret:
        """Password of its video service."""
        return self._camera.rtsp_password

    @property
    def address(self) -> str:
        """``host``, or ``host:port`` where the port is not 443."""
        return self._camera.address

    @property
    def credentials(self) -> Credentials:
        """What signs the calls, and the events."""
        return self._camera.credentials

    @property
    def tls(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """How the camera's https is trusted: a context, and who approves the certificate (DER), if any."""
        return self._camera.tls

    @property
    def tls_of_links(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """As :attr:`tls`, for links that somebody else may have written: it never pins."""
        return self._camera.tls_of_links

    def call(self, endpoint: Endpoint[..., Any], values: Mapping[str, Any]) -> Any:
        """Check, send, and open the answer."""
        return self._wait(self._camera.call(endpoint, values))

    def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""
        return self._wait(self._camera.known_model())

    def read_sn(self) -> str:
        """Ask the camera for its serial number."""
        return self._wait(self._camera.read_sn())

    def move(self, address: str) -> None:
        """The camera is at another address now; its next call goes there."""
        self._wait(self._camera.move(address))

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        self._wait(self._camera.close())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        left = _LEFT.get()
        try:
            if left is not None and left.is_set():
                raise RuntimeError
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # who asked has gone, or the loop is closed
            work.close()
            raise ConnectionFailed("the connection broke before the whole answer was there") from None
        try:
            return running.result()
        except concurrent.futures.CancelledError:
            raise ConnectionFailed("the connection broke before the whole answer was there") from None


__all__ = ["ThreadLink", "in_thread"]
