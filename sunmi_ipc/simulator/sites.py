"""Hundreds of simulated stations at a real broker, in one thread: each its own connection, with its last will.

They keep to the contract of :mod:`sunmi_ipc.broker.contract` as a real station does: what the broker has not
acknowledged is sent again, and so is what it had no subscriber for. With a *rate*, time runs as fast as
needed for so many messages a second; without one it is the clock's.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import random
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from .. import __version__
from ..broker import contract
from ..broker.connection import Broker, client_class
from ..events.broker_reasons import coded
from ..hub.client import new_client
from .shops import Saying, VirtualShop

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_log = logging.getLogger("sunmi_ipc")
_WINDOW = 20  # messages of a station that wait for the broker's acknowledgement
_WAITING = 20_000  # of all: then nothing new is said
_AT_ONCE = 500  # said before the sockets are looked at again
_MISC_S = 1.0
_NO_SUBSCRIBER = 0x10


@dataclass(slots=True)
class Sent:
    """A message on its way."""

    name: str
    topic: str
    payload: bytes
    retain: bool


@dataclass(slots=True)
class Tally:
    """What the stations said, and what became of it.

    Attributes:
        said: Messages that had to arrive, each once however often it was sent.
        acknowledged: Of these, those that the broker has taken.
        resent: Sent again, after a connection broke or where nobody subscribed.
        connects: Connections made.
        ledger: With *keep*: key to (revision, digest of the payload), as the newest revision has it.

    """

    said: int = 0
    acknowledged: int = 0
    resent: int = 0
    connects: int = 0
    ledger: dict[str, tuple[int, str]] = field(default_factory=dict)


class _Station:
    """One shop's connection."""

    def __init__(self, sites: VirtualSites, shop: VirtualShop) -> None:
        self.shop = shop
        self.sayings: Iterator[Saying] = iter(())
        self._sites = sites
        self._client: Client | None = None
        self._flying: dict[int, Sent] = {}
        self._waiting: deque[Sent] = deque()
        self._revision = 0
        self._connected = False
        self.away_until: float = 0.0  # in simulated time
        self.next_try: float = 0.0  # in real time
        self._pause = 1.0

    @property
    def busy(self) -> int:
        """Messages that are not acknowledged."""
        return len(self._flying) + len(self._waiting)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted it."""
        return self._connected

    def revision(self) -> int:
        """Unix milliseconds, growing."""
        self._revision = max(self._revision + 1, round(time.time() * 1000))
        return self._revision

    def connect(self) -> None:
        """Connect, or fail and try later."""
        self.drop()
        client = self._sites.make_client(self.shop.site)
        client.user_data_set(self)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = lambda _, __, sock: self._sites.watch(sock, self)
        client.on_socket_close = lambda _, __, sock: self._sites.unwatch(sock)
        client.max_inflight_messages_set(_WINDOW * 10)
        self._session = self.revision()
        will = self._state("offline", self._session)
        client.will_set(
            self._topic("station"),
            will.encode(),
            qos=1,
            retain=True,
            properties=self._properties("station", will=True),
        )
        self._client = client
        self._sites.tally.connects += 1
        try:
            self._sites.open(client)
        except (OSError, ValueError):
            self.failed()

    def _topic(self, name: str, sn: str = "") -> str:
        return contract.topic(name, self.shop.site, sn=sn, prefix=self._sites.prefix)

    def _state(self, state: Any, revision: int) -> contract.StationState:
        return contract.StationState(
            state=state,
            revision=revision,
            since=self._sites.began,
            version=__version__,
            name=self.shop.name,
            timezone=self.shop.timezone,
            hours="09:00-22:00",
            cameras=tuple(camera.sn for camera in self.shop.cameras),
        )

    def _properties(self, name: str, *, will: bool = False) -> Any:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        known = self._sites.properties
        if (name, will) not in known:
            made = Properties(PacketTypes.WILLMESSAGE if will else PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            made.ContentType = contract.CONTENT_TYPE
            made.UserProperty = (contract.SCHEMA_PROPERTY, contract.MESSAGES[name].schema)
            known[name, will] = made
        return known[name, will]

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            self._sites.refused = coded(reason.value).problem
            self.failed()
            return
        self._connected, self._pause = True, 1.0
        self._again()
        self._announce()
        self.flush()

    def _again(self) -> None:
        """What was on its way goes once more, first."""
        self._waiting.extendleft(reversed([sent for sent in self._flying.values() if not sent.retain]))
        self._sites.tally.resent += len(self._flying)
        self._flying.clear()

    def _announce(self) -> None:
        """How everything is: the broker may have forgotten."""
        self._publish(
            Sent("station", self._topic("station"), self._state("online", self._session).encode(), True)
        )
        now = self._sites.now()
        for camera in self.shop.cameras:
            there = self.shop.online.get(camera.sn, True)
            available = contract.Availability(
                state="online" if there else "offline", revision=self.revision(), time=now
            )
            state = self.shop.state(camera, self.revision(), now)
            self._publish(
                Sent("availability", self._topic("availability", camera.sn), available.encode(), True)
            )
            self._publish(Sent("state", self._topic("state", camera.sn), state.encode(), True))

    def say(self, saying: Saying) -> None:
        """Say something: at once, or when the connection is back."""
        payload = saying.payload
        assert payload is not None
        if isinstance(payload, contract.CameraState):
            self.shop.states[saying.sn] = payload
            payload = payload.model_copy(update={"revision": self.revision()})
        elif isinstance(payload, contract.Availability):
            self.shop.online[saying.sn] = payload.state == "online"
            payload = payload.model_copy(update={"revision": self.revision()})
        elif isinstance(payload, contract.Event):
            payload = payload.model_copy(update={"received": time.time()})
        message = contract.MESSAGES[saying.what]
        if message.retained and not self._connected:
            return  # it is announced when the connection is back
        topic = self._topic(saying.what, saying.sn if "SN" in message.path else "")
        sent = Sent(saying.what, topic, payload.encode(), message.retained)
        if not message.retained:
            self._sites.count(payload)
        self._waiting.append(sent)
        self.flush()

    def flush(self) -> None:
        """Send what may be sent now."""
        while self._connected and self._waiting and len(self._flying) < _WINDOW:
            self._publish(self._waiting.popleft())

    def _publish(self, sent: Sent) -> None:
        assert self._client is not None
        info = self._client.publish(
            sent.topic, sent.payload, qos=1, retain=sent.retain, properties=self._properties(sent.name)
        )
        self._flying[info.mid] = sent
        if self._client.want_write():
            self._sites.blocked.add(self)

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        sent = self._flying.pop(mid, None) if client is self._client else None
        if sent is None:
            return
        if not sent.retain:
            # Nobody subscribes (yet): the broker has thrown it away, and says so.
            if reason.is_failure or reason.value == _NO_SUBSCRIBER:
                self._waiting.append(sent)
                self._sites.tally.resent += 1
                self._sites.slow.add(self)
                return
            self._sites.tally.acknowledged += 1
        self.flush()

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if client is self._client:
            self.failed()

    def failed(self) -> None:
        """The connection is gone: again in a while, each at its own moment."""
        self._connected = False
        self.next_try = time.monotonic() + self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - a spread
        self._pause = min(self._pause * 2, 15.0)

    def drop(self) -> None:
        """Break the connection without a word, so that the last will speaks."""
        client, self._client = self._client, None
        if client is not None:
            sock = client.socket()
            if sock is not None:
                self._sites.unwatch(sock)
                sock.close()
            client.on_disconnect = client.on_socket_close = None
        self._connected = False
        self._again()

    def leave(self) -> None:
        """Say goodbye: the state is offline, and the last will is not needed."""
        if self._client is not None and self._connected:
            offline = self._state("offline", self._session)
            self._client.publish(
                self._topic("station"),
                offline.encode(),
                qos=1,
                retain=True,
                properties=self._properties("station"),
            )
            self._client.disconnect()
            self._client.loop_write()
        self.drop()

    def read(self) -> None:
        """Take what the broker sent."""
        client = self._client
        if client is not None:
            for _ in range(_WINDOW):
                if client.loop_read():
                    break
                if len(self._flying) == 0 or client.socket() is None:
                    break
            if client.want_write():
                self._sites.blocked.add(self)

    def write(self) -> bool:
        """Send what could not be sent; whether nothing is left."""
        client = self._client
        if client is None:
            return True
        client.loop_write()
        return not client.want_write()

    def misc(self) -> None:
        """Keep alive."""
        if self._client is not None:
            self._client.loop_misc()


class VirtualSites:
    """Simulated stations.

    Args:
        make_client: Makes an MQTT 5 client for a site, by its name.
        open_client: Connects it (paho's blocking ``connect``, with a clean start).
        count: How many stations.
        cameras: How many cameras each has.
        seed: The same number says the same.
        rate: Messages a second, all together; 0: as the clock goes.
        start: The moment that simulated time begins at, Unix seconds; default: now, with a rate a week ago.
        prefix: What stands before the site in every topic.
        name: What the names of the sites begin with.
        first: The number of the first one.
        limit: Say so many messages that have to arrive, then nothing more; 0: no end.
        troubles: Whether cameras fail, lines break and stations are restarted.
        keep: Keep a ledger of what was said, for tests.

    """

    prefix: str

    def __init__(
        self,
        make_client: Callable[[str], Client],
        open_client: Callable[[Client], None],
        *,
        count: int = 1,
        cameras: int = 4,
        seed: int = 0,
        rate: float = 0.0,
        start: float | None = None,
        prefix: str = contract.PREFIX,
        name: str = "sim",
        first: int = 1,
        limit: int = 0,
        troubles: bool = True,
        keep: bool = False,
    ) -> None:
        self.make_client, self.open = make_client, open_client
        self.prefix, self._rate, self._limit, self._keep = prefix, rate, limit, keep
        now = time.time()
        self._start = start if start is not None else (now - 7 * 86_400) // 86_400 * 86_400 if rate else now
        #: When the stations were started, Unix seconds.
        self.began = now
        self.tally: Tally = Tally()
        self.properties: dict[tuple[str, bool], Any] = {}
        #: Stations whose socket takes nothing now; those that wait a moment.
        self.blocked: set[_Station] = set()
        self.slow: set[_Station] = set()
        #: Why a broker refused a station.
        self.refused = ""
        self._selector = selectors.DefaultSelector()
        self._now = self._start
        self.stations: list[_Station] = [
            _Station(self, VirtualShop(n, cameras=cameras, seed=seed, prefix=name, troubles=troubles))
            for n in range(first, first + count)
        ]
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, args=(self._stop,), name="sites", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)

    def now(self) -> float:
        """The simulated time, Unix seconds."""
        return self._now if self._rate else time.time()

    @property
    def connected(self) -> int:
        """How many stations are connected."""
        return sum(station.connected for station in self.stations)

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return sum(station.busy for station in self.stations)

    @property
    def finished(self) -> bool:
        """Whether all of *limit* is said and acknowledged."""
        return bool(self._limit) and self.tally.said >= self._limit and not self.waiting

    def count(self, payload: Any) -> None:
        """Note down a message that has to arrive."""
        self.tally.said += 1
        if self._keep and self.tally.ledger.get(payload.key, (-1, ""))[0] < payload.revision:
            self.tally.ledger[payload.key] = (payload.revision, digest(payload))

    def watch(self, sock: Any, station: _Station) -> None:
        """Wake up when *sock* can be read."""
        self._selector.register(sock, selectors.EVENT_READ, station)

    def unwatch(self, sock: Any) -> None:
        """Forget *sock*."""
        try:
            self._selector.unregister(sock)
        except (KeyError, ValueError):
            return

    def run(self, stop: threading.Event) -> None:
        """Run until *stop*; then every station says goodbye."""
        try:
            self._run(stop)
        finally:
            for station in self.stations:
                station.leave()
            self._selector.close()

    def _run(self, stop: threading.Event) -> None:
        queue: list[tuple[float, int, Saying]] = []
        for number, station in enumerate(self.stations):
            station.sayings = station.shop.sayings(self._start)
            saying = next(station.sayings)
            queue.append((saying.at, number, saying))
        heapq.heapify(queue)
        began, issued, next_misc = time.monotonic(), 0.0, 0.0
        credit_at = began
        while not stop.is_set():
            ready = self._selector.select(0.005 if self._rate or self.blocked else 0.05)
            for key, _ in ready:
                key.data.read()
            for station in [s for s in self.blocked if s.write()]:
                self.blocked.discard(station)
            now = time.monotonic()
            if now >= next_misc:
                self._housekeeping(now)
                next_misc = now + _MISC_S
            if self._limit and self.tally.said >= self._limit:
                continue
            if self._rate:
                # What could not be said while the broker was away is not made up for by a flood.
                issued = min(issued + (now - credit_at) * self._rate, self._rate)
                credit_at = now
                for _ in range(_AT_ONCE):
                    if issued < 1 or self._full():
                        break
                    issued -= self._next(queue)
            else:
                for _ in range(_AT_ONCE):
                    if queue[0][0] > time.time() or self._full():
                        break
                    self._next(queue)

    def _full(self) -> bool:
        """Whether nothing new may be said: enough is on its way, or all is said."""
        over = bool(self._limit) and self.tally.said >= self._limit
        return over or self.tally.said - self.tally.acknowledged >= _WAITING

    def _next(self, queue: list[tuple[float, int, Saying]]) -> int:
        """Say the next thing of all; returns how many messages that was."""
        at, number, saying = queue[0]
        station = self.stations[number]
        following = next(station.sayings)
        heapq.heapreplace(queue, (following.at, number, following))
        self._now = at
        if saying.what == "outage":
            station.away_until = saying.until
            station.drop()
            return 0
        if saying.what == "restart":
            station.leave()
            station.next_try = 0.0
            return 0
        station.say(saying)
        return 1

    def _housekeeping(self, now: float) -> None:
        for station in self.slow:
            station.flush()
        self.slow.clear()
        simulated = self.now()
        over = bool(self._limit) and self.tally.said >= self._limit
        for station in self.stations:
            if station.connected:
                station.misc()
            elif now >= station.next_try and (simulated >= station.away_until or over):
                station.next_try = now + 10
                station.connect()


def opened(broker: Broker) -> tuple[Callable[[str], Client], Callable[[Client], None]]:
    """How stations get to a broker; ``{site}`` as the user is each one's own name."""
    from dataclasses import replace

    client_class()  # says so where paho is not installed
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    def make(site: str) -> Client:
        client = new_client(replace(broker, user=broker.user.replace("{site}", site)), by_hand=False)
        client.connect_timeout = 3.0
        return client

    def connect(client: Client) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        client.connect(broker.host, broker.port, keepalive=60, clean_start=True, properties=properties)

    return make, connect


def digest(payload: contract.Payload) -> str:
    """A short digest of what a payload says; when it was received is no part of it."""
    text = payload.model_dump_json(exclude={"received"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


__all__ = ["Tally", "VirtualSites", "digest", "opened"]
