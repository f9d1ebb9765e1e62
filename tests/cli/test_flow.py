"""People flow: what was counted is said, holes stay open, parts are hatched; on screens, in files, in pictures."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.camera import counts
from sunmi_ipc_cli.camera.flow import period_told
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen import charts
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.models import PeopleStatCollection
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.faces import populate

Ipc = Callable[..., Any]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ipc(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Ipc:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)
    populate(ready.state)

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["flow", *args, "-c", ready.address], prog_name="ipc")
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return done

    return run


def figures(*hours: int, length: timedelta = HOUR, count: int = 2) -> PeopleStatCollection:
    """Figures for these hours of the 24th, and for no others."""
    midnight = NOON - 12 * HOUR
    units = [
        {
            "start_time": int((midnight + hour * HOUR).timestamp()),
            "end_time": int((midnight + hour * HOUR + length).timestamp()),
            "total": count,
            "male_num_stat": [count, 0, 0, 0, 0, 0, 0, 0],
            "female_num_stat": [0] * 8,
        }
        for hour in hours
    ]
    return PeopleStatCollection.read({"total": count * len(hours), "stat_list": units})


def test_a_hole_is_no_zero_and_a_part_is_one() -> None:
    start = NOON - 2 * HOUR - timedelta(minutes=30)
    found = counts.buckets(figures(9, 10, 12), start, NOON + HOUR, UTC, by="hour")
    assert [(b.begin.hour, b.count, b.part) for b in found] == [
        (9, 2, True),
        (10, 2, False),
        (11, None, False),
        (12, 2, False),
    ]
    (day,) = counts.buckets(figures(9, 10, 12), NOON - 12 * HOUR, NOON + 12 * HOUR, UTC, by="day")
    assert (day.count, day.part, day.missing) == (6, False, 21 * HOUR)


def test_a_camera_that_counts_in_longer_pieces_is_shown_by_its_own() -> None:
    found = counts.buckets(
        figures(0, length=24 * HOUR, count=50), NOON - 12 * HOUR, NOON + 12 * HOUR, UTC, by="hour"
    )
    assert [(b.begin.hour, b.count) for b in found] == [(0, 50)]


def test_days_are_the_calendars(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, tzinfo=berlin)
    marks = list(counts.day_marks(start, datetime(2026, 10, 27, tzinfo=berlin), berlin))
    assert [(b - a) / HOUR for a, b in marks] == [24, 25, 24]


def test_bars(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "window", lambda: 44)
    charts.bars(State(), "by hour", [charts.Bar("09", 4, True), charts.Bar("10", None), charts.Bar("11", 8)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[:4])) <= 44
    assert re.fullmatch(r"  09  ▒+ 4", lines[1])
    assert lines[2] == "  10  –"
    assert re.fullmatch(r"  11  █+ 8", lines[3])
    assert "only part" in lines[4]
    assert "not zero" in lines[5]


def test_many_days_are_a_map(ipc: Ipc) -> None:
    text = ipc("arrivals", "--from", "-9d", "--by", "hour").stdout
    rows = [line for line in text.splitlines() if re.match(r"  20\d\d-\d\d-\d\d  ", line)]
    assert len(rows) == 10
    assert "by day and hour" in text
    assert "█" in text
    assert len(text.splitlines()) < 20


def test_what_was_counted_is_said(ipc: Ipc) -> None:
    yesterday = f"{datetime.now() - timedelta(days=1):%Y-%m-%d}"
    document = json.loads(ipc("arrivals", "--from", "yesterday", "--json").stdout)
    lines = ipc("arrivals", "--from", "yesterday").stdout.splitlines()
    assert lines[0] == f"People who came in: {yesterday}, 00:00 to 24:00"
    assert re.fullmatch(rf"{document['total']} people \(male \d+, female \d+\)", lines[1])
    assert lines[2] == "by hour"
    assert [line.split()[0] for line in lines[3:27]] == [f"{hour:02}" for hour in range(24)]
    days = ipc("passing", "--from", "-3d").stdout.splitlines()
    assert days[2] == "by day"
    first = f"{datetime.now() - timedelta(days=3):%Y-%m-%d}"
    assert days[3].split()[0] == first
    assert "▒ only part of this time is in the period" in "".join(days)
    assert ipc("leaving", "--by", "gender", "--from", "yesterday").stdout.splitlines()[2] == "by gender"
    assert "29-35 female" in ipc("leaving", "--by", "age", "--from", "yesterday").stdout
    refused = ipc("leaving", "--by", "minute", code=2).stderr
    assert "--by minute: unknown" in refused


def test_periods_in_words() -> None:
    midnight = NOON - 12 * HOUR
    assert period_told(midnight, NOON, UTC) == "2026-11-24, 00:00 to 12:00"
    assert period_told(midnight, midnight + 24 * HOUR, UTC) == "2026-11-24, 00:00 to 24:00"
    assert period_told(midnight, midnight + 72 * HOUR, UTC) == "2026-11-24 to 2026-11-26"
    assert period_told(midnight, NOON + 24 * HOUR, UTC) == "2026-11-24 00:00 to 2026-11-25 12:00"


def test_nothing_counted_points_at_card_and_line(
    virtual: Callable[..., VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual(people=0)
    for name, value in camera.vendor.environment().items():
        monkeypatch.setenv(name, value)
    camera.state.documents["door_line"] = {}
    camera.insert_card(CardStatus.NONE)

    def run(*args: str) -> Any:
        return CliRunner().invoke(app, ["flow", *args, "-c", camera.address], prog_name="ipc")

    done = run("arrivals", "--from", "00:00", "--to", "00:01")
    assert "no card" in done.stderr
    assert "ipc doorline set" in done.stderr
    assert "\n0 people" in done.stdout or done.exit_code == 5


def test_csv_is_in_words_and_local_time(ipc: Ipc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "people.csv"
    ipc("arrivals", "--from", "yesterday", "--tz", "Asia/Shanghai", "--csv", str(file))
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["from", "until", "gender", "age", "people"]
    assert rows[0]["from"].endswith("00:00")
    assert {row["gender"] for row in rows} == {"male", "female"}
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    shown = ipc("arrivals", "--from", "yesterday", "--csv", "-").stdout.splitlines()
    assert shown[0].lstrip("\ufeff") == "开始,结束,性别,年龄,人数"
    assert ",男,1-6," in shown[1]
    people = ipc("visitors", "--from", "2020-01-01", "--to", "now", "--csv", "-").stdout.splitlines()
    assert people[0].lstrip("\ufeff").startswith("人脸编号,人脸分组,年龄")


def test_pictures_are_in_the_users_language(
    ipc: Ipc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.chart import chinese_font

    def words(*args: str) -> str:
        file = tmp_path / "chart.svg"
        ipc("arrivals", *args, "-o", str(file))
        return " ".join(re.findall(r"<!-- (.*?) -->", file.read_text("utf-8")))

    english = words()
    assert "People who came in" in english
    assert "hatched: only part of this time" in english
    monkeypatch.setenv("SUNMI_IPC_LANG", "zh")
    assert ("进店人数" in words("--from", "-9d", "--by", "hour")) is bool(chinese_font())
    refused = ipc("arrivals", "-o", str(tmp_path / "chart.bmp"), code=2).stderr
    assert ".png" in refused
