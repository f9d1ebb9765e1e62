"""The virtual vendor: hands out credentials, client certificate and CA, as the real one does."""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import string
import tempfile
from pathlib import Path
from typing import Self

from .. import untrusted
from ..atomic import whole
from ..errors import ConfigError, cannot_write
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
        self._temporary, self._kept = folder is None, False
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

    @classmethod
    def kept(cls, folder: Path) -> Self:
        """The vendor that lives in *folder*, founded where there is none: the same secrets, the same certificates.

        Raises:
            ConfigError: The folder cannot be used, or does not hold a vendor.

        """
        book = folder / "vendor.json"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            known = untrusted.load_json(book.read_bytes()) if book.exists() else {}
            if not book.exists():
                made = cls(folder)
                keys = {"ca_key": made.authority, "client_ca_key": made.client_authority}
                entries = {
                    "app_id": made.app_id,
                    "secret_key": made.secret_key.reveal(),
                    "activation_code": made.activation_code.reveal(),
                    "p12_password": made.p12_password.reveal(),
                    **{name: authority.key_pem for name, authority in keys.items()},
                    "client_ca": made.client_authority.pem.decode(),
                }
                with whole(book) as file:
                    file.write(json.dumps(entries).encode())
            else:
                made = cls._found(folder, known)
        except OSError as error:
            raise cannot_write(book, error) from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(
                "{path} is not what a virtual camera keeps",
                hint="Remove it, or name another --state-dir.",
                path=str(book),
            ) from None
        made._kept = True
        return made

    @classmethod
    def _found(cls, folder: Path, known: dict[str, str]) -> Self:
        made = cls.__new__(cls)
        made._temporary, made.folder = False, folder
        made.app_id = known["app_id"]
        made.secret_key = Secret(known["secret_key"])
        made.activation_code = Secret(known["activation_code"])
        made.p12_password = Secret(known["p12_password"])
        made.p12, made.ca = folder / "openapi.p12", folder / "sunmi_ipcsdk_ca.crt"
        made.authority = CertificateAuthority.of(known["ca_key"], made.ca.read_bytes())
        made.client_authority = CertificateAuthority.of(
            known["client_ca_key"], known["client_ca"].encode(), name="Virtual vendor client CA"
        )
        return made

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
        path = self.folder / f"{serial}.pem"
        if not (self._kept and path.exists()):  # who has pinned the camera, knows it again
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
