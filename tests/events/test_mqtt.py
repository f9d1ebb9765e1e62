"""MQTT against a real broker, started here on a free loopback port."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.events import Spool
from sunmi_ipc.events.delivery import Delivery
from sunmi_ipc.events.model import of
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.simulator import Vendor, VirtualCamera

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt, the extra 'mqtt', is not installed")
from sunmi_ipc.events.homeassistant import discovery, of_sink
from sunmi_ipc.events.mqtt import MqttSink
from tests.patience import eventually

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
_there = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


def needs_broker(test: Any) -> Any:
    return pytest.mark.broker(_there(test))


class Broker:
    """mosquitto, which keeps what it has acknowledged over a restart."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port("127.0.0.1")
        self.config = directory / "mosquitto.conf"
        store = directory / "store"
        store.mkdir()
        store.chmod(0o777)
        directory.chmod(0o755)
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {store}/\nmax_queued_messages 0\nuser root\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL)
        assert eventually(self.answers), "mosquitto does not start"

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


class Listener:
    """Another client; its session lives on while it or the broker is away."""

    def __init__(self, broker: Broker, topic: str = "#") -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.got: list[tuple[str, str, bool]] = []
        self.ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self.client.on_message = lambda client, data, m: self.got.append(
            (m.topic, m.payload.decode(), m.retain)
        )
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self.ready.wait(10)

    def topics(self, part: str) -> list[str]:
        return [payload for topic, payload, retain in self.got if part in topic and not retain]

    def of(self, part: str) -> list[str]:
        return [payload for topic, payload, _ in self.got if part in topic]

    def ids(self) -> list[str]:
        return [json.loads(payload)["event_id"] for payload in self.topics("/event/")]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener(broker)
    yield made
    made.close()


def put(spool: Spool, *numbers: int, kind: str = "face_recog_event") -> None:
    for number in numbers:
        fields = {"event_type": kind, "sn": "FS1", "event_id": str(number), "faceid": "7"}
        spool.append(of(fields), fields)


@needs_broker
@pytest.mark.broker
def test_events_in_order_with_status_discovery_and_newest(
    spool: Spool, broker: Broker, listener: Listener
) -> None:
    put(spool, *range(250))
    with Delivery(spool, MqttSink(broker.url)) as delivery:
        assert delivery.drain(20)
        assert eventually(lambda: len(listener.ids()) == 250)
        assert listener.ids() == [str(n) for n in range(250)]
        assert len(listener.topics("sunmi-ipc/FS1/event/face_recog_event")) == 250
        assert listener.topics("sunmi-ipc/status") == ["online"]
    assert eventually(lambda: listener.topics("sunmi-ipc/status")[-1] == "offline")
    configs = {topic for topic, _, _ in listener.got if topic.startswith("homeassistant/")}
    assert configs == set(discovery("FS1", of_sink("FS1", "sunmi-ipc"), discovery_prefix="homeassistant"))


@needs_broker
@pytest.mark.broker
def test_newest_and_discovery_are_retained(spool: Spool, broker: Broker) -> None:
    put(spool, 1, 2)
    put(spool, 3, kind="dynamic_detect_event")
    sink = MqttSink(broker.url, prefix="shop/cams", discovery="ha")
    with Delivery(spool, sink) as delivery:
        assert delivery.drain(20)
        sink.people("FS1", {"total": 12, "male": 5})
    late = Listener(broker)
    try:
        assert eventually(lambda: len(late.got) >= 16)
        retained = {topic: payload for topic, payload, retain in late.got if retain}
    finally:
        late.close()
    assert json.loads(retained["shop/cams/FS1/last/face_recog_event"])["event_id"] == "2"
    assert json.loads(retained["shop/cams/FS1/last/dynamic_detect_event"])["event_id"] == "3"
    assert json.loads(retained["shop/cams/FS1/people"]) == {"total": 12, "male": 5}
    assert retained["shop/cams/status"] == "offline"
    config = json.loads(retained["ha/binary_sensor/sunmi_ipc_FS1/motion/config"])
    assert config["state_topic"] == "shop/cams/FS1/event/dynamic_detect_event"
    # Available while both are: what publishes, and the camera.
    topics = [one["topic"] for one in config["availability"]]
    assert (topics, config["availability_mode"]) == (["shop/cams/status", "shop/cams/FS1/status"], "all")
    assert retained["shop/cams/FS1/status"] == "online"
    assert "serial_number" not in config["device"]  # refused by versions before 2024.2
    assert not [topic for topic in retained if "/event/" in topic]


@needs_broker
@pytest.mark.broker
def test_a_broker_restart_loses_nothing(spool: Spool, broker: Broker, listener: Listener) -> None:
    with Delivery(spool, MqttSink(broker.url), backoff=(0.05, 0.2)) as delivery:
        put(spool, *range(100))
        assert eventually(lambda: len(listener.ids()) > 0)
        writing = threading.Thread(target=lambda: put(spool, *range(100, 1500)))
        writing.start()
        broker.stop()
        put(spool, *range(1500, 1600))
        broker.start()
        writing.join()
        assert delivery.drain(40)
        assert eventually(lambda: len(set(listener.ids())) == 1600)
    assert set(listener.ids()) == {str(n) for n in range(1600)}


@needs_broker
@pytest.mark.broker
def test_a_broker_that_forgets_is_told_again_and_only_the_newest(spool: Spool, broker: Broker) -> None:
    broker.config.write_text(broker.config.read_text().replace("persistence true", "persistence false"))
    broker.stop()
    sink = MqttSink(broker.url)
    with Delivery(spool, sink, backoff=(0.05, 0.2)) as delivery:
        for total in range(500):
            sink.people("FS1", {"total": total})
        assert not sink._client._out_messages  # what is late is not kept, a minute of it after the other
        for _ in range(2):
            broker.start()
            late = Listener(broker)
            try:
                assert eventually(lambda: late.of("/FS1/people") == ['{"total": 499}'])  # noqa: B023
                assert eventually(lambda: len(late.of("homeassistant/")) == 11)  # noqa: B023
            finally:
                late.close()
            broker.stop()
        broker.start()
        put(spool, 1)
        assert delivery.drain(20)


@needs_broker
@pytest.mark.broker
def test_killed_without_goodbye_the_last_will_says_it(broker: Broker, listener: Listener) -> None:
    sink = MqttSink(broker.url)
    assert eventually(lambda: listener.topics("sunmi-ipc/status") == ["online"])
    sock = sink._client.socket()
    assert sock is not None
    sink._client._reconnect_on_failure = False
    sock.shutdown(socket.SHUT_RDWR)
    assert eventually(lambda: listener.topics("sunmi-ipc/status")[:2] == ["online", "offline"])
    sink.close()


@needs_broker
@pytest.mark.broker
def test_wrong_password_is_told(spool: Spool, tmp_path: Path, broker: Broker) -> None:
    broker.stop()
    passwords = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-c", "-b", str(passwords), "me", "right"], check=True, capture_output=True)
    text = broker.config.read_text().replace(
        "allow_anonymous true", f"allow_anonymous false\npassword_file {passwords}"
    )
    broker.config.write_text(text)
    tmp_path.chmod(0o755)
    broker.start()
    put(spool, 1)
    url = broker.url.replace("//", "//me:wrong@")
    with Delivery(spool, MqttSink(url), backoff=(0.01, 0.02)) as delivery:
        assert eventually(lambda: delivery.sink._problem != "")
    with Delivery(spool, MqttSink(url, password="right")) as delivery:
        assert delivery.drain(20)


@needs_broker
@pytest.mark.broker
# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_mqtts_checks_the_brokers_certificate(spool: Spool, tmp_path: Path, broker: Broker) -> None:
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = broker.config.parent
    pem = serialization.Encoding.PEM
    (folder / "broker.crt").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "broker.key").write_bytes(private)
    broker.stop()
    with broker.config.open("a") as config:
        config.write(f"certfile {folder}/broker.crt\nkeyfile {folder}/broker.key\n")
    broker.start()
    put(spool, 1)
    url = broker.url.replace("mqtt:", "mqtts:")
    with Delivery(spool, MqttSink(url, ca=str(folder / "broker.crt"))) as delivery:
        assert delivery.drain(20)
    put(spool, 2)
    with Delivery(spool, MqttSink(url), backoff=(0.01, 0.02)) as delivery:  # the system's do not know it
        assert eventually(lambda: "self-signed certificate" in delivery.problem)


@needs_broker
@pytest.mark.broker
def test_from_the_camera_to_the_broker(
    virtual: Callable[..., VirtualCamera],
    vendor: Vendor,
    broker: Broker,
    listener: Listener,
    tmp_path: Path,
    kit: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command: events, people counters, discovery, and goodbye at its end."""
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    ready = virtual()
    options = ["--port", "0", "--spool", str(tmp_path), "--subscribe", "face_recog_event", "--count", "2"]
    options += ["--on", ready.address, "--mqtt", broker.url, "--json"]
    with kit.happening([ready, ready], "face_recog_event") as made:
        done = CliRunner().invoke(app, ["events", "listen", *options])
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["delivered"]["mqtt"]["delivered"] == 2
    assert eventually(lambda: listener.ids() == made)
    (topic,) = {topic for topic, _, _ in listener.got if "/event/" in topic}
    assert topic == f"sunmi-ipc/{ready.sn}/event/face_recog_event"
    assert eventually(lambda: bool(listener.topics(f"/{ready.sn}/people")))
    people = json.loads(listener.topics(f"/{ready.sn}/people")[0])
    assert people["total"] == people["male"] + people["female"]
    assert eventually(lambda: listener.topics("sunmi-ipc/status")[-1] == "offline")


def test_a_broker_that_is_away_ends_no_program(spool: Spool) -> None:
    put(spool, 1)
    began = time.monotonic()
    with Delivery(spool, MqttSink(f"mqtt://127.0.0.1:{free_port('127.0.0.1')}")) as delivery:
        assert not delivery.drain(0.2)
        delivery.close(grace=0.01)
    assert time.monotonic() - began < 15
    assert spool.consumer("mqtt").backlog() == 1


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://x"},
        {"url": "mqtt://"},
        {"url": "mqtt://h:99999"},
        {"url": "mqtt://[::1"},
        {"url": "mqtt://h", "prefix": "a/#"},
        {"url": "mqtts://h", "ca": "/no/such/file"},
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        MqttSink(**options)
    assert caught.value.localized("zh")[0] != caught.value.message


def test_discovery_names_are_safe() -> None:
    topics = discovery("A.B-1", of_sink("A.B-1", "p"), discovery_prefix="ha")
    assert all("sunmi_ipc_A_B-1/" in topic for topic in topics)
    assert len({config["unique_id"] for config in topics.values()}) == len(topics) == 11


class Handmade:
    """A broker that closes the connection at a message of *limit* bytes, and acknowledges as it likes."""

    def __init__(
        self, *, limit: int = 1 << 30, refuse: int = 0, acknowledges: Callable[[bytes], bool] = lambda p: True
    ) -> None:
        self.limit, self.refuse, self.acknowledges = limit, refuse, acknowledges
        self.events: list[str] = []
        self.cuts = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as file:
            try:
                while True:
                    kind, length, shift = file.read(1)[0], 0, 0
                    while True:
                        byte = file.read(1)[0]
                        length |= (byte & 127) << shift
                        shift += 7
                        if byte < 128:
                            break
                    if length > self.limit:
                        self.cuts += 1
                        return
                    body = file.read(length)
                    if kind >> 4 == 1:
                        sock.sendall(b"\x20\x02\x00" + bytes([self.refuse]))
                    elif kind >> 4 == 3:
                        size = int.from_bytes(body[:2], "big")
                        topic, payload = body[2 : 2 + size].decode(), body[4 + size :]
                        if not self.acknowledges(payload):
                            continue
                        if "/event/" in topic:
                            self.events.append(json.loads(payload)["event_id"])
                        sock.sendall(b"\x40\x02" + body[2 + size : 4 + size])
                    elif kind >> 4 == 12:
                        sock.sendall(b"\xd0\x00")
            except (OSError, IndexError):
                return


def pad(spool: Spool, number: int, size: int) -> None:
    fields = {
        "event_type": "face_recog_event",
        "sn": "FS1",
        "event_id": str(number),
        "group_name": "x" * size,
    }
    spool.append(of(fields), fields)


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 7, 19])
def test_what_is_too_large_for_the_broker_is_given_up_alone(spool: Spool, at: int) -> None:
    broker = Handmade(limit=50_000)
    for number in range(20):
        pad(spool, number, 100_000 if number == at else 10)
    with Delivery(spool, MqttSink(broker.url, discovery=""), attempts=2, backoff=(0.01, 0.05)) as delivery:
        assert delivery.drain(60)
        assert delivery.counts["given_up"] == 1
    assert set(broker.events) == {str(n) for n in range(20)} - {str(at)}
    (letter,) = spool.letters.read("mqtt")
    assert "closed the connection" in letter.reason


def test_a_message_that_is_never_acknowledged_is_given_up_alone(spool: Spool) -> None:
    broker = Handmade(acknowledges=lambda payload: b'"poison"' not in payload)
    for number in range(6):
        fields = {
            "event_type": "x",
            "sn": "FS1",
            "event_id": str(number),
            "a": "poison" if number == 3 else "b",
        }
        spool.append(of(fields), fields)
    sink = MqttSink(broker.url, discovery="", acknowledge=0.4)
    with Delivery(spool, sink, attempts=2, backoff=(0.01, 0.05)) as delivery:
        assert delivery.drain(60)
        assert delivery.counts["given_up"] == 1
    assert set(broker.events) == {"0", "1", "2", "4", "5"}


def test_a_broker_that_acknowledges_nothing_loses_nothing_and_is_said(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    mute = [True]
    broker = Handmade(acknowledges=lambda payload: not mute[0])
    pad(spool, 1, 1)
    sink = MqttSink(broker.url, discovery="", acknowledge=0.3)
    with Delivery(spool, sink, attempts=1, backoff=(0.01, 0.05)) as delivery:
        assert eventually(lambda: delivery.counts["retried"] >= 4)
        assert delivery.counts["given_up"] == 0
        assert any("does not acknowledge" in record.getMessage() for record in caplog.records)
        mute[0] = False
        assert delivery.drain(30)


@pytest.mark.parametrize("refuse", [4, 5, None])
def test_trouble_with_the_broker_is_said_before_the_first_event(
    caplog: pytest.LogCaptureFixture, refuse: int | None
) -> None:
    url = (
        f"mqtt://shop:Pa55@127.0.0.1:{free_port('127.0.0.1')}"
        if refuse is None
        else Handmade(refuse=refuse).url
    )
    sink = MqttSink(url)
    try:
        assert eventually(
            lambda: any("broker" in r.getMessage() for r in caplog.records if r.levelname == "WARNING")
        )
        assert "Pa55" not in caplog.text
    finally:
        sink.close()


def test_state_and_availability_of_a_camera() -> None:
    seen: dict[str, str] = {}
    broker = Handmade()
    sink = MqttSink(broker.url, prefix="p", discovery="")
    sink._publish = lambda topic, text, retain=False: seen.update({topic: text}) or 0  # type: ignore[method-assign, assignment, func-returns-value]
    try:
        assert eventually(sink._connected.is_set)
        sink.state("FS1", {"card": "normal"})
        sink.state("FS1", {"verdict": "ok"})
        sink.availability("FS1", False)
        assert json.loads(seen["FS1/state"]) == {"card": "normal", "verdict": "ok"}
        assert seen["FS1/status"] == "offline"
    finally:
        sink.close()


@pytest.mark.parametrize("sent", [b"\x30\x01\x00", b"\x40\x01\x00", b"\x20\x02\0\0", b"\x30\xff\xff\xff\x7f"])
def test_a_broker_that_keeps_to_no_protocol_ends_one_connection(sent: bytes) -> None:
    """What paho cannot read would end its thread, and the sink would be silent for ever."""
    came: list[socket.socket] = []
    body = b"x" * 70_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        sink = MqttSink(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        try:
            for _ in range(2):
                peer, _address = server.accept()
                came.append(peer)
                peer.settimeout(5)
                peer.recv(4096)
                with contextlib.suppress(OSError):
                    peer.sendall(b"\x20\x02\0\0" + sent + body)
        finally:
            sink.close()
            for peer in came:
                peer.close()
    assert len(came) == 2
