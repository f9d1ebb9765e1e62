"""The site file: what it says, and what is said of a bad one."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from sunmi_ipc.errors import ConfigError, SiteError
from sunmi_ipc.fleet.positions import line_of, toml_lines
from sunmi_ipc.fleet.schema import make, shipped
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.installation import command
from sunmi_ipc.protocol.values import Weekdays

GOOD = """\
name = "Shop 12"

[apply]
jobs = 8
activation_quota = 3

[defaults]
wifi = { ssid = "Shop-WiFi", password = "env:WIFI" }
activation_code = "file:code.txt"
sdcard = "format-blank"
ir = "auto"

[groups.door]
door_line = [400, 800, 1500, 800]
detection = { motion = 2, days = ["mon", "tue"], from = "09:00", to = "24:00" }

[[cameras]]
sn = "FS101D8BS00106"
name = "Door {sn}"
groups = ["door"]
ir = "on"

[[cameras]]
mac = "02-53-4d-00-00-01"
unset = ["wifi"]

[[cameras]]
any = "fm020"
count = 2
name = "Aisle {n}"
"""


def write(folder: Path, text: str, name: str = "site.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def wrong(folder: Path, text: str, name: str = "site.toml", **options: Any) -> list[tuple[str, str, str]]:
    """What is wrong with a file: place, key, message."""
    with pytest.raises(SiteError) as caught:
        load(write(folder, text, name), environment={"WIFI": "welcome-2020"}, **options)
    return [(e.where, e.key, str(e)) for e in (caught.value, *caught.value.others)]


def test_defaults_groups_and_entries(tmp_path: Path) -> None:
    (tmp_path / "code.txt").write_text("the-code\n")
    loaded = load(write(tmp_path, GOOD), environment={"WIFI": "welcome-2020"})
    door, by_mac, *aisles = loaded.slots
    assert (door.key, door.name_for(door.sn)) == ("FS101D8BS00106", "Door FS101D8BS00106")
    assert (door.wanted.ir, by_mac.wanted.ir) == ("on", "auto")
    assert door.wanted.door_line == (400, 800, 1500, 800)
    assert door.own == {"name", "ir"}
    detection = door.wanted.detection
    assert detection is not None
    assert detection.weekday == Weekdays.MONDAY | Weekdays.TUESDAY
    assert (detection.from_, detection.to) == (time(9, 0), time.max)
    assert by_mac.key == "02:53:4D:00:00:01"
    assert by_mac.wanted.wifi is None
    assert [(s.key, s.name_for("X")) for s in aisles] == [
        ("any:FM020#1", "Aisle 1"),
        ("any:FM020#2", "Aisle 2"),
    ]
    assert loaded.secrets.get("env:WIFI").reveal() == "welcome-2020"
    assert loaded.secrets.get("file:code.txt").reveal() == "the-code"
    assert "welcome" not in repr(loaded)


def test_errors_name_file_line_and_key(tmp_path: Path) -> None:
    text = '[defaults]\nir = "dim"\nwifi = { ssid = "", pass = "x" }\n\n[[cameras]]\nsn = "A1"\nlens = { zoom = "200%" }\n'
    found = wrong(tmp_path, text)
    assert [(where, key) for where, key, _ in found] == [
        ("site.toml:2", "defaults.ir"),
        ("site.toml:3", "defaults.wifi.ssid"),
        ("site.toml:3", "defaults.wifi.pass"),
        ("site.toml:7", "cameras[1].lens.zoom"),
    ]
    assert "no such key" in found[2][2]
    assert "site.toml:7: cameras[1].lens.zoom: not allowed. Allowed: N, N%" in found[3][2]


@pytest.mark.parametrize(
    ("text", "line", "key", "word"),
    [
        ("[[cameras]]\nsn = 1\n", 2, "cameras[1].sn", "a text is needed"),
        ("[[cameras]]\nname = 'x'\n", 1, "cameras[1]", "sn | mac | any"),
        ("[[cameras]]\nsn = 'A1'\n[[cameras]]\nsn = 'A1'\n", 2, "cameras[1].sn", "the same"),
        ("[[cameras]]\nsn = 'A1'\ngroups = ['x',\n 'y']\n", 3, "cameras[1].groups[1]", "no such group"),
        ("[[cameras]]\nsn = 'A1'\nwifi.ssid = 'S'\nwifi.password = 'hunter22'\n", 4, "cameras[1].wifi.password", "env:NAME"),
        ("[[cameras]]\nsn = 'A1'\nwifi = {ssid = 'S', password = 'env:NONE'}\n", 3, "cameras[1].wifi.password", "environment variable NONE"),
        ("[[cameras]]\nsn = 'A1'\nactivation_code = 'file:no.txt'\n", 3, "cameras[1].activation_code", "no.txt"),
        ("[[cameras]]\nsn = 'A1'\ndoor_line = [0, 0, 50, 0]\n", 3, "cameras[1].door_line", ">= 100"),
        ("[[cameras]]\nsn = 'A1'\n[cameras.detection]\nfrom = '25:00'\n", 4, "cameras[1].detection.from", "HH:MM"),
        ("[[cameras]]\nsn = 'A1'\nip = {dhcp = false}\n", 3, "cameras[1].ip", "netmask"),
        ("[[cameras]]\nsn = 'A1'\naddress = '1.2.3.4:0'\n", 3, "cameras[1].address", "not an address"),
        ("[[cameras]]\nsn = 'A1'\ncount = 2\n", 1, "cameras[1]", "count + any"),
        ("[[cameras]]\nmac = 'zz'\n", 2, "cameras[1].mac", "AA:BB"),
        ("[[cameras]]\nany = 'FM030'\n", 2, "cameras[1].any", "FM010"),
        ("name = 'x'\n", 1, "cameras", "missing"),
        ("name = 'x'\ncameras = [\n", 2, "-", "not TOML"),
        ("[[cameras]]\nsn = 'A1'\nsubscriptions = [\n {events = ['nope'], callback = 'http://h/e'},\n]\n", 4, "cameras[1].subscriptions[1].events[1]", "face_recog_event"),
    ],
)  # fmt: skip
def test_each_fault_at_its_line(tmp_path: Path, text: str, line: int, key: str, word: str) -> None:
    (where, found, message), *_ = wrong(tmp_path, text)
    assert (where, found) == (f"site.toml:{line}", key)
    assert word in message
    assert "hunter22" not in message


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fleet init"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b'name = "x"\nname2 = "\xff"\n')
    with pytest.raises(SiteError, match=r"bad\.toml:2"):
        load(tmp_path / "bad.toml")


def test_inline_secrets_where_allowed(tmp_path: Path) -> None:
    text = "[[cameras]]\nsn = 'A1'\nwifi = {ssid = 'S', password = 'hunter22'}\n"
    assert load(write(tmp_path, text), inline_secrets=True).secrets.get("hunter22").reveal() == "hunter22"
    loaded = load(write(tmp_path, "[apply]\ninline_secrets = true\n" + text))
    assert "hunter22" not in repr(loaded.slots)


def test_csv(tmp_path: Path) -> None:
    text = (
        "\ufeffSN;Name;WiFi_SSID;WiFi_Password;Motion;Days;Door_Line;Face_Groups;LED;Zoom\r\n"
        "FS101D8BS00106;Tür;Shop;env:WIFI;2;mon,tue;400 800 1500 800;VIP:100, Staff:50;off;50%\r\n"
        ";;;;;;;;;\r\n"
        "FS101D8BS00107;;;;;;;;;\r\n"
    )
    first, second = load(write(tmp_path, text, "site.csv"), environment={"WIFI": "welcome1"}).slots
    assert first.wanted.name == "Tür"
    assert first.wanted.led is False
    assert first.wanted.wifi is not None
    assert first.wanted.wifi.ssid == "Shop"
    assert [g.capacity for g in first.wanted.face_groups or ()] == [100, 50]
    assert first.wanted.lens is not None
    assert first.wanted.lens.zoom == "50%"
    assert second.wanted.given() == set()


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("sn,name\n", 1, "cameras"),
        ("", 1, "cameras"),
        ("sn;name\n\n;\n", 1, "cameras"),
        ("sn,name\nFS101D8BS00106,Door\nfs101d8bs00106,Till\n", 2, "cameras[1].sn"),
        ("sn,address\nA1,10.0.0.1\nB2,10.0.0.1:443\n", 2, "cameras[1].address"),
        ("sn,nmae\nA1,x\n", 1, "nmae"),
        ("sn,motion\nA1,1\nB2,9\n", 3, "cameras[2].detection.motion"),
        ("sn,led\nA1,maybe\n", 2, "cameras[1].led"),
        ("sn,face_groups\nA1,VIP\n", 2, "face_groups"),
        ("sn,callback\nA1,http://h/x\n", 2, "cameras[1].subscriptions[1].events"),
        ("sn,name\nA1,Door, left\n", 2, "-"),
        ("sn,name,name\nA1,x,y\n", 1, "name"),
        ("sep=;\nsn;motion\nA1;9\n", 3, "cameras[1].detection.motion"),
        ('sn,name\rA1,x\rB2,"' + "y" * 200_000 + '"\r', 3, "-"),
        ("sn,groups\nA1,door\n", 1, "groups"),
    ],
)
def test_csv_faults(tmp_path: Path, text: str, line: int, key: str) -> None:
    (where, found, _), *_ = wrong(tmp_path, text, "site.csv")
    assert (where, found) == (f"site.csv:{line}", key)


def test_csv_as_excel_writes_it_in_china(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_bytes("sn,name\nA1,门口\n".encode("gb18030"))
    assert load(path).slots[0].wanted.name == "门口"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Tür"), ("cp1252", "Café Müller"), ("cp1252", "Größe"), ("cp1252", "créée"), ("cp1252", "€"),
        ("mac_roman", "Tür"), ("mac_roman", "Café Müller"), ("cp1250", "dveře"), ("cp1253", "Είσοδος"),
        ("cp1251", "Касса"), ("cp1251", "вход"), ("big5", "大門"), ("big5", "商店無線"), ("big5", "收銀台"),
        ("shift_jis", "入口"), ("shift_jis", "レジ"), ("shift_jis", "正面玄関"),
    ],
)  # fmt: skip
def test_csv_of_another_code_page_is_refused_and_never_read_as_chinese(
    tmp_path: Path, encoding: str, text: str
) -> None:
    (tmp_path / "site.csv").write_bytes(f"sn,name\nA1,plain\nB2,{text}\n".encode(encoding))
    with pytest.raises(SiteError) as caught:
        load(tmp_path / "site.csv")
    assert (caught.value.where, "CSV UTF-8" in str(caught.value)) == ("site.csv:3", True)


@pytest.mark.parametrize(
    "text", ["门口", "收银台", "鑫鑫店", "VIP区", "朱镕基故居前门", "店", "咖啡Café", "（二楼）"]
)
def test_csv_in_gb18030_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.csv").write_bytes(f"sn,name,wifi_ssid\nA1,{text},{text}商店\n".encode("gb18030"))
    (slot,) = load(tmp_path / "site.csv").slots
    assert slot.wanted.name == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("9:00", "09:00"), ("09:00", "09:00"), ("9:00:00", "09:00"), ("09:00:00 AM", "09:00"), ("9:00 am", "09:00"),
        ("9:00 p.m.", "21:00"), ("12:00:00 AM", "00:00"), ("12:30 PM", "12:30"), ("下午 6:00", "18:00"),
        ("上午 09:00:00", "09:00"), ("9：00", "09:00"), ("9:00\u202fAM", "09:00"), ("0.375", "09:00"),
        ('"0,75"', "18:00"), ("24:00", "24:00"), ("24:00:00", "24:00"),
    ],
)  # fmt: skip
def test_times_as_spreadsheets_write_them(tmp_path: Path, written: str, meant: str) -> None:
    path = write(tmp_path, f"sn,motion,from\nA1,1,{written}\n", "site.csv")
    wish = load(path).slots[0].wanted.detection
    assert wish is not None
    assert wish.from_ is not None
    assert ("24:00" if wish.from_.microsecond else f"{wish.from_:%H:%M}") == meant


@pytest.mark.parametrize(
    "written", ["25:00", "9:60", "13:00 PM", "0:30 AM", "9", "1", "am", "9:00 AM PM", "-1:00"]
)
def test_what_is_no_time_of_day_is_refused(tmp_path: Path, written: str) -> None:
    ((_, key, told),) = wrong(tmp_path, f"sn,motion,from\nA1,1,{written}\n", "site.csv")
    assert (key, "HH:MM" in told) == ("cameras[1].detection.from", True)


@pytest.mark.parametrize(
    "heading",
    [
        "序列号,名称,Wi-Fi 名称,夜视,# 备注",
        "SN,Name,WIFI_SSID,IR,Notes",
        "Serial number,Camera,SSID,night mode,#",
    ],
)
def test_headings_in_either_language_are_read(tmp_path: Path, heading: str) -> None:
    value = "自动" if "夜视" in heading else "auto"
    path = write(tmp_path, f"{heading}\nA1,门口, Shop ,{value},whatever\n", "site.csv")
    wanted = load(path).slots[0].wanted
    assert (wanted.name, wanted.ir) == ("门口", "auto")
    assert wanted.wifi is not None
    assert wanted.wifi.ssid == " Shop "  # blanks belong to a network's name


@pytest.mark.parametrize(
    "text", ["sn\tname\tdays\r\nA1\t门口\tAlways\r\n", "sep=,\rsn,name,days\rA1,门口,Always\r"]
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "site.csv"
    path.write_bytes(text.encode(encoding))
    (slot,) = load(path).slots
    assert slot.wanted.name == "门口"
    assert slot.wanted.detection is not None
    assert slot.wanted.detection.weekday == Weekdays.ALWAYS


class Backend(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("the password is hunter22")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def backend() -> Iterator[Backend]:
    before, ours = keyring.get_keyring(), Backend()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_secrets_from_the_system_keyring(tmp_path: Path, backend: Backend) -> None:
    keyring.set_password("shops/berlin", "wifi", "hunter22")
    text = "[[cameras]]\nsn = 'A1'\nwifi = {ssid = 'S', password = 'keyring:%s'}\n"
    loaded = load(write(tmp_path, text % "shops/berlin/wifi"))
    assert loaded.secrets.get("keyring:shops/berlin/wifi").reveal() == "hunter22"
    assert "hunter22" not in repr(loaded)
    for name in ("shops/berlin/nobody", "wifi"):
        ((where, key, told),) = wrong(tmp_path, text % name)
        assert (where, key) == ("site.toml:3", "cameras[1].wifi.password")
        assert "keyring set SERVICE USER" in told
    backend.locked = True
    ((_, _, told),) = wrong(tmp_path, text % "shops/berlin/wifi")
    assert "does not answer (KeyringLocked)" in told
    assert "hunter22" not in told


def test_without_keyring_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    ((_, _, told),) = wrong(tmp_path, "[[cameras]]\nsn = 'A1'\nactivation_code = 'keyring:a/b'\n")
    assert command("keyring") in told


@pytest.mark.parametrize("name", ["empty.txt", "~no-such-user-here/x", "a\\u0000b", "latin.txt", "."])
def test_a_secret_in_a_file_that_is_no_secret(tmp_path: Path, name: str) -> None:
    """An empty one would open a network."""
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "latin.txt").write_bytes("Schlüssel".encode("latin-1"))
    ((where, key, _),) = wrong(tmp_path, f'[[cameras]]\nsn = "A1"\nactivation_code = "file:{name}"\n')
    assert (where, key) == ("site.toml:3", "cameras[1].activation_code")


def test_a_secret_that_an_editor_wrote_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "code.txt").write_bytes("\ufeffthe-code\r\n".encode())
    loaded = load(write(tmp_path, "[[cameras]]\nsn = 'A1'\nactivation_code = 'file:code.txt'\n"))
    assert loaded.secrets.get("file:code.txt").reveal() == "the-code"


def test_the_schema_that_ships_is_the_models() -> None:
    # As values: older pydantics write 0.0 where newer ones write 0.
    assert json.loads(shipped()) == json.loads(make()), "python -m sunmi_ipc.fleet.schema"


def test_lines_of_every_kind_of_key() -> None:
    text = '''\
# [no.table]
top = """
a = 1
""" # b = 2
"quoted key" = 'x'
[a."b.c"]
d.e = { f = "}", g = [1,
 2] }
[[t]]
x = 1
[[t]]
[t.u]
y = 2024-01-01
  [[t.v]]
z = """x""\\""""
w = true
'''
    tomllib.loads(text)
    lines = toml_lines(text)
    for path, line in {
        ("top",): 2, ("quoted key",): 5, ("a", "b.c", "d", "e", "f"): 7, ("a", "b.c", "d", "e", "g", 1): 8,
        ("t", 0, "x"): 10, ("t", 1): 11, ("t", 1, "u", "y"): 13, ("t", 1, "v", 0, "z"): 15,
        ("t", 1, "v", 0, "w"): 16,
    }.items():  # fmt: skip
        assert lines[path] == line, path
    assert line_of(lines, ("t", 1, "u", "nothing")) == 12
    assert line_of(lines, ("nothing",)) == 1


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("welcome1", True), ("a" * 63, True), ("0123456789abcdefABCDEF0123456789" * 2, True), ("", True),
        (" welcome ", True), ("1234567", False), ("g" * 64, False), ("a" * 65, False), ("密码密码密码密码", False),
        ("ｗｅｌｃｏｍｅ２０", False), ("welcome\t2020", False), ("welcome-2020\r", False),
    ],
)  # fmt: skip
def test_a_password_that_no_network_can_have_is_refused_in_the_plan(
    tmp_path: Path, password: str, good: bool
) -> None:
    path = write(tmp_path, '[[cameras]]\nsn = "A1"\nwifi = { ssid = "Shop", password = "env:P" }\n')
    environment = {"P": password or "x"}
    if password and not good:
        with pytest.raises(SiteError, match="8-63") as caught:
            load(path, environment=environment)
        assert caught.value.where == "site.toml:3"
        assert password not in str(caught.value)
        assert load(path, environment=environment, as_is=True).slots
        assert load(path, environment=environment, resolve=False).slots  # the password is not looked at
    elif password:
        assert load(path, environment=environment).slots


@pytest.mark.parametrize(
    ("ssid", "good"), [("门" * 10, True), ("门" * 11, False), ("a" * 32, True), ("a" * 33, False)]
)
def test_a_network_has_a_name_of_32_bytes_at_most(tmp_path: Path, ssid: str, good: bool) -> None:
    path = write(tmp_path, f'[[cameras]]\nsn = "A1"\nwifi = {{ ssid = "{ssid}" }}\n')
    if good:
        assert load(path).slots
    else:
        with pytest.raises(SiteError):
            load(path)
