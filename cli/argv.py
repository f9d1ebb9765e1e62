"""A secret on the command line: gone from the process list as soon as we have read it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.redact import Secret


def take_secret(text: str) -> Secret:
    """*text*, which was typed on the command line, as a secret; ``ps`` shows ``xxx`` in its place.

    Other users of this computer can read every process's command line. What the kernel shows is this
    process's own memory, so it is overwritten, as ``mysql`` and ``curl`` do; where that cannot be done
    (not on Linux) nothing happens. Shells keep a history: ``-`` or the environment is better.
    """
    if text and sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, IndexError):
            _overwrite(text.encode("utf-8", "surrogateescape"))
    sys.argv[1:] = ["xxx" if arg == text else arg for arg in sys.argv[1:]]
    return Secret(text)


def not_a_pair(number: int, example: str) -> ParameterError:
    """A parameter without its equals sign; it is not repeated, as it may be half of a secret."""
    return ParameterError(
        "parameter {number}: not KEY=VALUE", number=number, hint="For example {form}.", form=example
    )


def _overwrite(secret: bytes) -> None:
    import ctypes

    # Fields 48 and 49 of stat: where the arguments begin and end. Its second field may hold blanks.
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    arguments = Path("/proc/self/cmdline").read_bytes()
    if not 0 < start < end or len(arguments) != end - start:
        return
    at = 0
    for argument in arguments.split(b"\0"):
        # The whole argument, or what follows the equals sign of an option.
        value = argument if argument == secret else argument.partition(b"=")[2]
        if value == secret:
            ctypes.memset(start + at + len(argument) - len(value), ord("x"), len(value))
        at += len(argument) + 1


def given_url(text: str) -> str:
    """A URL as it was typed, or what a reference such as ``env:NAME`` names; a typed password is wiped out."""
    from sunmi_ipc.fleet.secret import KINDS, Secrets

    if text.startswith(KINDS):
        return Secrets(Path()).get(text).reveal().strip()
    # Looked for in the text, not in its parts: a password with / or # in it, or a URL with a slip, hides there.
    user = text.rpartition("://")[2].rpartition("@")[0]
    sealed = ":" in user or "password=" in text.casefold()
    return take_secret(text).reveal() if sealed else text
