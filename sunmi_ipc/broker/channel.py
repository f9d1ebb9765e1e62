"""A caller's connection to a broker, and the shops behind it.

It is used like this::

    with Channel(Broker.of("mqtts://hq.example:8883", user="hq", password=...), key) as channel:
        camera = channel.site("shop-0017").camera("FS101D8BS00106")
        camera.lens.zoom(500)
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Self

from . import contract
from .connection import Broker, Connection, Delivered
from .contract import PREFIX, BadMessage
from .keys import SigningKey
from .site import Line, RemoteSite
from .stations import KnownStations

#: Sites that are remembered at most: a broker may make them up.
_MOST_SITES = 20_000
_log = logging.getLogger("sunmi_ipc")


class Channel:
    """A connection for calls to stations; a context manager. Thread-safe.

    Args:
        broker: Where it is.
        key: What signs the calls; None: only to look at what stations tell.
        sites: Whose state is wanted from the beginning.
        prefix: What stands before the site in topics.
        stations: The stations' keys that are known.
        name: Our name at the broker, which an ACL may go by; default: a random one.

    """

    broker: Broker

    def __init__(
        self,
        broker: Broker,
        key: SigningKey | None,
        *,
        sites: tuple[str, ...] = (),
        prefix: str = PREFIX,
        stations: KnownStations | None = None,
        name: str = "",
    ) -> None:
        self.broker, self._prefix = broker, prefix
        self.client: str = name or f"ipc-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._sites: dict[str, RemoteSite] = {}
        self._everyone = False
        self._came_last = 0.0
        replies = f"{prefix}/+/replies/{self.client}"
        with self._lock:  # what comes at once waits until it is known whose it is
            self.connection: Connection = Connection(
                broker,
                client_id=self.client,
                subscriptions=[replies, *(text for site in sites for text in self._filters(site))],
                on_message=self._came,
                name="ipc-via",
            )
            self._line = Line(broker, self.connection, self.client, key, stations or KnownStations(), prefix)
            self._sites |= {name: RemoteSite(self._line, name) for name in sites}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; whoever waits for an answer is told."""
        self.connection.close()
        with self._lock:
            sites = list(self._sites.values())
        for site in sites:
            site.give_up()

    def site(self, name: str) -> RemoteSite:
        """A shop by its name; raises BadMessage where it is none."""
        contract.topic("station", name)
        with self._lock:
            if name in self._sites:
                return self._sites[name]
            made = self._sites[name] = RemoteSite(self._line, name)
        self.connection.subscribe(self._filters(name))
        return made

    def everyone(self, *, quiet: float = 1.0, patience: float = 15.0) -> dict[str, RemoteSite]:
        """Every shop that the broker knows of, by its name.

        What stations have said of themselves is retained and comes in one go: it has ended when nothing more came.

        Args:
            quiet: Seconds without a message after which that is all.
            patience: Seconds that it may take at most.

        Raises:
            BrokerError: There is no connection.

        """
        with self._lock:
            self._everyone = True
            self._came_last = time.monotonic()
        if not self.connection.wait(10.0):
            raise self.connection.absent()
        self.connection.subscribe(self._filters("+"))
        end = time.monotonic() + patience
        # The subscription has to get there first.
        self._came_last = max(self._came_last, time.monotonic() + quiet)
        while (now := time.monotonic()) < min(end, self._came_last + quiet):
            time.sleep(min(0.1, max(0.0, self._came_last + quiet - now)))
        with self._lock:
            return dict(self._sites)

    def _filters(self, site: str) -> list[str]:
        return contract.filters(site=site, names=["station", "state"], prefix=self._prefix)

    def _came(self, message: Delivered) -> None:
        try:
            found = contract.read(message.topic, message.payload, self._prefix) if message.payload else None
        except BadMessage as error:
            _log.debug("%s", error)
            return
        if found is None:
            return
        with self._lock:
            self._came_last = max(self._came_last, time.monotonic())
            site = self._sites.get(found.site)
            if site is None and self._everyone and len(self._sites) < _MOST_SITES:
                site = self._sites[found.site] = RemoteSite(self._line, found.site)
        if site is not None:  # of others nothing is kept, whatever a broker sends
            site.take(found.sn, found.payload)


_SHARED: dict[tuple[object, ...], Channel] = {}
_SHARING = threading.Lock()


def shared(
    broker: Broker,
    key: Callable[[], SigningKey | None],
    *,
    site: str,
    stations: KnownStations,
    prefix: str,
    signing: bool = True,
) -> Channel:
    """The channel of this process to a broker: a command opens one, however many cameras it calls."""
    wanted = (broker.name, broker.user, broker.certificate, prefix, signing)
    with _SHARING:
        if wanted not in _SHARED:
            import atexit

            sites = (site,) if site else ()
            _SHARED[wanted] = made = Channel(broker, key(), sites=sites, prefix=prefix, stations=stations)
            atexit.register(made.close)
        return _SHARED[wanted]


def close_shared() -> None:
    """Close every shared channel."""
    with _SHARING:
        for channel in _SHARED.values():
            with contextlib.suppress(Exception):
                channel.close()
        _SHARED.clear()


__all__ = ["Broker", "Channel", "KnownStations", "close_shared", "shared"]
