"""The log that ``-v`` shows is kept, too: what 'ipc support' takes along.

One file a run, secrets masked, of bounded size, for this user alone; the newest few stay.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
import time
from pathlib import Path

from sunmi_ipc import __version__
from sunmi_ipc.redact import RedactingFilter

#: Files that stay, and the size at which one ends.
KEPT, MOST_BYTES = 5, 1 << 20


class KeptLog(logging.Handler):
    """Writes records into a file of its own that appears with the first one; trouble with it is nobody's.

    Args:
        folder: Where the file goes.
        command: The command's name, for the file's first line.

    """

    def __init__(self, folder: Path, command: str) -> None:
        super().__init__()
        self.addFilter(RedactingFilter())
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
        self._folder, self._command = folder, command
        self._descriptor: int | None = None
        self._left = MOST_BYTES

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; the first one that has no room is told as the end."""
        if self._left <= 0:
            return
        with contextlib.suppress(OSError):
            if self._descriptor is None:
                self._descriptor = self._open()
            self._write(self.format(record) + "\n")

    def close(self) -> None:
        """Close the file."""
        super().close()
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor, self._left = None, 0

    def _write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace")
        if len(data) > self._left:
            data, self._left = b"(the log is full)\n", 0
        self._left -= len(data)
        assert self._descriptor is not None
        os.write(self._descriptor, data)

    def _open(self) -> int:
        self._left = MOST_BYTES
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}-{self._command}.log"
            # Not through a link that somebody has put there.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            made = os.open(self._folder / name, flags, 0o600)
        except OSError:
            self._left = 0
            raise
        with contextlib.suppress(OSError):
            for old in sorted(self._folder.glob("*.log"))[:-KEPT]:
                old.unlink(missing_ok=True)
        self._descriptor = made
        self._write(
            f"sunmi-ipc {__version__}, Python {platform.python_version()}, {sys.platform}: ipc {self._command}\n"
        )
        return made
