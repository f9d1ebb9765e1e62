"""Ed25519 keys: who may call cameras through a broker is decided in the shop, by signature.

A private key stays with whoever calls: a file that nobody else may read, or the system's keyring. The station
file lists the public one. A station has a key of its own, made at its first start; it signs answers, and callers
remember it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import untrusted
from ..atomic import whole
from ..errors import ConfigError, ExtraMissingError, ForbiddenError, cannot_write
from .contract import Envelope, Payload, canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: What a signature is for: one for a call serves for nothing else.
CALL, ANSWER = "sunmi-ipc/v1/call", "sunmi-ipc/v1/answer"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SERVICE = "sunmi-ipc/keys"
SUFFIX = ".pem"


def new_nonce() -> str:
    """A nonce: 128 random bits, hex."""
    return secrets.token_hex(16)


class BadSignature(ForbiddenError):
    """Not signed by whom it says."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key that is kept here.

    Attributes:
        name: What it is called; the station file names it so.
        public: Its public key, base64.
        file: Where the private key is; empty: in the system's keyring.

    """

    name: str
    public: str
    file: str

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"name": self.name, "public": self.public, "file": self.file or None}


class SigningKey:
    """A private key; it does not show itself.

    Args:
        name: What it is called.
        private: cryptography's key.

    """

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = name
        self._private = private

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @classmethod
    def new(cls, name: str) -> SigningKey:
        """A new one; raises ConfigError where the name is none."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(check_name(name), Ed25519PrivateKey.generate())

    @property
    def public(self) -> str:
        """The public key, base64."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def pem(self) -> bytes:
        """The private key as PKCS 8, PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def read(cls, name: str, pem: bytes, where: str) -> SigningKey:
        """The key in *pem*; raises ConfigError."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(
                "{path} holds no Ed25519 key", hint="'ipc keys new NAME' makes one.", path=where
            )
        return cls(name, key)

    def sign(self, purpose: str, body: Payload) -> Envelope:
        """*body*, signed."""
        text = canonical(body.model_dump(mode="json"))
        signature = self._private.sign(f"{purpose}\n{text}".encode())
        return Envelope(key=self.name, body=text, signature=base64.b64encode(signature).decode())


def check_name(name: str) -> str:
    """*name*, where a key may be called so; raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "{name} is no name for a key",
            hint="Letters, digits, '.', '_', '@' and '-', at most 64.",
            name=name[:80],
        )
    return name


def fingerprint(public: str) -> str:
    """A public key in short, as a station tells whose calls it takes: 16 hex digits."""
    return hashlib.sha256(public.encode()).hexdigest()[:16]


def is_public(text: str) -> bool:
    """Whether *text* is a public key, base64."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
        if len(raw) != 32:
            return False
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error):
        return False
    return True


def verify(envelope: Envelope, purpose: str, public: str) -> str:
    """The signed text; raises BadSignature."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        signature = base64.b64decode(envelope.signature.encode("ascii"), validate=True)
        if base64.b64encode(signature).decode() != envelope.signature:
            raise ValueError  # the last letter has bits that nobody reads: one message has one spelling
        key.verify(signature, f"{purpose}\n{envelope.body}".encode())
    except (InvalidSignature, ValueError, binascii.Error):
        raise BadSignature("the signature of {name} is not right", name=envelope.key) from None
    return envelope.body


class KeyStore:
    """The private keys of this user.

    Args:
        folder: Where files are kept; made where there is none.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str, *, file: Path | None = None, keyring: Any = None) -> KeyInfo:
        """Make a key and keep it.

        Args:
            name: What it is called.
            file: Where to; default: the folder of the keys.
            keyring: The system's, to keep it there instead of in a file.

        Raises:
            ConfigError: There is one of that name, or it cannot be kept.

        """
        key = SigningKey.new(name)
        target = file or self._folder / f"{name}{SUFFIX}"
        if os.path.exists(target) or (file is None and name in self._index()):
            raise ConfigError(
                "there is a key {name} already", hint="Choose another name, or remove {path} first.",
                name=name, path=str(target),
            )  # fmt: skip
        where = "" if keyring is not None and file is None else str(target.absolute())
        if not where:
            try:
                keyring.set_password(_SERVICE, name, key.pem().decode())
            except Exception as error:  # locked, no session bus, a backend's own kinds
                raise _keyring_failed(error) from None
        else:
            self._write(target, key.pem())
        info = KeyInfo(name, key.public, where)
        self._write(
            self._folder / "index.json",
            json.dumps({**self._index(), name: {"public": info.public, "file": where}}, indent=1).encode(),
        )
        return info

    def list(self) -> list[KeyInfo]:
        """Every key that was made here, by name."""
        return [
            KeyInfo(name, str(entry.get("public", "")), str(entry.get("file", "")))
            for name, entry in sorted(self._index().items())
        ]

    def load(self, name: str = "") -> SigningKey:
        """A key by its name or the path of its file; the only one where none is named.

        Raises:
            ConfigError: There is none, there are several, it cannot be read, or others may read it.

        """
        index = self._index()
        if not name:
            if len(index) != 1:
                raise ConfigError(
                    "calls through a broker are signed, and it is not said with which key",
                    hint="'ipc keys new NAME' makes one; with several, name it: --sign-key NAME or $SUNMI_IPC_KEY.",
                )
            name = next(iter(index))
        entry = index.get(name)
        if entry is None:
            path = Path(name).expanduser()
            if not os.path.isfile(path):
                raise ConfigError(
                    "there is no key {name}",
                    hint="'ipc keys list' shows those that there are.",
                    name=name[:200],
                )
            # The station knows a key by its own name for it; the file's is a first guess.
            named = next((n for n, e in index.items() if e.get("file") == str(path.absolute())), path.stem)
            return SigningKey.read(named, _private(path), str(path))
        if entry.get("file"):
            return SigningKey.read(name, _private(Path(str(entry["file"]))), str(entry["file"]))
        return SigningKey.read(name, _from_keyring(name).encode(), "keyring")

    def _index(self) -> dict[str, dict[str, Any]]:
        try:
            found = untrusted.load_json((self._folder / "index.json").read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(
                "{path} cannot be read: {reason}", path=str(self._folder / "index.json"),
                reason=getattr(error, "strerror", None) or type(error).__name__,
            ) from None  # fmt: skip
        return {str(k): v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole(path) as out:  # mode 0600
                out.write(content)
        except OSError as error:
            raise cannot_write(path, error) from None


def _from_keyring(name: str) -> str:
    """A private key that is kept in the system's keyring."""
    try:
        keyring = import_module("keyring")
    except ImportError:
        raise ExtraMissingError(
            "the key {name} is in the system keyring, which is not installed", name=name, extra="keyring"
        ) from None
    try:
        pem = keyring.get_password(_SERVICE, name)
    except Exception as error:  # locked, no session bus, a backend's own kinds
        raise _keyring_failed(error) from None
    if not pem:
        raise ConfigError(
            "the system keyring has no key {name}",
            hint="It was deleted there, or this is another user's keyring. 'ipc keys new NAME' makes another.",
            name=name,
        )
    return str(pem)


def _keyring_failed(error: Exception) -> ConfigError:
    return ConfigError(
        "the system keyring does not serve: {reason}",
        hint="Unlock it, or keep the key in a file: --out FILE.",
        reason=type(error).__name__,
    )


def _private(path: Path) -> bytes:
    """A private key's file; refused where others may read it."""
    try:
        mode = path.stat().st_mode
        raw = path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a NUL
        raise ConfigError(
            "{path} cannot be read: {reason}",
            path=str(path),
            reason=getattr(error, "strerror", None) or "it is no file name",
        ) from None
    if os.name != "nt" and mode & 0o077:
        raise ConfigError("others may read the key {path}", hint="Run: chmod 600 {path}", path=str(path))
    return raw


def own_key(path: Path) -> SigningKey:
    """The station's own key in *path*, made where there is none."""
    if os.path.exists(path):
        return SigningKey.read("station", _private(path), str(path))
    key = SigningKey.new("station")
    KeyStore._write(path, key.pem())
    return key
