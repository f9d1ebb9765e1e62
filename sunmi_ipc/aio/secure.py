"""TLS to one camera over a plain connection of the event loop, by the ``ssl`` module's own memory buffers.

asyncio's own TLS (``create_connection(ssl=...)``) keeps a buffer of 256 KiB for every connection as long as it lives:
500 cameras would cost 125 MiB, far more than a thread for each (``benchmarks/aio.py`` has all three side by side).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

#: Bytes that are decrypted at a time: a TLS record.
_RECORD = 16_384


class TlsConnection(asyncio.Protocol):
    """The client's side of TLS; who inherits is given what arrives.

    Args:
        context: With whom to speak, and as whom.
        host: The name that the camera is addressed by.

    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._secure = context.wrap_bio(self._arriving, self._leaving, server_hostname=host)
        loop = asyncio.get_running_loop()
        self._shaken: asyncio.Future[None] = loop.create_future()
        self._closed: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._unsent = b""
        self._has_ended = False
        #: Why nothing more comes, once that is so.
        self.broken: BaseException | None = None

    # -- for who inherits --

    def received(self, data: bytes) -> None:
        """Take what the camera has said."""
        raise NotImplementedError

    def ended(self) -> None:
        """The camera says no more."""
        raise NotImplementedError

    def failed(self, error: BaseException) -> None:
        """The connection is broken."""
        raise NotImplementedError

    # -- for who uses it --

    async def shake_hands(self) -> None:
        """Return when both sides have proved who they are; raises ``ssl.SSLError`` or ``OSError``."""
        await self._shaken

    def certificate(self) -> bytes:
        """The certificate (DER) that the camera has shown."""
        return self._secure.getpeercert(binary_form=True) or b""

    def write(self, data: bytes) -> None:
        """Encrypt and send."""
        self._unsent += data
        self._push()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._has_ended or self._transport is None or self._transport.is_closing()

    def abort(self) -> None:
        """Close at once, without a goodbye: nothing that was under way may come to the next request."""
        if self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Wait until the loop has let go of the socket."""
        await asyncio.shield(self._closed)

    # -- called by the loop --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._pull()

    def data_received(self, data: bytes) -> None:
        """Decrypt."""
        self._arriving.write(data)
        self._pull()

    def eof_received(self) -> bool:
        """Decrypt what is left."""
        self._arriving.write_eof()
        self._pull()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        if not self._closed.done():
            self._closed.set_result(None)
        if isinstance(exc, ConnectionError) and not self._has_ended:
            self._last_words()
        self._break(exc or ConnectionResetError("the connection was closed"))

    # -- between the two --

    def _pull(self) -> None:
        """Go on with the handshake, then hand over what can be read."""
        try:
            if not self._shaken.done():
                self._secure.do_handshake()
                self._shaken.set_result(None)
            while not self._has_ended:
                data = self._secure.read(_RECORD)
                if not data:
                    self._end()
                    break
                self.received(data)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError as error:  # gone without the goodbye of TLS, as most cameras go
            if self._shaken.done():
                self._end()
            else:
                self._break(error)
        except ssl.SSLError as error:
            self._flush()  # our alert says why
            self._break(error)
            self.abort()
            return
        self._push()

    def _last_words(self) -> None:
        """Read what came before a reset: a camera that refuses our certificate says so, and closes.

        A request that goes out to it meanwhile fails before that was read, and would hide the reason.
        """
        assert self._transport is not None
        with (
            contextlib.suppress(OSError, AttributeError, TypeError),
            self._transport.get_extra_info("socket").dup() as socket,
        ):
            socket.setblocking(False)
            self.data_received(socket.recv(_RECORD))

    def _push(self) -> None:
        """Encrypt what waits, and give all to the loop."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._secure.write(self._unsent) :]
        except ssl.SSLWantReadError:
            pass  # the camera shakes hands anew (before TLS 1.3): what it says comes first
        except ssl.SSLError as error:
            self._break(error)
        self._flush()

    def _flush(self) -> None:
        data = self._leaving.read()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self.broken = ConnectionResetError("the connection was closed")
            self.ended()

    def _break(self, error: BaseException) -> None:
        self._has_ended = True
        self.broken = self.broken or error
        if not self._shaken.done():
            self._shaken.set_exception(error)
            self._shaken.exception()  # whoever was to wait for it may be gone
        else:
            self.failed(error)


__all__ = ["TlsConnection"]
