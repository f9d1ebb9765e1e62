"""The stations' own keys: whom a caller believes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from .. import untrusted
from ..atomic import whole
from ..errors import ConfigError, TlsError, cannot_write


class KnownStations:
    """The public keys that stations signed with first; like known hosts.

    Args:
        path: Where they are kept; None: in memory.

    """

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._memory: dict[str, str] = {}

    def approve(self, name: str, public: str) -> None:
        """Remember it, or compare; raises TlsError where it is another."""
        with self._lock:
            known = self._read()
            if name not in known:
                known[name] = public
                self._write(known)
            elif known[name] != public:
                raise TlsError(
                    "the answers of {site} are signed with another key than before",
                    hint="Was its data folder lost, or does somebody else answer? 'ipc keys forget-station {site}' if you know why.",
                    site=name.partition("/")[2] or name,
                )

    def forget(self, site: str) -> bool:
        """Know a site's key no longer; whether there was one."""
        with self._lock:
            known = self._read()
            kept = {name: public for name, public in known.items() if name.partition("/")[2] != site}
            if len(kept) == len(known):
                return False
            self._write(kept)
            return True

    def _read(self) -> dict[str, str]:
        if self._path is None:
            return dict(self._memory)
        try:
            found = untrusted.load_json(self._path.read_bytes())
            return {str(k): str(v) for k, v in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            # An unreadable list must not turn into a new first contact.
            raise ConfigError(
                "{path} cannot be read: {reason}", path=str(self._path),
                reason=getattr(error, "strerror", None) or type(error).__name__,
            ) from None  # fmt: skip

    def _write(self, known: dict[str, str]) -> None:
        self._memory = known
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole(self._path) as file:
                file.write(json.dumps(known, indent=1).encode())
        except OSError as error:
            raise cannot_write(self._path, error) from None
