"""A serial number has one spelling wherever it is a key."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc import Camera, KnownCameras
from sunmi_ipc.api.device import Device
from sunmi_ipc.camera import split_address
from sunmi_ipc.errors import ParameterError, TlsError
from sunmi_ipc.link.trust import pin_name
from sunmi_ipc.models import DeviceInfo
from sunmi_ipc.protocol.serial import SerialNumber, same_serial_number

SEEN = [
    "C201000P00123", "C201D98T00094", "C201D8BS00089", "C101P98200023", "C101D96U00034", "C101E96500011",
    "FS101D8BS00106", "SS101D8BS00115", "SS101D8BS00087",
]  # fmt: skip


@pytest.mark.parametrize("text", SEEN)
def test_every_serial_number_that_was_seen_is_one(text: str) -> None:
    assert SerialNumber(text) == text


@pytest.mark.parametrize(
    "text", ["fs101d8bs00106", " FS101D8BS00106\r\n", "Fs101d8Bs00106", "ＦＳ１０１Ｄ８ＢＳ００１０６"]
)
def test_one_spelling(text: str) -> None:
    assert SerialNumber(text) == "FS101D8BS00106"
    assert same_serial_number(text, "FS101D8BS00106")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "192.168.1.20", "127.0.0.1:9443", "::1", "[::1]:443", "localhost", "https://1.2.3.4/", "AA:BB:CC:DD:EE:FF",
        "../FS101", "a/1", "sn+1", "#1", "1\x001", "1\n2", "1 2", "\ud8001", "x1" * 33, "摄像机1", "_1", "-1", "１" * 300,
    ],
)  # fmt: skip
def test_what_is_no_serial_number(text: str) -> None:
    assert SerialNumber.read(text) is None
    assert not same_serial_number(text, text)
    with pytest.raises(ParameterError):
        SerialNumber(text)


@given(st.text())
def test_reading_never_fails_and_settles(text: str) -> None:
    found = SerialNumber.read(text)
    if found is not None:
        assert SerialNumber.read(found.lower()) == found == SerialNumber(found)
        assert found.isascii()
        assert found.isprintable()
        assert len(found) <= 64


def test_it_is_text() -> None:
    one = SerialNumber("fs101d8bs00106")
    assert json.dumps({one: one}) == '{"FS101D8BS00106": "FS101D8BS00106"}'
    assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))
    assert {one: 1}["FS101D8BS00106"] == 1
    assert f"{one}" == "FS101D8BS00106"


def test_activation_sends_the_one_spelling_and_no_address() -> None:
    assert Device.activate.check({"sn": "fs101d8bs00106"}) == {"sn": "FS101D8BS00106"}
    for text in ("127.0.0.1:9443", "localhost", "192.168.1.20"):
        with pytest.raises(ParameterError):
            Device.activate.check({"sn": text})


def test_a_camera_is_pinned_under_the_one_spelling() -> None:
    assert Camera("127.0.0.1", sn="fs101d8bs00106").sn == "FS101D8BS00106"
    with pytest.raises(ParameterError):
        Camera("127.0.0.1", sn="192.168.1.20")


def test_what_a_camera_says_of_itself_is_read_all_the_same() -> None:
    assert DeviceInfo.read({"sn": "fs101d8bs00106"}).sn == "FS101D8BS00106"
    assert DeviceInfo.read({"sn": "no number"}).sn == "no number"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FS101D8BS00106", "fs101d8bs00106"),
        ("192.168.1.20", " 192.168.1.20"),
        ("::1", "[0:0:0:0:0:0:0:1]"),
        ("[::1]:8443", "[0::1]:8443"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("Camera.Shop", "camera.shop."),
        ("Camera.Shop:8443", "camera.shop:8443"),
    ],
)
def test_a_pin_has_one_name(one: str, other: str) -> None:
    assert pin_name(one) == pin_name(other) == pin_name(pin_name(one))


def test_names_that_differ_are_two_pins() -> None:
    names = ["::1", "[::1]:8443", "127.0.0.1", "127.0.0.1:8443", "fe80::1%eth0", "fe80::1%eth1", "FS1", "FS2"]
    assert len({pin_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["fs101d8bs00106", "FS101D8BS00106", "Fs101D8bs00106"])
def test_no_spelling_gets_around_the_pin(name: str, tmp_path: Path) -> None:
    pins = KnownCameras(tmp_path / "pins.json")
    pins.approve("FS101D8BS00106", b"the camera")
    with pytest.raises(TlsError):
        pins.approve(name, b"somebody else")
    assert pins.forget(name)


def test_of_two_spellings_that_an_older_version_kept_the_elder_counts(tmp_path: Path) -> None:
    from sunmi_ipc.link.tls import fingerprint

    path = tmp_path / "pins.json"
    now = datetime.now(UTC).isoformat()
    path.write_text(
        json.dumps(
            {
                "fs101d8bs00106": {
                    "fingerprint": fingerprint(b"forged"),
                    "first_seen": now,
                    "last_seen": now,
                },
                "FS101D8BS00106": {
                    "fingerprint": fingerprint(b"the camera"),
                    "first_seen": "2024-01-01T00:00:00+00:00",
                    "last_seen": now,
                },
            }
        )
    )
    pins = KnownCameras(path)
    pins.approve("FS101D8BS00106", b"the camera")
    with pytest.raises(TlsError):
        pins.approve("fs101d8bs00106", b"forged")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("https://127.0.0.1:8443/", "127.0.0.1", 8443),
        ("https://127.0.0.1", "127.0.0.1", 443),
        ("HTTPS://camera.shop/openapi/x?y#z", "camera.shop", 443),
        (" 127.0.0.1 ", "127.0.0.1", 443),
        ("http://[::1]:8443/", "::1", 8443),
        ("fe80::1%eth0", "fe80::1%eth0", 443),
        ("摄像机.local:8443", "摄像机.local", 8443),
    ],
)
def test_addresses_as_people_paste_them(text: str, host: str, port: int) -> None:
    assert split_address(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", " ", ":443", "ftp://1.2.3.4", "https://", "https://admin:x@1.2.3.4", "1.2.3.4:0", "1.2.3.4:x", "a b", "[::1]x", "a/b",
     "1.2.3.4:99999999999999", "127.0.0.1\n"[:-1] + "\x00", "https:///x", "a" * 300],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ParameterError):
        split_address(text)


def test_an_address_is_written_so_that_it_can_be_read() -> None:
    for address in ("::1", "[::1]:8443", "127.0.0.1:8443", "127.0.0.1"):
        assert Camera(address).address == address
