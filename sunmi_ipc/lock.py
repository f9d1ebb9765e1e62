"""One process at a time: a lock on a file, which the system releases when the process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from .atomic import open_own


def try_lock(path: Path, *, shared: bool = False) -> IO[bytes]:
    """Lock *path*, made where it does not exist; closing what is returned releases it.

    Args:
        path: A file for nothing but this: locks of other kinds on it are not looked at.
        shared: Only keep out who wants it for himself; others may share it (not on Windows).

    Raises:
        BlockingIOError: Somebody holds it.
        OSError: The file cannot be made, is no file of its own, or its file system has no locks.

    """
    file = os.fdopen(open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab")
    try:
        if os.name == "nt":
            import msvcrt

            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            except OSError as error:
                raise BlockingIOError(error.errno, error.strerror) from None
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file
