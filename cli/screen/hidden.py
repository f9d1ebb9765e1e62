"""A secret typed at a terminal: not shown, whole, and taken as it is or refused with the reason.

``getpass`` reads one line and throws away what follows it, so of a paste with a line break half would be used
as if it were all; and where a terminal does not know UTF-8, it stumbles over half a character that was erased.
"""

from __future__ import annotations

import contextlib
import os
import sys

import typer

from sunmi_ipc.errors import ParameterError

#: Of the terminal driver: that one key erases a whole character of UTF-8 (Linux; Python has no name for it).
_IUTF8 = 0o40000
#: A paste comes in one go; nobody types the next line so soon.
_PASTE_S = 0.05


def hidden(prompt: str) -> str:
    """Ask for a secret.

    Raises:
        ParameterError: Several lines came at once, or what came is no text.
        typer.Abort: Ctrl-C, or Ctrl-D in place of an answer.

    """
    try:
        import termios

        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except (ImportError, OSError):  # Windows, or no terminal of our own: the answers come from elsewhere
        return _prompted(prompt)
    try:
        if not sys.stdin.isatty():
            return _prompted(prompt)
        before = termios.tcgetattr(terminal)
        silent = [*before]
        silent[3] &= ~termios.ECHO
        if sys.platform == "linux" and (sys.stdin.encoding or "").lower().startswith("utf"):
            silent[0] |= _IUTF8
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        try:
            sys.stderr.write(f"{prompt}: ")
            sys.stderr.flush()
            line, more = _line(terminal)
        except KeyboardInterrupt:
            raise typer.Abort from None
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            with contextlib.suppress(OSError):
                sys.stderr.write("\n")
                sys.stderr.flush()
    finally:
        os.close(terminal)
    if more:
        raise ParameterError(
            "{name}: more than one line came; nothing of it was used",
            name=prompt,
            hint="Type it, or paste it without a line break inside.",
        )
    try:
        return line.decode(sys.stdin.encoding or "utf-8")
    except UnicodeDecodeError:
        raise ParameterError(
            "{name}: what was typed is no text; nothing of it was used",
            name=prompt,
            hint="Type it once more; a character may have been erased by halves.",
        ) from None


def _prompted(prompt: str) -> str:
    return str(typer.prompt(prompt, hide_input=True, default="", show_default=False, err=True))


def _line(terminal: int) -> tuple[bytes, bool]:
    """A line without its end, and whether more stands behind it."""
    from select import select

    read = b""
    while not read.endswith(b"\n"):
        part = os.read(terminal, 4096)
        if not part and not read:
            raise typer.Abort
        if not part:  # Ctrl-D twice: what was typed is all
            break
        read += part
    return read.rstrip(b"\r\n"), bool(select([terminal], [], [], _PASTE_S)[0])
