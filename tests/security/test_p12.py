"""The client certificate: every kind of PKCS#12 that a vendor hands out, and where its key never goes."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from sunmi_ipc import errors
from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.certs import CertificateAuthority

#: As OpenSSL 1.0 wrote it: certificates under RC2 of 40 bits, key under 3DES, MAC with SHA-1; a chain of
#: two. Made for this test alone; nothing trusts it.
RC2 = base64.b64decode(
    "MIIFigIBAzCCBVAGCSqGSIb3DQEHAaCCBUEEggU9MIIFOTCCBC8GCSqGSIb3DQEHBqCCBCAwggQcAgEAMIIEFQYJKoZIhvcNAQcB"
    "MBwGCiqGSIb3DQEMAQYwDgQIhpsSk1o1fZ0CAggAgIID6OS1eSctPhaY0GSxeZUJfhBgZzOCdo0NugzBexb7sj6VTVNwJxKmDqPR"
    "x2H4HnaCmiYtNXSMT/yth80DVrguks1rq/sy5SxpP8zMSeyDlF40Tt1UTQTMqaU2QeZ4A9L9YLgLQOLHkAM0yfpM8Dou/jHGnXXR"
    "L+zZ85+Bb3Rsrp/XE+RpzhoQIHf4UZRYb/njcRdomUYEf0TsoFvbo0a6/mQ0Nkb+viTk5o0u3lSKsw5RIu8nKKng3xmiRGhJMaMB"
    "cL5PyU+9Dga+HmV5R35KkKYMkzdDgqaz7B/HQ2Mhvbi8Yu8WokEx4/ujbXxLp99CvsZPWiq1Mbe7RiHFrzq4nqJCcdwoZOBirCv1"
    "qWqmgC/ICYfJZWk223PCiJsaKMHlENUdVUSAnyNhw+GDEQUDSdR4xH8AZZkxxI1os2PEt651d29yU0XBQH2BopVyByGOUI/83i0X"
    "zZ42sCr4Pesq7BqD0S5A6MXKwXIna+MDCNvUoifKN4XgAyA3Bbx9WFwZA7gizjg2PHdXJOpu85hguonyB4H/f3qGua489HJKrKbi"
    "JeRikCsdnzI90SRVOGBBbrxcgZd96BBuyWsM5yaGKVO+N24BVH2oR98nCUGo4gtdIZIzUXj5Qr9LggQ64xL7SkQSmbGODSD3j9YY"
    "hPdt55EhazTSfbE/DviqVs57tMgHogxlRvcSMa5y67fW5iUbe16t4xzKEgb0UwSFK9/v7SgOgiO0zv5VrVrZWtc8q80qnFs5aQ0x"
    "TeFp3VN7Y5FBZ5a1hzb276x9xNMsdbhk41/u121mBIkOLjewJPYLdt8eQ0lq8Q/XlTArvImPcDs1WKNH7VFtRbUnayAzsLMKGjFK"
    "1xY+qp0xNa/owqhk69tylrl8CESGrSb2+c3WUNZV7LAMRgAggcnt0bo4YQXwCxfd/W+TIrG5hbB+jHQ4Ae/GdgskdjpfVoChGd0y"
    "47k+kFrSZTmWhEn4BpzcurGpeP0lYf3fYv/Wvj7NArL8RgCu86MRO83AA4fz8v5UTZe4vyi2CxWXXsblxBFIipdNgRKQmZyamOpe"
    "q5GtWwaQLjPaWeMO8i2v34So9BYBNwBRlQ5Jbs2ohSwTaADmx3PSKcWTmcHwQWD+PZ+Kpr4hbJxX9mvouIzG7OXcfPtJYLzF28/F"
    "BrIEMZ1EcAetxIHFLuK0ZJ1yeanIsFsAMbLenwzU1PWsTgZSTdHPNFCQC/nFxG4XtkqnfoVDwoxzrpLfUM9kJMoXt1fCE6VD0KyE"
    "ddTMytCqsNNCqFH9dqOrYcH3trOEbD7HCCMo9LEIak9O9y3L8UdtX1T/TAuU3S6B0mYa8a5WYAdGTcYwggECBgkqhkiG9w0BBwGg"
    "gfQEgfEwge4wgesGCyqGSIb3DQEMCgECoIG0MIGxMBwGCiqGSIb3DQEMAQMwDgQIRPJKbMYrL2gCAggABIGQvVfut2xEwPPvlwHK"
    "CyVu8yUb8cwBnlhLWQsDJy7qSjECU+PAOtdTYPRawkz/kU4cG+zIxutcr5nKygRXaQ5E4fXvTZCRxcVNsGzTNzFc58gQXuln8bHY"
    "8k7di3pEZgCRb8TwId4PZVEd22lPNN1XTb/qCjcYcfqQLfRNAE5gf4Dx3eB0NeoV6GN6q7jqaka6MSUwIwYJKoZIhvcNAQkVMRYE"
    "FFfkY1aGS5CRHDiLD5ClNYtPbBv4MDEwITAJBgUrDgMCGgUABBQWS7RFcfXCctNaxSKIq9nGwQSrzQQIaXYf/MKIPkcCAggA"
)
RC2_PASSWORD = "test"

DES = pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC
AES = pkcs12.PBES.PBESv2SHA256AndAES256CBC
KEY = ec.generate_private_key(ec.SECP256R1())


def container(
    password: bytes, pbes: pkcs12.PBES = AES, mac: hashes.HashAlgorithm | None = None, *, chain: bool = True
) -> bytes:
    """A PKCS#12 file of that kind."""
    authority = CertificateAuthority()
    certificate = authority.issue("openapi", KEY)
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2048)
            .key_cert_algorithm(pbes)
            .hmac_hash(mac or hashes.SHA256())
            .build(password)
        )
    more = [authority.issue(authority.name, authority.key, ca=True)] if chain else None
    return pkcs12.serialize_key_and_certificates(b"openapi", KEY, certificate, more, encryption)


def test_rc2_and_sha1_with_a_chain(tmp_path: Path) -> None:
    path = tmp_path / "old.p12"
    path.write_bytes(RC2)
    certificate = ClientCertificate.load(path, RC2_PASSWORD)
    assert "old openapi" in certificate.subject
    assert certificate.pem.count(b"BEGIN CERTIFICATE") == 2
    assert client_context(certificate, None)
    with pytest.raises(errors.TlsError, match="wrong password"):
        ClientCertificate.load(path, "Test")


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize(
    ("pbes", "mac"), [(DES, hashes.SHA1()), (DES, hashes.SHA256()), (AES, hashes.SHA256())]
)
@pytest.mark.parametrize("password", ["geheim", "пароль-密码", "ümlaut", " blank ", "x" * 200])
def test_kinds(
    tmp_path: Path, password: str, pbes: pkcs12.PBES, mac: hashes.HashAlgorithm, chain: bool
) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(container(password.encode(), pbes, mac, chain=chain))
    certificate = ClientCertificate.load(path, password)
    assert certificate.pem.count(b"BEGIN CERTIFICATE") == 1 + chain
    assert client_context(certificate, None)
    with pytest.raises(errors.TlsError, match="wrong password"):
        ClientCertificate.load(path, password[:-1])


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_a_password_that_old_tools_wrote_byte_by_byte(tmp_path: Path, charset: str) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(container("密码-2020".encode(charset).decode("latin-1").encode(), DES, hashes.SHA1()))
    assert ClientCertificate.load(path, "密码-2020").subject


def test_an_empty_password(tmp_path: Path) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(container(b""))
    assert ClientCertificate.load(path, "").subject
    assert ClientCertificate.load(path).subject


@pytest.mark.parametrize("missing", ["key", "certificate"])
def test_a_container_without_key_or_certificate(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "openapi.p12"
    key = None if missing == "key" else KEY
    certificate = None if missing == "certificate" else CertificateAuthority().issue("x", KEY)
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            None, key, certificate, None, serialization.BestAvailableEncryption(b"p")
        )
    )
    with pytest.raises(errors.TlsError, match="holds no client certificate with its key"):
        ClientCertificate.load(path, "p")


def test_dates_are_said_before_any_connection(ready: VirtualCamera, tmp_path: Path) -> None:
    path = tmp_path / "openapi.p12"
    first, last = datetime(2020, 1, 2, tzinfo=UTC), datetime(2021, 3, 4, tzinfo=UTC)
    path.write_bytes(CertificateAuthority().p12("x", "p", not_before=first, not_after=last))
    accepted: list[object] = []
    ready._serve = lambda *args: accepted.append(args)  # type: ignore[method-assign]
    with (
        connect(ready, p12=path, p12_password="p") as camera,
        pytest.raises(errors.TlsError, match="expired on 2021-03-04") as caught,
    ):
        camera.device.info()
    assert "vendor" in caught.value.hint
    assert accepted == []


# -- where the key never goes ---------------------------------------------------------------------

SCALAR = KEY.private_numbers().private_value.to_bytes(32, "big")


def plain(data: bytes) -> bool:
    """Whether the key stands readable in *data*: as PEM, DER or its bare number."""
    der = KEY.private_bytes(serialization.Encoding.DER, PrivateFormat.PKCS8, serialization.NoEncryption())
    marks = [SCALAR, base64.b64encode(der)[40:80], SCALAR.hex().encode(), SCALAR.hex().upper().encode()]
    lines = data.replace(b"\n", b"")  # PEM breaks lines; the number itself may hold that byte
    return any(mark in data or mark in lines for mark in marks)


def test_the_search_finds_a_readable_key() -> None:
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM):
            data = KEY.private_bytes(encoding, form, serialization.NoEncryption())
            assert plain(data) or (form, encoding) == (
                PrivateFormat.TraditionalOpenSSL,
                serialization.Encoding.PEM,
            )


@pytest.mark.parametrize("memory_file", [True, False], ids=["memory file", "temporary file"])
def test_the_key_is_never_readable_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_file: bool
) -> None:
    """Every byte that OpenSSL is handed, and every file that is left, with and without memory files."""
    path, scratch = tmp_path / "openapi.p12", tmp_path / "scratch"
    scratch.mkdir()
    path.write_bytes(container(b"p"))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    if not memory_file:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    handed: list[tuple[str, bytes, int]] = []
    original = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, certfile: str, keyfile: None = None, password: object = None) -> None:
        file = Path(certfile)
        handed.append((str(file), file.read_bytes(), file.stat().st_mode))
        original(self, certfile, keyfile, password)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    certificate = ClientCertificate.load(path, "p")
    client_context.cache_clear()
    client_context(certificate, None)
    ((name, data, mode),) = handed
    assert name.startswith("/proc/self/fd/" if memory_file else str(scratch))
    assert b"ENCRYPTED" in data
    assert not plain(data)
    assert mode & 0o077 == 0 or memory_file
    assert list(scratch.iterdir()) == []
    assert not plain(repr(certificate).encode())
    assert certificate.passphrase.decode() not in repr(certificate)


def test_the_memory_file_goes_when_the_key_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(container(b"p"))
    client_context(ClientCertificate.load(path, "p"), None)
    if os.path.isdir("/proc/self/fd"):
        names = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if _is_open(n)]
        assert not [name for name in names if "sunmi" in name]


def _is_open(number: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{number}")


CHILD = """
import os
names = []
for n in os.listdir("/proc/self/fd"):
    try:
        names.append(os.readlink(f"/proc/self/fd/{n}"))
    except OSError:
        pass
print("\\n".join(names))
"""


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs /proc and memory files")
def test_a_child_process_inherits_neither_key_nor_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started at the worst moment, while OpenSSL reads the key, and told to keep every descriptor."""
    seen: list[str] = []
    original = ssl.SSLContext.load_cert_chain

    def child() -> str:
        return subprocess.run(
            [sys.executable, "-c", CHILD], close_fds=False, capture_output=True, text=True, timeout=30
        ).stdout

    def spy(self: ssl.SSLContext, certfile: str, keyfile: None = None, password: object = None) -> None:
        assert "sunmi-ipc" in os.readlink(certfile)
        seen.append(child())
        original(self, certfile, keyfile, password)  # type: ignore[arg-type]

    with (
        Vendor() as fresh,
        VirtualCamera(fresh, state="ready", udp=False) as camera,
        connect(camera) as client,
    ):
        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
        client.device.info()
        ours = client._transport._pool  # type: ignore[attr-defined]
        assert ours is not None
        seen.append(child())
    assert len(seen) == 2
    for names in seen:
        assert "sunmi-ipc" not in names
        assert "socket:" not in names
