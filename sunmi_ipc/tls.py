"""TLS: the client certificate out of the .p12, and whom we take for a camera.

The private key never reaches a disk in readable form: it goes to OpenSSL encrypted under a random
one-time passphrase, through an anonymous memory file where the system has one. The trust decision
is made in the handshake, before the first byte of a request is sent.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import TlsError

_log = logging.getLogger("sunmi_ipc")
_P12_HINT = "Check SUNMI_IPC_P12 and SUNMI_IPC_P12_PASSWORD, or run 'ipc configure' again."


@dataclass(frozen=True)
class ClientCertificate:
    """A client certificate with its key, the key encrypted under a passphrase only this process knows."""

    pem: bytes = field(repr=False)
    passphrase: bytes = field(repr=False)
    subject: str
    not_before: datetime
    not_after: datetime

    @classmethod
    def load(cls, path: str | os.PathLike[str], password: str = "") -> ClientCertificate:
        """Read a PKCS#12 file.

        Raises:
            TlsError: There is no such file, the password is wrong, it holds no certificate or key,
                or the certificate is expired or not yet valid.

        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise TlsError(
                "the client certificate {path} cannot be read: {reason}",
                hint=_P12_HINT,
                path=str(path),
                reason=error.strerror or type(error).__name__,
            ) from None
        certificate = _parse_p12(data, "".join(password), str(path))
        certificate.check_dates()
        return certificate

    def check_dates(self, now: datetime | None = None) -> None:
        """Raise TlsError where the certificate is not valid today."""
        now = now or datetime.now(UTC)
        if now > self.not_after:
            raise TlsError(
                "the client certificate expired on {date}",
                hint="Ask the vendor for a new openapi.p12; if the date is wrong, set this computer's clock.",
                date=f"{self.not_after:%Y-%m-%d}",
            )
        if now < self.not_before:
            raise TlsError(
                "the client certificate is valid only from {date}",
                hint="Set this computer's clock.",
                date=f"{self.not_before:%Y-%m-%d}",
            )


@lru_cache(maxsize=8)
def _parse_p12(data: bytes, password: str, path: str) -> ClientCertificate:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    key = certificate = None
    chain: list[Any] = []
    # An empty password is written in two ways: as none and as an empty string.
    for candidate in (password.encode(),) if password else (None, b""):
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(data, candidate)
            break
        except Exception:  # noqa: S112 - the library raises many kinds for a bad file
            continue
    else:
        raise TlsError(
            "the client certificate {path} does not open: wrong password, or not a PKCS#12 file",
            hint=_P12_HINT,
            path=path,
        )
    if key is None or certificate is None:
        raise TlsError("{path} holds no client certificate with its key", hint=_P12_HINT, path=path)
    passphrase = secrets.token_hex(32).encode()
    encryption = serialization.BestAvailableEncryption(passphrase)
    try:
        # The old PEM format derives its key in one round: the passphrase is random, so that is enough,
        # and a context for each of 200 cameras stays cheap.
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption
        )
    except (ValueError, TypeError):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    pem += b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (certificate, *chain))
    return ClientCertificate(
        pem,
        passphrase,
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _load_chain(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    password = certificate.passphrase.decode()
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("sunmi-ipc", os.MFD_CLOEXEC)
        try:
            os.write(fd, certificate.pem)
            context.load_cert_chain(f"/proc/self/fd/{fd}", password=password)
        finally:
            os.close(fd)
        return
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate.pem)
        context.load_cert_chain(name, password=password)
    finally:
        os.unlink(name)


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, as hex pairs."""
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


class _Call(threading.local):
    """What the call now running in this thread allows its sockets."""

    deadline: float | None = None
    approve: Callable[[bytes], None] | None = None


CALL = _Call()


class CameraSocket(ssl.SSLSocket):
    """A TLS socket that keeps the call's total deadline and asks for approval in the handshake.

    A read timeout alone lets a camera drip a byte a second for ever: each read gets what is left.
    """

    def _keep_deadline(self) -> None:
        if CALL.deadline is not None:
            left = CALL.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the call's deadline has passed")
            self.settimeout(left)

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, then let the caller approve the certificate before anything is sent."""
        self._keep_deadline()
        super().do_handshake(block)
        if CALL.approve is not None:
            try:
                CALL.approve(self.getpeercert(binary_form=True) or b"")
            except BaseException:
                self.close()
                raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive; CPython probes a connection that was reset before its handshake, and then forgets it."""
        try:
            return super().recv(buflen, flags)
        except OSError:
            if self._sslobj is None:  # type: ignore[attr-defined]
                self.close()
            raise

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the deadline."""
        self._keep_deadline()
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send within the deadline."""
        self._keep_deadline()
        return super().send(data, flags)


def shown_certificate(host: str, port: int, certificate: ClientCertificate, *, timeout: float) -> bytes:
    """The certificate (DER) that a camera shows in the handshake; nothing is sent to it.

    Raises:
        TlsError: There is no TLS at that address, or the handshake fails.

    """
    context = client_context(certificate, None)
    try:
        with (
            socket.create_connection((host, port), timeout=timeout) as raw,
            context.wrap_socket(raw, server_hostname=host) as secure,
        ):
            return secure.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise TlsError(
            "the TLS connection failed ({reason})",
            hint="Is there a SUNMI camera at this address and port? 'ipc scan' lists them.",
            reason=getattr(error, "reason", None) or error.strerror or type(error).__name__,
        ) from None


@lru_cache(maxsize=32)
def client_context(
    certificate: ClientCertificate | None, ca: bytes | None, legacy: bool = False
) -> ssl.SSLContext:
    """A context for cameras: our certificate, trust in *ca* alone, no host name (I), no public CAs.

    Without *ca* the chain is not verified here: the pin decides (``CameraSocket.do_handshake``).
    The same arguments give the same context, so a fleet loads the key once.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = CameraSocket
    context.check_hostname = False
    if ca is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_ca(context, ca)
        # Vendor CAs of this kind of device often lack the extensions that strict mode wants.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if legacy:
        _log.warning("old TLS is allowed: TLS 1.0, weak ciphers, unsafe renegotiation")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    if certificate is not None:
        _load_chain(context, certificate)
    return context


def _load_ca(context: ssl.SSLContext, ca: bytes) -> None:
    try:
        context.load_verify_locations(cadata=ca.decode("ascii") if b"-----BEGIN" in ca else ca)
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        raise TlsError(
            "the CA file holds no certificate",
            hint="Point SUNMI_IPC_CA at the vendor's sunmi_ipcsdk_ca.crt (PEM or DER).",
        ) from None


def read_ca(path: str | os.PathLike[str]) -> bytes:
    """Read a CA file; raises TlsError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise TlsError(
            "the CA file {path} cannot be read: {reason}",
            hint="Point SUNMI_IPC_CA at the vendor's sunmi_ipcsdk_ca.crt (PEM or DER).",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
