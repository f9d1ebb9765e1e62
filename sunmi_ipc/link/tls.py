"""TLS: the client certificate out of the .p12, and whom we take for a camera.

The private key never reaches a disk in readable form: it goes to OpenSSL encrypted under a random
one-time passphrase, through an anonymous memory file where the system has one. The trust decision
is made in the handshake, before the first byte of a request is sent.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import socket
import ssl
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..atomic import mark
from ..errors import ReplyError, TlsError
from ..redact import Secret

_log = logging.getLogger("sunmi_ipc")
#: Words in OpenSSL's reasons when an old camera meets a modern client.
OLD_TLS_REASON = re.compile(
    "BAD_SIGNATURE_TYPE|CA_MD_TOO_WEAK|DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL|INSUFFICIENT_SECURITY|LEGACY_SIGALG"
    "|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER|PROTOCOL_VERSION|UNSAFE_LEGACY_RENEGOTIATION"
    "|UNSUPPORTED_PROTOCOL|WRONG_SIGNATURE_TYPE|WRONG_SSL_VERSION"
)
OLD_TLS_HINT = "If this camera is of 2019 or 2020, allow it with --tls legacy (SUNMI_IPC_TLS=legacy)."
NOT_A_CAMERA = "Is this address a SUNMI camera? 'ipc scan' lists them."
_CA_HINT = "Point SUNMI_IPC_CA at the vendor's sunmi_ipcsdk_ca.crt (PEM or DER)."
# The object identifier of PKCS#7's signed data.
_PKCS7 = bytes.fromhex("06092a864886f70d010702")
_PEM = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)
_PEM_KIND = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_BASE64 = re.compile(rb"[a-z0-9+/=\s]{32,}")
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
    def load(
        cls, path: str | os.PathLike[str], password: str = "", *, dates: bool = True
    ) -> ClientCertificate:
        """Read a PKCS#12 file.

        Args:
            path: The file.
            password: Its password.
            dates: Whether it must be valid today.

        Raises:
            TlsError: There is no such file, the password is wrong, it holds no certificate or key,
                or the certificate is expired or not yet valid.

        """
        password = Secret(password)  # a traceback with locals shows this frame
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise TlsError(
                "the client certificate {path} cannot be read: {reason}",
                hint=_P12_HINT,
                path=str(path),
                reason=error.strerror or type(error).__name__,
            ) from None
        certificate = _parse_p12(data, Secret(password))
        if isinstance(certificate, str):
            if (other := _no_p12(data, str(path))) is not None:
                raise other
            if not password and "does not open" in certificate:
                raise TlsError(
                    "the client certificate {path} does not open without its password, and none is configured",
                    hint="Run 'ipc configure', or set SUNMI_IPC_P12_PASSWORD.",
                    path=str(path),
                )
            raise TlsError(certificate, hint=_P12_HINT, path=str(path))
        if dates:
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


def _no_p12(data: bytes, path: str) -> TlsError | None:
    """What is wrong with a file that no password opens, where its first bytes tell."""
    kind = kind_of_file(data)
    if data[:1] != b"\x30" and kind != "something else":
        return TlsError(
            "the client certificate {path} is no PKCS#12 file, but {reason}",
            hint=_P12_HINT,
            path=path,
            reason=kind,
        )
    if data[:1] == b"\x30" and (whole := _length(data)) > len(data):
        return TlsError(
            "the client certificate {path} is cut off: {size} bytes of {whole}",
            hint="Get the file again.",
            path=path,
            size=len(data),
            whole=whole,
        )
    return None


def _length(data: bytes) -> int:
    """How long a DER file is by its own first bytes; 0 where they do not tell."""
    if len(data) < 6 or not 0x81 <= data[1] <= 0x84:
        return 0
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2 : 2 + count])


def _spellings(password: str) -> list[bytes | None]:
    """The ways in which *password* may have been written into a PKCS#12 file."""
    if not password:
        return [None, b""]  # an empty one: as none and as an empty string
    text = "".join(password)
    if text.isascii():
        return [text.encode()]
    # Old OpenSSL took each byte that the terminal sent for a character.
    return [text.encode(), *(text.encode(c, "ignore").decode("latin-1").encode() for c in ("utf-8", "gbk"))]


@lru_cache(maxsize=8)
def _parse_p12(data: bytes, password: Secret) -> ClientCertificate | str:
    """The certificate, or what is wrong (a template): no error is raised where the password is at hand."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    key = certificate = None
    chain: list[Any] = []
    for candidate in _spellings(password):
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(data, candidate)
            break
        except Exception:  # noqa: S112 - the library raises many kinds for a bad file
            continue
    else:
        return "the client certificate {path} does not open: wrong password, or not a PKCS#12 file"
    if key is None or certificate is None:
        return "{path} holds no client certificate with its key"
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


def _load_chain(context: ssl.SSLContext, certificate: ClientCertificate) -> str:
    """Load certificate and key; OpenSSL's reason where it does not take them, else ``""``."""
    try:
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("sunmi-ipc", os.MFD_CLOEXEC)
            try:
                os.write(fd, certificate.pem)
                context.load_cert_chain(f"/proc/self/fd/{fd}", password=certificate.passphrase.decode)
            finally:
                os.close(fd)
            return ""
        handle, name = tempfile.mkstemp()
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(certificate.pem)
            context.load_cert_chain(name, password=certificate.passphrase.decode)
        finally:
            os.unlink(name)
    except ssl.SSLError as error:
        return str(error.reason or "unknown reason")
    return ""


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, as hex pairs."""
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


class _Call(threading.local):
    """What the call now running in this thread allows its sockets."""

    deadline: float | None = None
    #: Seconds that a read may wait at most, within the deadline.
    silence: float | None = None
    approve: Callable[[bytes], None] | None = None
    #: Bytes that may still be received.
    room: int | None = None
    #: Whether anything of a request has gone out.
    sent: bool = False

    def keep_deadline(self, sock: socket.socket) -> None:
        """Let *sock* wait for as long as is left of the call."""
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the call's deadline has passed")
            sock.settimeout(left if self.silence is None else min(left, self.silence))

    def take(self, count: int) -> int:
        """*count* bytes have come."""
        if self.room is not None:
            self.room -= count
            if self.room < 0:
                raise too_large(None)
        return count


CALL = _Call()


def too_large(limit: int | None) -> ReplyError:
    """The error for an answer of more than *limit* bytes; None where it is what surrounds the answer."""
    if limit is None:
        return ReplyError("the answer's head, or what surrounds its body, is too large", hint=NOT_A_CAMERA)
    return ReplyError("the answer is larger than {limit} bytes", hint=NOT_A_CAMERA, limit=limit)


class CameraSocket(ssl.SSLSocket):
    """A TLS socket that keeps the call's total deadline and asks for approval in the handshake.

    A read timeout alone lets a camera drip a byte a second for ever: each read gets what is left.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, then let the caller approve the certificate before anything is sent."""
        CALL.keep_deadline(self)
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
        """Receive within the deadline, and no more than there is room for."""
        CALL.keep_deadline(self)
        return CALL.take(super().recv_into(buffer, nbytes, flags))

    def send(self, data: Any, flags: int = 0) -> int:
        """Send within the deadline."""
        CALL.keep_deadline(self)
        CALL.sent = True  # a part may be gone even where this fails
        return super().send(data, flags)


def shown_certificate(
    host: str, port: int, certificate: ClientCertificate | None, *, timeout: float, legacy: bool = False
) -> bytes:
    """The certificate (DER) that a camera shows in the handshake; nothing is sent to it.

    Raises:
        TlsError: There is no TLS at that address, or the handshake fails.

    """
    context = client_context(certificate, None, legacy)
    CALL.deadline = time.monotonic() + timeout
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
    finally:
        CALL.deadline = None


@lru_cache(maxsize=32)
def client_context(
    certificate: ClientCertificate | None, ca: bytes | None, legacy: bool = False
) -> ssl.SSLContext:
    """A context for cameras: our certificate, trust in *ca* alone, no host name (I), no public CAs.

    Without *ca* the chain is not verified here: the pin decides (``CameraSocket.do_handshake``).
    The same arguments give the same context, so a fleet loads the key once.
    """
    context = modern(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
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
        allow_old(context)
    if certificate is not None:
        reason = _load_chain(context, certificate)
        if reason:
            raise TlsError(
                "the client certificate cannot be used ({reason})",
                hint="It is of an old kind: allow it with --tls legacy (SUNMI_IPC_TLS=legacy), or ask the "
                "vendor for a new openapi.p12."
                if OLD_TLS_REASON.search(reason)
                else _P12_HINT,
                reason=reason,
            )
    return context


class _Opened:
    """Contexts by the files that they were made from: of many cameras the first reads them, and all share one."""

    def __init__(self, most: int = 32) -> None:
        self._most, self._lock = most, threading.Lock()
        self._made: OrderedDict[object, tuple[ClientCertificate, ssl.SSLContext]] = OrderedDict()

    def clear(self) -> None:
        """Read everything anew."""
        with self._lock:
            self._made.clear()

    def at_hand(
        self, p12: Path, password: Secret, ca: Path | None, legacy: bool
    ) -> tuple[ClientCertificate, ssl.SSLContext] | None:
        """What was made from these files, where they are still the same."""
        return self._made.get((p12, password, ca, legacy, mark(p12), ca and mark(ca)))

    def get(
        self, p12: Path, password: Secret, ca: Path | None, legacy: bool
    ) -> tuple[ClientCertificate, ssl.SSLContext]:
        """What is made from these files, each of them read once; raises TlsError."""
        with self._lock:  # of 64 threads that begin together one opens the key
            found = self.at_hand(p12, password, ca, legacy)
            if found is None:
                key = (p12, password, ca, legacy, mark(p12), ca and mark(ca))
                certificate = ClientCertificate.load(p12, password)
                found = certificate, client_context(certificate, None if ca is None else read_ca(ca), legacy)
                self._made[key] = found
                while len(self._made) > self._most:
                    self._made.popitem(last=False)
        return found


_OPENED = _Opened()


def camera_context(
    p12: str | os.PathLike[str], password: Secret, ca: str | os.PathLike[str] | None, legacy: bool
) -> ssl.SSLContext:
    """The context for cameras that these files are for; a file is read again only after it has changed.

    Raises:
        TlsError: As :meth:`ClientCertificate.load`, :func:`read_ca` and :func:`client_context`.

    """
    certificate, context = _OPENED.get(Path(p12), password, None if ca is None else Path(ca), legacy)
    certificate.check_dates()
    return context


def context_is_at_hand(
    p12: str | os.PathLike[str], password: Secret, ca: str | os.PathLike[str] | None, legacy: bool
) -> bool:
    """Whether :func:`camera_context` would read no file."""
    return _OPENED.at_hand(Path(p12), password, None if ca is None else Path(ca), legacy) is not None


def modern(context: ssl.SSLContext) -> ssl.SSLContext:
    """*context*, with TLS 1.2 as its lowest, whatever the system's OpenSSL file says (Debian's says nothing)."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def allow_old(context: ssl.SSLContext) -> None:
    """Let *context* speak TLS 1.0, weak ciphers and old renegotiation."""
    import warnings

    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1


def _load_ca(context: ssl.SSLContext, ca: bytes) -> None:
    try:
        context.load_verify_locations(cadata=certificates_in(ca))
    except (ssl.SSLError, ValueError):
        raise TlsError(
            "the CA file holds no certificate, but {reason}",
            hint=_CA_HINT,
            reason=kind_of_file(ca),
        ) from None


def certificates_in(data: bytes) -> str | bytes:
    """The certificates of a CA file as OpenSSL wants them: PEM blocks alone, or DER.

    What stands around the blocks does not matter, in whatever encoding; a file that an editor of Windows
    has written as UTF-16, and PKCS#7 (``.p7b``), are read too.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("ascii", "replace")
    if b"-----BEGIN PKCS7-----" in data or (b"-----BEGIN" not in data and _PKCS7 in data[:64]):
        return _from_pkcs7(data) or data
    # Only certificates: OpenSSL would stop at a key or a request between them.
    blocks = [block.decode("ascii", "replace") for block in _PEM.findall(data)]
    return "\n".join(blocks).replace("TRUSTED CERTIFICATE", "CERTIFICATE") if blocks else data


def _from_pkcs7(data: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    try:
        pem = b"-----BEGIN" in data
        found = (pkcs7.load_pem_pkcs7_certificates if pem else pkcs7.load_der_pkcs7_certificates)(data)
        return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
    except Exception:
        return ""  # the library raises many kinds for a bad file


def kind_of_file(data: bytes) -> str:
    """What a file that should hold a certificate is instead, by its first bytes, in words."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "nothing"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page (HTML)"
    if b"-----begin" in head:
        kinds = _PEM_KIND.findall(data[:1_000_000])
        return "PEM: " + ", ".join(dict.fromkeys(kind.decode("ascii", "replace") for kind in kinds[:5]))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "text in UTF-16"
    if data.startswith(b"PK\x03\x04"):
        return "a zip archive"
    if data[:1] == b"\x30" and _PKCS7 in data[:64]:
        return "PKCS#7 (.p7b)"
    if _BASE64.fullmatch(head[:1024]):
        return "base64 text"
    return "something else"


def read_ca(path: str | os.PathLike[str]) -> bytes:
    """Read a CA file; raises TlsError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise TlsError(
            "the CA file {path} cannot be read: {reason}",
            hint=_CA_HINT,
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
