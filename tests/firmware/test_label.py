"""Labels: what people and input methods make of SUNMI-XXXX."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.firmware import Volume, examine, label_for
from sunmi_ipc.firmware import card as cards
from sunmi_ipc.firmware.label import problem


@pytest.mark.parametrize("mac", ["02:53:4D:10:4A:5B", "02-53-4d-10-4a-5b", "0253.4d10.4a5b", "02534D104A5B"])
def test_label_of_a_mac(mac: str) -> None:
    assert label_for(mac) == "SUNMI-4A5B"


@pytest.mark.parametrize("mac", ["", "4A5B", "02:53:4D:10:4A:5G", "02:53:4D:10:4A:5B:00", "SUNMI-4A5B"])
def test_no_mac(mac: str) -> None:
    with pytest.raises(ParameterError, match="not a MAC"):
        label_for(mac)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("", ["no label"]),
        ("  ", ["no label"]),
        ("sunmi-4a5b", ["lower-case"]),
        ("SUNMI-4a5b", ["lower-case"]),
        ("SUNMI\uff0d4A5B", ["FULLWIDTH HYPHEN-MINUS", "U+FF0D"]),
        ("SUNMI\u20144A5B", ["EM DASH", "U+2014"]),
        ("SUNMI\u22124A5B", ["MINUS SIGN"]),
        ("SUNMI\u30fc4A5B", ["KATAKANA-HIRAGANA PROLONGED SOUND MARK"]),
        ("sunmi\uff0d4a5b", ["FULLWIDTH HYPHEN-MINUS", "lower-case"]),
        ("ＳＵＮＭＩ-4A5B", ["full-width"]),
        ("SUNMI-4A5B ", ["blanks"]),
        ("SUNMI_4A5B", ["underscore"]),
        ("SUNMI-0000", ["another camera's"]),
        ("NO NAME", ["is NO NAME"]),
        ("SUNMI-4A5", ["is SUNMI-4A5"]),
    ],
)
def test_wrong_labels_are_told_by_name(label: str, words: list[str]) -> None:
    error = problem(label, "SUNMI-4A5B")
    assert error is not None
    assert "SUNMI-4A5B" in error.message
    for word in words:
        assert word in error.message
    assert error.localized("zh")[0] != error.message


def test_right_labels() -> None:
    assert problem("SUNMI-4A5B", "SUNMI-4A5B") is None
    assert problem("SUNMI-4A5B") is None
    assert "lower-case" in str(problem("SUNMI-4a5b"))
    assert problem("NO NAME") is not None


@pytest.mark.parametrize(
    ("system", "rename", "wipe"),
    [
        ("linux", "exfatlabel /dev/sdb1 SUNMI-4A5B", "mkfs.exfat -L SUNMI-4A5B /dev/sdb1"),
        ("darwin", "diskutil rename /dev/sdb1 SUNMI-4A5B", "diskutil eraseVolume ExFAT SUNMI-4A5B /dev/sdb1"),
        ("win32", "label /dev/sdb1 SUNMI-4A5B", "format /dev/sdb1 /FS:exFAT /V:SUNMI-4A5B /Q"),
    ],
)
def test_every_system_is_told_its_own_commands(
    card: Volume, monkeypatch: pytest.MonkeyPatch, system: str, rename: str, wipe: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    there = replace(card, device="/dev/sdb1")
    (label,) = examine(replace(there, label="sunmi-4a5b"), "SUNMI-4A5B")
    (kind,) = examine(replace(there, filesystem="vfat", label="sunmi-4a5b"), "SUNMI-4A5B")
    for error, command in ((label, rename), (kind, wipe)):
        for language in ("en", "zh"):
            assert command in error.localized(language)[1]
    assert "vfat" in str(kind)


def test_advice_has_its_chinese() -> None:
    from sunmi_ipc.i18n import _chinese

    for advice in (cards.FORMAT_ADVICE, cards.LABEL_ADVICE, cards.MOUNT_ADVICE):
        assert set(advice.values()) <= set(_chinese())
