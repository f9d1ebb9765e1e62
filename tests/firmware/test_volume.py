"""What the systems say of a card, recorded, and what we make of it."""

from __future__ import annotations

import ctypes
import json
import plistlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import CardError
from sunmi_ipc.firmware import card, inspect, linux, macos, windows
from sunmi_ipc.firmware.volume import run as run_for_real

MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
25 22 179:1 / /boot/firmware rw,relatime shared:30 - vfat /dev/mmcblk0p1 rw,fmask=0022
31 22 8:17 / /media/shop/SUNMI-4A5B rw,nosuid,nodev,relatime shared:50 - exfat /dev/sdb1 rw,fmask=0022,iocharset=utf8
32 22 8:33 / /media/shop/my\\040card ro,nosuid,nodev,relatime shared:51 - fuseblk /dev/sdc1 rw,user_id=0
33 22 179:33 / /media/shop/\\345\\215\\241 rw,nosuid,nodev,relatime shared:52 - exfat /dev/mmcblk1p1 rw
34 22 179:65 / /media/shop/emmc rw,relatime shared:53 - ext4 /dev/mmcblk2p1 rw
35 22 0:50 / /media/shop/ram rw,relatime - tmpfs tmpfs rw
37 22 8:81 / /home/shop/card rw,relatime - exfat /dev/sdf1 rw
36 22 8:49 / /media/shop/usbdisk rw,relatime - exfat /dev/sdd1 rw
"""
SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sde2                               partition\t999\t0\t-2\n"


@pytest.fixture
def computer(tmp_path: Path) -> Path:
    """The /proc and /sys of a small computer: root on LVM, boot on an SD card, readers of both kinds."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(MOUNTINFO)
    (tmp_path / "proc/swaps").write_text(SWAPS)
    for folder in ("sys/dev/block", "sys/class/block"):
        (tmp_path / folder).mkdir(parents=True)

    def node(path: str, number: str, **files: str) -> Path:
        made = tmp_path / "sys/devices" / path
        made.mkdir(parents=True, exist_ok=True)
        for name, text in {"dev": number, "size": "62333952", "ro": "0"}.items():
            (made / name).write_text(text + "\n")
        for name, text in files.items():
            file = made / name.replace("__", "/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text + "\n")
        for link in (tmp_path / "sys/dev/block" / number, tmp_path / "sys/class/block" / made.name):
            link.symlink_to(made)
        return made

    def disk(name: str, number: str, part: str, part_number: str, removable: str, **files: str) -> None:
        node(f"block/{name}", number, removable=removable, **files)
        node(f"block/{name}/{part}", part_number, partition="1")

    disk("sda", "8:0", "sda3", "8:3", "0")
    disk(
        "sdb",
        "8:16",
        "sdb1",
        "8:17",
        "1",
        diskseq="7",
        device__model="STORAGE DEVICE",
        device__vendor="Generic",
    )
    disk("sdc", "8:32", "sdc1", "8:33", "1")
    disk("sdd", "8:48", "sdd1", "8:49", "0", device__model="My Passport")
    disk("sde", "8:64", "sde2", "8:66", "1")
    disk("sdf", "8:80", "sdf1", "8:81", "1")
    disk("mmcblk0", "179:0", "mmcblk0p1", "179:1", "0", device__type="SD", device__name="SC16G")
    disk("mmcblk1", "179:32", "mmcblk1p1", "179:33", "0", device__type="SD", device__name="SN64G")
    disk("mmcblk2", "179:64", "mmcblk2p1", "179:65", "0", device__type="MMC")
    root = node("virtual/block/dm-0", "254:0")
    (root / "slaves").mkdir()
    (root / "slaves/sda3").symlink_to(tmp_path / "sys/devices/block/sda/sda3")
    return tmp_path


def says(filesystem: str, label: str, *, root: bool = True) -> Callable[[Sequence[str]], bytes]:
    """blkid where one is root, else only lsblk, as they print it."""

    def run(words: Sequence[str]) -> bytes:
        if words[0] == "blkid":
            if not root:
                raise ValueError("blkid: error: /dev/sdb1: Permission denied")
            if "LABEL" in words and not label:
                raise ValueError("exit 2")
            return ((label if "LABEL" in words else filesystem) + "\n").encode()
        assert words[0] == "lsblk"
        return json.dumps(
            {"blockdevices": [{"fstype": filesystem or None, "label": label or None}]}, ensure_ascii=False
        ).encode()

    return run


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux, "_free", lambda place: 31_000_000_000)


@pytest.mark.parametrize("root", [True, False])
def test_linux_usb_reader(computer: Path, root: bool) -> None:
    seen = linux.read("/media/shop/SUNMI-4A5B", root=computer, run=says("exfat", "SUNMI-4A5B", root=root))
    assert seen.as_dict() == {
        "mountpoint": "/media/shop/SUNMI-4A5B",
        "device": "/dev/sdb1",
        "filesystem": "exfat",
        "label": "SUNMI-4A5B",
        "size": 31_914_983_424,
        "free": 31_000_000_000,
        "removable": True,
        "system": False,
        "read_only": False,
        "disk": "/dev/sdb",
        "model": "Generic STORAGE DEVICE",
        "serial": "",
        "sequence": "7",
    }
    assert card.examine(seen, "SUNMI-4A5B") == []
    assert linux.read("/dev/sdb1", root=computer, run=says("exfat", "SUNMI-4A5B")) == seen


def test_linux_a_card_that_is_part_of_something(computer: Path) -> None:
    """An opened encryption or a RAID on it is not seen in the mount table, and would be formatted away under it."""
    volume = linux.read("/dev/sdb1", root=computer, run=says("", ""))
    assert linux.users(volume, root=computer) == []
    holders = computer / "sys/devices/block/sdb/sdb1/holders"
    for name in ("md0", "dm-3"):
        (holders / name).mkdir(parents=True)
    (holders / "dm-3/dm").mkdir()
    (holders / "dm-3/dm/name").write_text("luks-photos\n")
    assert linux.users(volume, root=computer) == ["luks-photos", "md0"]
    whole = replace(volume, device="/dev/sdb")
    assert linux.users(whole, root=computer) == ["luks-photos", "md0"]


@pytest.mark.parametrize("label", ["SUNMI-4A5B", "sunmi 卡", ""])
def test_linux_labels_as_written(computer: Path, label: str) -> None:
    for root in (True, False):
        run = says("exfat", label, root=root)
        assert linux.read("/media/shop/SUNMI-4A5B", root=computer, run=run).label == label


def test_linux_built_in_reader_and_soldered_memory(computer: Path) -> None:
    """Both say 0 to "removable"; the card's type tells them apart."""
    builtin = linux.read("/media/shop/卡", root=computer, run=says("exfat", "SUNMI-4A5B"))
    assert (builtin.device, builtin.removable, builtin.system) == ("/dev/mmcblk1p1", True, False)
    assert builtin.model == "SN64G"
    soldered = linux.read("/media/shop/emmc", root=computer, run=says("ext4", ""))
    assert (soldered.removable, soldered.system) == (False, False)


def test_linux_card_mounted_in_a_home(computer: Path) -> None:
    seen = linux.read("/home/shop/card", root=computer, run=says("exfat", "SUNMI-4A5B"))
    assert card.examine(seen, "SUNMI-4A5B") == []


def test_linux_usb_disk_is_no_card(computer: Path) -> None:
    seen = linux.read("/media/shop/usbdisk", root=computer, run=says("exfat", "SUNMI-4A5B"))
    assert "not removable" in str(card.examine(seen, "SUNMI-4A5B")[0])


@pytest.mark.parametrize(
    "place", ["/", "/boot/firmware", "/dev/mmcblk0p1", "/dev/mmcblk0", "/dev/sda3", "/dev/sde2"]
)
def test_linux_never_a_system_disk(computer: Path, place: str) -> None:
    """Root on LVM, a system that runs from an SD card, swap: however they are named."""
    seen = linux.read(place, root=computer, run=says("exfat", "SUNMI-4A5B"))
    assert seen.system
    (only,) = card.examine(seen, "SUNMI-4A5B")
    assert "runs from" in str(only)


def test_linux_read_only_in_user_space(computer: Path) -> None:
    seen = linux.read("/media/shop/my card", root=computer, run=says("exfat", "SUNMI-4A5B"))
    assert (seen.filesystem, seen.read_only) == ("exfat", True)
    assert "write-protected" in str(card.examine(seen)[0])


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("/media/shop", "no mount point"),
        ("/media/shop/SUNMI-4A5B/folder", "no mount point"),
        ("/dev/nothing", "no mount point"),
        ("/media/shop/ram", "tmpfs"),
    ],
)
def test_linux_no_card(computer: Path, place: str, word: str) -> None:
    with pytest.raises(CardError, match=word):
        linux.read(place, root=computer, run=says("exfat", "SUNMI-4A5B"))


def test_linux_not_mounted_and_not_formatted(computer: Path) -> None:
    seen = linux.read("/dev/sdb", root=computer, run=says("", ""))
    assert (seen.mountpoint, seen.filesystem, seen.free) == ("", "", 0)
    assert [e.template for e in card.examine(seen)] == [
        "the card is not formatted, the camera reads exFAT",
        "the card in {device} is not mounted",
    ]
    assert linux.partitions(seen, computer) == ["/dev/sdb1"]


def test_this_computer_has_a_root_that_is_no_card(tmp_path: Path) -> None:
    with pytest.raises(CardError):
        inspect(tmp_path)  # a folder
    assert b"hello" in run_for_real(["echo", "hello"])
    with pytest.raises(ValueError, match="nosuch"):
        run_for_real(["ls", "/nosuch"])


DISKUTIL: dict[str, Any] = {
    "BusProtocol": "Secure Digital",
    "DeviceIdentifier": "disk4s1",
    "DeviceNode": "/dev/disk4s1",
    "Ejectable": True,
    "FilesystemName": "ExFAT",
    "FilesystemType": "exfat",
    "FreeSpace": 31_000_000_000,
    "Internal": True,
    "MediaName": "SDXC Reader Media",
    "MountPoint": "/Volumes/SUNMI-4A5B",
    "ParentWholeDisk": "disk4",
    "Removable": True,
    "RemovableMedia": True,
    "RemovableMediaOrExternalDevice": True,
    "SystemImage": False,
    "TotalSize": 31_914_983_424,
    "VolumeName": "SUNMI-4A5B",
    "WritableVolume": True,
}


def diskutil(**changes: Any) -> Callable[[Sequence[str]], bytes]:
    def run(words: Sequence[str]) -> bytes:
        assert list(words[:3]) == ["diskutil", "info", "-plist"]
        return plistlib.dumps(DISKUTIL | changes)

    return run


def test_macos() -> None:
    seen = macos.read("/Volumes/SUNMI-4A5B", run=diskutil())
    assert card.examine(seen, "SUNMI-4A5B") == []
    assert (seen.device, seen.disk, seen.free) == ("/dev/disk4s1", "/dev/disk4", 31_000_000_000)
    usb_disk = macos.read("/Volumes/X", run=diskutil(RemovableMedia=False, Removable=False, Internal=False))
    assert not usb_disk.removable
    system = macos.read("/", run=diskutil(MountPoint="/", FilesystemType="apfs"))
    assert system.system
    assert macos.read("/Volumes/X", run=diskutil(WritableVolume=False)).read_only
    assert macos.read("/dev/disk4s1", run=diskutil(MountPoint="")).mountpoint == ""


def test_macos_no_card() -> None:
    def failed(words: Sequence[str]) -> bytes:
        raise ValueError("Could not find disk: /Users/shop")

    with pytest.raises(CardError, match="Could not find disk"):
        macos.read("/Users/shop", run=failed)
    with pytest.raises(CardError, match="no mount point"):
        macos.read("/Users/shop", run=lambda words: b"not a plist")
    error = plistlib.dumps({"Error": True, "ErrorMessage": "no such disk"})
    with pytest.raises(CardError, match="no such disk"):
        macos.read("/Users/shop", run=lambda words: error)


class Kernel32:
    """Answers as Windows does for one drive; arguments as ctypes hands them over."""

    def __init__(
        self, *, kind: str = "exFAT", label: str = "SUNMI-4A5B", drive: int = 2, flags: int = 0
    ) -> None:
        self.kind, self.label, self.drive, self.flags = kind, label, drive, flags
        self.modes: list[int] = []

    def SetErrorMode(self, mode: int) -> int:
        self.modes.append(mode)
        return 0x8000

    def GetVolumePathNameW(self, path: str, buffer: Any, size: int) -> int:
        buffer.value = path[:3].upper()
        return 1

    def GetVolumeInformationW(
        self, root: str, label: Any, n: int, serial: Any, longest: Any, flags: Any, kind: Any, m: int
    ) -> int:
        assert ctypes.sizeof(label) >= n
        if not self.kind:
            return 0
        label.value, kind.value, flags._obj.value = self.label, self.kind, self.flags
        return 1

    def GetDriveTypeW(self, root: str) -> int:
        return self.drive

    def GetDiskFreeSpaceExW(self, root: str, free: Any, size: Any, all_free: Any) -> int:
        free._obj.value, size._obj.value = 31_000_000_000, 31_914_983_424
        return 1


def test_windows() -> None:
    library = Kernel32()
    seen = windows.read("e:", kernel32=library, system_drive="C:")
    assert card.examine(seen, "SUNMI-4A5B") == []
    assert (seen.mountpoint, seen.device, seen.free, seen.size) == (
        "e:\\",
        "e:",
        31_000_000_000,
        31_914_983_424,
    )
    assert library.modes == [1, 0x8000]
    assert not windows.read("E:\\", kernel32=Kernel32(drive=3), system_drive="C:").removable
    assert windows.read("C:\\", kernel32=Kernel32(drive=2), system_drive="C:").system
    assert windows.read("E:", kernel32=Kernel32(flags=0x80000), system_drive="C:").read_only
    with pytest.raises(CardError, match="no mount point"):
        windows.read("E:\\folder", kernel32=Kernel32(), system_drive="C:")
    with pytest.raises(CardError, match="cannot read"):
        windows.read("E:", kernel32=Kernel32(kind=""), system_drive="C:")
