"""Dirty answers: a typed result or an error that names the field, never anything else."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sunmi_ipc import models
from sunmi_ipc.errors import DeviceError, ReplyError
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.protocol.values import CardStatus, IrMode
from sunmi_ipc.protocol.wire import Incoming

MODELS = sorted({getattr(models, name) for name in models.__all__}, key=lambda m: m.__name__)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=2**63), st.floats(), st.text(max_size=20),
    st.sampled_from(["", " 7 ", "007", "-1", "\ud800", "1e3", "NaN", "true", "\x1b[2J"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "sunmi_ipc")


@given(
    values=st.lists(VALUES, min_size=8, max_size=8),
    first=st.integers(0, 50),
    more=st.dictionaries(st.text(max_size=6), VALUES, max_size=3),
)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_anything_is_a_result_or_a_reply_error(values: list[Any], first: int, more: dict[str, Any]) -> None:
    """Eight values under the names of each model's fields, from some field on: what is drawn is dear, reading is not."""
    for model in MODELS:
        names = [field.alias or name for name, field in model.model_fields.items()]
        taken = zip((names * 9)[first % len(names) :], values[: len(names)], strict=False) if names else ()
        payload = {**more, **dict(taken)}
        try:
            result = model.read(payload)
        except ReplyError as error:
            assert error.values["field"].startswith(model.__name__), payload  # noqa: PT017 - both ends are right
        else:
            json.dumps(result.as_dict())
            repr(result)


@given(st.binary(max_size=200), st.sampled_from([200, 200, 404]))
def test_any_body_is_an_error_of_ours(body: bytes, status: int) -> None:
    endpoint = registry()["face/getGroupList"]
    with pytest.raises((ReplyError, DeviceError)):
        wire.open_reply(endpoint, Incoming(status, {}, body if b'"code"' not in body else b""))


@pytest.mark.parametrize("depth", [50, 5_000, 200_000])
def test_deep_nesting(depth: int) -> None:
    body = b'{"code":0,"data":{"face_group":' + b"[" * depth + b"]" * depth + b"}}"
    try:
        result = wire.open_reply(registry()["face/getGroupList"], Incoming(200, {}, body))
    except ReplyError:
        return
    assert result.face_group == ()


def test_tolerance_by_example() -> None:
    face = models.FaceRecord.read(
        {"faceid": 123, "age": "", "gender": "2", "arrive_time": "1593028800", "x": 1}
    )
    assert (face.faceid, face.age, face.gender.name) == ("123", None, "FEMALE")
    groups = models.GroupCollection.read({"num": None, "face_group": {"name": "VIP", "capacity": "5"}})
    assert groups.face_group[0].capacity == 5
    assert models.GroupCollection.read({"face_group": None}).face_group == ()
    assert models.ExternalStorage.read({"status": 9}).status.name == "UNKNOWN"
    assert models.ExternalStorage.read({"status": 9}).status == 9
    assert models.ExternalStorage.read({"status": "2"}).status is CardStatus.NORMAL
    assert models.IrConfiguration.read({"irmode": "1"}).mode is IrMode.ON


def test_nothing_wrong_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "sunmi_ipc")
    assert models.FaceRecord.read({"faceid": "a", "age": "hunter22"}).age is None
    assert "FaceRecord.age" in caplog.text
    assert "hunter22" not in caplog.text
    for bad in ({"zoom": True}, {"zoom": 1.5}, {"zoom": None}, {"zoom": [1]}, {}):
        with pytest.raises(ReplyError, match=r"LensConfiguration\.zoom"):
            models.LensConfiguration.read({"max_zoom": 1, "focus": 1, "max_focus": 1, **bad})


def test_secrets_do_not_show() -> None:
    wifi: Any = models.WifiConfiguration.read({"ssid": "Shop", "password": "hunter22"})
    assert "hunter22" not in repr(wifi) + str(wifi.as_dict())
    assert wifi.as_dict(reveal=True)["password"] == "hunter22"
