"""People counted: what the camera has, a gap that is no zero, backfill, days and hours of the shop."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.simulator import VirtualCamera, connect, flow
from sunmi_ipc.station import Station, Store
from sunmi_ipc.station.coverage import weighed
from sunmi_ipc.station.hours import Hours
from sunmi_ipc.station.report import buckets, report
from sunmi_ipc.station.sheet import csv_text, write_xlsx
from sunmi_ipc.station.spans import Spans, without

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]
COUNTS = '[counts]\nenabled = true\nwindow = "15m"\nsettle = 0\nbackfill = "2h"\npause = 0'


@pytest.fixture(autouse=True)
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """People come at every hour, so that the test means the same at night."""
    monkeypatch.setattr(flow, "HOURS", (20,) * 24)


def kept(station: Station, sn: str) -> dict[int, tuple[Any, ...]]:
    rows = station.store.read(
        "SELECT start, arrivals, leaving, passing, covered, state FROM counts WHERE sn = ? ORDER BY start",
        (sn,),
    )
    return {row[0]: row[1:] for row in rows}


def own(camera: VirtualCamera, start: int, seconds: int = 900) -> tuple[int, int, int]:
    """What the camera says itself."""
    first, last = (datetime.fromtimestamp(t, UTC) for t in (start, start + seconds))
    with connect(camera) as client:
        groups = client.people_flow
        return tuple(getattr(groups, k)(first, last).total for k in ("arrivals", "leaving", "passing"))  # type: ignore[return-value]


def test_the_camera_and_its_windows_agree(ready: VirtualCamera) -> None:
    """Four quarters are the hour: what the station adds up is what the camera has."""
    hour = int(time.time()) // 3600 * 3600 - 7200
    quarters = [own(ready, hour + n * 900) for n in range(4)]
    assert tuple(map(sum, zip(*quarters, strict=True))) == own(ready, hour, 3600)
    assert sum(quarters[0]) > 0


def test_backfill_restores_what_the_camera_has(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera], more=COUNTS)
    assert kit.wait_for(lambda: len(kept(running, camera.sn)) >= 7)
    rows = kept(running, camera.sn)
    for start, (*people, _, _) in rows.items():
        assert tuple(people) == own(camera, start)
    assert {state for *_, state in rows.values()} == {"counted"}
    assert len({b - a for a, b in pairwise(rows)}) == 1  # no hole


def test_a_time_without_a_card_is_a_gap_and_no_zero(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    quarter = int(time.time()) // 900 * 900 - 3600
    camera.state.blind.append((quarter, quarter + 900))
    running = station([camera], more=COUNTS)
    assert kit.wait_for(lambda: len(kept(running, camera.sn)) >= 7)
    rows = kept(running, camera.sn)
    assert rows[quarter] == (0, 0, 0, 0, "gap")
    assert [state for start, (*_, state) in rows.items() if start != quarter] == ["counted"] * (len(rows) - 1)


def test_a_zero_is_a_zero(
    station: Start, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "HOURS", (0,) * 24)
    camera = virtual()
    running = station([camera], more=COUNTS)
    assert kit.wait_for(lambda: len(kept(running, camera.sn)) >= 7)
    states = [row[-2:] for row in kept(running, camera.sn).values()]
    # Recordings prove it, but in the last ten minutes of an hour, when nothing moves and nothing is recorded.
    assert set(states) == {(900, "counted")}


def test_an_fm010_is_not_asked(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual(model="FM010")
    running = station([camera], more=COUNTS)
    assert kit.wait_for(lambda: running.watch.last(running.roster.member(camera.sn)))
    time.sleep(2)
    assert kept(running, camera.sn) == {}
    assert not [path for path in camera.state.counts if path.startswith("peopleFlow")]


def test_who_counts_by_the_hour_is_counted_by_the_hour(
    station: Start, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firmware may know whole hours alone: asked for a quarter, it answers for the hour."""
    exact = flow._unit

    def hourly(kind: str, state: Any, hour: int, start: int, end: int, faces: Any) -> dict[str, Any]:
        return exact(kind, state, hour, hour, min(hour + 3600, int(time.time())), faces) | {
            "end_time": hour + 3600
        }

    def stat(kind: str, state: Any, values: dict[str, Any]) -> dict[str, Any]:
        hour = values["start_time"] // 3600 * 3600
        units = [hourly(kind, state, h, 0, 0, {}) for h in range(hour, values["end_time"], 3600)]
        return {"total": sum(u["total"] for u in units), "stat_list": units}

    monkeypatch.setattr(flow, "_stat", stat)
    camera = virtual()
    running = station([camera], more=COUNTS.replace('"2h"', '"4h"'))
    assert kit.wait_for(lambda: len(kept(running, camera.sn)) >= 2)
    rows = running.store.read("SELECT start, seconds, arrivals FROM counts")
    assert {seconds for _, seconds, _ in rows} == {3600}
    for start, _, arrivals in rows:
        assert start % 3600 == 0
        assert arrivals == own(camera, start, 3600)[0]


def test_what_a_camera_refuses_is_said_and_asked_again(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    camera.fail("code", 279, path="peopleFlow/getPassingStat", times=1)
    running = station([camera], more=COUNTS)
    assert kit.wait_for(
        lambda: running.counts is not None and running.counts.missing(running.roster.member(camera.sn))
    )
    assert kept(running, camera.sn) == {}


def test_coverage() -> None:
    period = (0.0, 900.0)
    full = weighed(period, {"able": [(0, 900)]})
    assert (full.covered, full.unknown) == (900, ())
    half = weighed(period, {"able": [(0, 900)], "card": [(450, 900)]})
    assert (half.covered, half.unknown) == (450, ())
    nothing = weighed(period, {})
    assert nothing.with_recordings([], 0) == 0
    assert nothing.with_recordings(None, 3) == 900
    assert nothing.with_recordings([(100, 160)], 0) == 900
    later = weighed(period, {"able": [(600, 900)]})
    assert later.covered == 300
    assert later.with_recordings([], 5) == 300  # they may have come in the time that is known
    assert later.with_recordings([(590, 650)], 0) == 900
    assert list(without((0, 10), [(2, 3), (3, 5), (9, 20)])) == [(0, 2), (5, 9)]


def test_spans(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        spans = Spans(store, join=10)
        for at, state in ((0, "able"), (5, "able"), (10, "card"), (15, "card"), (20, "able"), (25, "able")):
            spans.look("A", state, at)
        spans.look("A", "", 30)  # no answer
        spans.look("A", "able", 35)
        spans.look("A", "able", 100)  # nobody looked for long
        found = spans.within("A", 0, 200)
        assert found["card"] == [(5, 20)]
        assert found["able"] == [(0, 5), (20, 25)]


# -- reports -------------------------------------------------------------------------------------------

BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, (2026, 3, 29), 23),
        (BERLIN, (2026, 10, 25), 25),
        (LORD_HOWE, (2026, 10, 4), 24),
        (LORD_HOWE, (2026, 4, 5), 25),
    ],
)
def test_hours_of_a_day_on_which_the_clock_changes(
    zone: ZoneInfo, day: tuple[int, int, int], hours: int
) -> None:
    first = datetime(*day, tzinfo=zone).timestamp()
    ((start, end, label),) = buckets(first, first + 3600, "day", zone)
    assert label == "{}-{:02}-{:02}".format(*day)
    found = buckets(start, end, "hour", zone)
    assert len(found) == hours
    assert found[0][0] == start
    assert found[-1][1] == end
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert len({label for *_, label in found}) == hours


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """Two cameras over Berlin's long day, one person in each quarter of an hour; one has a hole of an hour."""
    with Store(tmp_path / "shop" / "station.sqlite3") as made:
        first = int(datetime(2026, 10, 25, tzinfo=BERLIN).timestamp())
        for sn, name in (("FS101D8BS00001", "Door"), ("FS101D8BS00002", "=HYPERLINK(1)")):
            made.write(("INSERT INTO cameras VALUES (?, '', 'FM020', ?, '', '', 0, 0)", (sn, name)))
            for n in range(100):
                if sn.endswith("2") and 40 <= n < 44:
                    continue
                values = (sn, first + n * 900, 900, 1, 1, 3, 900, "counted", 0, '{"male": [0,0,0,1,0,0,0,0]}')
                made.write(("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values))
        yield made


def bounds() -> tuple[float, float]:
    return datetime(2026, 10, 25, tzinfo=BERLIN).timestamp(), datetime(
        2026, 10, 26, tzinfo=BERLIN
    ).timestamp()


def test_a_day_of_25_hours(store: Store) -> None:
    one, two = report(store, *bounds(), by="day", zone=BERLIN)
    assert (one.arrivals, one.completeness, one.gap) == (100, 1.0, False)
    assert (two.arrivals, round(two.completeness, 2), two.gap) == (96, 0.96, True)
    (site,) = report(store, *bounds(), by="day", per="site", zone=BERLIN, site="shop")
    assert (site.who, site.arrivals, site.passing, round(site.completeness, 2)) == ("shop", 196, 588, 0.98)


def test_a_gap_has_no_number(store: Store) -> None:
    lines = [line for line in report(store, *bounds(), zone=BERLIN) if line.who.endswith("2")]
    assert len(lines) == 25
    (gap,) = [line for line in lines if line.gap]
    assert (gap.arrivals, gap.completeness) == (None, 0.0)
    assert gap.label.startswith("2026-10-25T09:00")


def test_opening_hours_alone(store: Store) -> None:
    lines = report(store, *bounds(), by="day", zone=BERLIN, hours=Hours.parse("12:00-18:00"))
    assert [(line.arrivals, line.gap) for line in lines] == [(24, False), (24, False)]


def test_csv_is_for_spreadsheets(store: Store) -> None:
    text = csv_text(report(store, *bounds(), zone=BERLIN))
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert {row["name"] for row in rows} == {"Door", "'=HYPERLINK(1)"}
    (gap,) = [row for row in rows if row["gap"]]
    assert (gap["arrivals"], gap["completeness"]) == ("", "0.0")


def test_workbook(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    write_xlsx(path, report(store, *bounds(), zone=BERLIN), title="Shop")
    with zipfile.ZipFile(path) as book:
        names = book.namelist()
        chart = book.read("xl/charts/chart1.xml").decode()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "xl/charts/chart2.xml" in names
    assert (
        '<c:dispBlanksAs val="gap"/>' in chart or "dispBlanksAs" not in chart
    )  # "gap" is the format's default
    assert "<f>" not in sheet
    assert "HYPERLINK" not in sheet
    # Nor is the shop's name above a chart.
    write_xlsx(path, report(store, *bounds(), zone=BERLIN), title="=charts!A1")
    with zipfile.ZipFile(path) as book:
        chart = book.read("xl/charts/chart1.xml").decode()
    assert "<c:f>charts" not in chart
    assert "=charts! A1" in chart


def test_the_command(store: Store, tmp_path: Path) -> None:
    line = ["--json", "flow", "report", "--data", str(tmp_path / "shop"), "--tz", "Europe/Berlin", "--by", "day",
            "--from", "2026-10-25", "--to", "2026-10-25"]  # fmt: skip
    done = CliRunner().invoke(app, line)
    rows = json.loads(done.stdout)["rows"]
    assert [(row["arrivals"], row["gap"]) for row in rows] == [(100, False), (96, True)]
    out = tmp_path / "out.csv"
    assert CliRunner().invoke(app, [*line, "--csv", str(out)]).exit_code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfstart,")
    assert CliRunner().invoke(app, ["flow", "report", "--data", str(tmp_path / "none")]).exit_code == 2
    assert CliRunner().invoke(app, ["flow", "report", "--by", "week", "--data", str(tmp_path)]).exit_code == 2
