"""Faces for people to read: names, ages in years, times of this computer, no addresses of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..screen import words
from ..screen.output import say, table
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.face_names import FaceNames
    from sunmi_ipc.models import FaceRecord

_COLUMNS = ("faceid", "group_name", "age", "gender", "arrive_count", "arrive_time")


def names(camera: Camera, path: Path | None) -> FaceNames:
    """The names that this computer keeps for a camera's faces.

    Args:
        camera: Whose; it is asked for its serial number only where there is a file, or none was named.
        path: The file; None for the one in the config folder.

    """
    from sunmi_ipc.face_names import FILE_NAME, FaceNames
    from sunmi_ipc.settings import config_dir

    sn = camera.sn or camera.device.info().sn
    return FaceNames(path or config_dir() / FILE_NAME, str(sn))


def columns(book: FaceNames | None) -> list[str]:
    """What is shown of a face: all but the address of a picture, which ends soon; names where some are kept."""
    return ["faceid", "name", *_COLUMNS[1:]] if book else list(_COLUMNS)


def faces(
    state: State, records: Iterable[FaceRecord], tz: tzinfo | None = None, book: FaceNames | None = None
) -> None:
    """A table of faces; ``--json`` keeps the camera's own fields and is printed elsewhere."""
    rows = [words.cells(record, tz=tz) for record in records]
    if book:
        rows = [{**row, "name": book.name(row["faceid"])} for row in rows]
    if not rows:
        say(state, "There are no faces.")
    elif not state.quiet:
        table(rows, columns(book), least=("arrive_count", "gender", "age", "group_name"))


def document(record: FaceRecord, book: FaceNames) -> dict[str, Any]:
    """A face for ``--json``: the camera's own fields, and the name where one is kept."""
    name = book.name(record.faceid)
    return record.as_dict() | ({"name": name} if name else {})
