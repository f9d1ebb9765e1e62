"""The cloud's envelope against samples from the vendor's page, and properties."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunmi_ipc import errors
from sunmi_ipc.cloud import wire
from sunmi_ipc.cloud.fields import MAX_BODY
from sunmi_ipc.cloud.spec import CloudEndpoint
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.protocol.wire import Credentials, Incoming
from sunmi_ipc.simulator.checks import parse_multipart, signature

SAMPLES = sorted((Path(__file__).parent / "wire").glob("*.json"))
CREDENTIALS = Credentials("LMWWQVTW4QGCC", "12345678")
SHOP = {"sunmi_shop_no": "560279010307"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
FACE = registry("cloud")["face/getInfo"]
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda c: st.lists(c) | st.dictionaries(st.text(max_size=5), c), max_leaves=8)  # fmt: skip


def endpoint(path: str) -> CloudEndpoint[..., Any]:
    found = registry("cloud")[path]
    assert isinstance(found, CloudEndpoint)
    return found


def build(path: str, values: dict[str, Any], **options: Any) -> wire.Request:
    settings = {"shop": SHOP, "now": 1578972864, "random": "5dsf669800"} | options
    return wire.build(endpoint(path), endpoint(path).check(values), CREDENTIALS, **settings)


def revive(path: str, values: dict[str, Any]) -> dict[str, Any]:
    """A sample's values as Python types."""
    kinds = {p.name: p.base for p in endpoint(path).parameters}
    makers = {
        datetime: lambda v: datetime.fromtimestamp(v, UTC),
        date: date.fromisoformat,
        bytes: bytes.fromhex,
    }
    return {k: makers.get(kinds[k], lambda v: v)(v) for k, v in values.items()}


def reply(document: Any, status: int = 200) -> Incoming:
    return Incoming(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_request_is_the_sample_byte_for_byte(sample: Path) -> None:
    case = json.loads(sample.read_text("utf-8"))
    request = build(case["endpoint"], revive(case["endpoint"], case["values"]), boundary=case.get("boundary"))
    assert request.body.decode("latin-1") == case["body"]
    assert request.path == case["endpoint"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_sample_is_signed_as_the_page_says(sample: Path) -> None:
    """The sample itself: MD5 over the text that stands in it, worked out here alone."""
    case = json.loads(sample.read_text("utf-8"))
    digest = hashlib.md5(f"{case['signed']}&key=12345678".encode()).hexdigest().upper()
    assert digest in case["body"]
    names = [pair.partition("=")[0] for pair in case["signed"].split("&") if "=" in pair]
    assert "sign" not in names
    assert "pic" not in names


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_reply_is_read_as_the_sample_says(sample: Path) -> None:
    case = json.loads(sample.read_text("utf-8"))
    made = wire.open_reply(endpoint(case["endpoint"]), Incoming(200, {}, case["reply"].encode()))
    assert (None if made is None else made.as_dict()) == case["result"]


@settings(max_examples=30, deadline=None)
@given(name=TEXT.filter(lambda t: len(t) <= 64), gender=st.sampled_from([None, 1, 2]), note=TEXT)
def test_multipart_is_signed_over_what_is_sent_but_the_picture(
    name: str, gender: int | None, note: str
) -> None:
    values = {"group_id": "1", "name": name, "pic": b"\xff\xd8\xff\r\n--", "customer_value1": note}
    request = build("face/add", values | ({"gender": gender} if gender else {}))
    form, files = parse_multipart(request.body, request.content_type)
    assert form["sign"] == signature(form, "12345678")
    assert form["name"] == name
    assert files == {"pic": b"\xff\xd8\xff\r\n--"}


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_arrays_are_signed_as_the_json_text_that_is_sent(faces: list[str]) -> None:
    request = build("face/delete", {"group_id": "1", "face_id_list": faces})
    fields = dict(request.fields)
    assert json.loads(fields["face_id_list"]) == faces
    assert fields["sign"] == signature(fields, "12345678")


def test_bodies_are_refused_from_one_byte_too_many() -> None:
    """Ids fill the body up to the limit, to the byte."""
    spare = MAX_BODY - len(build("face/delete", {"group_id": "1", "face_id_list": ["x"]}).body) + 1
    assert len(build("face/delete", {"group_id": "1", "face_id_list": ["x" * spare]}).body) == MAX_BODY
    with pytest.raises(errors.ParameterError, match="larger than 1000000 bytes"):
        build("face/delete", {"group_id": "1", "face_id_list": ["x" * (spare + 1)]})
    with pytest.raises(errors.ParameterError, match="larger than 1000000 bytes"):
        build("face/delete", {"group_id": "1", "face_id_list": ["x" * 1_048_577]})
    with pytest.raises(errors.ParameterError, match="larger than"):  # the form around it counts too
        build("face/add", {"group_id": "1", "name": "x", "pic": b"\xff" * 999_999})
    with pytest.raises(errors.ParameterError, match="the picture has 1100000 bytes"):
        build("face/add", {"group_id": "1", "name": "x", "pic": b"\xff" * 1_100_000})


def test_code_1_with_good_data_is_taken_and_no_error_is() -> None:
    path = "passengerFlow/stat/history/person/frequency/getList"
    data = {"frequency_list": [{"frequency": 1}]}
    assert wire.open_reply(endpoint(path), reply({"code": "1", "msg": "", "data": data})).frequency_list
    for bad in (
        {"code": 1, "msg": "failed", "data": data},
        {"code": 2, "msg": "", "data": data},
        {"code": 1, "msg": "", "data": {}},
        {"code": 1, "msg": "", "data": {"frequency_list": []}},
        {"code": 1, "msg": "", "data": {"reason": "x"}},
        {"code": 1, "msg": "", "data": None},
        {"code": 1, "msg": "", "data": {"frequency_list": "reason"}},
        {"code": 1, "data": data},
    ):
        with pytest.raises(errors.CloudError):
            wire.open_reply(endpoint(path), reply(bad))
    with pytest.raises(errors.CloudError):  # nothing to judge by
        wire.open_reply(endpoint("device/ipc/bind"), reply({"code": 1, "msg": "", "data": {"a": 1}}))
    with pytest.raises(errors.CloudError):  # not of the result's shape
        wire.open_reply(endpoint("face/getInfo"), reply({"code": 1, "msg": "", "data": {"name": "x"}}))


@settings(deadline=None)
@given(case=st.sampled_from(list(registry("cloud"))), code=st.integers(1, 9999), message=TEXT, data=JSON)
def test_an_error_is_never_taken_for_success(case: str, code: int, message: str, data: Any) -> None:
    with pytest.raises(errors.CloudError):
        wire.open_reply(endpoint(case), reply({"code": code, "msg": message, "data": data}))


@settings(max_examples=50, deadline=None)
@given(data=JSON, code=st.just(0) | JSON)
def test_any_answer_is_a_result_or_an_error_of_ours(code: Any, data: Any) -> None:
    for document in ({"code": code, "msg": "", "data": data}, data):
        with suppress(errors.SunmiIpcError):
            assert wire.open_reply(endpoint("face/group/getFaceList"), reply(document)).total_num is not None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b"[1]", b'{"msg":""}', b'{"code":true}', b"[" * 100_000]
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(errors.ReplyError):
        wire.open_reply(endpoint("face/getInfo"), Incoming(200, {}, body))


def test_counts_that_are_not_said_are_not_nought() -> None:
    today = wire.open_reply(
        endpoint("passengerFlow/stat/today/getLatest"), reply({"code": 0, "data": {"count": "7"}})
    )
    assert (today.total_count, today.pass_count) == (7, None)
    with pytest.raises(errors.ReplyError, match=r"TodayTotals\.total_count"):
        wire.open_reply(endpoint("passengerFlow/stat/today/getLatest"), reply({"code": 0, "data": {}}))
