"""The file of corrections of the endpoint table, made in the field: read, and written whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from .atomic import whole
from .errors import DiskError, DiskFailed
from .protocol.overrides import FILE, dump, parse, unusable
from .protocol.wire import Override


def read(directory: Path) -> dict[str, Override]:
    """The overrides in *directory*; none where there is no file.

    Raises:
        ConfigError: The file is no TOML, or names an endpoint or parameter that we do not have.

    """
    path = directory / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unusable(str(path), error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise unusable(str(path), "it is not UTF-8") from None
    return parse(text, str(path))


def write(directory: Path, overrides: Mapping[str, Override]) -> Path:
    """Write *overrides* into *directory*, whole or not at all.

    Raises:
        DiskError: It cannot be written.

    """
    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(dump(overrides).encode())
    except OSError as error:
        kind = DiskFailed if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else DiskError
        raise kind(
            "{path} cannot be written: {reason}",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    return path


__all__ = ["FILE", "read", "write"]
