"""Nothing that identifies anybody is left, wherever it stood and however it was written."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

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
