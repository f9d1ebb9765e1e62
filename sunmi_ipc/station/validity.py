"""When certificates end: ours, those of files that we trust or show, and the cameras' own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SunmiIpcError, TlsError
from ..link.tls import ClientCertificate, certificates_in, read_ca, shown_certificate

if TYPE_CHECKING:
    from ..camera import Camera
    from ..settings import Settings
    from .loading import Loaded


@dataclass(frozen=True, slots=True)
class Ending:
    """When something ends.

    Attributes:
        code: The verdict that tells of it; ``-over`` is added once it has ended.
        at: Unix seconds.
        path: The file; empty for our client certificate.

    """

    code: str
    at: float
    path: str = ""


def endings(loaded: Loaded, settings: Settings) -> Iterator[Ending]:
    """The certificates of a station and when they end; what cannot be read is told of by what uses it.

    Args:
        loaded: The station file.
        settings: The credentials.

    """
    if settings.p12:
        try:
            ours = ClientCertificate.load(settings.p12, settings.p12_password, dates=False)
            yield Ending("certificate", ours.not_after.timestamp())
        except TlsError:
            pass
    file, folder = loaded.file, loaded.path.parent
    paths = [Path(settings.ca)] if settings.ca and not settings.insecure else []
    if file.http is not None and file.http.certificate:
        paths.append(folder / Path(file.http.certificate).expanduser())
    if file.broker is not None:
        given = (file.broker.ca, file.broker.certificate)
        paths += [folder / Path(text).expanduser() for text in given if text]
    for path in paths:
        if (at := file_ends(path)) is not None:
            yield Ending("certificate-file", at, str(path))


def file_ends(path: Path) -> float | None:
    """When a file's certificates are all over, Unix seconds; None where it cannot be read.

    Of several the last counts: an old one is often kept beside its successor.
    """
    from cryptography import x509

    try:
        found = certificates_in(read_ca(path))
        read = (
            x509.load_pem_x509_certificates(found.encode())
            if isinstance(found, str)
            else [x509.load_der_x509_certificate(found)]
        )
    except (SunmiIpcError, ValueError):
        return None
    return max((one.not_valid_after_utc.timestamp() for one in read), default=None)


def camera_ends(camera: Camera, settings: Settings) -> float | None:
    """When a camera's own certificate ends, Unix seconds; None where that does not matter or cannot be told.

    It matters where it is checked against a CA: one that is pinned is trusted whatever its dates say.
    """
    from cryptography import x509

    if not settings.ca or settings.insecure:
        return None
    try:
        ours = ClientCertificate.load(settings.p12, settings.p12_password) if settings.p12 else None
        shown = shown_certificate(
            camera.host, camera.port, ours, timeout=camera.timeout, legacy=settings.tls == "legacy"
        )
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    except (SunmiIpcError, ValueError):
        return None


def day(at: float) -> str:
    """A date as people write it."""
    return time.strftime("%Y-%m-%d", time.localtime(at))
