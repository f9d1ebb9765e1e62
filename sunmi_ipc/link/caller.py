"""The waist of the library: what everything above needs of a camera, and no more.

A :class:`Caller` carries out declared endpoints; whoever is one (a camera on this network, a camera
reached through a broker) has all groups. A :class:`Link` is a way to the camera itself: what files, video
and subscriptions need besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

from ..errors import UnsupportedError
from ..protocol.spec import AsyncCaller as AsyncCaller
from ..protocol.spec import Caller as Caller
from ..redact import Secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ..protocol.wire import Credentials


class Reached(Protocol):
    """How a camera in this network is reached, and what is trusted there."""

    sn: str
    host: str
    port: int
    rtsp_user: str
    rtsp_password: Secret

    @property
    def address(self) -> str:
        """``host``, or ``host:port`` where the port is not 443."""

    @property
    def credentials(self) -> Credentials:
        """What signs the calls, and the events."""

    @property
    def tls(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """How the camera's https is trusted: a context, and who approves the certificate (DER), if any."""

    @property
    def tls_of_links(self) -> tuple[ssl.SSLContext, Callable[[bytes], None] | None]:
        """As :attr:`tls`, for links that somebody else may have written: it never pins."""


class Link(Reached, Caller, Protocol):
    """A camera that this computer talks to itself; ``Camera`` is one."""

    def read_sn(self) -> str:
        """Ask the camera for its serial number."""

    def move(self, address: str) -> None:
        """The camera is at another address now; its next call goes there."""

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""


class AsyncLink(Reached, AsyncCaller, Protocol):
    """As :class:`Link`, for asyncio; ``AsyncCamera`` is one."""

    async def read_sn(self) -> str:
        """Ask the camera for its serial number."""

    async def move(self, address: str) -> None:
        """The camera is at another address now; its next call goes there."""

    async def close(self) -> None:
        """Close the connection; the next call opens a new one."""


def _is_link(caller: Caller) -> TypeGuard[Link]:
    # By its class: an isinstance() of the protocol would read the properties, and open certificates.
    return all(hasattr(type(caller), name) for name in ("tls", "move", "read_sn"))


def direct(caller: Caller | AsyncCaller) -> Link:
    """*caller* as a way to the camera itself; of an asyncio camera, the way that threads take.

    Raises:
        UnsupportedError: The camera is reached through something that carries calls alone.

    """
    if hasattr(caller, "in_threads"):
        caller = cast("AsyncCaller", caller).in_threads()
    if not _is_link(caller):
        raise UnsupportedError(
            "{feature} needs a direct connection to the camera",
            name="link",
            feature="this",
            hint="Run it on a computer in the camera's own network.",
        )
    return caller


__all__ = ["AsyncCaller", "AsyncLink", "Caller", "Link", "direct"]
