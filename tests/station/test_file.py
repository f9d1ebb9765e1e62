"""The station file: what it says, and what is said of a bad one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sunmi_ipc.errors import ConfigError, SiteError
from sunmi_ipc.station import load
from sunmi_ipc.station.file_schema import make, shipped
from sunmi_ipc.station.hours import Hours, day_bounds

GOOD = """\
[station]
site = "shop-0017"
timezone = "Asia/Shanghai"
hours = { mon-fri = "09:00-22:00", sat = "10:00-02:00", sun = "closed" }

[http]
listen = "127.0.0.1:0"

[tokens.office]
role = "view"
secret = "env:OFFICE"

[watch]
interval = "90s"
repeat = ["1h", "1d"]
notify = ["env:ALERT"]

[watch.behind]
upstairs = ["FS101D8BS00106", "FS101D8BS00107"]

[counts]
window = "15m"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "station.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_good_file(tmp_path: Path) -> None:
    secrets = {"OFFICE": "a-token-of-the-office", "ALERT": "ntfy://topic"}
    loaded = load(write(tmp_path, GOOD), environment=secrets)
    file = loaded.file
    assert (file.station.site, file.watch.interval, file.watch.repeat) == (
        "shop-0017",
        90.0,
        [3600.0, 86400.0],
    )
    assert file.counts.window == 900
    assert loaded.secret(file.tokens["office"].secret).reveal() == "a-token-of-the-office"
    assert str(loaded.zone) == "Asia/Shanghai"
    assert "a-token-of-the-office" not in repr(loaded)


@pytest.mark.parametrize(
    ("old", "new", "where", "key"),
    [
        ('site = "shop-0017"', 'site = "a b"', "station.toml:2", "station.site"),
        ('site = "shop-0017"', "", "station.toml:1", "station.site"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Mars/Olympus"', "station.toml:3", "station.timezone"),
        ("sat = ", "sax = ", "station.toml:4", "station.hours"),
        ('listen = "127.0.0.1:0"', 'listen = "127.0.0.1"', "station.toml:7", "http.listen"),
        ('role = "view"', 'role = "boss"', "station.toml:10", "tokens.office.role"),
        ('secret = "env:OFFICE"', 'secret = "hunter2hunter2"', "station.toml:11", "tokens.office.secret"),
        ('secret = "env:OFFICE"', 'secret = "env:NOT_THERE"', "station.toml:11", "tokens.office.secret"),
        ('interval = "90s"', 'interval = "soon"', "station.toml:14", "watch.interval"),
        ('interval = "90s"', 'intervall = "90s"', "station.toml:14", "watch.intervall"),
        ('window = "15m"', 'window = "7m"', "station.toml:22", "counts.window"),
        ('["1h", "1d"]', "[]", "station.toml:15", "watch.repeat"),
        ('notify = ["env:ALERT"]', 'repair = ["ir"]', "station.toml:16", "watch.repair"),
        ("[counts]", "[count]", "station.toml:21", "count"),
        ("[counts]", "[counts", "station.toml:21", "-"),
    ],
)
def test_a_bad_file_names_line_and_key(tmp_path: Path, old: str, new: str, where: str, key: str) -> None:
    assert old in GOOD
    secrets = {"OFFICE": "a-token-of-the-office", "ALERT": "ntfy://topic"}
    with pytest.raises(SiteError) as caught:
        load(write(tmp_path, GOOD.replace(old, new, 1)), environment=secrets)
    assert (caught.value.where, caught.value.key) == (where, key)
    assert "hunter2" not in str(caught.value)


def test_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        load(write(tmp_path, GOOD), environment={})
    assert [e.key for e in (caught.value, *caught.value.others)] == [
        "tokens.office.secret",
        "watch.notify[1]",
    ]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ipc serve init"):
        load(tmp_path / "none.toml")


def test_the_schema_is_current() -> None:
    assert json.loads(shipped()) == json.loads(make())


SHANGHAI, BERLIN, LORD_HOWE = (
    ZoneInfo("Asia/Shanghai"),
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Australia/Lord_Howe"),
)


def test_hours_over_midnight_and_days() -> None:
    hours = Hours.parse({"mon-fri": "09:00-12:00, 14:00-18:00", "sat": "22:00-02:00"})
    at = lambda *parts: datetime(*parts, tzinfo=SHANGHAI).timestamp()  # noqa: E731
    assert hours.open_at(at(2026, 11, 23, 9, 0), SHANGHAI)  # a Monday
    assert not hours.open_at(at(2026, 11, 23, 13, 0), SHANGHAI)
    assert hours.open_at(at(2026, 11, 29, 1, 59), SHANGHAI)  # Sunday, still Saturday's
    assert not hours.open_at(at(2026, 11, 29, 2, 0), SHANGHAI)
    assert hours.open_s(at(2026, 11, 23, 0, 0), at(2026, 11, 24, 0, 0), SHANGHAI) == 7 * 3600


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (BERLIN, date(2026, 3, 29), 23),
        (BERLIN, date(2026, 10, 25), 25),
        (LORD_HOWE, date(2026, 10, 4), 23.5),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (SHANGHAI, date(2026, 3, 29), 24),
    ],
)
def test_days_that_are_longer_or_shorter(zone: ZoneInfo, day: date, length: float) -> None:
    first, last = day_bounds(day, zone)
    assert (last - first) / 3600 == length
    assert Hours.parse("00:00-24:00").open_s(first, last, zone) == length * 3600
    assert datetime.fromtimestamp(first, UTC).astimezone(zone).strftime("%H:%M") == "00:00"


@pytest.mark.parametrize(
    "bad", ["9-22", "25:00-26:00", {"monday": "09:00-10:00"}, {}, 5, ["09:00-10:00"], {"mon": 9}]
)
def test_no_hours(bad: object) -> None:
    with pytest.raises(ValueError):
        Hours.parse(bad)
