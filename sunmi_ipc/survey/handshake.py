"""What a handshake with a camera shows: TLS version, cipher, facts of the certificate. Never a key."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from ..link.tls import CALL
from ..link.transport import FAULTS, explain_camera

if TYPE_CHECKING:
    from ..camera import Camera


def tls_facts(camera: Camera, timeout: float = 10.0) -> dict[str, Any]:
    """Shake hands once, and tell what was agreed.

    Raises:
        ConnectionFailed: Not reachable.
        TlsError: Not the camera we trust, or our certificate was refused.
        ConfigError: No client certificate is configured.

    """
    context, approve = camera.tls
    started, handled = time.monotonic(), sys.exception()
    CALL.deadline, CALL.approve = started + timeout, approve
    try:
        with (
            socket.create_connection((camera.host, camera.port), timeout) as raw,
            context.wrap_socket(raw, server_hostname=None) as secure,
        ):
            cipher = secure.cipher() or ("", "", 0)
            der = secure.getpeercert(binary_form=True) or b""
            return {
                "version": secure.version() or "",
                "cipher": cipher[0],
                "certificate": certificate_facts(der),
            }
    except FAULTS as error:
        raise explain_camera(error, timeout, time.monotonic() - started, handled) from None
    finally:
        CALL.deadline = CALL.approve = None


def certificate_facts(der: bytes) -> dict[str, Any]:
    """Subject, issuer, dates, key and signature of a certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return {"readable": False}
    key = certificate.public_key()
    size = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0
    usage = []
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = [u._name for u in extended]
    except (x509.ExtensionNotFound, ValueError):
        pass

    def names(name: x509.Name) -> dict[str, str]:
        return {a.rfc4514_attribute_name: str(a.value) for a in name}

    return {
        "subject": names(certificate.subject),
        "issuer": names(certificate.issuer),
        "self_issued": certificate.subject == certificate.issuer,
        "not_before": certificate.not_valid_before_utc.date().isoformat(),
        "not_after": certificate.not_valid_after_utc.date().isoformat(),
        "key": f"{type(key).__name__.replace('PublicKey', '').lstrip('_')} {size}".strip(),
        "signature": certificate.signature_algorithm_oid._name,
        "extended_key_usage": usage,
    }


__all__ = ["certificate_facts", "tls_facts"]
