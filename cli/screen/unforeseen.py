"""The last net: the line for what nobody thought of."""

from __future__ import annotations

from sunmi_ipc.errors import ExtraMissingError, SunmiIpcError
from sunmi_ipc.installation import BROUGHT_BY

_REPORT = "Please report it with what '-vv' prints."


def unforeseen(error: BaseException) -> SunmiIpcError:
    """What an error that is none of ours is told as: the system's own word where it was the system.

    A library of an extra that is missing is told with the command that brings it, wherever it was imported.
    """
    if isinstance(error, ModuleNotFoundError) and (
        extra := BROUGHT_BY.get((error.name or "").partition(".")[0])
    ):
        return ExtraMissingError(
            "this needs the library {library}, which is not installed",
            extra=extra,
            library=(error.name or "").partition(".")[0],
        )
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return SunmiIpcError(
            "unexpected failure: {kind}: {path}: {reason}",
            hint=_REPORT,
            kind=kind,
            path=str(error.filename or "?"),
            reason=error.strerror,
        )
    return SunmiIpcError("unexpected failure: {kind}", hint=_REPORT, kind=kind)
