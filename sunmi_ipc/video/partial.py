"""A file that comes in pieces: under a temporary name until it is whole, on disk for certain before that."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import DiskError, DiskFailed

#: At a resumption so much is fetched again and compared: what lies there may be from another file, or the
#: end of it never have reached the disk before the power went.
OVERLAP = 65_536
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: The place that was named cannot be right; another number means that the disk failed.
_MISPLACED = {
    getattr(errno, f"E{e}")
    for e in ["NOENT", "NOTDIR", "ISDIR", "EXIST", "ACCES", "PERM", "ROFS", "NAMETOOLONG", "INVAL", "BUSY"]
}


def cannot_write(path: Path, error: Exception) -> DiskError:
    """The error for a file that the disk did not take; *error* is an OSError or PyAV's."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    if getattr(error, "errno", None) in _FULL:
        return DiskFailed(
            "{path} cannot be written: {reason}",
            hint="Free space there, or name another folder; the same command goes on where it stopped.",
            path=str(path),
            reason=reason,
        )
    kind = DiskError if getattr(error, "errno", None) in _MISPLACED else DiskFailed
    return kind(
        "{path} cannot be written: {reason}",
        hint="Is the disk still there, and the folder yours to write?",
        path=str(path),
        reason=reason,
    )


class PartialFile:
    """The temporary file of *final*; one process at a time.

    Raises (from every method):
        DiskError: The disk is full or gone, or another program writes this file.

    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path: Path = final.with_name(final.name + ".part")
        with self._disk():
            self._fd = _open_locked(self.path)

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.path, error) from None

    @property
    def size(self) -> int:
        """Bytes that are there."""
        with self._disk():
            return os.fstat(self._fd).st_size

    def tail(self) -> bytes:
        """The last bytes, at most :data:`OVERLAP`; what is written next replaces them."""
        with self._disk():
            start = max(0, os.fstat(self._fd).st_size - OVERLAP)
            os.lseek(self._fd, start, os.SEEK_SET)
            return os.read(self._fd, OVERLAP)

    def head(self, count: int) -> bytes:
        """The first bytes."""
        with self._disk():
            os.lseek(self._fd, 0, os.SEEK_SET)
            return os.read(self._fd, count)

    def seek(self, offset: int) -> None:
        """Write from *offset* on; what lies behind it is dropped."""
        with self._disk():
            os.ftruncate(self._fd, offset)
            os.lseek(self._fd, offset, os.SEEK_SET)

    def write(self, data: memoryview) -> None:
        """Append."""
        with self._disk():
            while data:
                data = data[os.write(self._fd, data) :]

    def finish(self, when: float | None = None) -> int:
        """Bring it to the disk, and give it its name; returns its bytes. *when*: its time, Unix seconds."""
        with self._disk():
            if when is not None:
                os.utime(self.path, (when, when))
            os.fsync(self._fd)
            size = os.fstat(self._fd).st_size
            if os.name == "nt":  # Windows renames no open file
                self.close()
            os.replace(self.path, self.final)
            return size

    def close(self) -> None:
        """Close it; what is there stays for the next time, an empty one goes."""
        if self._fd < 0:
            return
        with contextlib.suppress(OSError):
            if not os.fstat(self._fd).st_size and self.path.exists():
                self.path.unlink()
        os.close(self._fd)
        self._fd = -1


def open_own(path: Path) -> int:
    """Open a file for reading and writing, made where it is not there: a regular one of our own.

    Its name can be foretold, and others may write to its folder. A link, a pipe or another user's file in its
    place is taken away, never written through.

    Raises:
        OSError: It cannot be had.

    """
    flags = (
        os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    for _ in range(10):
        with contextlib.suppress(FileExistsError):
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            if not path.is_symlink():  # where there is no O_NOFOLLOW
                handle = os.open(path, flags)
                if _is_own(handle, path):
                    return handle
                os.close(handle)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK, errno.ENXIO):  # a link, a socket
                raise
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    raise OSError(errno.EBUSY, "something else is put in its place again and again")


def _is_own(handle: int, path: Path) -> bool:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        return False
    if os.name == "nt":
        return True
    # Some file systems (exFAT, network shares) say one owner for all that is in them, the folder's as well.
    return found.st_nlink <= 1 and found.st_uid in (os.geteuid(), path.parent.stat().st_uid)


def _open_locked(path: Path) -> int:
    while True:
        handle = open_own(path)
        try:
            _lock(handle)
            # The one that held the lock may have finished the file, or removed it, meanwhile.
            if os.path.samestat(os.fstat(handle), os.lstat(path)):
                return handle
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: a second writer fails at the renaming
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, "another program is writing it") from error
    except OSError:  # a file system without locks
        return
