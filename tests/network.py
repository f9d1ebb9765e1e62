"""A loopback of its own for each worker of pytest-xdist, where root on Linux may make one.

A broadcast to 127.255.255.255 reaches every virtual camera of this machine: without, each search of one worker
finds the cameras of all others, twins with the same serial number among them.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterator

_NEW_NETWORK = 0x40000000  # sched.h: CLONE_NEWNET
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h
_outside: int | None = None


def apart() -> bool:
    """Give this thread, and what it starts, a network with nothing but loopback.

    Returns:
        Whether it could be had.

    """
    global _outside
    if sys.platform != "linux" or os.geteuid() != 0 or _outside is not None:
        return _outside is not None
    outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        os.close(outside)
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(probe, _GET_FLAGS, asked)[:18])[1]
        fcntl.ioctl(probe, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    _outside = outside
    return True


@contextlib.contextmanager
def with_the_others() -> Iterator[None]:
    """The machine's own network for a while: what asks a package index needs it."""
    if _outside is None:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    assert libc.setns(_outside, _NEW_NETWORK) == 0
    try:
        yield
    finally:
        assert libc.setns(here, _NEW_NETWORK) == 0
        os.close(here)
