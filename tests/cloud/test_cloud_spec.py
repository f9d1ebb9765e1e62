"""Structural tests: they walk the cloud's endpoint table, so that nothing can be left out."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from urllib3.filepost import encode_multipart_formdata

from sunmi_ipc import errors
from sunmi_ipc.cloud import reference
from sunmi_ipc.cloud.spec import CloudEndpoint
from sunmi_ipc.codes.cloud import CloudCode
from sunmi_ipc.i18n import _chinese
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.spec import Evidence, Parameter, registry
from sunmi_ipc.simulator import jpeg
from sunmi_ipc.simulator.checks import signature
from sunmi_ipc.simulator.cloud import VirtualCloud, connect
from sunmi_ipc.simulator.cloud.handlers import unplayed

ENDPOINTS: list[CloudEndpoint[..., Any]] = list(registry("cloud").values())  # type: ignore[arg-type]
PARAMETERS = [(e, p) for e in ENDPOINTS for p in e.parameters]
BOUNDED = [
    (e, p)
    for e, p in PARAMETERS
    if any(x is not None for x in (p.ge, p.le, p.min_len, p.max_len)) and p.kind != "file"
]
ROOT = Path(__file__).parents[2]
#: The sheet's table: path, codes, whether in development.
SHEET = """
device/ipc/getList 5000 5013 5041
device/ipc/getListByCompany 5000 5013 5041
device/ipc/getInfo 5000 5013 5041 5501
device/ipc/updateName 5000 5011 5013 5041 5501 5506 5510
device/ipc/bind 5000 5013 5020 5041 5079 5501 5509
device/ipc/unbind 5000 5013 5020 5041 5501 5510
media/live/start 5000 5011 5013 5041 5501 5510
media/live/stop 5000 5011 5013 5041 5501 5510
media/playback/start* 5021 5041 5087 5088 5506
media/playback/stop* 5020
media/video/getList 5000 5013 5021 5041
media/motionDetection/getList 5000 5013 5041
media/playback/getSnapshot 5000 5013 5041
media/live/getSnapshot 5000 5011 5013 5041 5501 5510 5515
passengerFlow/stat/today/getLatest 5000 5013 5041
passengerFlow/stat/today/groupByTag 5000 5013 5041
passengerFlow/stat/today/groupByGender 5000 5013 5041
passengerFlow/stat/today/getTrendByHour 5000 5013 5041
passengerFlow/stat/history/groupByTag 5000 5013 5041
passengerFlow/stat/history/groupByGender 5000 5013 5041
passengerFlow/stat/history/getTrendByHour 5000 5013 5041
passengerFlow/stat/history/getTrendByDay 5000 5013 5041
passengerFlow/stat/history/getTrendByWeek* 5000 5013 5041
passengerFlow/stat/history/getTrendByMonth* 5000 5013 5041
passengerFlow/stat/history/person/frequency/getList 5025 5041
face/group/getList 5000 5013 5041
face/group/getInfo 5000 5013 5041
face/group/create 5000 5013 5041 5518 5520 5523
face/group/update 5000 5013 5041 5506 5520 5525
face/group/delete 5000 5013 5041 5506 5509 5524
face/group/getFaceList 5000 5013 5041 5506
face/group/move 5000 5013 5041 5520 5521 5522
face/group/updateMoveStrategy 5000 5013 5041 5506 5520 5525
face/getInfo 5000 5013 5041 5506
face/add 5000 5013 5041 5520
face/update 5000 5013 5041 5520 5521
face/delete 5000 5013 5041
hook/add
hook/delete
"""


def ids(case: Any) -> str:
    return str(getattr(case, "key", None) or getattr(case, "name", case))


def plain(parameter: Parameter) -> Any:
    """A value that the declaration allows."""
    if parameter.base is datetime:
        return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    if parameter.base is date:
        return date.today() - timedelta(days=3)
    if parameter.base is bytes:
        return jpeg.face("somebody")
    if parameter.base is list:
        return [2001] if parameter.item is int else ["578968751459"]
    if parameter.choices:
        return parameter.base(parameter.choices[0])
    if parameter.base is int:
        return parameter.ge or 1
    return {"mac": "0C25766F5705", "callback": "https://shop.example/hook", "ipc_sn": "FS101D8BS00001"}.get(
        parameter.name, "578968751459"
    )


def values(endpoint: CloudEndpoint[..., Any], **changed: Any) -> dict[str, Any]:
    made = {p.name: plain(p) for p in endpoint.parameters if p.required or p.name == "ipc_sn"}
    return made | changed


def edges(p: Parameter) -> tuple[list[Any], list[Any]]:
    """Values at the bounds, and one step beyond."""
    good: list[Any] = []
    bad: list[Any] = []
    if p.ge is not None:
        good.append(p.ge)
        bad.append(p.ge - 1)
    if p.le is not None:
        good.append(p.le)
        bad.append(p.le + 1)
    if p.min_len and p.base is str:
        good.append("x" * p.min_len)
        bad.append("x" * (p.min_len - 1))
    if p.max_len is not None:
        good.append("é" * p.max_len)
        bad.append("é" * (p.max_len + 1))
    if p.base is list:
        bad.append([])
    return good, bad


def form(
    service: VirtualCloud, endpoint: CloudEndpoint[..., Any], made: dict[str, Any], **public: str
) -> tuple[bytes, str]:
    """A form past the client's checks, signed by the test itself."""
    texts = {
        p.wire: wire.encode(made[p.name]) for p in endpoint.parameters if p.name in made and p.kind != "file"
    }
    texts |= {k: v for k, v in made.items() if k.startswith("x_")}
    fields = {"app_id": service.app_id, "timestamp": str(int(time.time())), "random": "abc1234567", **texts}
    if endpoint.shop:
        fields["sunmi_shop_no"] = service.shop_no
    key = public.pop("key", service.secret_key.reveal())
    fields = {k: v for k, v in (fields | public).items() if v}
    fields["sign"] = signature(fields, key)
    files = {p.wire: made[p.name] for p in endpoint.parameters if p.name in made and p.kind == "file"}
    if files:
        return encode_multipart_formdata([*fields.items(), *((k, ("f", v)) for k, v in files.items())])
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def test_the_table_is_the_sheets() -> None:
    found = [
        " ".join(
            [e.path + "*" * e.in_development, *(str(c) for c in sorted(e.codes - {0, 5090, 5091, 5092}))]
        )
        for e in ENDPOINTS
    ]
    assert sorted(found) == sorted(SHEET.strip().splitlines())
    assert len(found) == 39


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_facts_are_complete(endpoint: CloudEndpoint[..., Any]) -> None:
    assert endpoint.summary.endswith(".")
    assert endpoint.evidence is Evidence.DOC
    assert endpoint.codes >= {0, 5090, 5091, 5092}
    assert set(endpoint.meanings) <= endpoint.codes
    assert endpoint.result is None or hasattr(endpoint.result, "read")
    assert endpoint.safe == endpoint.path.rpartition("/")[2].startswith(("get", "groupBy"))
    for parameter in endpoint.parameters:
        assert parameter.help, f"{endpoint.key}({parameter.name}) has no help"
    if endpoint.longest is not None:
        assert {"start_time", "end_time"} <= {p.name for p in endpoint.parameters}


def test_keys_are_unique_and_everything_is_played_and_sampled() -> None:
    assert len({e.key for e in ENDPOINTS}) == len(ENDPOINTS)
    assert unplayed() == []
    samples = {
        json.loads(p.read_text("utf-8"))["endpoint"] for p in (ROOT / "tests/cloud/wire").glob("*.json")
    }
    assert samples == {e.path for e in ENDPOINTS}


@pytest.mark.parametrize(("endpoint", "parameter"), BOUNDED, ids=ids)
def test_bounds_hold_on_both_sides(
    endpoint: CloudEndpoint[..., Any], parameter: Parameter, shared: VirtualCloud
) -> None:
    good, bad = edges(parameter)
    assert bad
    for value in good:
        assert endpoint.check(values(endpoint, **{parameter.name: value}))[parameter.name] == value
    for value in bad:
        with pytest.raises(errors.ParameterError) as caught:
            endpoint.check(values(endpoint, **{parameter.name: value}))
        assert caught.value.name.startswith(parameter.name)
        body = form(shared, endpoint, values(endpoint, **{parameter.name: value}))
        if not (parameter.base is str and value == ""):  # an empty field is like none
            assert shared.answer(endpoint.path, *body)[1]["code"] == 5020


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_the_virtual_cloud_checks_who_calls_when_and_for_which_shop(
    endpoint: CloudEndpoint[..., Any], shared: VirtualCloud
) -> None:
    made = values(endpoint)

    def code(**public: str) -> tuple[int, int]:
        status, answer = shared.answer(endpoint.path, *form(shared, endpoint, made, **public))
        return status, answer["code"]

    assert code(key="wrong") == (401, 5090)
    assert code(app_id="another") == (401, 5090)
    assert shared.answer(endpoint.path, b"a=1")[0] == 401
    assert code(timestamp="1578972864") == (200, 5091)
    assert code(random="?") == (200, 5092)
    assert code()[0] == 200
    assert code()[1] not in (5090, 5091, 5092)
    if endpoint.shop:
        assert code(sunmi_shop_no="") == (200, 5041)
        assert code(sunmi_shop_no="1") == (200, 5013)
    surplus = form(shared, endpoint, made | {"x_surplus": "1"})
    assert shared.answer(endpoint.path, *surplus)[1]["code"] == 5020
    for parameter in endpoint.parameters:
        if parameter.required:
            rest = {k: v for k, v in made.items() if k != parameter.name}
            assert shared.answer(endpoint.path, *form(shared, endpoint, rest))[1]["code"] == 5020


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_every_code_arrives_as_its_error(endpoint: CloudEndpoint[..., Any], shared: VirtualCloud) -> None:
    with connect(shared, retries=0) as cloud:
        for code in [*sorted(endpoint.codes - {0}), 4711]:
            shared.fail("code", code, path=endpoint.path)
            with pytest.raises(errors.CloudError) as caught:
                cloud.call(endpoint, values(endpoint))
            error = caught.value
            assert (error.code, error.endpoint) == (code, endpoint.path)
            listed = code in endpoint.codes
            if listed:
                own = endpoint.meanings.get(code, (CloudCode(code).meaning, ""))
                assert error.message == own[0]
                assert error.code_name == CloudCode(code).name
            elif endpoint.in_development:
                assert isinstance(error, errors.CloudNotOfferedError)
            if endpoint.in_development and code not in (5090, 5091, 5092):
                assert "in development" in error.hint


def test_a_number_means_what_its_endpoint_says(shared: VirtualCloud) -> None:
    with connect(shared) as cloud:
        shared.fail("code", 5509, path="face/group/delete")
        with pytest.raises(errors.CloudError, match="still holds faces"):
            cloud.faces.delete_group("578968814328")
        shared.fail("code", 5509, path="device/ipc/bind")
        with pytest.raises(errors.CloudError, match="bound to a shop already"):
            cloud.devices.bind("FS101D8BS00001", "0C25766F5705")


def test_every_code_and_meaning_has_its_chinese() -> None:
    wanted = {t for code in CloudCode for t in (code.meaning, code.hint) if t}
    wanted |= {t for e in ENDPOINTS for pair in e.meanings.values() for t in pair}
    assert sorted(wanted - set(_chinese())) == []


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "cloud.md").read_text("utf-8")
    assert page == reference.updated(page), "run: python -m sunmi_ipc.cloud.reference"


def test_every_endpoint_has_a_command_that_says_so() -> None:
    from sunmi_ipc_cli.cloud.common import epilog
    from sunmi_ipc_cli.main import load

    def walk(command: Any) -> list[str]:
        own = [command.epilog or ""]
        return own + [line for sub in getattr(command, "commands", {}).values() for line in walk(sub)]

    said = " ".join(walk(load("cloud")))
    assert [e.path for e in ENDPOINTS if e.path not in said] == []
    assert "media/playback/start (in development)" in epilog("media.playback_start")


def test_it_is_called_on_a_cloud() -> None:
    from sunmi_ipc.cloud.api.devices import Devices

    with pytest.raises(TypeError, match=r"cloud\.devices\.info"):
        Devices.info("x")


Services = Callable[..., VirtualCloud]


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.in_development], ids=ids)
def test_what_is_not_offered_says_so(endpoint: CloudEndpoint[..., Any], services: Services) -> None:
    with (
        connect(services(in_development=False)) as cloud,
        pytest.raises(errors.CloudNotOfferedError) as caught,
    ):
        cloud.call(endpoint, values(endpoint))
    assert "in development" in caught.value.hint


def test_the_commands_help_has_its_chinese() -> None:
    from sunmi_ipc_cli.main import load

    def walk(command: Any) -> list[str]:
        own = inspect.cleandoc((command.callback.__doc__ if command.callback else None) or "")
        return [own, *(text for sub in getattr(command, "commands", {}).values() for text in walk(sub))]

    assert [text for text in walk(load("cloud")) if text and text not in _chinese()] == []
