"""Cards: a plain directory that says it is one, and a real exFAT file system on a loop device."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sunmi_ipc import firmware
from sunmi_ipc.firmware import Volume, linux

MAC = "02:53:4D:10:4A:5B"
LABEL = "SUNMI-4A5B"


@pytest.fixture
def card(tmp_path: Path) -> Volume:
    """A directory that passes for a card."""
    place = tmp_path / "card"
    place.mkdir()
    return Volume(
        mountpoint=str(place),
        device="/dev/does-not-exist",
        filesystem="exfat",
        label=LABEL,
        size=32_000_000_000,
        free=31_000_000_000,
        removable=True,
        system=False,
        read_only=False,
        model="Test reader",
    )


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Callable[[Volume], None]:
    """Have every place be this volume: a directory cannot be made removable."""

    def as_(volume: Volume) -> None:
        monkeypatch.setattr(firmware, "inspect", lambda place: volume)

    return as_


@dataclass
class RealCard:
    """An exFAT file system in a file, on a loop device."""

    backing: Path
    device: str
    mountpoint: Path
    in_user_space: bool

    def read(self, place: str | os.PathLike[str]) -> Volume:
        """The true reading, but for the one thing that a loop device cannot be."""
        return replace(linux.read(os.fspath(place)), removable=True)


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def attach(backing: Path) -> str:
    for attempt in range(20):  # another process may take the free one first
        try:
            return command("losetup", "--find", "--show", str(backing))
        except subprocess.CalledProcessError as error:
            if attempt == 19:
                pytest.skip(f"no loop device: {error.stderr.strip()}")
    raise AssertionError


def mount(device: str, place: Path) -> bool:
    """Mount, by the kernel or in user space; whether in user space."""
    try:
        command("mount", "-t", "exfat", device, str(place))
    except subprocess.CalledProcessError as error:
        if shutil.which("mount.exfat-fuse") is None:
            pytest.skip(
                f"exFAT cannot be mounted: {error.stderr.strip().splitlines()[0]}; no exfat-fuse either"
            )
        command("mount.exfat-fuse", device, str(place))
        return True
    return False


@pytest.fixture
def real_card(tmp_path: Path) -> Iterator[Callable[..., RealCard]]:
    """Make real cards: ``real_card(label="SUNMI-4A5B", megabytes=16)``."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a loop device takes root")
    for needed in ("mkfs.exfat", "losetup", "blkid"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    made: list[RealCard] = []

    def make(label: str = LABEL, megabytes: int = 16) -> RealCard:
        backing, place = tmp_path / f"card{len(made)}.img", tmp_path / f"mnt{len(made)}"
        place.mkdir()
        with backing.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        command("mkfs.exfat", "-L", label, str(backing))
        device = attach(backing)
        made.append(RealCard(backing, device, place, False))
        made[-1].in_user_space = mount(device, place)
        return made[-1]

    yield make
    for each in made:
        while subprocess.run(["umount", "--lazy", str(each.mountpoint)], capture_output=True).returncode == 0:
            pass
        subprocess.run(["losetup", "--detach", each.device], capture_output=True)
