"""One thread that waits on every virtual camera's sockets, so that 500 cameras cost one thread."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("sunmi_ipc.simulator")
Handler = Callable[[socket.socket], None]


class Loop:
    """Calls a handler when its socket has something to read."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._todo: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="virtual-cameras", daemon=True)
        self._thread.start()

    def _soon(self, action: Callable[[], None]) -> None:
        with self._lock:
            self._todo.append(action)
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")

    def add(self, sock: socket.socket, handler: Handler) -> None:
        """Watch *sock*; returns when it is being watched."""
        sock.setblocking(False)
        ready = threading.Event()

        def register() -> None:
            self._selector.register(sock, selectors.EVENT_READ, handler)
            ready.set()

        self._soon(register)
        ready.wait(5)

    def remove(self, sock: socket.socket) -> None:
        """Stop watching *sock* and close it; returns when that is done."""
        gone = threading.Event()

        def unregister() -> None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            sock.close()
            gone.set()

        if not self._open or threading.current_thread() is self._thread:
            unregister()
            return
        self._soon(unregister)
        gone.wait(5)

    def close(self) -> None:
        """End the thread."""
        self._open = False
        self._soon(lambda: None)
        self._thread.join(5)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        while self._open:
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._wake_read, 4096)
                    continue
                try:
                    key.data(key.fileobj)
                except Exception as error:
                    if getattr(error, "errno", 0) in (errno.EMFILE, errno.ENFILE):
                        time.sleep(0.01)  # who knocks goes on knocking until a file is closed
                    # One camera's trouble must not silence the other 499.
                    _log.debug("a virtual camera stumbled", exc_info=True)
            with self._lock:
                todo, self._todo = self._todo, []
            for action in todo:
                action()


def allow_sockets(count: int) -> None:
    """Let this process open *count* sockets more, as far as the system allows: many have a limit of 1,024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 256 + count
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


_lock = threading.Lock()
_users = 0
_loop: Loop | None = None


def acquire() -> Loop:
    """The process's loop, started for its first user."""
    global _users, _loop
    with _lock:
        if _loop is None:
            _loop = Loop()
        _users += 1
        return _loop


def release() -> None:
    """Give the loop back; its last user ends it."""
    global _users, _loop
    with _lock:
        _users -= 1
        if _users == 0 and _loop is not None:
            _loop.close()
            _loop = None
