"""Whose faces they are: names that a camera has no place for, kept in a file of this computer.

Faces are personal data: the file is for this user alone, holds names, ids and checksums, no pictures, and
forgets a face that is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import atomic
from .errors import ConfigError

FILE_NAME = "face-names.json"


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a face."""

    name: str
    group: str = ""
    sha256: str = ""


class FaceNames:
    """The names of one camera's faces, by id.

    Args:
        path: The file; it need not exist.
        sn: The camera's serial number.

    Raises:
        ConfigError: The file is there and cannot be read.

    """

    path: Path
    sn: str

    def __init__(self, path: Path, sn: str) -> None:
        self.path, self.sn = path, sn
        self._faces: dict[str, Known] = {}
        for faceid, kept in self._read().get(sn, {}).items():
            if isinstance(kept, dict):
                fields = {key: str(kept.get(key, "")) for key in ("name", "group", "sha256")}
                self._faces[str(faceid)] = Known(**fields)

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigError(
                "the names of faces {path} cannot be read: {reason}",
                path=str(self.path),
                reason=reason,
                hint="Put it right or remove it.",
            ) from None
        cameras = document.get("cameras") if isinstance(document, dict) else None
        return cameras if isinstance(cameras, dict) else {}

    def name(self, faceid: str) -> str:
        """Whose face it is; empty where nobody said so."""
        known = self._faces.get(faceid)
        return known.name if known else ""

    def by_id(self) -> dict[str, str]:
        """All names, by the face's id."""
        return {faceid: known.name for faceid, known in self._faces.items() if known.name}

    def added(self, group: str) -> dict[str, str]:
        """The faces that were added to *group* from here: ids by the photo's checksum."""
        return {k.sha256: faceid for faceid, k in self._faces.items() if k.group == group and k.sha256}

    def keep(self, faceid: str, name: str, *, group: str = "", sha256: str = "") -> None:
        """Remember a face."""
        self._faces[faceid] = Known(name, group, sha256)

    def forget(self, faceids: Iterable[str]) -> None:
        """Forget faces."""
        for faceid in faceids:
            self._faces.pop(faceid, None)

    def forget_group(self, group: str) -> None:
        """Forget every face of a group."""
        self.forget([faceid for faceid, known in self._faces.items() if known.group == group])

    def move(self, faceid: str, group: str) -> None:
        """Remember that a face went to another group."""
        if known := self._faces.get(faceid):
            self._faces[faceid] = Known(known.name, group, known.sha256)

    def __bool__(self) -> bool:
        return bool(self._faces)

    def save(self) -> None:
        """Write the file; raises ConfigError where that cannot be done."""
        cameras = {**self._read(), self.sn: {f: _plain(known) for f, known in self._faces.items()}}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with atomic.whole(self.path) as file:
                file.write(json.dumps({"cameras": cameras}, ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise ConfigError(
                "{path} cannot be written: {reason}", path=str(self.path), reason=error.strerror or ""
            ) from None


def _plain(known: Known) -> dict[str, str]:
    return {"name": known.name, "group": known.group, "sha256": known.sha256}
