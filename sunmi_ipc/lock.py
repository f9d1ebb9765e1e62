"""One process at a time: a lock on a file, which the system releases when the process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def try_lock(path: Path) -> IO[bytes]:
    """Lock *path*, made where it does not exist; closing what is returned releases it.

    Raises:
        BlockingIOError: Somebody holds it.
        OSError: The file cannot be made, or its file system has no locks.

    """
    file = open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115 - held by the caller
    try:
        if os.name == "nt":
            import msvcrt

            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            except OSError as error:
                raise BlockingIOError(error.errno, error.strerror) from None
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file
