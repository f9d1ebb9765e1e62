"""Copy, read back, compare; cards that are full, lie, or are pulled out."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import random
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import CardError, CardWriteError
from sunmi_ipc.firmware import (
    Image,
    Volume,
    clean,
    copying,
    examine,
    formatted,
    formatting,
    install,
    read_image,
    require,
)

from .conftest import LABEL, RealCard

CONTENT = random.Random(2).randbytes(5_000_123)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    path = tmp_path / "FM020.bin"
    path.write_bytes(CONTENT)
    return read_image(path)


def names(volume: Volume) -> list[str]:
    return sorted(os.listdir(volume.mountpoint))


def test_install(card: Volume, image: Image) -> None:
    told: list[tuple[str, int, int]] = []
    place = Path(card.mountpoint)
    (place / "UP.BIN").write_bytes(b"old")
    (place / "photo.jpg").write_bytes(b"kept")
    done = install(image, card, on_progress=lambda *step: told.append(step))
    assert names(card) == ["photo.jpg", "up.bin"]
    assert (place / "up.bin").read_bytes() == CONTENT
    assert done.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (done.path, done.size) == (place / "up.bin", len(CONTENT))
    for phase in ("copy", "verify"):
        steps = [(n, total) for p, n, total in told if p == phase]
        assert steps == sorted(steps)
        assert steps[-1] == (len(CONTENT), len(CONTENT))
        assert len(steps) >= 5


def test_no_room(card: Volume, image: Image) -> None:
    with pytest.raises(CardError, match="5,000,122 bytes free"):
        install(image, replace(card, free=len(CONTENT) - 1))
    assert names(card) == []


def test_pulled_out_half_way(card: Volume, image: Image) -> None:
    """The copy ends, then the card is gone: reading back fails, and nobody is told that it worked."""

    def pull(phase: str, done: int, total: int) -> None:
        if done == total:
            shutil.rmtree(card.mountpoint)

    with pytest.raises(CardWriteError, match="pulled out"):
        install(image, card, on_progress=pull)


@pytest.mark.parametrize("where", ["copy", "verify"])
def test_interrupted(card: Volume, image: Image, where: str) -> None:
    (Path(card.mountpoint) / "up.bin").write_bytes(b"old")

    def stop(phase: str, done: int, total: int) -> None:
        if phase == where:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(image, card, on_progress=stop)
    assert names(card) == ["up.bin"]
    assert (Path(card.mountpoint) / "up.bin").read_bytes() == b"old"


def test_an_image_that_breaks_on_the_way(card: Volume, image: Image) -> None:
    def shrink(phase: str, done: int, total: int) -> None:
        os.truncate(image.path, done)

    with pytest.raises(CardError, match="broken"):
        install(image, card, on_progress=shrink)
    assert names(card) == []


def test_clean(card: Volume) -> None:
    for name in ("up.bin", "UP.BIN.part", "._up.bin", "up.bin.txt", "backup.bin"):
        (Path(card.mountpoint) / name).write_bytes(b"x")
    assert clean(replace(card, label="NO NAME")) == ["._up.bin", "UP.BIN.part", "up.bin"]
    assert names(card) == ["backup.bin", "up.bin.txt"]
    assert clean(card) == []
    for wrong in ({"removable": False}, {"system": True}, {"read_only": True}, {"mountpoint": ""}):
        with pytest.raises(CardError):
            clean(replace(card, **wrong))  # type: ignore[arg-type]


# -- a real file system --------------------------------------------------------------------------


def test_real_card(real_card: Callable[..., RealCard], image: Image) -> None:
    real = real_card()
    volume = real.read(real.mountpoint)
    assert (volume.filesystem, volume.label, volume.device) == ("exfat", LABEL, real.device)
    assert not volume.system
    assert 12_000_000 < volume.free < volume.size == 16_000_000
    require(volume, LABEL)
    (real.mountpoint / "UP.BIN").write_bytes(b"old")
    done = install(image, volume)
    assert done.read_back == "medium"
    assert names(volume) == ["up.bin"]
    # What counts is what is there when the card is put in again.
    cycle(real)
    assert (real.mountpoint / "up.bin").read_bytes() == CONTENT
    assert copying.digest(real.mountpoint / "up.bin", volume)[0] == done.sha256
    assert clean(volume) == ["up.bin"]
    assert names(volume) == []


def cycle(real: RealCard) -> None:
    from .conftest import command, mount

    command("umount", str(real.mountpoint))
    mount(real.device, real.mountpoint)


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("sunmi-4a5b", "lower-case"),
        ("SUNMI\uff0d4A5B", "FULLWIDTH HYPHEN-MINUS"),
        ("SUNMI-0000", "another camera"),
        ("", "no label"),
    ],
)
def test_real_labels(real_card: Callable[..., RealCard], label: str, word: str) -> None:
    real = real_card(label)
    (error,) = examine(real.read(real.mountpoint), LABEL)
    assert word in str(error)
    assert f"exfatlabel {real.device} {LABEL}" in str(error)


def test_real_card_that_is_full(real_card: Callable[..., RealCard], image: Image) -> None:
    real = real_card(megabytes=4)
    volume = real.read(real.mountpoint)
    with pytest.raises(CardError, match="bytes free"):
        install(image, volume)
    # The room was taken by somebody else after we looked.
    with pytest.raises(CardWriteError, match="is full"):
        install(image, replace(volume, free=1 << 30))
    assert names(volume) == []


def test_real_card_that_loses_what_was_written(
    real_card: Callable[..., RealCard], image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a card that is smaller than it says: only the medium knows, this computer's memory does not."""
    real = real_card()
    (real.mountpoint / "up.bin").write_bytes(b"old")
    original = copying.digest

    def lose(*args: object, **options: object) -> object:
        with real.backing.open("r+b") as file:
            content = file.read()
            at = content.index(CONTENT[-8192:-4096])
            file.seek(at)
            file.write(bytes(4096))
        return original(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "digest", lose)
    with pytest.raises(CardWriteError, match="something else"):
        install(image, real.read(real.mountpoint))
    assert os.listdir(real.mountpoint) == ["up.bin"]
    assert (real.mountpoint / "up.bin").read_bytes() == b"old"


@pytest.mark.parametrize("phase", ["copy", "verify"])
def test_real_card_pulled_out(real_card: Callable[..., RealCard], image: Image, phase: str) -> None:
    real = real_card()
    if not real.in_user_space:
        pytest.skip("a kernel's file system cannot be pulled from under a test")
    volume = real.read(real.mountpoint)
    (server,) = (
        int(p.parent.name)
        for p in Path("/proc").glob("[0-9]*/cmdline")
        if p.parent.name != str(os.getpid())
        and b"mount.exfat-fuse\0" + real.device.encode() in p.read_bytes()
    )

    def pull(now: str, done: int, total: int) -> None:
        if now == phase and done > total / 2:
            os.kill(server, signal.SIGKILL)

    with pytest.raises(CardWriteError, match="pulled out"):
        install(image, volume, on_progress=pull)


def test_real_format(real_card: Callable[..., RealCard], image: Image) -> None:
    real = real_card("NO NAME")
    (real.mountpoint / "photo.jpg").write_bytes(b"lost")
    with formatted(real.read(real.mountpoint), LABEL, inspect=real.read) as volume:
        require(volume, LABEL)
        assert volume.mountpoint == str(real.mountpoint)
        assert names(volume) == []
        install(image, volume)
    assert (real.mountpoint / "up.bin").read_bytes() == CONTENT


def test_real_format_of_a_card_that_is_not_mounted(real_card: Callable[..., RealCard], image: Image) -> None:
    from .conftest import command

    real = real_card("NO NAME")
    command("umount", str(real.mountpoint))
    volume = real.read(real.device)
    assert volume.mountpoint == ""
    with formatted(volume, LABEL, inspect=real.read) as card:
        require(card, LABEL)
        install(image, card)
    assert not os.path.exists(card.mountpoint)
    assert real.read(real.device).label == LABEL
    assert real.read(real.device).mountpoint == ""


def test_a_card_that_is_not_mounted_any_more(real_card: Callable[..., RealCard], image: Image) -> None:
    """The folder that is left where it was mounted is this computer's disk."""
    from .conftest import command

    real = real_card()
    volume = real.read(real.mountpoint)
    (real.mountpoint / "up.bin").write_bytes(b"old")
    command("umount", str(real.mountpoint))
    (real.mountpoint / "up.bin").write_bytes(b"mine")
    with pytest.raises(CardError, match="not mounted any more"):
        install(image, volume)
    with pytest.raises(CardError, match="not mounted any more"):
        clean(volume)
    assert (real.mountpoint / "up.bin").read_bytes() == b"mine"
    assert os.listdir(real.mountpoint) == ["up.bin"]


def test_format_refuses_what_is_no_card(card: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong, word in (
        ({"system": True}, "runs from"),
        ({"removable": False}, "not removable"),
        ({}, "takes root|not installed"),
    ):
        with pytest.raises(CardError, match=word):
            formatting.check(replace(card, **wrong), LABEL)  # type: ignore[arg-type]
    monkeypatch.setattr(formatting.sys, "platform", "darwin")
    with pytest.raises(CardError, match=r"Linux only\. .*diskutil eraseVolume"):
        formatting.check(card, LABEL)
    monkeypatch.undo()
    monkeypatch.setattr(formatting, "partitions", lambda volume: ["/dev/sdb1", "/dev/sdb2"])
    with pytest.raises(CardError, match="/dev/sdb1, /dev/sdb2"):
        formatting.check(card, LABEL)
    monkeypatch.setattr(formatting, "partitions", lambda volume: [])
    monkeypatch.setattr(formatting, "users", lambda volume: ["luks-photos"])
    with pytest.raises(CardError, match="luks-photos"):
        formatting.check(card, LABEL)


@pytest.fixture
def formatter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """Format a card that is *then* another; what was run, by name."""
    monkeypatch.setattr(formatting, "check", lambda volume, label: None)
    monkeypatch.setattr(formatting, "mounts", list)
    device = tmp_path / "sdb1"
    device.touch()

    def run(shown: Volume, then: Volume) -> list[str]:
        ran: list[str] = []

        def look(place: str) -> Volume:
            return dataclasses.replace(then, device=shown.device)

        def do(command: Sequence[str]) -> bytes:
            ran.append(command[0])
            return b""

        with (
            contextlib.suppress(CardError),
            formatting.formatted(dataclasses.replace(shown, device=str(device)), LABEL, inspect=look, run=do),
        ):
            pass
        return ran

    def same_device(shown: Volume, then: Volume) -> list[str]:
        return run(dataclasses.replace(shown, device=str(device)), then)

    return same_device


@pytest.mark.parametrize(
    "other",
    [
        {"size": 4 << 40}, {"model": "WD Backup"}, {"serial": "2"}, {"sequence": "12"}, {"removable": False},
        {"system": True}, {"label": "BACKUP"}, {"filesystem": "ext4"}, {"disk": "/dev/sdc"},
    ],
)  # fmt: skip
def test_formatting_looks_again(card: Volume, formatter: Any, other: dict[str, Any]) -> None:
    shown = dataclasses.replace(card, serial="1", sequence="11", disk="/dev/sdb")
    assert "mkfs.exfat" in formatter(shown, shown)
    assert formatter(shown, dataclasses.replace(shown, **other)) == []


def test_the_open_device_tells_its_own_number(
    card: Volume, formatter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = dataclasses.replace(card, sequence="11")
    monkeypatch.setattr(formatting, "_sequence", lambda handle: "12")
    assert formatter(shown, shown) == []


def test_a_card_that_was_changed_while_the_question_stood_is_not_cleaned(
    card: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc_cli.firmware import commands
    from sunmi_ipc_cli.state import State
    from typer.testing import CliRunner

    from sunmi_ipc import firmware

    other = dataclasses.replace(card, label="HOLIDAY")
    (Path(card.mountpoint) / "up.bin").write_bytes(b"x")
    seen = [other, dataclasses.replace(other, sequence="99")]
    monkeypatch.setattr(firmware, "inspect", lambda place: seen.pop(0) if len(seen) > 1 else seen[0])
    monkeypatch.setattr(commands, "confirm", lambda *_: None)
    result = CliRunner().invoke(commands.app, ["clean", card.mountpoint], obj=State())
    assert isinstance(result.exception, CardError)
    assert (Path(card.mountpoint) / "up.bin").exists()


@pytest.mark.parametrize("told", ["by the device", "by the system"])
def test_a_card_that_is_changed_while_the_old_one_is_unmounted(
    card: Volume, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    """A reader keeps its name, and an open device too, when another card is put in."""
    device = tmp_path / "sdb1"
    device.touch()
    shown = dataclasses.replace(card, device=str(device), sequence="11")
    ran: list[str] = []
    now = {"sequence": "11"}

    def do(command: Sequence[str]) -> bytes:
        ran.append(command[0])
        now["sequence"] = "12"
        return b""

    from sunmi_ipc.firmware import linux

    number = os.stat(device).st_rdev
    mount = linux.Mount(
        f"{os.major(number)}:{os.minor(number)}", "/", "/media/x", "exfat", str(device), False
    )
    monkeypatch.setattr(formatting, "check", lambda volume, label: None)
    monkeypatch.setattr(formatting, "mounts", lambda: [mount])
    monkeypatch.setattr(
        formatting, "_sequence", lambda handle: now["sequence"] if told == "by the device" else ""
    )
    inspect = lambda place: dataclasses.replace(shown, **now if told == "by the system" else {})  # noqa: E731
    with (
        pytest.raises(CardError, match="another disk"),
        formatting.formatted(shown, LABEL, inspect=inspect, run=do),
    ):
        pass
    assert ran == ["umount"]
