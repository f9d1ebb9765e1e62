"""Whom a console takes for a camera: its certificate, who vouches for it, and what a person can do where nobody does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConnectionFailed, SunmiIpcError, TlsError
from ..link.tls import ClientCertificate, fingerprint, shown_certificate
from ..settings import known_cameras

if TYPE_CHECKING:
    from ..link.trust import KnownCamera
    from .desk import Desk

#: Seconds that a camera has to show its certificate.
GREET_S = 5.0


@dataclass(frozen=True, slots=True)
class Trust:
    """How a camera stands.

    Attributes:
        by: Who vouches for it: ``ca``, ``pin`` (the certificate of the first contact), ``accepted`` (one that a
            person has looked at), or ``nobody``: cameras are not checked here.
        pin: The certificate that is known of it; None where there is none.
        shown: The certificate (DER) that it shows now; empty where it does not answer.
        error: Why it is not trusted, or not asked; None where all is well.

    """

    by: str
    pin: KnownCamera | None = None
    shown: bytes = b""
    error: SunmiIpcError | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what it shows; empty where it shows nothing."""
        return fingerprint(self.shown) if self.shown else ""

    @property
    def refused(self) -> bool:
        """Whether it answers, and its certificate is what stands in the way: a person may accept it."""
        known = self.pin.fingerprint if self.pin is not None and self.by != "ca" else ""
        return isinstance(self.error, TlsError) and bool(self.shown) and known != self.fingerprint


def look(desk: Desk, sn: str) -> Trust:
    """Greet a camera, and see what it shows; nothing is pinned by looking, and no call is sent.

    Raises:
        CameraNotFound: It was never seen.
        ConfigError: The list of known cameras cannot be read.

    """
    settings, found = desk.settings, desk.found(sn)
    pin = known_cameras().known(sn)
    by = "pin"
    if settings.insecure:
        by = "nobody"
    elif pin is not None and pin.accepted:
        by = "accepted"
    elif settings.ca:
        by = "ca"
    shown, error = b"", None
    try:
        ours = ClientCertificate.load(settings.p12, settings.p12_password) if settings.p12 else None
        shown = shown_certificate(
            found.ip, found.port, ours, timeout=GREET_S, legacy=settings.tls == "legacy"
        )
        if by == "ca" or pin is not None:
            with settings.connect(found.address, sn=sn, model=found.model) as camera:
                camera.greet(GREET_S)
    except (TlsError, ConnectionFailed) as caught:
        error = caught
    return Trust(by, pin, shown, error)


def accept(sn: str, shown: bytes) -> None:
    """Take the certificate that a person has seen for the camera's, as ``ipc trust accept``: it counts beside a CA.

    Raises:
        ConfigError: The list of known cameras cannot be written.

    """
    known_cameras().replace(sn, shown)


def forget(sn: str) -> bool:
    """Forget a camera's certificate; whether there was one."""
    return known_cameras().forget(sn)
