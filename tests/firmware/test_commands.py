"""``ipc firmware``, as typed."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner, Result

from sunmi_ipc import firmware
from sunmi_ipc.discovery import DiscoveredCamera, memory
from sunmi_ipc.firmware import Volume
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import VirtualCamera

from .conftest import LABEL, MAC, RealCard

CONTENT = random.Random(3).randbytes(2_000_001)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def ipc(*args: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["firmware", *map(str, args)], prog_name="ipc", env=env)


def ok(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result, code: int, *words: str) -> None:
    assert result.exit_code == code, (result.stdout, result.stderr)
    for word in words:
        assert word in result.stderr


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "SUNMI_FM020_1.8.4.bin"
    path.write_bytes(CONTENT)
    return path


def test_prepare_check_clean(card: Volume, see: Callable[[Volume], None], image: Path) -> None:
    see(card)
    place = card.mountpoint
    empty = ok(ipc("check", place, "--mac", MAC, "--json"))
    assert (empty["ok"], empty["up_bin"], empty["label"]) == (True, None, LABEL)
    done = ok(ipc("prepare", place, "--mac", MAC, "--image", image, "--json"))
    assert (done["bytes"], done["sha256"], done["label"]) == (len(CONTENT), DIGEST, LABEL)
    assert done["model"] is None
    assert Path(done["path"]).read_bytes() == CONTENT
    full = ok(ipc("check", place, "--mac", MAC, "--image", image, "--json"))
    assert full["up_bin"]["sha256"] == DIGEST
    assert full["volume"]["label"] == LABEL
    assert ok(ipc("clean", place, "--json")) == {"removed": ["up.bin"]}
    assert ok(ipc("clean", place, "--json")) == {"removed": []}
    refused(ipc("check", place, "--image", image, "--json"), 1)


def test_for_people(card: Volume, see: Callable[[Volume], None], image: Path) -> None:
    see(card)
    said = ipc("prepare", card.mountpoint, "--mac", MAC, "--image", image).output
    assert DIGEST in said
    assert "Eject the card" in said
    assert "FM020 by its name" in said
    shown = ipc("check", card.mountpoint).output
    assert "✓ the card is right, and will start an update" in shown
    chinese = ipc("check", card.mountpoint, env={"LANG": "zh_CN.UTF-8"}).output
    assert "✓ 卡没有问题" in chinese
    assert ipc("-q", "check", card.mountpoint).output == ""
    assert "removed: up.bin" in ipc("clean", card.mountpoint).output


def test_check_tells_what_is_wrong(
    card: Volume, see: Callable[[Volume], None], image: Path, tmp_path: Path
) -> None:
    see(replace(card, label="sunmi\uff0d4a5b", read_only=True))
    done = ipc("check", card.mountpoint, "--mac", MAC, "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert not document["ok"]
    label, lock = document["problems"]
    assert "FULLWIDTH HYPHEN-MINUS" in label["message"]
    assert LABEL in label["hint"]
    assert "lock switch" in lock["hint"]
    shown = ipc("check", card.mountpoint, "--mac", MAC).output
    assert shown.count("✗") == shown.count("→") == 2
    see(card)
    assert ipc("prepare", card.mountpoint, "--mac", MAC, "--image", image).exit_code == 0
    other = tmp_path / "other.bin"
    other.write_bytes(CONTENT[::-1])
    done = ipc("check", card.mountpoint, "--image", other, "--json")
    assert done.exit_code == 1
    assert "is not this image" in json.loads(done.stdout)["problems"][0]["message"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"system": True}, ["runs from"]),
        ({"removable": False}, ["not removable"]),
        ({"filesystem": "vfat"}, ["vfat", "mkfs.exfat -L SUNMI-4A5B"]),
        ({"label": "sunmi-4a5b"}, ["lower-case", "exfatlabel"]),
        ({"label": "SUNMI\uff0d4A5B"}, ["FULLWIDTH HYPHEN-MINUS"]),
        ({"label": "SUNMI-0000"}, ["another camera"]),
        ({"free": 100}, ["100 bytes free"]),
        ({"read_only": True}, ["write-protected"]),
    ],
)
def test_prepare_refuses(
    card: Volume, see: Callable[[Volume], None], image: Path, changes: dict[str, Any], words: list[str]
) -> None:
    see(replace(card, **changes))
    done = ipc("prepare", card.mountpoint, "--mac", MAC, "--image", image, "--json")
    refused(done, 2, *words)
    assert json.loads(done.stdout)["error"]["type"] == "CardError"
    assert list(Path(card.mountpoint).iterdir()) == []


def test_prepare_refuses_what_it_is_given(
    card: Volume, see: Callable[[Volume], None], image: Path, tmp_path: Path
) -> None:
    see(card)
    place = card.mountpoint
    refused(ipc("prepare", place, "--image", image), 2, "which camera", "--mac")
    refused(ipc("prepare", place, "--image", image, "--mac", "4A5B"), 2, "not a MAC")
    refused(
        ipc("prepare", place, "--image", image, "--mac", MAC, "--model", "FM010"), 2, "not interchangeable"
    )
    refused(ipc("prepare", place, "--image", image, "--mac", MAC, "--model", "FM030"), 2, "no model FM030")
    refused(ipc("prepare", place, "--image", tmp_path / "nothing", "--mac", MAC), 2, "cannot be read")
    refused(ipc("prepare", place, "--mac", MAC), 2, "--image")
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as archive:
        archive.writestr("FM010.bin", CONTENT)
        archive.writestr("FM020.bin", CONTENT)
    refused(ipc("prepare", place, "--image", both, "--mac", MAC), 2, "FM010.bin, FM020.bin")
    assert list(Path(place).iterdir()) == []


def test_a_folder_is_no_card(image: Path, tmp_path: Path) -> None:
    """With the true reading of this computer: nothing is written, nothing is removed."""
    (tmp_path / "up.bin").write_bytes(b"mine")
    for arguments in (("prepare", tmp_path, "--mac", MAC, "--image", image), ("clean", tmp_path, "--yes")):
        refused(ipc(*arguments), 2, "is not a card")
    refused(ipc("clean", "/", "--yes"), 2)
    assert (tmp_path / "up.bin").read_bytes() == b"mine"


def test_clean_asks_where_the_label_is_another(card: Volume, see: Callable[[Volume], None]) -> None:
    see(replace(card, label="HOLIDAY"))
    (Path(card.mountpoint) / "up.bin").write_bytes(b"x")
    refused(ipc("clean", card.mountpoint), 2, "HOLIDAY", "--yes")
    assert ok(ipc("clean", card.mountpoint, "--yes", "--json")) == {"removed": ["up.bin"]}


def test_the_camera_tells_mac_and_model(
    card: Volume, see: Callable[[Volume], None], image: Path, virtual: Callable[..., VirtualCamera]
) -> None:
    camera = virtual(model="FM010")
    see(replace(card, label=f"SUNMI-{camera.state.mac.replace(':', '')[-4:]}"))
    env = camera.vendor.environment()
    done = ipc("prepare", card.mountpoint, "-c", camera.address, "--image", image, env=env)
    refused(done, 2, "the image is for the FM020 by its name, the camera is an FM010")
    fitting = image.rename(image.with_name("FM010.bin"))
    done = ipc("prepare", card.mountpoint, "-c", camera.address, "--image", fitting, "--json", env=env)
    assert ok(done)["model"] == "FM010"


def test_a_camera_that_no_longer_answers(card: Volume, see: Callable[[Volume], None], image: Path) -> None:
    """It was seen before it broke: its serial number will do, and its MAC tells the model."""
    memory.remember(
        [DiscoveredCamera(sn="FS101D8BS00106", ip="127.0.0.1", mac=MAC, model="FM010")], config_dir()
    )
    see(card)
    refused(ipc("prepare", card.mountpoint, "-c", "FS101D8BS00106", "--image", image), 2, "an FM010")
    refused(ipc("prepare", card.mountpoint, "--mac", MAC.lower(), "--image", image), 2, "an FM010")
    fitting = image.rename(image.with_name("FM010.bin"))
    done = ok(ipc("prepare", card.mountpoint, "-c", "FS101D8BS00106", "--image", fitting, "--json"))
    assert (done["label"], done["model"]) == (LABEL, "FM010")


def test_format(real_card: Callable[..., RealCard], image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = real_card("HOLIDAY")
    monkeypatch.setattr(firmware, "inspect", real.read)
    (real.mountpoint / "photo.jpg").write_bytes(b"x")
    arguments = ("prepare", real.mountpoint, "--mac", MAC, "--image", image)
    refused(ipc(*arguments), 2, "HOLIDAY", "exfatlabel")
    # Device, size and label are named before anything happens.
    refused(ipc(*arguments, "--format"), 2, real.device, "16.0 MB", "HOLIDAY", "--yes")
    inside = real.mountpoint / "FM020.bin"
    inside.write_bytes(CONTENT)
    on_card = ("prepare", real.mountpoint, "--mac", MAC, "--image", inside, "--format", "--yes")
    refused(ipc(*on_card), 2, "is on the card that would be formatted")
    large = image.with_name("large.bin")
    large.write_bytes(bytes(17_000_000))
    refused(ipc(*arguments[:-1], large, "--format", "--yes"), 2, "smaller than the image")
    assert (real.mountpoint / "photo.jpg").exists()
    done = ok(ipc(*arguments, "--format", "--yes", "--json"))
    assert (done["formatted"], done["sha256"]) == (True, DIGEST)
    assert [p.name for p in real.mountpoint.iterdir()] == ["up.bin"]
    assert real.read(real.mountpoint).label == LABEL


def test_guide_without_a_camera() -> None:
    said = ipc("guide", "--mac", MAC).output
    for words in (
        LABEL,
        "red, perhaps blinking (it is updating)",
        "4 to 6 minutes",
        "green",
        "Reset",
        "ipc firmware clean",
    ):
        assert words in said
    steps = ok(ipc("guide", "--json"))
    assert len(steps["steps"]) == 7
    assert steps["camera"] is None
    assert "红色" in ipc("guide", env={"LANG": "zh_CN.UTF-8"}).output


@pytest.mark.slow
def test_guide_follows_the_camera(
    virtual: Callable[..., VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual(udp=True)
    env = camera.vendor.environment()
    asked = iter(range(1_000_000))
    original = camera.answer

    def answer(*args: Any) -> Any:
        if next(asked) == 2:  # told, read again, gone
            camera.update_firmware(seconds=3)
        return original(*args)

    monkeypatch.setattr(camera, "answer", answer)
    quick = ("--settle", "0.1", "--timeout", "20", "--gone-timeout", "20")
    done = ok(ipc("guide", "-c", camera.address, "--json", *quick, env=env))
    seen = done["camera"]
    assert (seen["before"], seen["after"], seen["changed"]) == ("1.8.2", "1.8.3", True)
    # What discovery says will do where the camera does not let us in.
    asked = iter(range(1_000_000))
    camera.state.activated = False
    said = ipc("guide", "-c", camera.sn, *quick, env=env)
    assert "firmware 1.8.3 → 1.8.4" in said.output, said.output


def test_guide_for_a_camera_that_cannot_be_reached() -> None:
    said = ipc("guide", "-c", "127.0.0.1:1", env={"SUNMI_IPC_APP_ID": "x"})
    assert said.exit_code == 0
    assert "not followed" in said.stderr
    assert "Reset" in said.stdout
