"""A Mosquitto of its own with TLS and an ACL, stations on virtual cameras, and a caller."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sunmi_ipc.broker.channel import Channel
from sunmi_ipc.broker.connection import Broker
from sunmi_ipc.broker.keys import KeyStore
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.bridge import Bridge
from tests.patience import eventually

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
PASSWD = shutil.which("mosquitto_passwd") or ""
ACL = """\
user hq
topic write sunmi-ipc/v1/+/calls
topic read sunmi-ipc/v1/+/replies/+
topic read sunmi-ipc/v1/+/station
topic read sunmi-ipc/v1/+/cameras/+/state

user watcher
topic read sunmi-ipc/v1/#
topic read homeassistant/#

user root
topic readwrite #

pattern write sunmi-ipc/v1/%u/station
pattern write sunmi-ipc/v1/%u/alerts
pattern write sunmi-ipc/v1/%u/cameras/#
pattern write sunmi-ipc/v1/%u/replies/+
pattern read sunmi-ipc/v1/%u/calls
pattern read sunmi-ipc/v1/%u/station
pattern write homeassistant/#
"""
PASSWORD = "a-password-of-the-tests"


def _certificates(folder: Path, clients: Sequence[str] = ()) -> None:
    """A CA, and what it has signed: a certificate for 127.0.0.1, and one for each of *clients*."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def made(subject: str, public: Any, *, ca: bool) -> x509.Certificate:
        import ipaddress

        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("tests CA"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    (folder / "ca.pem").write_bytes(made("tests CA", ca_key.public_key(), ca=True).public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(
        made("127.0.0.1", key.public_key(), ca=False).public_bytes(Encoding.PEM)
    )
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for client in clients:
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = made(client, own.public_key(), ca=False)
        (folder / f"{client}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / f"{client}.key").write_bytes(
            own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )


class Mosquitto:
    """mosquitto with TLS, passwords and an ACL; keeps what it has acknowledged over a restart.

    With *clients* it asks for their certificates instead of passwords: their names are the ACL's users.
    """

    def __init__(self, folder: Path, users: list[str], *, clients: Sequence[str] = ()) -> None:
        self.port = free_port("127.0.0.1")
        self.folder = folder
        folder.chmod(0o755)
        _certificates(folder, clients)
        (folder / "store").mkdir()
        (folder / "acl").write_text(ACL)
        passwords = folder / "passwords"
        passwords.touch()
        for user in users:
            subprocess.run([PASSWD, "-b", str(passwords), user, PASSWORD], check=True, capture_output=True)
        for file in ("acl", "passwords"):
            (folder / file).chmod(0o600)
        self.config = folder / "mosquitto.conf"
        who = (
            "require_certificate true\nuse_identity_as_username true\n"
            if clients
            else f"password_file {passwords}\nallow_anonymous false\n"
        )
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\ncafile {folder}/ca.pem\ncertfile {folder}/server.pem\n"
            f"keyfile {folder}/server.key\nacl_file {folder}/acl\n{who}"
            f"persistence true\npersistence_location {folder}/store/\n"
            f"max_queued_messages 0\nmax_packet_size 3000000\nuser root\nlog_dest file {folder}/log\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def url(self) -> str:
        return f"mqtts://127.0.0.1:{self.port}"

    def broker(self, user: str) -> Broker:
        return Broker.of(self.url, user=user, password=PASSWORD, ca=self.ca)

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

    def stop(self, sig: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sig)
            self.process.wait(20)
            self.process = None


@pytest.fixture
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    if MOSQUITTO is None or not PASSWD:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    made = Mosquitto(
        tmp_path_factory.mktemp("mosquitto"), ["hq", "watcher", "root", "shop-0017", "shop-0018"]
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker that lets in who has a certificate that it trusts, under the name in it."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    made = Mosquitto(
        tmp_path_factory.mktemp("mosquitto"), [], clients=("shop-0017", "hq", "watcher", "nobody")
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def settings(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Credentials of the virtual cameras' vendor."""
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUNMI_IPC_INTERFACE", "lo")
    monkeypatch.setenv("BROKER_PASSWORD", PASSWORD)
    return Settings.load()


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def station_file(tmp_path: Path, settings: Settings) -> Callable[..., Path]:
    """Write a station file for these cameras, with ``[broker]``."""

    def make(
        cameras: list[VirtualCamera], *, url: str, ca: str = "", site: str = "shop-0017", broker: str = "",
        events: str = "enabled = false", counts: str = "enabled = false", keys: str = "", user: str = "",
        watch: str = "",
    ) -> Path:  # fmt: skip
        folder = tmp_path / site
        folder.mkdir(exist_ok=True)
        (folder / "site.toml").write_text(
            "\n".join(f'[[cameras]]\nsn = "{c.sn}"\naddress = "{c.address}"\n' for c in cameras), "utf-8"
        )
        path = folder / "station.toml"
        path.write_text(
            f'[station]\nsite = "{site}"\nname = "Nanjing Road"\ntimezone = "Asia/Shanghai"\n'
            f'cameras = "site.toml"\ndata = "data"\n[watch]\ninterval = 0.4\ndiscover = 0.5\n{watch}\n'
            f"[counts]\n{counts}\n[events]\n{events}\n"
            f'[broker]\nurl = "{url}"\nuser = "{user or site}"\npassword = "env:BROKER_PASSWORD"\nca = "{ca}"\n'
            f"{broker}\n{keys}",
            "utf-8",
        )
        return path

    return make


@pytest.fixture
def connected(
    station_file: Callable[..., Path], settings: Settings, mosquitto: Mosquitto
) -> Iterator[Callable[..., tuple[Station, Bridge]]]:
    """Start a station on these cameras, connected to the Mosquitto."""
    running: list[Any] = []

    def start(cameras: list[VirtualCamera], **options: Any) -> tuple[Station, Bridge]:
        path = station_file(cameras, url=mosquitto.url, ca=mosquitto.ca, **options)
        station = Station(load(path), settings).start()
        running.append(station)
        bridge = Bridge(station)
        running.append(bridge)
        assert bridge.connection.wait(20), bridge.connection.problem
        return station, bridge

    yield start
    for one in reversed(running):
        one.close()


@pytest.fixture
def key(keystore: KeyStore) -> Callable[..., str]:
    """Make a key, and the entry of the station file that knows it."""

    def make(name: str, role: str = "tune", **more: str) -> str:
        public = keystore.create(name).public
        extra = "".join(f"{option} = {value}\n" for option, value in more.items())
        return f'[[broker.keys]]\nname = "{name}"\npublic = "{public}"\nrole = "{role}"\n{extra}'

    return make


@pytest.fixture
def channel(mosquitto: Mosquitto, keystore: KeyStore) -> Iterator[Callable[..., Channel]]:
    """Open a caller's connection."""
    opened: list[Channel] = []

    def open_one(name: str = "hq", user: str = "hq", **options: Any) -> Channel:
        made = Channel(mosquitto.broker(user), keystore.load(name), **options)
        opened.append(made)
        return made

    yield open_one
    for one in opened:
        one.close()


class Kit:
    """What tests of this folder share."""

    eventually = staticmethod(eventually)
    password = PASSWORD


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def head_office(mosquitto: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command at head office finds in its environment."""
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SUNMI_IPC_VIA_USER", "hq")
    monkeypatch.setenv("SUNMI_IPC_VIA_PASSWORD", "a-password-of-the-tests")
    monkeypatch.setenv("SUNMI_IPC_VIA_CA", mosquitto.ca)
    # The vendor's secrets are the shop's: here there are none.
    for name in ("APP_ID", "SECRET_KEY", "ACTIVATION_CODE", "P12", "P12_PASSWORD", "CA"):
        monkeypatch.delenv(f"SUNMI_IPC_{name}", raising=False)
