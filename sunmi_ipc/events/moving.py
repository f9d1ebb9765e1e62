"""A spool that an older version kept elsewhere is moved over."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from ..database import settle
from ..lock import try_lock
from .store import FILE

_log = logging.getLogger("sunmi_ipc")


def move_over(old: Path, new: Path) -> Path:
    """Move the spool in *old* to *new*, once, where nobody uses it. Returns: where the spool is.

    It stays where it is while a program has it open, or where it cannot be moved; where both are there, the
    new one counts, and that is said.
    """
    if old == new or not os.path.exists(old / FILE):
        return new
    if os.path.exists(new / FILE):
        _log.warning("events: there is an older spool in %s, which is not looked at any more", old)
        return new
    try:
        if not _is_settled(old):
            _log.warning("events: the spool stays in %s for now: another program uses it", old)
            return old
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.exists(new):
            new.rmdir()  # an empty one only
        try:
            os.rename(old, new)
        except OSError:  # another file system
            part = new.with_name(f".{new.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(old, part)
            os.rename(part, new)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        _log.warning("events: the spool stays in %s: %s", old, error.strerror or type(error).__name__)
        return old if os.path.exists(old / FILE) else new
    _log.warning("events: the spool was moved from %s to %s", old, new)
    return new


def _is_settled(folder: Path) -> bool:
    """Whether nobody has the spool open; then everything is in its one file, and no log lies beside it."""
    for file in folder.glob("reader-*.lock"):
        try:
            try_lock(file).close()
        except BlockingIOError:
            return False
    return settle(folder / FILE)
