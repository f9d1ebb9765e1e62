"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole(path: Path, *, mode: int = 0o600, sync: bool = False) -> Iterator[IO[bytes]]:
    """A file that takes *path*'s place when the block ends well, and leaves nothing behind when not.

    Args:
        path: Where it goes; the folder must exist.
        mode: Its permissions; default: for this user alone.
        sync: Have it on the disk before it takes the place.

    Raises:
        OSError: It cannot be written.

    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if mode != 0o600:
            os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
