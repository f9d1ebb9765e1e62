"""The virtual vendor: hands out credentials, client certificate and CA, as the real one does."""

from __future__ import annotations

import secrets
import shutil
import ssl
import string
import tempfile
from pathlib import Path
from typing import Self

from ..redact import Secret
from .certs import CertificateAuthority


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))


class Vendor:
    """Everything an integrator receives, in a folder that goes with this object.

    Args:
        folder: Where the files go; default: a temporary folder, removed by :meth:`close`.
        app_id, secret_key, activation_code, p12_password: Default: random.

    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        app_id: str = "",
        secret_key: str = "",
        activation_code: str = "",
        p12_password: str = "",
    ) -> None:
        self._temporary = folder is None
        self.folder: Path = folder or Path(tempfile.mkdtemp(prefix="sunmi-ipc-sim-"))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.app_id: str = app_id or _letters(14)
        self.secret_key: Secret = Secret(secret_key or _letters(24))
        self.activation_code: Secret = Secret(activation_code or _letters(12))
        self.p12_password: Secret = Secret(p12_password or _letters(12))
        self.authority: CertificateAuthority = CertificateAuthority()
        self.client_authority: CertificateAuthority = CertificateAuthority("Virtual vendor client CA")
        self.p12: Path = self.folder / "openapi.p12"
        self.p12.write_bytes(self.client_authority.p12("openapi", self.p12_password.reveal()))
        self.ca: Path = self.folder / "sunmi_ipcsdk_ca.crt"
        self.ca.write_bytes(self.authority.pem)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def server_context(self, serial: str, *, minimum: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """The TLS side of one camera: its own certificate, and a client certificate demanded."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = self.authority.server_files(self.folder, serial)
        context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.client_authority.pem.decode())
        context.verify_mode = ssl.CERT_REQUIRED
        if minimum is not None:
            context.minimum_version = minimum
        return context

    def environment(self) -> dict[str, str]:
        """The environment variables that make ``ipc`` use these credentials."""
        return {
            "SUNMI_IPC_APP_ID": self.app_id,
            "SUNMI_IPC_SECRET_KEY": self.secret_key.reveal(),
            "SUNMI_IPC_ACTIVATION_CODE": self.activation_code.reveal(),
            "SUNMI_IPC_P12": str(self.p12),
            "SUNMI_IPC_P12_PASSWORD": self.p12_password.reveal(),
            "SUNMI_IPC_CA": str(self.ca),
            "SUNMI_IPC_INTERFACE": "lo",
        }
