"""Everything in one: subscribe, receive, keep, hand over, unsubscribe. See ``camera.events.stream``."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from ..errors import SpoolError
from ..protocol.values import EventType
from .consumer import Consumer, StoredEvent
from .model import Event
from .pictures import Pictures
from .receiver import Receiver
from .spool import Spool
from .subscription import Subscription, own_address

if TYPE_CHECKING:
    from ..link.caller import Link
    from .subscription import Hooks


def listening_host(camera: str) -> str:
    """Where to listen for *camera*: on loopback alone for one there, else on every address we have or get."""
    own = own_address(camera)
    return own if ipaddress.ip_address(own).is_loopback else "0.0.0.0"  # noqa: S104 - events are signed


class EventStream:
    """A camera's events as they come; a context manager, made by ``camera.events.stream``."""

    spool: Spool
    receiver: Receiver
    subscription: Subscription

    def __init__(
        self,
        hooks: Hooks,
        events: Sequence[EventType | str],
        *,
        spool: str | os.PathLike[str] | None,
        save: str | os.PathLike[str] | None,
        name: str,
        host: str,
        port: int,
        callback: str,
        allow_unsigned: bool,
        every: float,
        interfaces: Sequence[str] | None,
    ) -> None:
        self._hooks = hooks
        #: The way to the camera.
        self.camera: Link = hooks.link
        self._events, self._directory, self._save, self._name = events, spool, save, name
        self._host, self._port, self._callback = host, port, callback
        self._allow_unsigned, self._every, self._interfaces = allow_unsigned, every, interfaces
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            directory = self._directory or stack.enter_context(
                tempfile.TemporaryDirectory(prefix="sunmi-ipc-events-", ignore_cleanup_errors=True)
            )
            self.spool = stack.enter_context(Spool(directory))
            self.consumer: Consumer = self.spool.consumer(self._name, alone=True)
            credentials = self.camera.credentials
            secrets = {credentials.app_id: credentials.secret_key} if credentials.secret_key else None
            self.receiver = stack.enter_context(
                Receiver(
                    self.spool,
                    host=self._host or listening_host(self.camera.host),
                    port=self._port,
                    secrets=secrets,
                    allow_unsigned=self._allow_unsigned,
                )
            )
            #: The pictures' fetcher, where they are saved.
            self.pictures: Pictures | None = None
            if self._save is not None:
                self.pictures = stack.enter_context(
                    Pictures(
                        self.spool,
                        self._save,
                        allowed=lambda sn: [self.camera.host],
                        tls=lambda sn: self.camera.tls_of_links,
                    )
                )
            self.subscription = stack.enter_context(
                Subscription(
                    self._hooks,
                    self._events,
                    port=self.receiver.port,
                    path=self.receiver.path,
                    callback=self._callback,
                    every=self._every,
                    interfaces=self._interfaces,
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Event]:
        """Events as they come, without end; see :meth:`stored`."""
        return (stored.event for stored in self.stored())

    def stored(self, timeout: float | None = None) -> Iterator[StoredEvent]:
        """Events with when and whence they came, as they come.

        Each is acknowledged when the next is asked for: one that a loop was left at comes again.

        Args:
            timeout: End when none has come for so many seconds; None: never.

        """
        while page := self.consumer.read(timeout=timeout):
            for stored in page:
                yield stored
                with contextlib.suppress(SpoolError):  # closed meanwhile
                    self.consumer.ack(stored)
