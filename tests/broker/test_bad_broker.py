"""A broker that does not keep to the protocol: each connection ends, the next one works, and memory is bounded."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.broker import connection
from sunmi_ipc.broker.channel import Channel
from sunmi_ipc.broker.connection import Broker, BrokerError, Connection, Sent
from sunmi_ipc.broker.keys import SigningKey
from sunmi_ipc.broker.stations import KnownStations
from sunmi_ipc.events import bounded_client
from sunmi_ipc.hub.hub import Hub
from sunmi_ipc.hub.store import Store, open_url

pytestmark = pytest.mark.broker
CONNACK = b"\x20\x03\0\0\0"
TOPIC = "sunmi-ipc/v1/s1/cameras/FS101D8BS00106/counts"
Play = Callable[["Line"], None]


def packet(first: int, body: bytes) -> bytes:
    length, text = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        text += bytes([digit | (128 if length else 0)])
        if not length:
            return bytes([first]) + text + body


def publish(payload: bytes, *, qos: int = 1, mid: int = 1, topic: bytes = TOPIC.encode()) -> bytes:
    head = len(topic).to_bytes(2) + topic + (mid.to_bytes(2) if qos else b"") + b"\0"
    return packet(0x30 | qos << 1, head + payload)


class Line:
    """One client's connection, at the broker's end."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.send = peer.sendall

    def read(self) -> tuple[int, bytes]:
        """The next packet: its first byte, and its body."""
        first, length, shift = self._exactly(1)[0], 0, 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return first, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if not (piece := self.peer.recv(count - len(data))):
                raise ConnectionError
            data += piece
        return data

    def greet(self) -> None:
        """As a broker should: CONNACK, and SUBACK where something is subscribed to."""
        self.read()
        self.send(CONNACK)
        _, body = self.read()
        at, count = 3, 0
        while at < len(body):
            at += 2 + int.from_bytes(body[at : at + 2]) + 1
            count += 1
        self.send(packet(0x90, body[:2] + b"\0" + b"\1" * count))

    def good(self) -> None:
        """Go on as a broker should, until the client has gone."""
        self.greet()
        while True:
            first, body = self.read()
            if first & 0xF0 == 0x30:
                at = 2 + int.from_bytes(body[:2])
                self.send(b"\x40\x02" + body[at : at + 2])
            elif first & 0xF0 == 0xC0:
                self.send(b"\xd0\0")


class BadBroker:
    """Plays each of *plays* to one connection, and is good to those that come after them."""

    def __init__(self) -> None:
        self.plays: list[Play] = []
        self.came = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def broker(self) -> Broker:
        return Broker.of(f"mqtt://127.0.0.1:{self.port}")

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                self._open.append(peer)
                play = self.plays[self.came] if self.came < len(self.plays) else Line.good
                self.came += 1
                threading.Thread(target=self._serve, args=(peer, play), daemon=True).start()

    def _serve(self, peer: socket.socket, play: Play) -> None:
        with suppress(OSError), peer:
            play(Line(peer))

    def close(self) -> None:
        self._server.close()
        for peer in self._open:
            peer.close()


@pytest.fixture
def bad() -> Iterator[BadBroker]:
    made = BadBroker()
    yield made
    made.close()


@pytest.fixture
def connect(bad: BadBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Connection]]:
    """A connection as stations and callers have it, which tries again at once and waits a second for answers."""
    monkeypatch.setattr(connection, "READY_S", 1.0)
    opened: list[Connection] = []

    def make(**options: Any) -> Connection:
        made = Connection(bad.broker, subscriptions=["sunmi-ipc/v1/#"], backoff=(0.01, 0.02), **options)
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


def until_gone(line: Line) -> None:
    """Whatever the client sends, until it has gone."""
    with suppress(OSError):
        while line.peer.recv(65_536):
            pass


def after_greeting(data: bytes) -> Play:
    def play(line: Line) -> None:
        line.greet()
        line.send(data)
        until_gone(line)

    return play


def at_once(data: bytes, *, leave: bool = False) -> Play:
    def play(line: Line) -> None:
        line.read()
        line.send(data)
        if not leave:
            until_gone(line)

    return play


#: What ends a connection of its own; the ids say what is sent.
BROKEN: dict[str, Play] = {
    "nothing, and gone": at_once(b"", leave=True),
    "silent": at_once(b""),
    "half a CONNACK": at_once(CONNACK[:3], leave=True),
    "a CONNACK without a body": at_once(b"\x20\0"),
    "a CONNACK with half its properties": at_once(packet(0x20, b"\0\0\x20\x21")),
    "a CONNACK that never ends": at_once(b"\x20\xff\xff\xff\x7f"),
    "a length of five bytes": after_greeting(b"\x30\xff\xff\xff\xff\xff\x01"),
    "CONNACK again and again": after_greeting(CONNACK * 500),
    "an empty SUBACK": after_greeting(b"\x90\0"),
    "an empty PUBACK": after_greeting(b"\x40\0"),
    "a PUBACK with a reason that is none": after_greeting(b"\x40\x04\0\x01\xfe\0"),
    "an empty PUBLISH": after_greeting(b"\x32\0"),
    "a topic longer than the packet": after_greeting(packet(0x32, b"\xff\xffabc")),
    "properties longer than the packet": after_greeting(packet(0x30, b"\0\x01a\x7f\x01")),
    "QoS 2": after_greeting(publish(b"{}", qos=2) * 100),
    "QoS 3": after_greeting(publish(b"{}", qos=3)),
    "a CONNECT": after_greeting(packet(0x10, b"\0\x04MQTT\x05\0\0\0\0")),
    "a packet of kind 0": after_greeting(b"\0\0"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_connection_outlives_what_is_no_mqtt(
    bad: BadBroker, connect: Callable[..., Connection], kit: Any, name: str
) -> None:
    bad.plays = [BROKEN[name]] * 2
    told: list[float] = []
    made = connect(on_connect=lambda: told.append(time.monotonic()))
    assert kit.eventually(lambda: bad.came == 3 and made.connected), (bad.came, made.problem)
    made.publish(TOPIC, b"{}", schema="counts/1").wait(10)
    assert len(told) <= bad.came  # once a connection, however often the broker greets


def test_a_hundred_connections_of_random_bytes(
    bad: BadBroker, connect: Callable[..., Connection], kit: Any
) -> None:
    dice = random.Random(20)
    kinds = (0x20, 0x32, 0x30, 0x40, 0x90, 0xB0, 0xE0, 0xF0, 0x50, 0x62)

    def play(line: Line) -> None:
        line.greet()
        line.send(packet(dice.choice(kinds), dice.randbytes(dice.randrange(40))) + dice.randbytes(200))

    bad.plays = [play] * 100
    made = connect()
    assert kit.eventually(lambda: bad.came == 101 and made.connected, 60), (bad.came, made.problem)
    made.publish(TOPIC, b"{}", schema="counts/1").wait(10)


def test_a_packet_of_a_quarter_of_a_gigabyte_is_not_read(
    bad: BadBroker, connect: Callable[..., Connection], kit: Any
) -> None:
    sent = [0]

    def play(line: Line) -> None:
        line.greet()
        line.send(b"\x30\xff\xff\xff\x7f")
        while True:
            line.send(bytes(65_536))
            sent[0] += 65_536

    bad.plays = [play]
    made = connect()
    assert kit.eventually(lambda: bad.came == 2 and made.connected)
    assert sent[0] < 16 << 20  # what the sockets' buffers hold


def test_a_broker_that_sends_and_never_reads(
    bad: BadBroker, connect: Callable[..., Connection], kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_client, "_MOST_UNREAD", 100)
    monkeypatch.setattr(
        connection,
        "_at_once",
        lambda _c, _u, sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096),
    )

    def play(line: Line) -> None:
        line.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.greet()
        while True:
            line.send(b"".join(publish(b"{}", mid=mid) for mid in range(1, 1000)))

    bad.plays = [play]
    made = connect()
    assert kit.eventually(lambda: bad.came == 2 and made.connected, 60), made.problem


def test_acknowledgements_out_of_order_and_of_nothing(
    bad: BadBroker, connect: Callable[..., Connection], kit: Any
) -> None:
    """What the broker has acknowledged is taken; what it has not when it goes, is known not to be."""

    def play(line: Line) -> None:
        line.greet()
        mids = []
        while len(mids) < 30:
            first, body = line.read()
            if first & 0xF0 == 0x30:
                at = 2 + int.from_bytes(body[:2])
                mids.append(body[at : at + 2])
        for number, mid in enumerate(reversed(mids)):
            if number % 3:
                line.send(b"\x40\x02" + mid)
                line.send(b"\x40\x02" + mid)
            line.send(b"\x40\x02" + (40_000 + number).to_bytes(2))

    bad.plays = [play]
    made = connect()
    assert made.wait(10)
    sent: list[Sent] = [made.publish(TOPIC, b"%d" % n, schema="counts/1") for n in range(30)]
    assert kit.eventually(lambda: all(one.done for one in sent))
    refused = [not number % 3 for number in range(30)]
    assert [bool(one.problem) for one in reversed(sent)] == refused
    with pytest.raises(BrokerError, match=connection.LOST):
        sent[-1].wait(1)
    assert kit.eventually(lambda: made.connected)
    made.publish(TOPIC, b"{}", schema="counts/1").wait(10)
    assert not made._early


@pytest.mark.parametrize("name", ["silent", "an empty SUBACK", "a CONNACK that never ends"])
def test_a_call_ends_in_time_and_says_why(
    bad: BadBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(connection, "READY_S", 1.0)
    bad.plays = [BROKEN[name]] * 1000
    stations = KnownStations(tmp_path / "known.json")
    began = time.monotonic()
    with (
        Channel(bad.broker, SigningKey.new("hq"), stations=stations) as channel,
        pytest.raises(errors.ConnectionFailed) as caught,
    ):
        channel.site("s1").camera("FS101D8BS00106", timeout=1.0).device.info()
    assert not caught.value.sent
    assert str(caught.value)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    "name", ["an empty SUBACK", "a topic longer than the packet", "QoS 2", "half a CONNACK"]
)
def test_a_hub_outlives_what_is_no_mqtt(bad: BadBroker, kit: Any, tmp_path: Path, name: str) -> None:
    bad.plays = [BROKEN[name]] * 4  # the hub has two connections
    with Hub(bad.broker, Store(open_url(str(tmp_path / "hub.db")))) as hub:
        assert kit.eventually(lambda: bad.came > 4 and hub.connected, 60), bad.came
        assert not hub.hopeless


def test_a_hub_takes_no_more_than_it_has_said(bad: BadBroker, kit: Any, tmp_path: Path) -> None:
    """While nothing can be stored, a broker that does not wait for acknowledgements fills no memory."""
    store = Store(open_url(str(tmp_path / "hub.db")))
    hub = Hub(bad.broker, store, in_flight=10)
    ended = threading.Event()

    def play(line: Line) -> None:
        line.greet()
        threading.Thread(target=until_gone, args=(line,), daemon=True).start()
        with suppress(OSError):
            for mid in range(1, 60_000):
                line.send(publish(b"{}", mid=mid))
        ended.set()

    bad.plays = [play]
    hold = threading.Event()
    hub._store_all = hold.wait  # type: ignore[method-assign, assignment]
    hub._take_snapshots = hold.wait  # type: ignore[method-assign, assignment]
    try:
        with hub:
            assert ended.wait(60)
            assert hub._arrivals.qsize() <= 161
            hold.set()
    finally:
        store.close()
