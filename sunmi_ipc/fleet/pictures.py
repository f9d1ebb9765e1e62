"""A snapshot of every camera, for the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import SunmiIpcError
from ..protocol.spec import FS, Model
from .outcome import Standing
from .pool import DEFAULT_JOBS, Fleet
from .report import Row

if TYPE_CHECKING:
    from ..camera import Camera

#: A picture in a report need not be larger; a camera's is some hundred kilobytes.
MAX_PICTURE = 4_000_000
#: As wide as a report shows it, twice as fine for good screens.
WIDTH = 960
#: No picture of a report of many takes more, so that thirty cameras can be sent by mail and opened on a phone.
MOST_BYTES = 80_000
#: Tried one after the other: how wide, and JPEG's quality.
_SMALLER = ((WIDTH, 80), (WIDTH, 65), (WIDTH, 50), (WIDTH * 2 // 3, 50), (WIDTH // 2, 40), (WIDTH // 3, 30))
_MOST_PIXELS = 40_000_000


def take(
    rows: Sequence[Row],
    connect: Callable[..., Camera],
    *,
    jobs: int = DEFAULT_JOBS,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Put a picture, and the door line as the camera keeps it, into each row that has an address.

    A camera that gives none is left without, and its row says why; nothing raises for one camera.

    Args:
        rows: From :func:`sunmi_ipc.fleet.report.collect`.
        connect: As :meth:`sunmi_ipc.settings.Settings.connect`.
        jobs: Cameras asked at once.
        tell: Called with the number that are done.

    """
    by_camera: dict[Camera, Row] = {}
    for row in rows:
        out = row.outcome
        if out.address and out.activated and out.standing is not Standing.ABSENT:
            by_camera[connect(out.address, sn=out.sn, model=out.model)] = row
        else:
            row.missing = "the camera was not reached"

    def look(camera: Camera) -> None:
        row = by_camera[camera]
        try:
            # One who has moved into this address since must not stand under another's name.
            if row.outcome.sn and camera.device.info().sn != row.outcome.sn:
                row.missing = "another camera is at this address"
                return
            picture = camera.video.snapshot()
        except SunmiIpcError as error:
            row.missing = error.template if not error.values else "the camera gave none"
        else:
            data, kind, row.size = smaller(picture.data, picture.kind)
            if len(data) <= MAX_PICTURE:
                row.picture, row.kind = data, kind
        model = Model.read(camera.model)
        if model in FS:
            row.line = _line(camera) or row.line

    with Fleet(by_camera, jobs=jobs) as fleet:
        for done, _ in enumerate(fleet.map(look), 1):
            tell(done)


def smaller(data: bytes, kind: str) -> tuple[bytes, str, tuple[int, int] | None]:
    """A picture for a report of many: at most 960 pixels wide and 80 kB. Where Pillow is not installed, as it came.

    Returns: the bytes, ``jpeg`` or ``png``, and width and height of the picture that came.
    """
    try:
        from PIL import Image
    except ImportError:  # the extra "video"
        return data, kind, None
    import io

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            size = image.size
            if size[0] * size[1] > _MOST_PIXELS:
                return data, kind, None
            image.draft("RGB", (WIDTH, WIDTH))
            small = image.convert("RGB")
            for width, quality in _SMALLER:
                small.thumbnail((width, width * 4))
                made = io.BytesIO()
                small.save(made, "JPEG", quality=quality, optimize=True)
                if made.tell() <= MOST_BYTES:
                    break
    except MemoryError:
        raise
    except Exception:  # bombs, and whatever its decoders happen to stumble over
        return data, kind, None  # a browser may do better
    return (made.getvalue(), "jpeg", size) if made.tell() < len(data) else (data, kind, size)


def _line(camera: Camera) -> tuple[int, int, int, int] | None:
    try:
        line = camera.people_flow.door_line()
    except SunmiIpcError:
        return None
    scale = 1 if line.resolution == 0 else 1920 / 1280
    x1, y1, x2, y2 = (round(v * scale) for v in (line.start_x, line.start_y, line.end_x, line.end_y))
    return x1, y1, x2, y2
