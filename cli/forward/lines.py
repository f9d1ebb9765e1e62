"""An event for people, on one line: when, which camera, what, whose face, and the details in words."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable

from ..screen.output import columns

if TYPE_CHECKING:
    from sunmi_ipc.events import StoredEvent

#: Fields of an event that people are not shown: the line has them elsewhere, or they are for programs.
_ELSEWHERE = frozenset(
    {
        "sn", "event_type", "event_id", "report_time", "seq", "received", "source", "verified",
        "idempotency_key", "cloud_faceid",
    }
)  # fmt: skip


def line(stored: StoredEvent) -> str:
    """An event as a line; a face that somebody has named on this computer by its name."""
    from ..screen import words

    event = stored.event
    shown: list[str] = []
    for name, value in stored.as_dict().items():
        if name in _ELSEWHERE or value in (None, "") or name.endswith("_url"):
            continue
        typed = getattr(event, name, value)
        if name == "gender" and not value:
            continue  # unknown
        if name == "faceid" and (person := _person(event.sn, str(value))):
            shown.insert(0, person)
        said = words.group(str(value)) if name == "group_name" else words.told(typed, name)
        shown.append(f"{words.label(name)}{tr(': ')}{said}")
    name = _cameras().get(event.sn, "")
    cells = [
        f"{stored.received.astimezone():%Y-%m-%d %H:%M:%S}",
        event.sn + (f" {name}" if name else ""),
        _kind(event.event_type),
        tr(", ").join(shown) + ("" if stored.verified else tr(" (not signed)")),
    ]
    return columns([printable(cell) for cell in cells], (19, 16, 16, 0))


def _kind(event_type: str) -> str:
    """What happened, in words, and where no person looks on the type, too; one that nobody has described as it is."""
    from sunmi_ipc import words
    from sunmi_ipc.protocol.values import EventType

    try:
        said = tr(words.word(EventType(event_type)))
    except ValueError:
        return event_type
    # What has been searched for in files and pipes since 0.1.0 is still found there.
    return said if sys.stdout.isatty() else f"{said} ({event_type})"


@functools.cache
def _cameras() -> dict[str, str]:
    """Cameras' names by serial number, from the last scan."""
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    return {camera.sn: camera.name for camera in memory.last(config_dir()) if camera.name}


def _person(sn: str, faceid: str) -> str:
    """Whose face it is by the names that this computer keeps; empty where nobody said so."""
    from sunmi_ipc.face_names import FILE_NAME
    from sunmi_ipc.settings import config_dir

    path = config_dir() / FILE_NAME
    try:
        changed = path.stat().st_mtime_ns
        return _named(path, changed, sn).get(faceid, "")
    except (OSError, ConfigError):  # a line must come whatever is wrong with that file
        return ""


@functools.lru_cache(maxsize=64)
def _named(path: Path, changed: int, sn: str) -> dict[str, str]:
    """The names as they were at *changed*: the file is read again once it is another."""
    from sunmi_ipc.face_names import FaceNames

    return FaceNames(path, sn).by_id()


__all__ = ["line"]
