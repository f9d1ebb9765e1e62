"""Nothing that identifies anybody is left, wherever it stood and however it was written."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sunmi_ipc.survey.anonymise import Anonymiser, Leak

SN, MAC, IP = "FS101D8BS33934", "AC:DE:48:00:11:22", "192.168.31.77"


def clean(document: Any, *secrets: str) -> tuple[Any, Anonymiser]:
    anonymiser = Anonymiser(secrets, host=IP, sn=SN)
    anonymiser.learn(document)
    return anonymiser.clean(document), anonymiser


def test_the_same_thing_has_the_same_fake_everywhere() -> None:
    cleaned, _ = clean(
        {"sn": SN, "note": f"camera {SN.lower()} at {IP}", SN: [MAC, MAC.replace(":", "-").lower()]}
    )
    (fake, note, macs) = (
        cleaned["sn"],
        cleaned["note"],
        next(v for v in cleaned.values() if isinstance(v, list)),
    )
    assert fake == "FS101D8BS00001"  # the form stays: model and batch are no identity
    assert fake in cleaned
    assert len(note) == len(f"camera {SN} at {IP}")  # a sentence may name anybody: all of it is replaced
    assert macs == ["02:00:00:00:00:01", "02-00-00-00-00-01"]
    assert SN not in json.dumps(cleaned)


def test_words_versions_numbers_and_times_stay() -> None:
    document = {
        "model_name": "FM020", "software_version": "1.8.2", "key_mgmt": "WPA-PSK", "irmode": 2, "zoom": "120",
        "start_time": 1795555260, "network": "LAN", "event_type": "face_recog_event", "code": 0, "password": "",
    }  # fmt: skip
    cleaned, anonymiser = clean(document)
    assert cleaned == document
    assert set(anonymiser.replaced) <= {"address", "serial number"}


def test_no_fake_is_somebody_elses_real_one() -> None:
    real = [f"FS101D8BS{number:05d}" for number in range(900, 1100)]
    anonymiser = Anonymiser(host="10.0.0.3", sn="FS101D8BS00106")
    document = {"sn": real, "more": [f"10.0.0.{n}" for n in range(1, 9)], "mac": "02:00:00:00:00:02"}
    anonymiser.learn(document)
    cleaned = anonymiser.clean(document)
    assert "FS101D8BS00106" not in cleaned["sn"]
    assert "10.0.0.3" not in cleaned["more"][:2] + cleaned["more"][3:]
    assert len(set(cleaned["sn"])) == len(real)


def test_a_camera_that_names_every_address_of_the_fakes_holds_up_nobody() -> None:
    anonymiser = Anonymiser()
    for one in range(64_000):
        anonymiser._address(f"10.0.{one // 250}.{1 + one % 250}")
    anonymiser._address("192.168.77.31")
    assert anonymiser._fakes["192.168.77.31"].startswith("10.1.")


@pytest.mark.parametrize("other", ["\u0130", "\u0131", "\u017f", "\u212a", "\u1e9e", "\ufb05"])
def test_letters_that_are_one_to_a_pattern_and_two_when_folded(other: str) -> None:
    anonymiser = Anonymiser(sn=SN)
    anonymiser.learn({"name": f"{SN}{other} till 1"})
    for letter in {other.lower()[0], other.upper()[0], "i", "s", "k", "\u00df", "\ufb06"}:
        assert SN not in anonymiser.text(f"so {SN}{letter} till 1"), letter


WAYS = {
    "value": lambda v: v,
    "in a sentence": lambda v: f"the {v} of the shop",
    "json in json": lambda v: json.dumps({"inner": {"name": v}}),
    "escaped json": lambda v: json.dumps({"name": v}, ensure_ascii=True),
    "base64": lambda v: base64.b64encode(json.dumps({"name": v}).encode()).decode(),
    "base64 for urls": lambda v: base64.urlsafe_b64encode(f"ssid={v}&x=1".encode()).decode().rstrip("="),
    "percent": lambda v: f"http://10.1.2.3/cgi?name={quote(v, safe='')}",
    "percent twice": lambda v: quote(quote(f"name={v}", safe=""), safe=""),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(st.characters(categories=["L", "N"]), min_size=9, max_size=24),
    way=st.sampled_from(sorted(WAYS)),
    as_key=st.booleans(),
)
def test_a_name_in_any_place_and_form(name: str, way: str, as_key: bool) -> None:
    mark = f"Zq{name}7"
    document = {"ssid": mark, "rows": [{"other": WAYS[way](mark)}], **({mark: 1} if as_key else {})}
    cleaned, anonymiser = clean(document)
    anonymiser.check(cleaned)
    text = json.dumps(cleaned, ensure_ascii=False)
    for form in (mark, json.dumps(mark)[1:-1], quote(mark, safe=""), quote(quote(mark, safe=""), safe="")):
        assert form not in text
    assert base64.b64encode(mark.encode()).decode()[:-4] not in text


def test_the_form_decides_so_that_a_fake_is_its_own_fake() -> None:
    document = {"ssid": "Nanjing Road 3F", "faceid": "8a7b6c5d4e3f2a1b", "sn": SN, "mac": MAC, "ip": IP,
                "pic_url": "https://192.168.31.77:8443/pic/8a7b6c5d4e3f2a1b.jpg?token=Geheim99"}  # fmt: skip
    once, _ = clean(document)
    again = Anonymiser(host=once["ip"], sn=once["sn"])
    again.learn(once)
    assert again.clean(once) == once
    assert once["pic_url"].endswith(".jpg?token=Xxxxxx00")


@pytest.mark.parametrize("way", [lambda v: json.dumps({"name": v}), lambda v: quote(v, safe=""),
                                 lambda v: base64.b64encode(v.encode()).decode()])  # fmt: skip
@pytest.mark.parametrize("depth", range(1, 10))
def test_however_deep_it_is_wrapped(way: Any, depth: int) -> None:
    mark = "南京路 7 <旗舰店>"
    wrapped = mark
    for _ in range(depth):
        wrapped = way(wrapped)
    cleaned, anonymiser = clean({"ssid": mark, "more": {"log": wrapped}, "again": f"{wrapped} "})
    anonymiser.check(cleaned)
    for text in (cleaned["more"]["log"], cleaned["again"]):
        for _ in range(30):
            assert mark not in text
            escaped = json.dumps(text)
            assert json.dumps(mark)[1:-1] not in escaped
            try:
                text = (
                    {
                        1: lambda t: json.loads(t)["name"],
                        2: lambda t: base64.b64decode(t, validate=True).decode(),
                    }[1 if text.lstrip()[:1] == "{" else 2](text.strip())
                    if "%" not in text
                    else unquote(text)
                )
            except (ValueError, KeyError):
                break


def test_secrets_wherever_they_stand() -> None:
    cleaned, _ = clean(
        {"password": "welcome-2020", "log": "joined with welcome-2020", "app_id": "JO83UNV983U9OR"}, "s3cr3tK"
    )
    assert "welcome" not in json.dumps(cleaned)
    assert cleaned["app_id"] == "XX00XXX000X0XX"


def test_a_leak_is_told_and_not_written() -> None:
    anonymiser = Anonymiser(["hunter2-and-more"])
    with pytest.raises(Leak):
        anonymiser.check({"log": "hunter2-and-more"})


@pytest.mark.parametrize(
    "body",
    [
        '{"code":0}\r\nDEBUG ssid=MARK',
        '{"code":0}{"ssid":"MARK"}',
        '{"ssid":"MARK","ssid":"Other"}',
        '{"a":{"password":"MARK"},"a":1}',
        '[{"ssid":"MARK"}] MARK {"x":"MARK"}',
        '{"code":0,"note":"\\u004d\\u0041RK"}\n\0MARK',
    ],
)
@pytest.mark.parametrize("mark", ["Nanjing7Road", "nanjing7road", "FS101D8BS77777"])
def test_what_a_reader_of_json_passes_over(body: str, mark: str) -> None:
    """Behind the document, and in a field that is there twice."""
    body = body.replace("\\u004d\\u0041RK", "".join(f"\\u{ord(c):04x}" for c in mark)).replace("MARK", mark)
    cleaned, anonymiser = clean({"body": body, "more": f"<{mark}>"})
    anonymiser.check(cleaned)
    assert mark not in json.dumps(cleaned)


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_however_its_letters_are_written(change: Any) -> None:
    secret = "aB9dE2fGh7"
    cleaned, _ = clean({"password": secret, "other": f"key={change(secret)};{change(secret)}x"}, secret)
    assert secret.lower() not in json.dumps(cleaned).lower()


@pytest.mark.parametrize("spelt", ["FS101-D8BS-33934", "FS101 D8BS 33934", "acde48001122", "ACDE.4800.1122"])
def test_no_kind_of_thing_but_this_very_thing(spelt: str) -> None:
    """A serial number with hyphens in it, under a name that has models and versions."""
    cleaned, _ = clean({"model": spelt, "type": spelt, "firmware": spelt})
    assert spelt not in json.dumps(cleaned)


def test_where_on_earth_a_camera_stands() -> None:
    body = '{"code":0,"lat":32.06,"pos":[118.796877, 32.0603],"text":"32.0603","x":0.5,"lng":"118.79"}'
    cleaned, _ = clean({"body": body})
    assert all(place not in cleaned["body"] for place in ("32.06", "118.79"))
    assert '"x":0.5' in cleaned["body"]
    assert json.loads(cleaned["body"])["code"] == 0


@pytest.mark.parametrize("name", ["Door", "Zoom", "name", "data", "Lens", "getInfo", "face", "DoorLine"])
def test_a_camera_that_bears_a_word_of_the_protocol(name: str) -> None:
    """Its name takes neither paths nor fields with it."""
    data = {"name": name, "zoom": 5, "face_list": [], "x": f"by the {name} of"}
    anonymiser = Anonymiser([], host=IP, sn=SN)
    anonymiser.learn(body := json.dumps({"code": 0, "data": data}))
    assert anonymiser.clean("peopleFlow/getDoorLine") == "peopleFlow/getDoorLine"
    assert set(json.loads(anonymiser.clean(body))["data"]) == set(data)
