"""The contract: what is written is read, and what it does not allow is refused in few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.broker import contract
from sunmi_ipc.broker.contract import BadMessage
from sunmi_ipc.i18n import translate

DOCS = Path(__file__).parents[2] / "docs" / "mqtt"
SAMPLES: dict[str, tuple[str, contract.Payload]] = {
    "station": (
        "station",
        contract.StationState(state="online", revision=5, since=1.5, name="南京路", cameras=("S1", "S2")),
    ),
    "availability": ("cameras/S1/availability", contract.Availability(state="offline", revision=5, time=2)),
    "state": (
        "cameras/S1/state",
        contract.CameraState(
            verdict="bad",
            reasons=(contract.Reason(code="card-none", level="bad", since=3),),
            revision=1,
            time=4,
            people={"arrivals": 3},
        ),
    ),
    "counts": (
        "cameras/S1/counts",
        contract.Counts(
            key=contract.counts_key("shop-1", "S1", 900), revision=7, sn="S1", start=900, end=1800,
            arrivals=None, leaving=None, passing=None, completeness=0.0, people={"male": (1,) * 8},
        ),
    ),
    "events": (
        "cameras/S1/events",
        contract.Event(
            key=contract.event_key("shop-1", "S1", "dynamic_detect_event", "e1"), revision=9, sn="S1",
            type="dynamic_detect_event", time=1, received=2, data={"detect_type": 1},
        ),
    ),
    "alerts": (
        "alerts",
        contract.Alert(
            key=contract.alert_key("shop-1", "", "disk", 1.25), revision=1, sn=None, code="disk",
            level="warning", state="open", opened=1.25,
        ),
    ),
    "calls": ("calls", contract.Envelope(key="hq", body="{}", signature="A" * 88)),
    "replies": ("replies/abcdefgh", contract.Envelope(key="station", body="{}", signature="A" * 88)),
}  # fmt: skip


@pytest.mark.parametrize("name", contract.MESSAGES)
def test_what_is_written_is_read_and_fits_its_schema(name: str) -> None:
    path, payload = SAMPLES[name]
    topic = f"{contract.PREFIX}/shop-1/{path}"
    found = contract.read(topic, payload.encode())
    assert found.payload == payload
    assert (found.message.name, found.site) == (name, "shop-1")
    assert contract.topic(name, "shop-1", sn=found.sn, client=found.client) == topic


@pytest.mark.parametrize("name", contract.MESSAGES)
def test_what_is_written_fits_its_schema(name: str) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    _, payload = SAMPLES[name]
    schema = contract.schemas()[contract.MESSAGES[name].schema]
    jsonschema_rs.validate(schema, json.loads(payload.encode()))
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, {})


def test_a_field_of_a_later_station_is_left_out() -> None:
    path, payload = SAMPLES["counts"]
    later = {**json.loads(payload.encode()), "dogs": 3}
    assert contract.read(f"{contract.PREFIX}/shop-1/{path}", json.dumps(later).encode()).payload == payload


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "sunmi-ipc/v1",
        "sunmi-ipc/v1/shop-1",
        "sunmi-ipc/v1/shop-1/",
        "sunmi-ipc/v2/shop-1/station",
        "x/sunmi-ipc/v1/shop-1/station",
        "sunmi-ipc/v1/shop-1\n/station",
        "sunmi-ipc/v1/../station",
        "sunmi-ipc/v1/shop-1/cameras/S1\n/state",
        "sunmi-ipc/v1/shop-1/cameras//state",
        "sunmi-ipc/v1/shop-1/cameras/S1/state/more",
        "sunmi-ipc/v1/" + "s" * 65 + "/station",
        "sunmi-ipc/v1/shop-1/" + "x/" * 5000,
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(BadMessage):
        contract.parse_topic(topic)


def _counts(**changes: Any) -> bytes:
    return json.dumps({**json.loads(SAMPLES["counts"][1].encode()), **changes}).encode()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"key":' + b"[" * 20_000,
        b"x" * (contract.MAX_PAYLOAD + 1),
        _counts(key="shop-2/counts/S1/900"),
        _counts(key="shop-1/alerts/S1/900"),
        _counts(sn="S2"),
        _counts(start=-1),
        _counts(start=True),
        _counts(arrivals="1"),
        _counts(arrivals=2**60),
        _counts(completeness=1.5),
        _counts(completeness=float("nan")),
        _counts(end=900),
        _counts(end=900 + 90_000),
        _counts(people={"male": [1] * 9}),
        _counts(people={"other": [1]}),
    ],
)
def test_other_payloads_are_refused_without_being_quoted(payload: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        contract.read(f"{contract.PREFIX}/shop-1/cameras/S1/counts", payload)
    assert len(str(refused.value)) < 200


def test_a_hub_hears_what_it_stores_and_no_calls() -> None:
    listed = contract.filters(group="hub")
    assert all(text.startswith("$share/hub/sunmi-ipc/v1/+/") for text in listed)
    assert not any("calls" in text or "replies" in text for text in listed)
    assert contract.filters(site="shop-1", names=["calls"]) == ["sunmi-ipc/v1/shop-1/calls"]


def test_a_part_of_a_topic_cannot_be_a_wildcard() -> None:
    for bad in ("+", "#", "a/b", "", "a\x00"):
        with pytest.raises(BadMessage):
            contract.topic("station", bad)
        with pytest.raises(BadMessage):
            contract.topic("state", "shop-1", sn=bad)


def test_every_field_says_what_it_is_in_both_languages() -> None:
    models = {m for message in contract.MESSAGES.values() for m in (message.model, message.signed) if m}
    parts = {contract.Reason, contract.Failure, contract.Chunk}
    for model in models | parts:
        for name, about in model.model_fields.items():
            assert about.description, f"{model.__name__}.{name}"
            said = translate(about.description, "zh", {})
            assert said != about.description, about.description
    for file in ("state", "replies.body", "calls.body", "alerts"):
        schema = json.loads((DOCS / f"{file}.schema.json").read_text("utf-8"))
        for part in (schema, *schema.get("$defs", {}).values()):
            assert all(field.get("description") for field in part.get("properties", {}).values()), file


def test_the_documents_are_current() -> None:
    """``python -m sunmi_ipc.broker.reference docs`` makes them."""
    from sunmi_ipc.broker import reference

    docs = Path(__file__).parents[2] / "docs"
    for name, text in reference.files().items():
        assert (docs / "mqtt" / name).read_text("utf-8") == text, name
    for lang, name in reference.PAGES.items():
        page = (docs / name).read_text("utf-8")
        assert reference.page(page, lang) == page, name
    document = reference.asyncapi()
    assert document["channels"]["state"]["address"] == "sunmi-ipc/v1/{site}/cameras/{sn}/state"
    assert set(document["operations"]) == set(contract.MESSAGES)


def test_the_chinese_tables_are_chinese() -> None:
    """Every sentence of the contract has its Chinese: what is left in Latin letters are names and values."""
    import re

    from sunmi_ipc.broker import reference

    plain = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|^#+ .*$", "", reference.tables("zh"), flags=re.M)
    assert re.findall(r"\b[A-Za-z]+ [a-z]+ [a-z]+", plain) == []
    shape = [[line.count("|") for line in reference.tables(lang).splitlines()] for lang in ("en", "zh")]
    assert shape[0] == shape[1]
