"""Format a card as exFAT, on Linux alone: elsewhere the system's own tool asks its own questions."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator

from ..errors import CardError, CardWriteError
from . import systems
from . import volume as volumes
from .card import FORMAT_ADVICE, require
from .linux import mounts, partitions, users
from .volume import Run, Volume, require_same

_BLKGETDISKSEQ = 0x8008_1280  # linux/fs.h
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def check(volume: Volume, label: str) -> None:
    """Whether *volume* may and can be formatted, before anybody is asked.

    Raises:
        CardError: It is no card, it holds partitions, or this system or user cannot format it.

    """
    if sys.platform != "linux":
        error = CardError("--format works on Linux only")
        error.hint_template = FORMAT_ADVICE.get(sys.platform, FORMAT_ADVICE["linux"])
        error.values = {"device": volume.device, "wanted": label}
        raise error
    if volume.system or not volume.removable:
        require(volume)
    if inside := partitions(volume):
        raise CardError(
            "{device} is a whole disk with partitions: {partitions}",
            hint="Name one of them.",
            device=volume.device,
            partitions=", ".join(inside),
        )
    if using := users(volume):
        raise CardError(
            "{device} is in use as part of {users}",
            hint="Close or stop that first; is it the right disk?",
            device=volume.device,
            users=", ".join(using),
        )
    if shutil.which("mkfs.exfat", path=_PATH) is None:
        raise CardError(
            "mkfs.exfat is not installed", hint="Install it: sudo apt install exfatprogs (dnf, pacman alike)."
        )
    if not os.access(volume.device, os.W_OK):
        raise CardError(
            "formatting {device} takes root",
            hint='Repeat the command with: sudo "$(command -v ipc)" …',
            device=volume.device,
        )


@contextlib.contextmanager
def formatted(
    volume: Volume,
    label: str,
    *,
    inspect: Callable[[str], Volume] = systems.inspect,
    run: Run = volumes.run,
) -> Iterator[Volume]:
    """Format a card as exFAT and give it its label. Everything on it is lost.

    Use it as a context manager: inside, the card is mounted; a card that was not mounted before is
    unmounted again at the end.

    Args:
        volume: The card, as :func:`~sunmi_ipc.firmware.inspect` gave it.
        label: ``SUNMI-XXXX``, from :func:`~sunmi_ipc.firmware.label_for`.
        inspect: How to look at it afterwards.
        run: Runs umount, mkfs.exfat and mount.

    Raises:
        CardError: It is no card, another than *volume* now, or it cannot be formatted here; nothing was changed.
        CardWriteError: It could not be unmounted, formatted or mounted again.

    """
    check(volume, label)
    with contextlib.ExitStack() as stack:
        # Held open, the name stays this disk's: one that is put in meanwhile gets another.
        look_again = stack.enter_context(_held(volume))
        require_same(volume, inspect(volume.device))
        number = os.stat(volume.device).st_rdev
        name = f"{os.major(number)}:{os.minor(number)}"
        for mount in reversed([m for m in mounts() if m.device == name]):
            _do(run, volume, "umount", mount.place)
        # A reader's medium can be changed under an open device, and unmounting may take long.
        look_again()
        require_same(volume, inspect(volume.device), formatted=True)
        _do(run, volume, "mkfs.exfat", "-L", label, volume.device)
    with contextlib.ExitStack() as stack:
        place = volume.mountpoint
        if not place:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="sunmi-ipc-card-"))
        try:
            run(["mount", "-t", "exfat", volume.device, place])
        except (OSError, ValueError):
            _do(run, volume, "mount.exfat-fuse", volume.device, place)
        if not volume.mountpoint:
            stack.callback(_do, run, volume, "umount", place)
        made = inspect(place)
        require_same(volume, made, formatted=True)
        yield made


@contextlib.contextmanager
def _held(volume: Volume) -> Iterator[Callable[[], None]]:
    """Keep the device open, and see that it is the disk that was looked at; gives what looks again."""
    try:
        handle = os.open(volume.device, os.O_RDONLY)
    except OSError as error:
        raise CardError(
            "{device} cannot be opened: {reason}",
            hint="Was the card pulled out? Put it in again, then start again.",
            device=volume.device,
            reason=error.strerror or "",
        ) from None

    def look() -> None:
        if volume.sequence and (now := _sequence(handle)) and now != volume.sequence:
            require_same(volume, dataclasses.replace(volume, sequence=now))

    try:
        look()
        yield look
    finally:
        os.close(handle)


def _sequence(handle: int) -> str:
    """The number of the disk behind an open device; empty where the kernel (before 5.15) tells none."""
    import fcntl

    with contextlib.suppress(OSError):
        return str(int.from_bytes(fcntl.ioctl(handle, _BLKGETDISKSEQ, bytes(8)), sys.byteorder))
    return ""


def _do(run: Run, volume: Volume, *command: str) -> None:
    try:
        run(command)
    except (OSError, ValueError) as error:
        raise CardWriteError(
            "{command} failed on {device}: {reason}",
            hint="Close the programs and windows that use the card, then repeat.",
            command=command[0],
            device=volume.device,
            reason=str(error),
        ) from None
