"""A clip cut out by the camera: asked for, waited for, fetched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConnectionFailed, DeviceError, FileMissingError, NotReadyError, SunmiIpcError, TlsError
from .container import HEAD, no_video, suffix_of
from .fetch import Connection
from .partial import PartialFile, cannot_write

if TYPE_CHECKING:
    from ..link.caller import Link

#: The address works 4 to 12 s after the answer (S); we give up well after that.
FIRST_S, PATIENCE_S, INTERVAL_S = 4.0, 30.0, 1.0


def clip(
    link: Link,
    ask: Callable[[], str],
    path: Path,
    *,
    timeout: float = PATIENCE_S,
    first: float = FIRST_S,
    interval: float = INTERVAL_S,
    on_wait: Callable[[], None] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Have a clip cut out and fetch it; *ask* tells the camera so and returns its address. See ``Video.clip``."""
    deadline = time.monotonic() + timeout
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    url = ""
    with Connection(link) as connection:
        while True:
            try:
                if not url:
                    url = ask()
                    # Earlier, there may be a clip that the camera is still writing.
                    time.sleep(first)
                return _fetch(connection, url, path, on_progress)
            except TlsError:
                raise
            except (NotReadyError, FileMissingError, ConnectionFailed) as error:
                if time.monotonic() + interval > deadline:
                    raise _late(error) from None
            if on_wait is not None:
                on_wait()
            time.sleep(interval)


def _late(error: SunmiIpcError) -> SunmiIpcError:
    """A clip that is still not served is not ready, whatever the web server calls it."""
    if isinstance(error, FileMissingError):
        return DeviceError.of(236, endpoint="media/getVideoClip", camera=error.camera)
    return error


def _fetch(
    connection: Connection, url: str, path: Path, on_progress: Callable[[int, int | None], None] | None
) -> Path:
    with connection.get(url) as body:
        if body.total == 0:
            raise FileMissingError("the camera's file is empty")
        part = PartialFile(path)
        try:
            part.seek(0)
            for piece in body.pieces():
                if not part.size and not suffix_of(bytes(piece[:HEAD])):
                    raise no_video(bytes(piece[:HEAD]))
                part.write(piece)
                if on_progress is not None:
                    on_progress(part.size, body.total)
            part.finish()
        finally:
            part.close()
    return path
