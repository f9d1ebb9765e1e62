"""Secrets typed at a terminal: whole, as they were meant, or refused with the reason; the terminal shows again."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator

import pexpect
import pytest

#: Asks until it is told to end; says what it got, and whether the terminal shows what is typed.
ASKING = """
import sys, termios, typer
from sunmi_ipc.errors import ParameterError
from sunmi_ipc_cli.screen.hidden import hidden
while True:
    try:
        told = ascii(hidden("Code"))
    except ParameterError as error:
        told = str(error)
    except typer.Abort:
        told = "gone"
    shows = bool(termios.tcgetattr(0)[3] & termios.ECHO)
    print("GOT", told, "SHOWS" if shows else "HIDES", flush=True)
"""


@pytest.fixture(scope="module")
def terminal() -> Iterator[pexpect.spawn]:
    child = pexpect.spawn(
        sys.executable, ["-X", "utf8", "-c", ASKING], encoding="utf-8", timeout=60, dimensions=(24, 200)
    )
    # As over a serial line: the driver does not know that characters may have several bytes.
    made = termios.tcgetattr(child.child_fd)
    made[0] &= ~0o40000
    termios.tcsetattr(child.child_fd, termios.TCSANOW, made)
    child.delaybeforesend = None
    yield child
    child.close(force=True)


@pytest.mark.parametrize(
    ("typed", "got"),
    [
        ("password1\r", "'password1'"),
        ("  pass word  \r", "'  pass word  '"),
        ('"pa\'ss"\r', ascii('"pa\'ss"')),
        ("pass😀 ｗｏｒｄ\r", ascii("pass😀 ｗｏｒｄ")),
        ("中文密码中文密码中文\r", ascii("中文密码中文密码中文")),
        ("passX\x7f1\r", "'pass1'"),
        ("\r", "''"),
        ("pass\x04word\r", "'password'"),
        ("\x04", "gone"),
        ("pass\x03", "gone"),
        ("password1\nrm -rf x\n", "Code: more than one line came; nothing of it was used"),
    ],
)
def test_what_is_typed_is_taken_whole_or_refused(terminal: pexpect.spawn, typed: str, got: str) -> None:
    terminal.expect_exact("Code: ")
    terminal.send(typed)
    terminal.expect_exact("GOT ")
    assert "pass" not in terminal.before
    terminal.expect("(SHOWS|HIDES)\r")
    told = terminal.before.strip()
    assert told == got or told.startswith(got + ". ")
    assert terminal.match[1] == "SHOWS"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a terminal that erases whole characters")
def test_one_key_erases_one_character(terminal: pexpect.spawn) -> None:
    terminal.expect_exact("Code: ")
    terminal.send("pass密\x7f1\r")
    terminal.expect_exact("GOT 'pass1' SHOWS")
