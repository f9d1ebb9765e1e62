"""Volumes on Windows: what kernel32 says of a drive."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from .volume import Volume, not_a_volume

_DRIVE_REMOVABLE = 2  # winbase.h; a card in a reader is one, a USB disk is DRIVE_FIXED
_FILE_READ_ONLY_VOLUME = 0x0008_0000
_SEM_FAILCRITICALERRORS = 1
_PATH = 261


def read(place: str, *, kernel32: Any = None, system_drive: str = "") -> Volume:
    r"""The volume at *place*: ``E:``, ``E:\`` or the folder that it is mounted on.

    Args:
        place: Where it is.
        kernel32: The library; default: the system's.
        system_drive: Where Windows is; default: ``%SystemDrive%``.

    Raises:
        CardError: There is none.

    """
    if kernel32 is None:
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    wanted = place.rstrip("\\/") + "\\"
    # An empty reader must not open a window that asks for a card.
    before = kernel32.SetErrorMode(_SEM_FAILCRITICALERRORS)
    try:
        root = ctypes.create_unicode_buffer(_PATH)
        if not kernel32.GetVolumePathNameW(wanted, root, _PATH) or root.value.lower() != wanted.lower():
            raise not_a_volume(place)
        label, kind = ctypes.create_unicode_buffer(_PATH), ctypes.create_unicode_buffer(_PATH)
        serial, longest, flags = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
        if not kernel32.GetVolumeInformationW(
            wanted,
            label,
            _PATH,
            ctypes.byref(serial),
            ctypes.byref(longest),
            ctypes.byref(flags),
            kind,
            _PATH,
        ):
            raise not_a_volume(place, "no card, or one that Windows cannot read")
        drive = int(kernel32.GetDriveTypeW(wanted))
        free, size, all_free = ctypes.c_ulonglong(), ctypes.c_ulonglong(), ctypes.c_ulonglong()
        kernel32.GetDiskFreeSpaceExW(wanted, ctypes.byref(free), ctypes.byref(size), ctypes.byref(all_free))
    finally:
        kernel32.SetErrorMode(before)
    system = system_drive or os.environ.get("SystemDrive", "C:")  # noqa: SIM112 - Windows spells it so
    return Volume(
        mountpoint=wanted,
        device=wanted.rstrip("\\"),
        filesystem=kind.value.lower(),
        label=label.value,
        size=size.value,
        free=free.value,
        removable=drive == _DRIVE_REMOVABLE,
        system=wanted.lower().startswith(system.lower() + "\\"),
        read_only=bool(flags.value & _FILE_READ_ONLY_VOLUME),
        serial=f"{serial.value:08X}",
    )
