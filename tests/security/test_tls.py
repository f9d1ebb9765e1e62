"""Whom we take for a camera, and how our key stays ours."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from sunmi_ipc import errors
from sunmi_ipc.link.tls import ClientCertificate
from sunmi_ipc.link.trust import KnownCameras
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.certs import CertificateAuthority

from .hostile import Hostile, answer


@pytest.mark.parametrize("password", ["secret-1", "", "пароль-密码"])
def test_p12_opens(tmp_path: Path, password: str) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(CertificateAuthority().p12("installer", password))
    certificate = ClientCertificate.load(path, password)
    assert "installer" in certificate.subject
    assert b"ENCRYPTED" in certificate.pem
    assert certificate.passphrase.decode() not in repr(certificate)


def test_old_p12_opens(tmp_path: Path) -> None:
    old = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(b"old")
    )
    path = tmp_path / "old.p12"
    path.write_bytes(CertificateAuthority().p12("installer", "old", encryption=old))
    assert ClientCertificate.load(path, "old").subject


@pytest.mark.parametrize(
    ("content", "password", "word"),
    [
        (None, "", "cannot be read"),
        (b"", "x", "but nothing"),
        (b"\x30\x82junk", "x", "cut off"),
        (b"\x30\x03\x02\x01\x03", "x", "does not open"),
    ],
)
def test_bad_p12(tmp_path: Path, content: bytes | None, password: str, word: str) -> None:
    path = tmp_path / "bad.p12"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.TlsError, match=word):
        ClientCertificate.load(path, password)


def test_wrong_password_is_said_without_the_password(vendor: Vendor) -> None:
    with pytest.raises(errors.TlsError, match="wrong password") as caught:
        ClientCertificate.load(vendor.p12, "hunter22")
    assert "hunter22" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("days", "word"), [((-20, -10), "expired on"), ((10, 20), "valid only from")])
def test_dates_are_said_before_connecting(tmp_path: Path, days: tuple[int, int], word: str) -> None:
    now = datetime.now(UTC)
    first, last = (now + timedelta(days=d) for d in days)
    path = tmp_path / "dates.p12"
    path.write_bytes(CertificateAuthority().p12("x", "p", not_before=first, not_after=last))
    with pytest.raises(errors.TlsError, match=word) as caught:
        ClientCertificate.load(path, "p")
    assert f"{(last if word == 'expired on' else first):%Y-%m-%d}" in str(caught.value)


def test_no_readable_key_on_disk(
    vendor: Vendor, ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    original = ssl.SSLContext.load_cert_chain

    def spy(
        self: ssl.SSLContext, certfile: str, keyfile: str | None = None, password: str | None = None
    ) -> None:
        seen.append(Path(certfile).read_bytes())
        if os.path.exists("/proc/self/fd"):
            assert str(certfile).startswith("/proc/self/fd/")
        original(self, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    with Vendor() as fresh, pytest.raises(errors.TlsError):
        connect(ready, p12=fresh.p12, p12_password=fresh.p12_password).device.info()
    ours = [pem for pem in seen if b"openapi" not in pem and b"ENCRYPTED" in pem]
    assert ours
    assert all(b"BEGIN " + b"PRIVATE KEY" not in pem for pem in ours)


def test_another_authority_is_refused(ready: VirtualCamera) -> None:
    with Vendor() as other, pytest.raises(errors.TlsError, match="not from the CA"):
        connect(ready, ca=other.ca).device.info()


@pytest.mark.parametrize(("first", "last"), [(-20, -10), (10, 20)], ids=["expired", "not yet valid"])
def test_a_camera_whose_certificate_is_not_valid_today(
    vendor: Vendor, tmp_path: Path, first: int, last: int
) -> None:
    """With a CA its dates count, and the error says what to do; a pin does not ask for dates."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    certificate = vendor.authority.issue(
        "FS101", key, not_before=now + timedelta(days=first), not_after=now + timedelta(days=last)
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = vendor.server_context("FS101")
    context.load_cert_chain(pem)
    with Hostile(vendor, answer(b'{"code":0,"data":{"sn":"FS101"}}'), context=context) as server:
        with server.camera() as camera, pytest.raises(errors.TlsError, match="not valid today") as caught:
            camera.device.info()
        assert "clock" in caught.value.hint
        assert not server.requests
        with server.camera(ca=None) as camera:
            assert camera.device.info().sn == "FS101"


def test_our_certificate_refused(ready: VirtualCamera) -> None:
    with Vendor() as other, pytest.raises(errors.TlsError, match="refused our client certificate"):
        connect(ready, p12=other.p12, p12_password=other.p12_password).device.info()


def test_no_certificate_at_all_is_said_before_connecting(ready: VirtualCamera) -> None:
    with pytest.raises(errors.ConfigError, match="no client certificate") as caught:
        connect(ready, p12=None).device.info()
    assert "openapi.p12" in caught.value.hint


def test_first_use_pins_and_a_change_is_refused(
    virtual: Callable[..., VirtualCamera], tmp_path: Path
) -> None:
    first = virtual()
    pins = KnownCameras(tmp_path / "known.json")
    with connect(first, ca=None, known_cameras=pins, sn=first.sn) as camera:
        camera.device.info()
    ((name, pin),) = KnownCameras(tmp_path / "known.json").items()
    assert name == first.sn
    with Vendor() as impostor, VirtualCamera(impostor, state="ready", udp=False) as second:
        client = connect(second, ca=None, known_cameras=KnownCameras(tmp_path / "known.json"), sn=first.sn,
                         p12=impostor.p12, p12_password=impostor.p12_password)  # fmt: skip
        with client, pytest.raises(errors.TlsError, match="has changed") as caught:
            client.device.info()
        assert second.state.counts == {}
    assert pin.fingerprint in str(caught.value)
    assert f"ipc trust accept {first.sn}" in caught.value.hint


@pytest.mark.parametrize("by", ["ca", "pin"])
def test_nothing_is_sent_to_the_man_in_the_middle(vendor: Vendor, by: str) -> None:
    """Shown at the socket: after the handshake the impostor reads not one byte of a request."""
    received: list[bytes] = []
    with Vendor() as impostor, socket.create_server(("127.0.0.1", 0)) as listener:
        context = impostor.server_context("FS000")
        context.verify_mode = ssl.CERT_NONE

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(5)
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    received.append(secure.recv(1))
            except OSError:
                received.append(b"")
            finally:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        pins = KnownCameras()
        if by == "pin":
            pins.approve("FS000", b"the real camera's certificate")
        from sunmi_ipc.camera import Camera

        client = Camera(
            f"127.0.0.1:{listener.getsockname()[1]}", sn="FS000", app_id="a", secret_key="b", p12=vendor.p12,
            p12_password=vendor.p12_password, ca=vendor.ca if by == "ca" else None, known_cameras=pins, retries=0,
        )  # fmt: skip
        with client, pytest.raises(errors.TlsError):
            client.device.info()
        thread.join(5)
    assert received == [b""]


def test_insecure_is_loud(ready: VirtualCamera, caplog: pytest.LogCaptureFixture) -> None:
    with Vendor() as other, connect(ready, ca=other.ca, insecure=True) as camera:
        assert camera.device.info().sn == ready.sn
    assert "NOT checked" in caplog.text


def test_ca_in_der_and_ca_that_is_none(ready: VirtualCamera, tmp_path: Path) -> None:
    der = tmp_path / "ca.der"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(ready.vendor.ca.read_text()))
    with connect(ready, ca=der) as camera:
        assert camera.device.info().sn == ready.sn
    der.write_bytes(b"no certificate")
    with connect(ready, ca=der) as camera, pytest.raises(errors.TlsError, match="holds no certificate"):
        camera.device.info()


def test_pins_in_a_broken_file_are_not_forgotten_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text("{")
    with pytest.raises(errors.ConfigError, match="cannot be read"):
        KnownCameras(path)
