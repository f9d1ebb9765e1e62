"""Cameras of 2019 and 2020: refused with the option's name, and let in where the user says so."""

from __future__ import annotations

import json
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import KnownCameras, errors
from sunmi_ipc.link import tls
from sunmi_ipc.link.tls import client_context
from sunmi_ipc.simulator import Vendor

from .hostile import Hostile, answer

OK = b'{"code":0,"data":{"sn":"FS101D8BS00106","model_name":"FM020"}}'
OPTION = "--tls legacy"


class OldVendor:
    """RSA of 1024 bits throughout, as one could still buy in 2015."""

    def __init__(self, folder: Path) -> None:
        self.key = rsa.generate_private_key(65537, 1024)
        self.ca, self.p12, self.server = folder / "ca.crt", folder / "openapi.p12", folder / "server.pem"
        self.ca.write_bytes(self.issue("Old CA", self.key, ca=True).public_bytes(serialization.Encoding.PEM))
        own = rsa.generate_private_key(65537, 1024)
        self.p12.write_bytes(
            pkcs12.serialize_key_and_certificates(
                b"x", own, self.issue("client", own), None, serialization.BestAvailableEncryption(b"old")
            )
        )
        own = rsa.generate_private_key(65537, 1024)
        pem = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.server.write_bytes(pem + self.issue("FS101", own).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, key: rsa.RSAPrivateKey, *, ca: bool = False) -> x509.Certificate:
        now = datetime.now(UTC)

        def of(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        return (
            x509.CertificateBuilder()
            .subject_name(of(name))
            .issuer_name(of("Old CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=100))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )


def old_context(
    pem: Path, ca: Path, highest: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0"
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
    context.load_cert_chain(pem)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """A context is made once for the same arguments, and with it the warning."""

    def forget() -> None:
        tls._OPENED.clear()
        client_context.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def client_ca(vendor: Vendor, tmp_path: Path) -> Path:
    path = tmp_path / "client-ca.pem"
    path.write_bytes(vendor.client_authority.pem)
    return path


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
@pytest.mark.parametrize("pinned", [False, True], ids=["ca", "pin"])
def test_an_old_protocol(
    vendor: Vendor, client_ca: Path, highest: ssl.TLSVersion, pinned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    pem = vendor.authority.server_files(vendor.folder, "FS101D8BS00106")
    with Hostile(vendor, answer(OK), context=old_context(pem, client_ca, highest)) as server:
        trust = {"ca": None} if pinned else {}
        with server.camera(**trust) as camera, pytest.raises(errors.TlsError, match="old TLS") as caught:
            camera.device.info()
        assert OPTION in caught.value.hint
        assert "SUNMI_IPC_TLS=legacy" in caught.value.hint
        assert not server.requests
        assert not caplog.records
        with server.camera(legacy_tls=True, **trust) as camera:
            assert camera.device.info().model == "FM020"
        assert "old TLS is allowed" in caplog.text


def test_old_ciphers(vendor: Vendor, tmp_path: Path) -> None:
    old = OldVendor(tmp_path)
    context = old_context(old.server, old.ca, ssl.TLSVersion.TLSv1_2, "AES128-SHA:@SECLEVEL=0")
    settings = {"ca": old.ca, "p12": old.p12, "p12_password": "old"}
    with Hostile(vendor, answer(OK), context=context) as server:
        with server.camera(**settings | {"p12": vendor.p12, "p12_password": vendor.p12_password}) as camera:
            with pytest.raises(errors.TlsError) as caught:
                camera.device.info()
            assert OPTION in caught.value.hint
        with server.camera(legacy_tls=True, **settings) as camera:
            assert camera.device.info().model == "FM020"


def test_an_old_client_certificate(vendor: Vendor, tmp_path: Path) -> None:
    old = OldVendor(tmp_path)
    context = old_context(old.server, old.ca, ssl.TLSVersion.TLSv1_2)
    with Hostile(vendor, answer(OK), context=context) as server:
        with server.camera(ca=old.ca, p12=old.p12, p12_password="old") as camera:
            with pytest.raises(errors.TlsError, match="cannot be used") as caught:
                camera.device.info()
            assert OPTION in caught.value.hint
        assert not server.connections
        with server.camera(ca=old.ca, p12=old.p12, p12_password="old", legacy_tls=True) as camera:
            assert camera.device.info().model == "FM020"


def test_an_old_certificate_of_the_camera(vendor: Vendor, client_ca: Path, tmp_path: Path) -> None:
    old = OldVendor(tmp_path)
    context = old_context(old.server, client_ca, ssl.TLSVersion.TLSv1_2)
    with Hostile(vendor, answer(OK), context=context) as server:
        with server.camera(ca=old.ca) as camera:
            with pytest.raises(errors.TlsError) as caught:
                camera.device.info()
            assert OPTION in caught.value.hint
        assert not server.requests
        with server.camera(ca=old.ca, legacy_tls=True) as camera:
            assert camera.device.info().model == "FM020"


@pytest.mark.parametrize("legacy", [False, True])
def test_a_weak_certificate_is_pinned_like_any_other(
    vendor: Vendor, client_ca: Path, tmp_path: Path, legacy: bool
) -> None:
    """SECURITY.md says so: without the CA nothing judges the key."""
    sn = "FS101D8BS00106"
    old = OldVendor(tmp_path)
    context = old_context(old.server, client_ca, ssl.TLSVersion.TLSv1_2)
    pins = KnownCameras(tmp_path / "known.json")
    with Hostile(vendor, answer(OK), context=context) as server:
        for _ in range(2):
            with server.camera(ca=None, known_cameras=pins, sn=sn, legacy_tls=legacy) as camera:
                assert camera.device.info().model == "FM020"
    assert pins.known(sn) is not None


def test_legacy_still_verifies(vendor: Vendor, client_ca: Path) -> None:
    """Old TLS is weak, not blind: another CA's certificate is refused all the same."""
    with Vendor() as other:
        pem = other.authority.server_files(other.folder, "FS101D8BS00106")
        with Hostile(vendor, answer(OK), context=old_context(pem, client_ca, ssl.TLSVersion.TLSv1)) as server:
            with (
                server.camera(legacy_tls=True) as camera,
                pytest.raises(errors.TlsError, match="not from the CA"),
            ):
                camera.device.info()
            assert not server.requests


@pytest.mark.parametrize(("options", "more"), [(["--tls", "legacy"], {}), ([], {"SUNMI_IPC_TLS": "legacy"})])
def test_on_the_command_line(
    vendor: Vendor, client_ca: Path, options: list[str], more: dict[str, str]
) -> None:
    pem = vendor.authority.server_files(vendor.folder, "FS101D8BS00106")
    run, env = CliRunner().invoke, vendor.environment()
    with Hostile(vendor, answer(OK), context=old_context(pem, client_ca, ssl.TLSVersion.TLSv1)) as server:
        refused = run(app, ["info", "-c", server.address], env=env)
        assert refused.exit_code == 4
        assert OPTION in refused.stderr
        done = run(app, [*options, "info", "-c", server.address, "--json"], env={**env, **more})
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["model_name"] == "FM020"
        assert "old TLS is allowed" in done.stderr
        trusted = run(app, [*options, "trust", "accept", server.address, "--yes"], env={**env, **more})
        assert trusted.exit_code == 0, trusted.output
    assert run(app, ["--tls", "ancient", "info", "-c", "127.0.0.1"], env=env).exit_code == 2


def test_a_modern_camera_is_never_asked_in_an_old_way(vendor: Vendor) -> None:
    context = client_context(None, vendor.ca.read_bytes())
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2  # set by us: a system may say nothing
    assert not any("SHA1" in c["name"] or "RC4" in c["name"] for c in context.get_ciphers())
    assert context.options & ssl.OP_NO_COMPRESSION
