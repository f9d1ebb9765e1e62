"""What people write for a camera: a serial number with blanks in it, a MAC, the last four digits; its files' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .screen.halfwidth import halved
from .screen.paths import unquoted

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera

_MAC = re.compile(
    r"(?:[0-9A-Fa-f]{2}([:-]?)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2})|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
)
#: As they are printed on labels, and end in five digits: a name such as "Front door" is none.
_SERIAL = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z0-9]{5,}\d{5}")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", re.ASCII)
_LAST_FOUR = re.compile(r"(?:SUNMI_)?([0-9A-Fa-f]{4})", re.IGNORECASE)


def several(names: Sequence[str]) -> bool:
    """Whether these values of ``-c`` mean several cameras."""
    return len(names) > 1 or any(name == "all" or name.startswith("@") for name in names)


def cleaned(text: str) -> str:
    """*text* as it was meant: without blanks and quotes around it, a serial number without any."""
    text = unquoted(text)
    together = "".join(halved(text).split())
    if together != text and (
        _SERIAL.fullmatch(together) or _ADDRESS.fullmatch(together) or _MAC.fullmatch(together)
    ):
        return together
    return text


def mac_digits(text: str) -> str:
    """The twelve digits of a MAC in any spelling, or its last four (also as ``SUNMI_1A2B``); else empty."""
    if _MAC.fullmatch(text):
        return re.sub(r"[^0-9A-Fa-f]", "", text).upper()
    last = _LAST_FOUR.fullmatch(text)
    return last[1].upper() if last else ""


def default_name(camera: Camera, suffix: str, at: datetime | None = None) -> Path:
    """A file for what comes from *camera*, where nobody named one: serial number, time and *suffix*."""
    from sunmi_ipc.link.guard import file_name

    sn = camera.sn or camera.device.info().sn
    return Path(f"{file_name(sn)}_{at or datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}{suffix}")
