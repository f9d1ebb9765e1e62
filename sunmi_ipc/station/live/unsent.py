"""What is on its way to a slow viewer: as little as the network needs, so that old pictures can still be left out."""

from __future__ import annotations

import contextlib
import socket

#: Bytes of a connection that may wait in the system, beyond what is on the way.
UNSENT = 32 * 1024


def keep_little_unsent(listener: socket.socket) -> None:
    """Have every connection of *listener* tell early that its network is slow (Linux, macOS; elsewhere nothing).

    A system takes megabytes from whoever writes: half a minute of video for a phone at the edge of its Wi-Fi.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        with contextlib.suppress(OSError):  # an old system, or no TCP
            listener.setsockopt(socket.IPPROTO_TCP, option, UNSENT)
