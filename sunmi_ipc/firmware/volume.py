"""A mounted volume as this computer sees it, the same on Linux, macOS and Windows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import CardError

#: What runs a program and gives what it prints; OSError where it cannot be run, ValueError where it fails.
Run = Callable[[Sequence[str]], bytes]


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume and the disk that it is on.

    Attributes:
        mountpoint: Where its root is; empty where it is not mounted.
        device: ``/dev/sdb1``, ``/dev/disk4s1``, ``E:``.
        filesystem: ``exfat``, ``vfat``, ... in lower case; empty where nothing is known.
        label: Its name, as written.
        size: Bytes in all.
        free: Bytes that can be written.
        removable: Whether its medium can be taken out.
        system: Whether its disk holds something that this computer runs from.
        read_only: Whether it is mounted read-only; a card's lock switch does that.
        disk: The whole disk's device, where it is another.
        model: What the disk calls itself.
        serial: Its serial number, where it tells one.
        sequence: The system's number of this very disk: another one in its place has another.

    """

    mountpoint: str
    device: str
    filesystem: str
    label: str
    size: int
    free: int
    removable: bool
    system: bool
    read_only: bool
    disk: str = ""
    model: str = ""
    serial: str = ""
    sequence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


def require_same(shown: Volume, now: Volume, *, formatted: bool = False) -> None:
    """Refuse where another disk has come to a place since it was looked at.

    Args:
        shown: As it was when a person was asked.
        now: As it is.
        formatted: It was formatted meanwhile, so label and file system are others.

    Raises:
        CardError: It is another disk, or no card.

    """
    names = ["device", "size", "removable", "system", "disk", "model", "serial", "sequence"]
    names += [] if formatted else ["filesystem", "label"]
    differ = [name for name in names if getattr(shown, name) != getattr(now, name)]
    if differ:
        raise CardError(
            "there is another disk at {device} than a moment ago ({names} differ); nothing was done to it",
            hint="Look what it is, then start again.",
            device=shown.device,
            names=", ".join(differ),
        )


def run(command: Sequence[str]) -> bytes:
    """Run *command* and give what it prints.

    Raises:
        OSError: It is not there.
        ValueError: It failed, or took too long.

    """
    # Labels in any script come out unescaped in a UTF-8 locale, and words in English.
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment)  # noqa: S603
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", b"") or b"").decode("utf-8", "replace").strip()
        raise ValueError(said.splitlines()[-1] if said else str(error)) from None
    return done.stdout


def not_a_volume(place: str, reason: str = "") -> CardError:
    """The error for a place that is no volume."""
    if reason:
        return CardError(
            "{place} is not a card: {reason}",
            hint="Name the place where the card is mounted, e.g. /media/you/SUNMI-XXXX, /Volumes/SUNMI-XXXX or E:.",
            place=place,
            reason=reason,
        )
    return CardError(
        "{place} is not a card: it is no mount point",
        hint="Name the place where the card is mounted, e.g. /media/you/SUNMI-XXXX, /Volumes/SUNMI-XXXX or E:.",
        place=place,
    )
