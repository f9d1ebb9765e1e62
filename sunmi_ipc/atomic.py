"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole(path: Path, *, mode: int = 0o600, sync: bool = False) -> Iterator[IO[bytes]]:
    """A file that takes *path*'s place when the block ends well, and leaves nothing behind when not.

    A pipe or a device (``/dev/stdout``) is written to as it is: it is never replaced by a file.

    Args:
        path: Where it goes; the folder must exist.
        mode: Its permissions; default: for this user alone.
        sync: Have it on the disk before it takes the place.

    Raises:
        OSError: It cannot be written.

    """
    if passes_through(path):
        with path.open("wb") as file:
            yield file
        return
    handle, name = _beside(path)
    # And with it the lock, until the file is in its place. Windows puts no open file there.
    kept = os.dup(handle) if os.name == "posix" else -1
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
    finally:
        if kept >= 0:
            os.close(kept)


def _beside(path: Path) -> tuple[int, str]:
    """A new file beside *path*, and its name: the same each time, so that a kill leaves one behind at most.

    Who writes there has it locked. What nobody has locked was left by a kill, and is written over. Where others
    may write to the folder, or write this file just now, it is one that nobody can foretell.
    """
    name = str(path.parent / f".{path.name}.part")
    handle = -1
    try:
        import fcntl

        folder = os.stat(path.parent)
        if folder.st_uid == os.geteuid() and not folder.st_mode & 0o022:
            handle = open_own(name, os.O_RDWR | os.O_CREAT)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine, there = os.fstat(handle), os.lstat(name)
            # Whoever had it locked may have put it into its place meanwhile.
            if os.path.samestat(mine, there) and mine.st_uid == os.geteuid() and mine.st_nlink == 1:
                os.ftruncate(handle, 0)
                os.fchmod(handle, 0o600)
                return handle, name
    except (OSError, ImportError):  # in use, too long a name, a system or a file system without locks
        pass
    if handle >= 0:
        os.close(handle)
    return tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")


def passes_through(path: Path) -> bool:
    """Whether *path* is a pipe, a terminal or another device: nothing that a file could take the place of."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def open_own(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """A descriptor of a file whose name can be foretold, in a folder that others may write to.

    A link that somebody has laid there is not followed; a pipe or a device is not waited for and not
    written to. The descriptor is not inherited.

    Raises:
        OSError: Also where it is no regular file.

    """
    careful = flags | sum(
        getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
    )
    handle = os.open(path, careful, mode)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return handle


def clean_parts(folder: Path, *, older_s: float = 3600.0) -> int:
    """Remove what :func:`whole` left in *folder* (not below it) when its program was killed; how many.

    Args:
        folder: Where it wrote.
        older_s: Seconds since the last write; 0 where it is known that nobody writes there.

    """
    removed = 0
    with contextlib.suppress(OSError):
        for file in folder.glob(".*.part"):
            with contextlib.suppress(OSError):
                if not file.is_symlink() and abs(time.time() - file.stat().st_mtime) >= older_s:
                    file.unlink()
                    removed += 1
    return removed


def mark(path: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """What changes with a file: who remembers it need not read the file again. None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
