"""A few cameras of those that ``tests/survey/tour.py`` goes through: probe, corrections, the whole tour of commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from sunmi_ipc.simulator import Vendor
from sunmi_ipc.simulator.faults import KINDS

from . import tour

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("seed", "model", "lang"),
    [(6, "FM020", "en"), (7, "FM020", "zh"), (14, "FM010", "zh"), (3, "FM010", "en")],
)
def test_the_commands_of_another_firmware(
    seed: int, model: str, lang: str, vendor: Vendor, tmp_path: Path
) -> None:
    made = tour.firmware(vendor, tmp_path, seed, model, lang)
    print(made)
    assert made.troubles == []
    assert made.found == made.spellable > 25
    assert made.changes == 0
    assert made.calls <= 400
    assert made.passed == made.commands > 10


#: Lines that read, write, fetch a file, wait, and look at two things.
SOME = ("info", "wifi show", "image led off", "lens zoom 60", "detection set --motion 3 --days mon,fri --from 22:00 --to 06:00",
        "face group list", "video snapshot -o OUT/snapshot.jpg", "events list", "sdcard status")  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "fault", ["code=3", "drop", "garble", "http=404", "huge=30000000", "lost", "dirty", "hang"]
)
def test_a_fault_is_told_in_time(
    fault: str, lang: str, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNMI_IPC_TIMEOUT", "2")
    assert tour.once(vendor, tmp_path, fault, "FM020", lang, SOME) == []


def test_every_kind_of_fault_is_in_the_tour() -> None:
    assert {fault.partition("=")[0] for fault in tour.FAULTS} == set(KINDS)


def test_every_command_that_calls_a_camera_is_in_the_tour() -> None:
    lines = tour.lines("FM020")
    left = {key for key in tour.USES if not any(line == key or line.startswith(f"{key} ") for line in lines)}
    # These begin elsewhere (out of the box), or do not end.
    assert left == {"activate", "wifi set", "events listen"}
