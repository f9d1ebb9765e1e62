"""Throw-away certificates: what the vendor would hand out, and what a camera carries."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Virtual vendor"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass
class CertificateAuthority:
    """A CA that lives as long as the process; P-256 throughout, because it is quick."""

    name: str = "Virtual vendor CA"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    @classmethod
    def of(cls, key: str, pem: bytes, *, name: str = "Virtual vendor CA") -> Self:
        """A CA again, from its key (PEM) and certificate; raises ValueError where the key is none."""
        loaded = serialization.load_pem_private_key(key.encode(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError("not such a key")
        made = cls(name, loaded)
        made.__dict__["pem"] = pem
        return made

    @property
    def key_pem(self) -> str:
        """Its key, to be kept."""
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(_PEM, form, serialization.NoEncryption()).decode()

    def issue(
        self,
        common_name: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool = False,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        names: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        """Issue a certificate; valid from yesterday for ten years where not told otherwise."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or now - timedelta(days=1))
            .not_valid_after(not_after or now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:  # RFC 5280; from 3.13 on Python's own default context insists
            builder = builder.add_extension(_SIGNS, critical=True)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    @cached_property
    def pem(self) -> bytes:
        """The CA's own certificate."""
        return self.issue(self.name, self.key, ca=True).public_bytes(_PEM)

    def p12(
        self,
        common_name: str,
        password: str,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        encryption: serialization.KeySerializationEncryption | None = None,
    ) -> bytes:
        """A client certificate with its key, as PKCS#12."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(common_name, key, not_before=not_before, not_after=not_after)
        if encryption is None:
            encryption = (
                serialization.BestAvailableEncryption(password.encode())
                if password
                else serialization.NoEncryption()
            )
        return pkcs12.serialize_key_and_certificates(b"openapi", key, certificate, None, encryption)

    def server_files(self, folder: Path, serial: str) -> Path:
        """Write a camera's certificate and key into one PEM file readable by us alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem += self.issue(serial, key).public_bytes(_PEM)
        path = folder / f"{serial}.pem"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        return path
