"""Volumes on Linux: the kernel's mount table and /sys, the label from blkid or lsblk."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import CardError
from . import volume as volumes
from .volume import Run, Volume, not_a_volume

#: What a computer runs from; a live system's medium included.
_SYSTEM_PLACES = re.compile(
    r"/|/(boot|efi|sysroot|ostree|run/live|lib/live|cdrom|rofs)(/.*)?"
    r"|/(usr|var|home|root|opt|srv|etc|nix)(/(local|lib|log|tmp|store))?"  # a card may be mounted in a home
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of the mount table."""

    device: str  # major:minor
    root: str
    place: str
    filesystem: str
    source: str
    read_only: bool


def _unescape(text: str) -> str:
    return (
        re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)
        .encode("latin-1")
        .decode("utf-8", "replace")
    )


def mounts(root: Path = Path("/")) -> list[Mount]:
    """What is mounted, in the order of mounting."""
    found = []
    for line in (root / "proc/self/mountinfo").read_bytes().decode("latin-1").splitlines():
        head, _, tail = line.partition(" - ")
        fields, rest = head.split(" "), tail.split(" ")
        options = {*fields[5].split(","), *(rest[2].split(",") if len(rest) > 2 else ())}
        found.append(
            Mount(
                fields[2],
                _unescape(fields[3]),
                _unescape(fields[4]),
                rest[0],
                _unescape(rest[1]),
                "ro" in options,
            )
        )
    return found


def _node(root: Path, mount: Mount) -> Path | None:
    """The directory in /sys of a mount's block device."""
    if not mount.source.startswith("/dev/"):
        return None
    name = os.path.basename(os.path.realpath(mount.source))  # btrfs has a number of its own
    places = (root / "sys/dev/block" / (mount.device or "-"), root / "sys/class/block" / name)
    return next((place.resolve() for place in places if place.exists()), None)


def _disk(node: Path) -> Path:
    return node.parent if (node / "partition").exists() else node


def _disks(node: Path) -> Iterator[Path]:
    """The disks under a device: one, or those that an encrypted, joined or logical one is made of."""
    disk = _disk(node)
    slaves = sorted((disk / "slaves").glob("*"))
    for slave in slaves:
        yield from _disks(slave.resolve())
    if not slaves:
        yield disk


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _removable(disk: Path) -> bool:
    # A built-in reader says 0 to "removable"; its card's type tells an SD card from soldered eMMC.
    kind = _text(disk / "device/type")
    if kind in ("SD", "MMC"):
        return kind == "SD"
    return _text(disk / "removable") == "1"


def _system_disks(root: Path, table: list[Mount]) -> set[Path]:
    nodes = [_node(root, m) for m in table if _SYSTEM_PLACES.fullmatch(m.place)]
    swaps = [
        line.split()[0] for line in _text(root / "proc/swaps").splitlines()[1:] if line.startswith("/dev/")
    ]
    nodes += [_node(root, Mount("", "", "", "", source, False)) for source in swaps]
    return {disk for node in nodes if node for disk in _disks(node)}


def _superblock(device: str, run: Run) -> tuple[str, str]:
    """File system and label of a device, from the device itself, else from what udev remembers."""
    try:
        kind = run(["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", device])
        try:
            label = run(["blkid", "--probe", "--output", "value", "--match-tag", "LABEL", device])
        except ValueError:
            label = b""  # blkid fails where there is none
        return kind.decode().strip(), label.decode("utf-8", "replace").removesuffix("\n")
    except (OSError, ValueError):
        pass  # it takes root to read a device, and a device to be formatted
    try:
        said = json.loads(run(["lsblk", "--json", "--nodeps", "--output", "FSTYPE,LABEL", device]))
        row = said["blockdevices"][0]
        return row["fstype"] or "", row["label"] or ""
    except (OSError, ValueError, LookupError, TypeError):
        return "", ""


def _free(place: str) -> int:
    stat = os.statvfs(place)
    return stat.f_bavail * stat.f_frsize


def read(place: str, *, root: Path = Path("/"), run: Run = volumes.run) -> Volume:
    """The volume mounted at *place*, or on the device *place*.

    Args:
        place: A mount point or a block device.
        root: Where /proc and /sys are.
        run: Runs blkid and lsblk.

    Raises:
        CardError: There is none.

    """
    table = mounts(root)
    real = os.path.realpath(place)
    if real.startswith("/dev/"):
        node = root / "sys/class/block" / os.path.basename(real)
        if not node.exists():
            raise not_a_volume(place)
        node = node.resolve()
        number = _text(node / "dev")
        mount = next((m for m in reversed(table) if m.device == number and m.root == "/"), None)
        device = real
    else:
        mount = next((m for m in reversed(table) if m.place == real), None)
        if mount is None:
            raise not_a_volume(place)
        found = _node(root, mount)
        if found is None:
            raise CardError(
                "{place} is not a card: a {filesystem} file system without a disk is mounted there",
                place=place,
                filesystem=mount.filesystem,
            )
        node, device = found, "/dev/" + found.name.replace("!", "/")
    disk = _disk(node)
    filesystem, label = _superblock(device, run)
    if not filesystem and mount is not None and mount.filesystem != "fuseblk":
        filesystem = mount.filesystem
    model = " ".join(filter(None, (_text(disk / "device/vendor"), _text(disk / "device/model"))))
    return Volume(
        mountpoint=mount.place if mount else "",
        device=device,
        filesystem=filesystem.lower(),
        label=label,
        size=int(_text(node / "size") or 0) * 512,
        free=_free(mount.place) if mount else 0,
        removable=_removable(disk),
        system=bool(set(_disks(node)) & _system_disks(root, table)),
        read_only=mount.read_only if mount else _text(node / "ro") == "1",
        disk="/dev/" + disk.name.replace("!", "/"),
        model=model or _text(disk / "device/name"),
        serial=_text(disk / "device/serial") or _text(disk / "serial"),
        sequence=_text(disk / "diskseq"),
    )


def partitions(volume: Volume, root: Path = Path("/")) -> list[str]:
    """The partitions on the device of *volume*; none where it is a partition itself."""
    node = (root / "sys/class/block" / os.path.basename(volume.device)).resolve()
    return sorted("/dev/" + p.parent.name for p in node.glob("*/partition"))


def users(volume: Volume, root: Path = Path("/")) -> list[str]:
    """What the kernel has made of the device of *volume*, or of a part of it: an opened encryption, a RAID, LVM."""
    node = (root / "sys/class/block" / os.path.basename(volume.device)).resolve()
    found = [*node.glob("holders/*"), *node.glob("*/holders/*")]
    return sorted({_text(one / "dm/name") or one.name for one in found})
