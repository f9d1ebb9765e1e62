"""TLS for much data: a socket as ``http.client`` wants one, that takes from the network in large pieces.

``ssl.SSLSocket`` asks the kernel twice and passes five Python frames for each 16 kB; here the records of up to a
megabyte are decrypted in memory. The trust decision is the same, and made at the same moment.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from ..deadline import Deadline

_PIECE = 1_048_576
#: One thread decrypts at a time. OpenSSL's binding lets go of the interpreter for every 16 kB; threads that
#: then fight over it cost more than they gain. They wait for the network side by side all the same.
_TURN = threading.Lock()


class Stream:
    """A connection of which each answer, or piece of one, has a deadline; a timeout alone lets a byte a second drip.

    Args:
        sock: Connected; belongs to this object from now on.
        deadline: Until when what comes next must be there.

    """

    raw: socket.socket
    deadline: Deadline

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.raw, self.deadline = sock, deadline
        self._closed = False
        self._readers = 0

    def _receive(self, view: memoryview) -> int:
        self.deadline.bound(self.raw)
        return self.raw.recv_into(view)

    def read_into(self, view: memoryview) -> int:
        """Read what is there, waiting for something; 0 at the end."""
        return self._receive(view)

    def sendall(self, data: Any) -> None:
        """Send."""
        self.deadline.bound(self.raw)
        self.raw.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """A reader of what comes. It can be read on after :meth:`close`, as with a socket."""
        return io.BufferedReader(_Reader(self))

    def settimeout(self, seconds: float) -> None:
        """Let what comes next take so many seconds."""
        self.deadline = Deadline(seconds)

    def shutdown(self, how: int) -> None:
        """Cut it off, from any thread."""
        self.raw.shutdown(how)

    def close(self) -> None:
        """Close it, once its readers are closed."""
        self._closed = True
        self.release(0)

    def release(self, readers: int) -> None:
        """So many readers fewer (or, below zero, more)."""
        self._readers -= readers
        if self._closed and self._readers <= 0:
            self.raw.close()


class TlsStream(Stream):
    """A TLS connection to a camera.

    Args:
        sock: Connected; belongs to this object from now on.
        context: From ``Camera.tls``.
        approve: Likewise: called with the certificate (DER) before anything is sent; raises to refuse.
        host: For SNI.
        deadline: Until when the handshake must be done.

    """

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        approve: Callable[[bytes], None] | None,
        host: str,
        deadline: Deadline,
    ) -> None:
        super().__init__(sock, deadline)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        self._ended = False
        self._piece = memoryview(bytearray(_PIECE))
        try:
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.do_handshake()
                    break
                self._flush()
                self._fill()
            if approve is not None:
                approve(self._tls.getpeercert(binary_form=True) or b"")
            self._flush()
        except BaseException:
            sock.close()
            raise

    def _flush(self) -> None:
        while data := self._out.read():
            super().sendall(data)

    def _fill(self) -> None:
        count = self._receive(self._piece)
        if not count:  # without TLS's goodbye, which is read before this
            raise ConnectionResetError("the connection was cut")
        self._in.write(self._piece[:count])

    def read_into(self, view: memoryview) -> int:
        """Decrypt what is there, waiting for something; 0 at the end."""
        while True:
            with _TURN:
                got = self._decrypt(view)
            if got or self._ended:
                return got
            self._flush()
            self._fill()

    def _decrypt(self, view: memoryview) -> int:
        got = 0
        with contextlib.suppress(ssl.SSLWantReadError):
            while got < len(view):
                try:
                    count: Any = self._tls.read(len(view) - got, view[got:])
                except ssl.SSLZeroReturnError:
                    count = 0
                if not count:  # the other side has said goodbye (close_notify): nothing comes any more
                    self._ended = True
                    break
                got += count
        return got

    def sendall(self, data: Any) -> None:
        """Encrypt and send."""
        self._tls.write(data)
        self._flush()


class _Reader(io.RawIOBase):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        stream.release(-1)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._stream.release(1)

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        return self._stream.read_into(memoryview(view).cast("B"))
