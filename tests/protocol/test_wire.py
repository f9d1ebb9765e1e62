"""The envelope against hand-written samples, vectors, and properties."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc.errors import ConfigError, DeviceError, ReplyError
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.protocol.wifi import AsIs
from sunmi_ipc.protocol.wire import Credentials, Incoming
from sunmi_ipc.simulator.checks import parse_form, signature

SAMPLES = sorted((Path(__file__).parents[1] / "wire").glob("*.json"))
CREDENTIALS = Credentials("JO83UNV983U9OR", "12345678", "activate-me")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def build(path: str, values: dict[str, Any]) -> wire.Outgoing:
    endpoint = registry()[path]
    return wire.build(endpoint, endpoint.check(values), CREDENTIALS, now=1593029283, random="2891920000")


def test_published_vector() -> None:
    fields = {
        "app_id": "JO83UNV983U9OR",
        "random": "289192",
        "sn": "FS101D8BS00106",
        "timestamp": "1593029283",
    }
    assert wire.sign(fields, "12345678") == "72CB1C1031D3BA103D2FA1A57E171C2D"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_request_is_the_sample_byte_for_byte(sample: Path, revive: Callable[..., dict[str, Any]]) -> None:
    case = json.loads(sample.read_text("utf-8"))
    outgoing = build(case["endpoint"], revive(case["endpoint"], case["values"]))
    assert outgoing.body.decode() == case["body"]
    assert outgoing.url_path == f"/openapi/{case['endpoint']}"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_sample_is_signed_as_the_paper_says(sample: Path) -> None:
    """The sample itself: MD5 over the text that stands in it, worked out here alone."""
    case = json.loads(sample.read_text("utf-8"))
    key = "activate-me" if case["endpoint"] == "device/activate" else "12345678"
    if "signed" in case:
        digest = hashlib.md5(f"{case['signed']}&key={key}".encode()).hexdigest().upper()
        assert case["body"].endswith(f"&sign={digest}")
    else:
        assert "sign=" not in case["body"]
        assert "app_id=" not in case["body"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_reply_opens_to_the_result(sample: Path) -> None:
    case = json.loads(sample.read_text("utf-8"))
    endpoint = registry()[case["endpoint"]]
    result = wire.open_reply(endpoint, Incoming(200, {}, case["reply"].encode()))
    assert (None if result is None else result.as_dict()) == case["result"]


def test_every_endpoint_has_a_sample() -> None:
    assert {json.loads(p.read_text("utf-8"))["endpoint"] for p in SAMPLES} == set(registry())


@given(st.dictionaries(st.text("abcdefXYZ_019", min_size=1, max_size=8), TEXT, max_size=8), TEXT)
def test_signature_agrees_with_the_cameras_own(fields: dict[str, str], key: str) -> None:
    assert wire.sign(fields, key) == signature(fields, key)
    assert wire.sign(dict(reversed(fields.items())), key) == wire.sign(fields, key)


@given(TEXT)
def test_empty_values_do_not_change_the_signature(value: str) -> None:
    assert wire.sign({"a": value, "b": ""}, "k") == wire.sign({"a": value}, "k")
    assert wire.sign({"a": value, "sign": "whatever"}, "k") == wire.sign({"a": value}, "k")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32).filter(
        lambda name: len(name.encode()) <= 32
    ),
    st.text("&=+% é咖🎉", max_size=64),
)
def test_what_is_signed_is_what_is_sent(ssid: str, password: str) -> None:
    outgoing = build("config/setWifiConf", {"ssid": ssid, "password": AsIs(password)})
    received = parse_form(outgoing.body)
    assert received["ssid"] == ssid
    assert received["password"] == password
    assert received["sign"] == signature(received, "12345678")
    assert parse_qsl(outgoing.body.decode(), keep_blank_values=True) == list(outgoing.fields)


@given(st.lists(TEXT, max_size=4))
def test_arrays_travel_as_json_text(items: list[str]) -> None:
    text = wire.encode(items)
    assert json.loads(text) == items
    outgoing = wire.build_raw(
        "a/b", {"event_list": items}, CREDENTIALS, now=1, random="1", how=wire.Sign.SECRET
    )
    assert dict(outgoing.fields)["event_list"] == text
    assert dict(outgoing.fields)["sign"] == signature(dict(outgoing.fields), "12345678")


def test_random_is_fresh_and_ten_digits() -> None:
    seen = {wire.nonce() for _ in range(50)}
    assert len(seen) == 50
    assert all(len(n) == 10 and n.isdecimal() for n in seen)


def test_activation_is_signed_with_the_activation_code() -> None:
    fields = dict(build("device/activate", {"sn": "X1"}).fields)
    assert fields["sign"] == signature(fields, "activate-me")


@pytest.mark.parametrize(
    ("credentials", "path", "word"),
    [
        (Credentials(), "device/getInfo", "app_id"),
        (Credentials("a"), "device/getInfo", "secret key"),
        (Credentials("a", "b"), "device/activate", "activation code"),
    ],
)
def test_missing_credentials_are_named(credentials: Credentials, path: str, word: str) -> None:
    endpoint = registry()[path]
    with pytest.raises(ConfigError, match=word):
        wire.build(endpoint, {"sn": "x"} if endpoint.parameters else {}, credentials, now=1, random="1")


def test_no_secret_in_repr() -> None:
    outgoing = build("config/setWifiConf", {"ssid": "Shop", "password": "hunter22"})
    for text in (repr(outgoing), repr(CREDENTIALS), str(CREDENTIALS)):
        assert "hunter22" not in text
        assert "12345678" not in text
        assert "activate-me" not in text


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not an object"),
        (b"{}", "no return code"),
        (b'{"code":null}', "no return code"),
        (b'{"code":true}', "no return code"),
        (b'{"code":"x"}', "no return code"),
        (b'{"code":NaN}', "not JSON"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b"[" * 33 + b"]" * 33, "nested too deeply"),
        (b'{"code":0,"data":[' + b"[]," * 1_000_000 + b"[]]}", "holds too much"),
        (b'{"code":' + b"9" * 5000 + b"}", "number that cannot be used"),
    ],
)
def test_answers_that_are_none(body: bytes, word: str) -> None:
    with pytest.raises(ReplyError, match=word):
        wire.open_json(Incoming(200, {}, body), path="device/getInfo")


@pytest.mark.parametrize("status", [204, 301, 401, 404, 500])
def test_other_http_status(status: int) -> None:
    with pytest.raises(ReplyError, match=str(status)):
        wire.open_json(Incoming(status, {}, b'{"code":0}'), path="device/getInfo")


def test_inferred_path_unknown_to_the_camera_says_how_to_correct_it() -> None:
    endpoint = registry()["config/getWifiConf"]
    for incoming in (Incoming(404, {}, b""), Incoming(200, {}, b'{"code":6}')):
        with pytest.raises((ReplyError, DeviceError)) as caught:
            wire.open_reply(endpoint, incoming)
        assert "config/getWifiConf is inferred" in caught.value.hint
        assert "import-postman" in caught.value.hint
        assert "protocol probe" in caught.value.hint


def test_only_what_is_inferred_is_called_so() -> None:
    """A documented path that is not there, and a parameter that is refused, by what is known of each."""
    documented, inferred = registry()["face/updateGroup"], registry()["config/setLed"]
    for endpoint, body, said in (
        (documented, b'{"code":6}', "path is inferred"), (inferred, b'{"code":6}', "path config/setLed is inferred"),
        (documented, b'{"code":2}', "parameters are named is inferred"),
        (inferred, b'{"code":2}', "parameters are named is inferred"),
        (registry()["config/setWifiConf"], b'{"code":2}', ""), (registry()["config/getLed"], b'{"code":2}', ""),
    ):  # fmt: skip
        with pytest.raises(DeviceError) as caught:
            wire.open_reply(endpoint, Incoming(200, {}, body))
        if endpoint is documented and b"6" in body:
            assert "is inferred, not documented" not in caught.value.hint
            assert "protocol probe" in caught.value.hint
        else:
            assert said in caught.value.hint
            assert ("inferred" in caught.value.hint) == bool(said)


def test_tolerated_envelopes() -> None:
    for body in (
        b'\xef\xbb\xbf{"code":0,"data":{"a":1}}',
        b'{"code":"0","a":1}trailing',
        b' {"code":0,"data":null,"a":1,"msg":"ok"}',
    ):
        assert wire.open_json(Incoming(200, {"Content-Type": "text/html"}, body), path="x/y") == {"a": 1}


def test_date_header() -> None:
    assert Incoming(200, {"Date": "Wed, 24 Jun 2020 20:08:03 GMT"}, b"").date == 1593029283
    for bad in ({}, {"Date": "yesterday"}, {"Date": ""}):
        assert Incoming(200, bad, b"").date is None
