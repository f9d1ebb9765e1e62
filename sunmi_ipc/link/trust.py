"""Cameras known by their certificate: trust on first use, where no CA is given; beside a CA, what a person accepted."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..atomic import mark, open_own, whole
from ..errors import ConfigError, TlsError
from ..protocol.serial import SerialNumber
from .guard import plain_address
from .tls import fingerprint

#: ``last_seen`` is a day's matter: writing the file at every connection would be work for nothing.
_SEEN_EVERY_S = 86_400


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """One pinned certificate: SHA-256 as hex pairs, and when it was first and last seen (ISO, UTC).

    Attributes:
        accepted: A person has looked at it and accepted it: it counts beside a CA, too.

    """

    fingerprint: str
    first_seen: str
    last_seen: str
    accepted: bool = False

    def as_dict(self) -> dict[str, object]:
        """As it is kept."""
        kept = asdict(self)
        if not self.accepted:
            del kept["accepted"]  # older versions know only the rest
        return kept


def pin_name(name: str) -> str:
    """The one spelling of what a pin is kept under: a serial number, or an address with or without a port.

    Two spellings of one name would be two pins, and the second one trusted at its first contact.
    """
    if (sn := SerialNumber.read(name)) is not None:
        return sn
    host, colon, port = name.strip().rpartition(":")
    if not colon or "]" in port or (":" in host.strip("[]")) != host.startswith("["):
        host, colon, port = name.strip(), "", ""
    host = host.strip("[]")
    try:
        plain = host.lower() if "%" in host else plain_address(host)
    except ValueError:
        plain = host.rstrip(".").lower()
    return f"[{plain}]:{port}" if colon and ":" in plain else f"{plain}{colon}{port}"


class KnownCameras:
    """The pinned certificates, by serial number (or address, while that is all we know).

    Args:
        path: The file; None keeps the pins in memory.

    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = Path(path) if path is not None else None
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, ...], dict[str, KnownCamera]] | None = None
        self._pins: dict[str, KnownCamera] = self._read()

    def copy(self) -> KnownCameras:
        """The same pins in memory: what is approved there is not kept."""
        copied = KnownCameras()
        copied._pins = dict(self.items())
        return copied

    def items(self) -> list[tuple[str, KnownCamera]]:
        """Every pin, by name."""
        return sorted(self._current().items())

    def _read(self) -> dict[str, KnownCamera]:
        """The pins, to be changed."""
        return dict(self._current())

    def _current(self) -> Mapping[str, KnownCamera]:
        """The pins, to be looked at: each call asks. A file that has not changed since is not read again."""
        if self._path is None:
            return getattr(self, "_pins", {})
        now = mark(self._path)
        if now is None and not os.path.exists(self._path):
            return {}
        if self._known is not None and now is not None and self._known[0] == now:
            return self._known[1]
        try:
            raw = json.loads(self._path.read_text("utf-8"))
            pins = {name: KnownCamera(**pin) for name, pin in raw.items()}
            # Of two spellings of one name, which older versions kept apart, the elder is the camera.
            eldest = sorted(pins.items(), key=lambda item: str(item[1].first_seen), reverse=True)
            found = {pin_name(name): pin for name, pin in eldest}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            raise ConfigError(
                "the list of known cameras {path} cannot be read",
                hint="Put it right or remove it; cameras are then pinned anew.",
                path=str(self._path),
            ) from None
        if now is not None:
            self._known = now, found
        return found

    def _write(self) -> None:
        if self._path is None:
            return
        text = json.dumps({k: v.as_dict() for k, v in sorted(self._pins.items())}, indent=1)
        with whole(self._path, sync=True) as file:
            file.write(text.encode())

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Read, let the pins be changed, write; of threads and processes one at a time."""
        with self._lock:
            if self._path is None:
                yield
                return
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with _exclusive(self._path.with_suffix(".lock")):
                    self._pins = self._read()
                    yield
                    self._write()
            except OSError as error:
                raise ConfigError(
                    "the list of known cameras {path} cannot be written: {reason}",
                    hint="A camera is trusted by what this list says: make the folder writable, or give the "
                    "vendor's CA (SUNMI_IPC_CA).",
                    path=str(self._path),
                    reason=error.strerror or type(error).__name__,
                ) from None

    def approve(self, name: str, der: bytes, *, by_address: bool = False) -> None:
        """Accept *der* for the camera *name*: pin it the first time, compare it later.

        Args:
            name: Serial number, or address.
            der: The certificate that it shows.
            by_address: *name* is an address. Addresses change hands, so a certificate that is known
                under another name is accepted there, too.

        Raises:
            TlsError: The certificate is not the pinned one.
            ConfigError: The pin cannot be kept.

        """
        if not der:
            raise TlsError("the camera showed no certificate")
        name = pin_name(name)
        seen, now = fingerprint(der), datetime.now(UTC)
        if self._path is not None:
            self._pins = self._read()
        if self._judged(self._pins, name, seen, now, by_address=by_address):
            return
        with self._changing():
            # Read anew: another process may have pinned it meanwhile.
            if self._judged(self._pins, name, seen, now, by_address=by_address):
                return
            stamp = now.isoformat(timespec="seconds")
            pin = self._pins.get(name)
            if pin is not None and pin.fingerprint == seen:
                self._pins[name] = replace(pin, last_seen=stamp)
            else:
                self._pins[name] = KnownCamera(seen, stamp, stamp)

    def _judged(
        self, pins: Mapping[str, KnownCamera], name: str, seen: str, now: datetime, *, by_address: bool
    ) -> bool:
        """Whether all is said: known, and seen lately. False: to be pinned, or its date brought up."""
        pin = pins.get(name)
        if pin is not None and pin.fingerprint == seen:
            return (now - datetime.fromisoformat(pin.last_seen)).total_seconds() <= _SEEN_EVERY_S
        if by_address and any(p.fingerprint == seen for other, p in pins.items() if other != name):
            return True
        if pin is None:
            return False
        raise TlsError(
            "the camera's certificate has changed: known {known}, now {seen}",
            hint="If the camera was replaced or reset, accept it with 'ipc trust accept {name}'; "
            "if not, somebody may stand between you and the camera.",
            known=pin.fingerprint,
            seen=seen,
            name=name,
        )

    def compare(self, name: str, der: bytes, *, by_address: bool = False) -> None:
        """Accept *der* where it is pinned for *name* already: for links that somebody else has given.

        Args:
            name: Serial number, or address.
            der: The certificate that is shown.
            by_address: *name* is an address; then a certificate that is known under another name is as good.

        Raises:
            TlsError: It is not, or nothing is; nothing is pinned.

        """
        pin, seen = self.known(name), fingerprint(der)
        if by_address and any(one.fingerprint == seen for _, one in self.items()):
            return
        if pin is None:
            raise TlsError(
                "the camera {name} is not known yet, and a link does not make it so",
                hint="Call it once ('ipc -c {name} info'), then its pictures are fetched.",
                name=pin_name(name),
            )
        if pin.fingerprint != seen:
            self._judged({pin_name(name): pin}, pin_name(name), seen, datetime.now(UTC), by_address=False)

    def replace(self, name: str, der: bytes) -> None:
        """Pin *der* for *name*, whatever was pinned before: a person has accepted it."""
        stamp, name = datetime.now(UTC).isoformat(timespec="seconds"), pin_name(name)
        with self._changing():
            self._pins[name] = KnownCamera(fingerprint(der), stamp, stamp, accepted=True)

    def forget(self, name: str) -> bool:
        """Remove a pin; whether there was one."""
        with self._changing():
            return self._pins.pop(pin_name(name), None) is not None

    def accepted(self, sn: str) -> bool:
        """Whether a person has accepted the certificate of the camera with this serial number: no CA is asked then."""
        pin = self.known(sn) if sn else None
        return pin is not None and pin.accepted

    def known(self, name: str) -> KnownCamera | None:
        """The pin of *name*, if there is one."""
        return self._current().get(pin_name(name))


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file *path*; the system releases it when the process ends, however it ends."""
    handle = open_own(path, os.O_RDWR | os.O_CREAT)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
