"""Cameras known by their certificate: trust on first use, where no CA is given."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import ConfigError, TlsError
from .tls import fingerprint

#: ``last_seen`` is a day's matter: writing the file at every connection would be work for nothing.
_SEEN_EVERY_S = 86_400


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """One pinned certificate: SHA-256 as hex pairs, and when it was first and last seen (ISO, UTC)."""

    fingerprint: str
    first_seen: str
    last_seen: str


class KnownCameras:
    """The pinned certificates, by serial number (or address, while that is all we know).

    Args:
        path: The file; None keeps the pins in memory.

    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = Path(path) if path is not None else None
        self._lock = threading.Lock()
        self._pins: dict[str, KnownCamera] = self._read()

    def items(self) -> list[tuple[str, KnownCamera]]:
        """Every pin, by name."""
        return sorted(self._read().items() if self._path else self._pins.items())

    def _read(self) -> dict[str, KnownCamera]:
        if self._path is None or not self._path.exists():
            return {} if self._path else getattr(self, "_pins", {})
        try:
            raw = json.loads(self._path.read_text("utf-8"))
            return {name: KnownCamera(**pin) for name, pin in raw.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            raise ConfigError(
                "the list of known cameras {path} cannot be read",
                hint="Put it right or remove it; cameras are then pinned anew.",
                path=str(self._path),
            ) from None

    def _write(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({k: asdict(v) for k, v in sorted(self._pins.items())}, indent=1)
        handle, name = tempfile.mkstemp(dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, self._path)

    def approve(self, name: str, der: bytes) -> None:
        """Accept *der* for the camera *name*: pin it the first time, compare it later.

        Raises:
            TlsError: The certificate is not the pinned one.

        """
        if not der:
            raise TlsError("the camera showed no certificate")
        seen = fingerprint(der)
        now = datetime.now(UTC)
        stamp = now.isoformat(timespec="seconds")
        with self._lock:
            if self._path is not None:
                self._pins = self._read()
            pin = self._pins.get(name)
            if pin is not None and pin.fingerprint != seen:
                raise TlsError(
                    "the camera's certificate has changed: known {known}, now {seen}",
                    hint="If the camera was replaced or reset, accept it with 'ipc trust accept {name}'; "
                    "if not, somebody may stand between you and the camera.",
                    known=pin.fingerprint,
                    seen=seen,
                    name=name,
                )
            if pin is None:
                self._pins[name] = KnownCamera(seen, stamp, stamp)
                self._write()
            elif (now - datetime.fromisoformat(pin.last_seen)).total_seconds() > _SEEN_EVERY_S:
                self._pins[name] = KnownCamera(seen, pin.first_seen, stamp)
                self._write()

    def forget(self, name: str) -> bool:
        """Remove a pin; whether there was one."""
        with self._lock:
            self._pins = self._read()
            gone = self._pins.pop(name, None)
            self._write()
            return gone is not None
