"""Paths as people give them: in quotes, as a file address, with ``~``, dropped on the terminal by the mouse."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_QUOTES = ('""', "''", "“”", "‘’", "「」", "``")
_DRIVE = re.compile(r"/[A-Za-z]:[/\\]")


def unquoted(text: str) -> str:
    """*text* without the blanks around it, and without one pair of quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text


def typed_path(text: str) -> Path:
    """The path that *text* means; whether it exists is not looked at, but for a backslash that may be a shell's."""
    text = text.strip()
    if text.startswith("& "):  # what PowerShell puts before a dropped file
        text = text[2:]
    text = unquoted(text)
    if text.lower().startswith("file:"):
        text = unquote(urlsplit(text).path)
        if _DRIVE.match(text):  # file:///C:/folder
            text = text[1:]
    path = Path(text).expanduser()
    if os.sep == "/" and "\\" in text and not os.path.exists(path):  # a dropped file: My\ Folder
        plain = Path(re.sub(r"\\(.)", r"\1", text)).expanduser()
        return plain if os.path.exists(plain) else path
    return path
