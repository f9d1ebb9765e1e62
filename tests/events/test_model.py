"""Bodies in every layout, and what is no event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc.errors import BadEvent
from sunmi_ipc.events import FaceRecognitionEvent, MotionDetectEvent, RawEvent, parse
from sunmi_ipc.events.decoding import read, verify
from sunmi_ipc.events.model import of
from sunmi_ipc.events.model import read as read_event
from sunmi_ipc.protocol.values import AgeRange, DetectType, Gender

JSON = "application/json"
# The first draw builds tables; a busy machine is no finding.


def bodies(kit: Any, fields: dict[str, Any]) -> dict[str, bytes]:
    """*fields*, signed, in every layout of the protocol paper's section 7."""
    text = json.dumps(fields)
    return {
        "form": kit.form(kit.signed(fields)),
        "form, data": kit.form(kit.signed({"data": text})),
        "form, payload": kit.form(kit.signed({"payload": text, "sn": fields["sn"]})),
        "json": json.dumps(kit.signed(fields)).encode(),
        "json, data": json.dumps(kit.signed({"data": fields})).encode(),
        "json, payload": json.dumps(kit.signed({"payload": fields}), indent=2).encode(),
        "json, data as text": json.dumps(kit.signed({"data": text})).encode(),
        "json, signed flat": json.dumps(
            {k: v for k, v in kit.signed(fields).items() if k not in fields} | {"data": fields}
        ).encode(),
    }


@pytest.mark.parametrize("layout", range(8))
def test_every_layout_gives_the_same_event(kit: Any, layout: int) -> None:
    name, body = list(bodies(kit, kit.FACE).items())[layout]
    event = parse(body, JSON if name.startswith("json") else "application/x-www-form-urlencoded")
    assert isinstance(event, FaceRecognitionEvent)
    assert event.report_time == datetime(2020, 6, 24, 20, 8, 3, tzinfo=UTC)
    assert (event.sn, event.event_id, event.faceid, event.age) == ("FS101D8BS00106", "e1", "77", None)
    assert (event.age_range, event.gender, event.arrive_count) == (AgeRange.AGE_19_28, Gender.FEMALE, 3)
    assert event.links == {"pic_url": "http://127.0.0.1/p.jpg"}
    assert verify(read(body), {kit.APP: kit.KEY})
    assert not verify(read(body), {kit.APP: "another"})
    assert not verify(read(body.replace(b"FS101D8BS00106", b"FS101D8BS00107")), {kit.APP: kit.KEY})
    assert not verify(read(body.replace(b"e1", b"e2", 1)), {kit.APP: kit.KEY})


def test_signature_vector() -> None:
    body = b"app_id=JO83UNV983U9OR&random=289192&sn=FS101D8BS00106&timestamp=1593029283&sign=72CB1C1031D3BA103D2FA1A57E171C2D"
    assert verify(read(body), {"JO83UNV983U9OR": "12345678"})
    assert verify(
        read(
            body.lower()
            .replace(b"jo83unv983u9or", b"JO83UNV983U9OR")
            .replace(b"fs1", b"FS1")
            .replace(b"d8bs", b"D8BS")
        ),
        lambda app_id: "12345678" if app_id == "JO83UNV983U9OR" else None,
    )
    assert not verify(read(body.replace(b"72CB", b"72CC")), {"JO83UNV983U9OR": "12345678"})
    assert not verify(read(body.replace(b"=72CB", b"=%C3%A9CB")), {"JO83UNV983U9OR": "12345678"})
    assert not verify(read(body), {})


def test_motion(kit: Any) -> None:
    event = parse(json.dumps(kit.MOTION).encode())
    assert isinstance(event, MotionDetectEvent)
    assert (event.event_id, event.detect_type) == ("12", DetectType.BOTH)


def test_recognised_by_fields_alone() -> None:
    assert isinstance(parse(b"sn=A&faceid=3"), FaceRecognitionEvent)
    assert isinstance(parse(b"sn=A&detect_type=2"), MotionDetectEvent)


def test_unknown_type_is_kept_raw() -> None:
    event = parse(b'{"sn": "A", "event_type": "line_cross", "n": [1, 2], "pic_url": "http://x"}')
    assert isinstance(event, RawEvent)
    assert event.event_type == "line_cross"
    assert event.fields["n"] == [1, 2]
    assert event.links == {"pic_url": "http://x"}


def test_dirty_values_are_left_out() -> None:
    event = parse(
        b'{"sn":"A","faceid":7,"age":null,"age_range":"9","gender":"","arrive_count":"many","report_time":"soon"}'
    )
    assert isinstance(event, FaceRecognitionEvent)
    assert (event.faceid, event.age, event.arrive_count, event.report_time) == ("7", None, None, None)
    assert event.gender is Gender.UNKNOWN
    assert event.age_range is not None
    assert (event.age_range.name, int(event.age_range)) == ("UNKNOWN", 9)


def test_without_an_id_the_content_is_the_id() -> None:
    first, again = (
        parse(b"sn=A&detect_type=2&report_time=5"),
        parse(b"report_time=5&sn=A&detect_type=2&random=1"),
    )
    other = parse(b"sn=A&detect_type=2&report_time=6")
    assert first.event_id == again.event_id
    assert first.event_id != other.event_id
    assert first.event_id.startswith("~")


def test_without_an_id_and_a_time_the_envelope_tells_two_events_apart() -> None:
    def key(envelope: str, more: str = "") -> tuple[str, str, str]:
        fields = read_event(f"sn=A&detect_type=2{more}{envelope}".encode()).event
        assert "timestamp" not in fields
        assert of(json.loads(json.dumps(fields))).key == of(fields).key  # the same from the spool
        return of(fields).key

    first = key("&timestamp=1593029283&random=289192")
    assert first == key("&random=289192&timestamp=1593029283&sign=X")
    assert first != key("&timestamp=1593029284&random=289193")
    assert key("") == key("")
    for more in ("&event_id=e1", "&report_time=5"):
        assert key("&timestamp=1593029283&random=289192", more) == key("&timestamp=1593029999", more)


MALFORMED = [
    b"",
    b"\0\n ",
    b"\xff\xfe",
    b"hello",
    b"{",
    b"[]",
    b"{}",
    b'{"sn": "A"}',
    b'{"event_type": "x"}',
    b'{"event_type": "x", "sn": ""}',
    b'{"event_type": "x", "sn": "../../etc"}',
    b'{"event_type": "x", "sn": "a/b"}',
    b'{"event_type": "x/#", "sn": "a"}',
    b'{"event_type": "x", "sn": ["a"]}',
    b'{"event_type": "x", "sn": "a", "sn": "b"}',
    b"event_type=x&sn=a&sn=b",
    b'{"event_type": "x", "sn": "a", "n": 1e999}',
    b'{"event_type": "x", "sn": "a", "n": NaN}',
    b'{"event_type": "x", "sn": "a b"}',
    b'{"event_type": "x", "sn": "192.168.1.5"}',
    b'{"event_type": "x", "sn": "a", "n": ' + b"[" * 33 + b"]" * 33 + b"}",
    b'{"event_type": "x", "sn": "a", "n": ' + b"9" * 100 + b"}",
    b'{"event_type": "x", "sn": "a"} trailing',
    b'{"event_type": "x", "sn": "a", "data": "{"}',
    b'{"a":' * 100_000,
    b"event_type=x&sn=%FF",
    b"event_type=x&sn",
    b"&".join(b"k%d=1" % i for i in range(2000)),
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed(body: bytes) -> None:
    for content_type in ("", JSON, "application/x-www-form-urlencoded"):
        with pytest.raises(BadEvent) as caught:
            parse(body, content_type)
        assert caught.value.localized("zh")[0] != caught.value.message


@given(st.binary(max_size=300) | st.text().map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_an_event_or_bad_event(body: bytes) -> None:
    try:
        event = parse(body)
    except BadEvent:
        return
    assert event.sn
    assert event.event_type


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "sn",
                "event_type",
                "event_id",
                "faceid",
                "detect_type",
                "report_time",
                "data",
                "payload",
                "age",
                "gender",
                "pic_url",
                "sign",
                "app_id",
            ]
        ),
        VALUES,
    )
)
def test_any_json_gives_an_event_or_bad_event(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    try:
        event = parse(body)
        verify(read(body), {"": "x", "a": "y"})
    except BadEvent:
        return
    assert 0 < len(event.event_id) <= 128


def test_what_could_steer_or_break_anything_is_replaced() -> None:
    """A firmware that cuts an emoji in two sends a lone surrogate: that must not cost the event."""
    event = parse(
        b'{"event_type": "x", "sn": "a", "n": "a\\ud800b", "esc": "\\u001b[2J", "deep": {"\\u202e": "\\u0000"}}'
    )
    assert isinstance(event, RawEvent)
    assert event.fields["n"] == "a\N{REPLACEMENT CHARACTER}b"
    json.dumps(event.as_dict(), ensure_ascii=False).encode()
    assert str(event.fields).isprintable()


def test_a_serial_number_has_one_spelling() -> None:
    events = [
        parse(b"event_type=x&event_id=1&sn=" + sn)
        for sn in (b"fs101d8bs00106", b"FS101D8BS00106", b"+fs101D8BS00106+")
    ]
    assert {event.key for event in events} == {("FS101D8BS00106", "x", "1")}


def test_a_field_that_cannot_be_used_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.events import model

    monkeypatch.setattr(model, "_SAID", set())
    for number in range(50):
        parse(b"event_type=face_recog_event&sn=a&arrive_count=many&event_id=%d" % number)
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(said) == 1
    assert "arrive_count" in said[0]
    assert "many" not in said[0]
