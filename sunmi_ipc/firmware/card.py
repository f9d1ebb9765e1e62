"""Whether a volume is the card that a camera takes its firmware from, and how to put it right."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import CardError, CardWriteError
from .label import problem
from .volume import Volume

UP_BIN = "up.bin"
"""The file that the camera looks for in the card's root."""

PART = "up.bin.part"
"""What it is called until it is whole."""

#: How to put a card right; everything on it is lost by formatting.
FORMAT_ADVICE = {
    "linux": "Save what is on it, then format it with --format, or with: sudo mkfs.exfat -L {wanted} {device}",
    "darwin": "Save what is on it, then format it: diskutil eraseVolume ExFAT {wanted} {device}",
    "win32": "Save what is on it, then format it: format {device} /FS:exFAT /V:{wanted} /Q",
}
LABEL_ADVICE = {
    "linux": "Put it right with: sudo umount {device} && sudo exfatlabel {device} {wanted}",
    "darwin": "Put it right with: diskutil rename {device} {wanted}",
    "win32": "Put it right with: label {device} {wanted}",
}
MOUNT_ADVICE = {
    "linux": "Mount it: udisksctl mount -b {device}",
    "darwin": "Mount it: diskutil mount {device}",
    "win32": "Take the card out and put it in again.",
}


def _advise(error: CardError, advice: dict[str, str], **values: object) -> CardError:
    error.hint_template = advice.get(sys.platform, advice["linux"])
    error.values = {**error.values, **values}
    return error


def examine(volume: Volume, wanted: str = "") -> list[CardError]:
    """Everything that is wrong with a card, the worst first; empty where it is right.

    Args:
        volume: The card.
        wanted: The label that the camera looks for (:func:`label_for`); default: any camera's.

    """
    facts = {"device": volume.device, "wanted": wanted or "SUNMI-XXXX"}
    if volume.system:
        return [
            CardError(
                "{device} is on a disk that this computer runs from, it is no card for a camera",
                hint="Name the place where the card is mounted.",
                **facts,
            )
        ]
    if not volume.removable:
        return [
            CardError(
                "{device} is not removable, it is no card for a camera",
                hint="Use an SD card in a card reader.",
                **facts,
            )
        ]
    found = []
    if volume.filesystem != "exfat":
        if volume.filesystem:
            wrong = CardError(
                "the card is formatted as {filesystem}, the camera reads exFAT", filesystem=volume.filesystem
            )
        else:
            wrong = CardError("the card is not formatted, the camera reads exFAT")
        found.append(_advise(wrong, FORMAT_ADVICE, **facts))  # which also gives it its label
    elif (label := problem(volume.label, wanted)) is not None:
        found.append(_advise(label, LABEL_ADVICE, **facts))
    if not volume.mountpoint:
        found.append(_advise(CardError("the card in {device} is not mounted"), MOUNT_ADVICE, **facts))
    elif volume.read_only:
        found.append(
            CardError(
                "the card is write-protected",
                hint="Move the lock switch on the card's or the adapter's side, then put it in again.",
            )
        )
    return found


def require(volume: Volume, wanted: str = "") -> None:
    """Refuse a card that the camera would not take.

    Raises:
        CardError: The first thing that is wrong with it.

    """
    for error in examine(volume, wanted):
        raise error


def find_images(volume: Volume) -> list[Path]:
    """The files of ours in the card's root: ``up.bin`` in any case, what is left of a copy, macOS's shadows.

    Raises:
        CardWriteError: The card cannot be read.

    """
    wanted = re.compile(r"(\._)?" + re.escape(UP_BIN) + r"(\.part)?", re.IGNORECASE)
    try:
        return sorted(p for p in Path(volume.mountpoint).iterdir() if wanted.fullmatch(p.name))
    except OSError as error:
        raise unreadable(volume, error) from None


def up_bin(volume: Volume) -> Path | None:
    """The image that would start an update; the name's case does not matter on exFAT."""
    return next((p for p in find_images(volume) if p.name.lower() == UP_BIN), None)


@contextlib.contextmanager
def held(volume: Volume) -> Iterator[None]:
    """Keep a card mounted while it is worked on.

    Where it was unmounted since it was looked at, the folder that is left would be taken for it, on a disk of
    this computer.

    Raises:
        CardError: It is not mounted any more; nothing was done.

    """
    if os.name == "nt":
        yield
        return
    try:
        handle = os.open(volume.mountpoint, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise unreadable(volume, error) from None
    try:
        if os.path.exists(volume.device) and not os.path.ismount(volume.mountpoint):
            raise CardError(
                "the card in {device} is not mounted any more; nothing was written",
                hint="Take the card out and put it in again.",
                device=volume.device,
            )
        yield
    finally:
        os.close(handle)


def clean(volume: Volume) -> list[str]:
    """Remove ``up.bin`` and what is left of a copy, so that the camera does not update again.

    Returns: the names that were removed.

    Raises:
        CardError: The volume is not removable, or write-protected; nothing was removed.
        CardWriteError: The card refused.

    """
    for error in examine(volume):
        # A wrong label or file system keeps nobody from taking a file away.
        if volume.system or not volume.removable or not volume.mountpoint or volume.read_only:
            raise error
    removed = []
    with held(volume):
        for path in find_images(volume):
            try:
                path.unlink()
            except FileNotFoundError:
                continue  # macOS takes a shadow away with its file
            except OSError as error:
                raise unwritable(volume, error) from None
            removed.append(path.name)
    sync_directory(volume.mountpoint)
    return removed


def sync_directory(place: str) -> None:
    """Have the directory itself on the medium; Windows writes it by itself."""
    if sys.platform == "win32":
        return
    try:
        handle = os.open(place, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # not every file system can; the file's own fsync has passed
    finally:
        os.close(handle)


def unwritable(volume: Volume, error: OSError) -> CardWriteError:
    """The error for a card that cannot be written."""
    return CardWriteError(
        "the card in {device} cannot be written: {reason}",
        hint="Was it pulled out? Put it in again and repeat; if it fails again, use another card.",
        device=volume.device,
        reason=error.strerror or type(error).__name__,
    )


def unreadable(volume: Volume, error: OSError) -> CardWriteError:
    """The error for a card that cannot be read."""
    return CardWriteError(
        "the card in {device} cannot be read: {reason}",
        hint="Was it pulled out? Put it in again and repeat; if it fails again, use another card.",
        device=volume.device,
        reason=error.strerror or type(error).__name__,
    )
