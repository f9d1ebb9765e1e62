"""Tables on a terminal of any width: whole rows, the important columns, all of them in a file."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sunmi_ipc_cli.screen import tables

ROWS = [
    {"sn": "FS101D8BS00106", "ip": "192.168.1.20", "model": "FM020", "problem": "x" * 10},
    {"sn": "FS101D8BS00107", "ip": "192.168.1.121", "model": "FM020", "problem": "the cable is out. " * 4},
]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(columns: int, *names: str, rows: Any = ROWS, **how: Any) -> list[str]:
        size = os.terminal_size((columns or 80, 24))
        monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: size)
        monkeypatch.setattr(tables.sys.stdout, "isatty", lambda: bool(columns), raising=False)
        tables.table(rows, names, **how)
        return capsys.readouterr().out.splitlines()

    return run


def test_a_file_gets_everything(lines: Any) -> None:
    shown = lines(0, "sn", "ip", "model", "problem", least=("model", "ip"))
    assert len(shown) == 3
    assert shown[0].split() == ["SN", "IP", "MODEL", "PROBLEM"]
    assert ("the cable is out. " * 4).strip() in shown[2]


def test_a_long_text_is_folded_in_its_column(lines: Any) -> None:
    shown = lines(80, "sn", "ip", "model", "problem", least=("model", "ip"))
    assert max(map(len, shown)) <= 80
    start = shown[0].index("PROBLEM")
    assert "MODEL" in shown[0]
    assert " ".join(line[start:] for line in shown[2:]) == ("the cable is out. " * 4).strip()
    assert shown[3][:start].strip() == ""


@pytest.mark.parametrize("columns", [60, 50, 42])
def test_the_least_important_go_first(lines: Any, columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    shown = lines(columns, "sn", "ip", "model", "problem", least=("model", "ip"))
    assert max(map(len, shown)) <= columns
    head = shown[0].split()
    assert head[0] == "SN"
    assert head[-1] == "PROBLEM"
    assert ("MODEL" in head, "IP" in head) == {60: (False, True), 50: (False, False), 42: (False, False)}[
        columns
    ]


def test_what_was_left_out_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "window", lambda: 30)
    tables.table([{"sn": "FS101D8BS00106", "mac": "02:53:4D:10:4A:5B"}], ["sn", "mac"], least=["mac"])
    written = capsys.readouterr()
    assert written.out.split() == ["SN", "FS101D8BS00106"]
    assert "MAC" in written.err


def test_an_address_stays_in_one_piece(lines: Any) -> None:
    url = "rtsp://192.168.1.20/" + "a" * 80
    assert url in "\n".join(lines(60, "sn", "url", rows=[{"sn": "1", "url": url}]))


def test_clip() -> None:
    assert tables.clip("门店一楼入口", 9) == "门店一楼…"
    assert tables.clip("short", 5) == "short"


def test_headings_are_chinese(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert lines(0, "group_name", "capacity", rows=[{"group_name": "VIP", "capacity": 5}])[0].split() == [
        "人脸分组",
        "容量",
    ]


@pytest.mark.parametrize(
    ("columns", "last"), [(0, "mac"), (120, "mac"), (80, "mac"), (60, "mac"), (40, "ip")]
)
def test_a_scan_fits_the_window(columns: int, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sunmi_ipc_cli import scan

    monkeypatch.setattr(scan, "window", lambda: columns)
    shown = scan._shown()
    assert list(shown)[:2] == ["sn", "ip"]
    assert list(shown)[-1] == last
    assert not columns or sum(shown.values()) + 2 * (len(shown) - 1) <= columns


def test_faces_fit_a_narrow_window(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from datetime import UTC, datetime

    from sunmi_ipc_cli.camera.face_table import faces
    from sunmi_ipc_cli.state import State

    from sunmi_ipc.models import FaceRecord

    monkeypatch.setattr(tables, "window", lambda: 44)
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    when = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    faces(State(), [FaceRecord(faceid="6fffe897d8fda289", group_name="regular", arrive_time=when)])
    written = capsys.readouterr()
    assert max(map(tables.width, written.out.splitlines())) <= 44
    assert "6fffe897d8fda289" in written.out
    assert "人脸分组、" in written.err or "、人脸分组" in written.err
