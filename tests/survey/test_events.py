"""The first event of each type is shown as it came, with nobody in it, and how it was read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.survey import events, model

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "event"
DUMP = Path(__file__).parents[1] / "dumps" / "virtual-FM020.json"
APP, KEY = "JO83UNV983U9OR", "12345678"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def body(name: str) -> tuple[bytes, str]:
    raw = (CORPUS / name).read_bytes()
    return raw[1:], JSON if raw[:1] == b"\1" else FORM


@pytest.mark.parametrize(
    ("name", "form", "place", "signature"),
    [
        ("face-form", "form", "at the top", "over the fields as they came"),
        ("face-form-data", "form", "under data, as text", "over the fields as they came"),
        ("face-form-payload", "form", "under payload, as text", "over the fields as they came"),
        ("face-json", "json", "at the top", "over the fields as they came"),
        ("face-json-data", "json", "under data", "over the fields as they came"),
        ("face-json-payload", "json", "under payload", "over the fields as they came"),
        ("face-json-data-text", "json", "under data, as text", "over the fields as they came"),
        ("face-json-signed-flat", "json", "under data", "over the event's own fields, unfolded"),
        ("motion-form", "form", "at the top", "over the fields as they came"),
    ],
)
def test_how_each_layout_is_read(name: str, form: str, place: str, signature: str) -> None:
    raw, kind = body(name)
    found = events.look(raw, kind, "192.168.31.77", 200, {APP: KEY})
    assert (found["form"], found["place"], found["signature"]) == (form, place, signature)
    assert found["event_type"] == ("face_recog_event" if name.startswith("face") else "dynamic_detect_event")
    assert "event_type" in found["body"]
    whole = json.dumps(found)
    assert all(mark not in whole for mark in ("FS101D8BS00106", APP, KEY, "127.0.0.9", "192.168.31.77"))
    assert "present: sn" in found["fields"] or "present: " in found["fields"]


def test_other_signatures_and_no_event() -> None:
    raw, kind = body("face-json")
    assert events.look(raw, kind, "h", 401, {APP: "other"})["signature"] == "fits nothing that was tried"
    assert events.look(raw, kind, "h", 401, {})["signature"] == "of another app_id"
    assert events.look(b'{"sn":"FS101D8BS00106","faceid":"1"}', JSON, "h", 200, {})["signature"] == "none"
    for odd in (b"\xff\xfe", b"{", b"", b'{"sn":"FS101D8BS00106","sn":"Nanjing Road 17"}', b"[" * 100_000):
        found = events.look(odd, "\x1b[2J", "h", 400, {APP: KEY})
        assert found["form"] == "unreadable"
        assert "Nanjing" not in json.dumps(found)
        assert found["content_type"].isprintable()
        model.Pushed.model_validate(found)


def test_a_flood_of_kinds_shows_a_few_and_a_taken_one_counts_more() -> None:
    told: list[dict[str, Any]] = []
    learner = events.Learner({APP: KEY}, told.append)
    for number in range(100):
        learner.take(b'{"sn":"FS101D8BS00106","event_type":"kind%d"}' % number, JSON, "h", 401)
    assert len(learner.learnt) == len(told) <= 16
    learner = events.Learner({APP: KEY}, told.append)
    raw, kind = body("face-json")
    learner.take(raw, kind, "h", 401)
    learner.take(raw, kind, "h", 200)
    learner.take(raw, kind, "h", 200)
    assert [one["status"] for one in learner.learnt] == [200]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[Receiver, events.Learner]]:
    learner = events.Learner({APP: KEY}, lambda learnt: None)
    with (
        Spool(tmp_path / "spool") as spool,
        Receiver(spool, host="127.0.0.1", secrets={APP: KEY}, heard=learner.take) as receiver,
    ):
        yield receiver, learner


def test_from_the_socket_into_the_dump(receiver: tuple[Receiver, events.Learner], tmp_path: Path) -> None:
    server, learner = receiver
    for name in ("face-form-data", "motion-json-payload", "surrogate"):
        raw, kind = body(name)
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("POST", "/events", raw, {"Content-Type": kind})
        connection.getresponse().read()
        connection.close()
    assert {one["event_type"]: one["status"] for one in learner.learnt if one["status"] == 200} == {
        "face_recog_event": 200, "dynamic_detect_event": 200,
    }  # fmt: skip
    path = tmp_path / "dump.json"
    shutil.copy(DUMP, path)
    events.add_to_dump(path, learner.learnt)
    events.add_to_dump(path, learner.learnt)  # twice is as once
    document = model.read(path)
    kinds = [one["event_type"] for one in document["events"]]
    assert len(kinds) == len(set(kinds))
    rows = {(row["path"], row["fact"]): row["verdict"] for row in document["findings"]}
    assert rows["face_recog_event", "layout"] == rows["face_recog_event", "signature"] == "proven"
    with pytest.raises(ConfigError, match="no dump"):
        events.add_to_dump(tmp_path / "none.json", learner.learnt)


def test_a_look_that_fails_costs_no_event(tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    with (
        Spool(tmp_path / "spool") as spool,
        Receiver(spool, host="127.0.0.1", secrets={APP: KEY}, heard=fail) as server,
    ):
        raw, kind = body("face-json")
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("POST", "/events", raw, {"Content-Type": kind})
        assert connection.getresponse().status == 200
        connection.close()
        assert spool.counts()["kept"] == 1
