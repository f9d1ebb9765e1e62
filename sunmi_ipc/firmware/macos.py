"""Volumes on macOS: what ``diskutil info -plist`` says."""

from __future__ import annotations

import plistlib
from typing import Any
from xml.parsers.expat import ExpatError

from . import volume as volumes
from .volume import Run, Volume, not_a_volume


def read(place: str, *, run: Run = volumes.run) -> Volume:
    """The volume mounted at *place*, or on the device *place*.

    Raises:
        CardError: There is none.

    """
    try:
        said: dict[str, Any] = plistlib.loads(run(["diskutil", "info", "-plist", place]))
    except (plistlib.InvalidFileException, ExpatError):
        raise not_a_volume(place) from None
    except (OSError, ValueError) as error:
        raise not_a_volume(place, str(error)) from None
    if "DeviceNode" not in said:
        raise not_a_volume(place, str(said.get("ErrorMessage", "")))
    mountpoint = str(said.get("MountPoint") or "")
    whole = str(said.get("ParentWholeDisk") or "")
    # "RemovableMediaOrExternalDevice" would let every USB disk in.
    removable = said.get("RemovableMedia", said.get("Removable", False))
    return Volume(
        mountpoint=mountpoint,
        device=str(said["DeviceNode"]),
        filesystem=str(said.get("FilesystemType") or "").lower(),
        label=str(said.get("VolumeName") or ""),
        size=int(said.get("TotalSize") or said.get("Size") or 0),
        free=int(said.get("FreeSpace") or 0),
        removable=bool(removable),
        system=bool(said.get("SystemImage")) or mountpoint == "/" or mountpoint.startswith("/System/"),
        read_only=not said.get("WritableVolume", True),
        disk=f"/dev/{whole}" if whole else "",
        serial=str(said.get("DiskUUID") or said.get("VolumeUUID") or ""),
        model=str(said.get("MediaName") or said.get("IORegistryEntryName") or "").strip(),
    )
