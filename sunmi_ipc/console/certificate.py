"""A certificate for https in a network without names: made here, kept, and known by its fingerprint."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..atomic import whole
from ..errors import cannot_write

#: Phones take no certificate that is valid for longer.
DAYS = 397
_LEFT = timedelta(days=30)


def own_names() -> list[str]:
    """How others in the network reach this computer: its addresses, and its name."""
    from ..discovery.interfaces import interfaces

    addresses = [str(i.ip) for i in interfaces()]
    name = socket.gethostname()
    names = [name, f"{name}.local"] if name and "." not in name else [name]
    return list(dict.fromkeys([*addresses, *(n for n in names if n), "localhost", "127.0.0.1"]))


def certificate(folder: Path, names: Iterable[str]) -> tuple[Path, Path]:
    """Certificate and key for *names*; those kept in *folder* where they still serve, else new ones.

    Raises:
        ConfigError: They cannot be written.

    """
    wanted = list(dict.fromkeys(names))
    cert, key = folder / "console.pem", folder / "console-key.pem"
    if key.is_file() and set(wanted) <= set(names_in(cert)) and _serves(cert):
        return cert, key
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(cert, key, wanted)
    except OSError as error:
        raise cannot_write(cert, error) from None
    return cert, key


def _make(cert: Path, key: Path, names: list[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sunmi-ipc console")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    with whole(key) as file:  # for this user alone
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    with whole(cert) as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    os.chmod(key, 0o600)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def names_in(path: Path) -> list[str]:
    """The names and addresses that a certificate is for."""
    made = _read(path)
    if made is None:
        return []
    try:
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)]


def fingerprint_of(path: Path) -> str:
    """A certificate's SHA-256 in pairs, as browsers show it; empty where it cannot be read."""
    made = _read(path)
    return made.fingerprint(hashes.SHA256()).hex(":").upper() if made is not None else ""


def _serves(path: Path) -> bool:
    made = _read(path)
    return made is not None and made.not_valid_after_utc - datetime.now(UTC) > _LEFT
