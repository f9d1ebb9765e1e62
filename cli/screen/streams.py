"""Standard input and output as they are found: narrow encodings, a full disk behind them, or none at all.

Commands write to ``sys.stdout`` and do not think of this: :func:`prepare` and :func:`finish` stand around
all of them, in ``main``.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import Any

from sunmi_ipc.errors import DiskFailed

#: Our own marks, in letters that every code page has.
_PLAIN = {"✓": "+", "✗": "x", "→": "->", "…": "...", "·": ".", "█": "#", "▀": "#"}
_HANDLER = "sunmi_ipc.escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""What the encoding lacks as ``\uXXXX``: readable, and right inside of JSON's strings too."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    document = error.object.lstrip()[:1] in ("{", "[", '"')
    told = []
    for character in error.object[error.start : error.end]:
        if not document and character in _PLAIN:
            told.append(_PLAIN[character])
            continue
        units = character.encode("utf-16-be", "surrogatepass")
        told += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    return "".join(told), error.end


class _Watched(io.BufferedWriter):
    """Standard output's bytes; remembers the first failure, as a second try does not fail again."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, and remember why not."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            raise

    def flush(self) -> None:
        """Flush, and remember why not."""
        try:
            super().flush()
        except OSError as error:
            self.failure = self.failure or error
            raise


def prepare() -> None:
    """Make the standard streams take whatever is written, before the first word is."""
    codecs.register_error(_HANDLER, _escape)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, _absent(number))
        with contextlib.suppress(AttributeError, ValueError, OSError):  # another program's stream
            getattr(sys, name).reconfigure(errors="replace" if name == "stdin" else _HANDLER)
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sys.stdout = _watched(sys.stdout)
        # The stream of the start is an empty shell now, and shutil asks it for the terminal's width.
        setattr(sys, "__stdout__", sys.stdout)  # noqa: B010 - to type checkers it is final


def _watched(stream: Any) -> Any:
    settings = {
        "encoding": stream.encoding,
        "errors": stream.errors,
        # PYTHONUNBUFFERED: our buffer stands where there was none, and keeps no line back.
        "line_buffering": stream.line_buffering or stream.write_through,
        "write_through": stream.write_through,
    }
    inner = stream.detach()
    raw = inner.detach() if isinstance(inner, io.BufferedWriter) else inner
    return io.TextIOWrapper(_Watched(raw), **settings)


def _absent(number: int) -> Any:
    """A stand-in for a closed stream: nothing to read; what is written to stdout fails as it should.

    Its number is taken: else the next file or connection that is opened would get it, and whatever a
    library prints would go there.
    """
    # The lowest free number is the closed stream's own. Open for reading, it refuses to be written (EBADF).
    handle = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    return open(handle, "r" if number == 0 else "w", encoding="utf-8")


def can_say(text: str) -> bool:
    """Whether both output streams' encodings have every character of *text*."""
    for stream in (sys.stdout, sys.stderr):
        try:
            text.encode(getattr(stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return False
    return True


def output_failure() -> DiskFailed | None:
    """What kept standard output from being written, None where nothing did.

    A reader that has gone is no failure: nobody is left to tell.
    """
    stream: Any = sys.stdout
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.flush()
    error = getattr(getattr(stream, "buffer", None), "failure", None)
    if error is None:
        return None
    stream.buffer.failure = None
    place, reason = _place(), error.strerror or type(error).__name__
    _let_go()
    if isinstance(error, BrokenPipeError):
        return None
    if place:
        return DiskFailed("{path} cannot be written: {reason}", path=place, reason=reason)
    return DiskFailed("standard output cannot be written: {reason}", reason=reason)


def _let_go() -> None:
    """Have what is still held back go nowhere: the interpreter would try it once more at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _place() -> str:
    """The file behind standard output, where the system tells its name."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        name = os.readlink(f"/proc/self/fd/{sys.stdout.fileno()}")
        return name if name.startswith("/") and name != os.devnull else ""
    return ""
