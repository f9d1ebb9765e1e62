"""What real cameras may do, played: models' older names, cards, pages, neighbours, settings, Wi-Fi."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from sunmi_ipc import discovery
from sunmi_ipc.errors import CameraNotFound, DeviceError, ParameterError
from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.checks import signature
from sunmi_ipc.simulator.filming import VideoSettings
from sunmi_ipc.simulator.quirks import GBK_NAME, QUIRKS, UNKNOWN_FIELDS

Start = Callable[..., VirtualCamera]


def post(
    camera: VirtualCamera, path: str, fields: dict[str, bytes] | None = None, *, sign: bool = True
) -> bytes:
    """A call made by hand; the answer's bytes."""
    form = {k: v.decode("utf-8", "surrogateescape") for k, v in (fields or {}).items()}
    if sign:
        form |= {"app_id": camera.vendor.app_id, "timestamp": str(int(time.time())), "random": "1234567"}
        form["sign"] = signature(form, camera.vendor.secret_key.reveal())
    body = "&".join(f"{k}={quote_from_bytes(v.encode('utf-8', 'surrogateescape'))}" for k, v in form.items())
    certificate = ClientCertificate.load(camera.vendor.p12, camera.vendor.p12_password.reveal())
    context = client_context(certificate, camera.vendor.ca.read_bytes())
    connection = http.client.HTTPSConnection(camera.ip, camera.port, context=context, timeout=20)
    try:
        connection.request("POST", f"/openapi/{path}", body)
        return connection.getresponse().read()
    finally:
        connection.close()


def told(camera: VirtualCamera, path: str, **fields: str) -> Any:
    return json.loads(post(camera, path, {k: v.encode() for k, v in fields.items()}))


@pytest.mark.parametrize(
    ("word", "model", "size"), [("SS1", "FM010", 1920), ("fs1", "FM020", 1080), ("FM010", "FM010", 1920)]
)
def test_models_under_their_names(virtual: Start, word: str, model: str, size: int) -> None:
    camera = virtual(model=word)
    assert camera.state.model == model
    assert camera.describe()["model"] == told(camera, "device/getInfo")["data"]["model_name"] == word.upper()
    assert camera.state.video.fhd.height == size
    faces = told(camera, "face/getGroupList")["code"]
    assert faces == (13 if model == "FM010" else 0)


def test_the_fm010_films_a_square() -> None:
    from sunmi_ipc.protocol.spec import Model

    settings = VideoSettings.of(Model.FM010)
    assert [(f.width, f.height) for f in (settings.fhd, settings.hd)] == [(1920, 1920), (720, 720)]


def test_a_wired_camera_out_of_its_box_is_activated_first(virtual: Start) -> None:
    camera = virtual(state="wired")
    assert camera.describe()["network"] == "LAN"
    with connect(camera) as client:
        with pytest.raises(DeviceError) as caught:
            client.device.info()
        assert caught.value.code == 7
        client.device.activate(camera.sn)
        assert client.device.info().sn == camera.sn


def test_a_wrong_wifi_password_is_told_by_absence(virtual: Start) -> None:
    camera = virtual(state="factory", udp=True)
    find = lambda: discovery.find(camera.sn, timeout=1, interfaces=["lo"])  # noqa: E731
    assert find().network == "AP"
    with connect(camera) as client:
        client.wifi.join("Shop-WiFi", "wrong-one")
        time.sleep(0.3)
        with pytest.raises(CameraNotFound):
            find()
        client.wifi.join("Shop-WiFi", "welcome-2020")  # its access point has stayed
    time.sleep(0.3)
    assert find().sn == camera.sn


def test_the_answer_to_wifi_may_never_come(virtual: Start) -> None:
    camera = virtual(state="factory")
    camera.fail("lost", path="config/setWifiConfWithoutAuth")
    with pytest.raises((http.client.HTTPException, OSError)):
        post(
            camera,
            "config/setWifiConfWithoutAuth",
            {"ssid": b"Shop-WiFi", "password": b"welcome-2020"},
            sign=False,
        )
    assert camera.state.on_wifi


def test_a_card_removed_by_software(virtual: Start) -> None:
    camera = virtual()
    camera.remove_card()
    assert told(camera, "config/getMemoryCardStatus")["data"] == {"status": 4}
    assert told(camera, "config/formatMemoryCard")["code"] == 220
    assert told(camera, "face/getGroupList")["code"] == 220
    from sunmi_ipc.protocol.values import CardStatus

    camera.insert_card(CardStatus.NORMAL)
    assert told(camera, "config/getMemoryCardStatus")["data"] == {"status": 2}


def test_formatting_answered_at_its_end(virtual: Start) -> None:
    camera = virtual(quirks=["slow-format"])
    camera.state.format_s = 0.6
    began = time.monotonic()
    assert told(camera, "config/formatMemoryCard") == {"code": 0}
    assert time.monotonic() - began > 0.5
    assert told(camera, "config/getMemoryCardStatus")["data"] == {"status": 2}


def test_neighbours_as_they_are_heard(virtual: Start) -> None:
    camera = virtual(quirks=["neighbours"])
    answer = post(camera, "config/getApList")
    assert GBK_NAME.encode("utf-8", "surrogateescape") in answer
    assert b'"Tab\tnet"' in answer
    assert b'"ssid":null' in answer
    with pytest.raises(ValueError, match=r"codec|control"):
        json.loads(answer)
    name = GBK_NAME.encode("utf-8", "surrogateescape")
    assert b'"code":0' in post(camera, "config/setWifiConf", {"ssid": name, "password": b"linju-2020"})
    assert camera.state.ssid == GBK_NAME
    assert camera.state.on_wifi
    assert b'"code":2' in post(camera, "config/setIpcName", {"name": name})


@pytest.mark.parametrize(
    ("quirk", "rows", "total", "beyond"),
    [("short-pages", 7, 20, {"code": 273}), ("no-total", 10, None, 0), ("repeated-pages", 10, 20, 10)],
)
def test_pages(virtual: Start, quirk: str, rows: int, total: int | None, beyond: Any) -> None:
    camera = virtual(people=20, quirks=[quirk])
    ask = {"group_name": "stranger", "page_size": "10"}
    groups = told(camera, "face/getGroupList")["data"]["face_group"]
    count = next(g["count"] for g in groups if g["name"] == "stranger")
    first = told(camera, "face/getFaceList", page_num="1", **ask)["data"]
    assert len(first["face_list"]) == first["return_num"] == min(rows, count)
    assert first.get("total_num") == (None if total is None else count)
    after = told(camera, "face/getFaceList", page_num="9", **ask)
    if isinstance(beyond, dict):
        assert after == beyond
    else:
        assert len(after["data"]["face_list"]) == ((count % 10 or 10) if beyond else 0)


@pytest.mark.parametrize("document", list(UNKNOWN_FIELDS))
def test_fields_that_nothing_documents_are_lost_by_who_does_not_send_them_back(
    virtual: Start, document: str
) -> None:
    camera = virtual(quirks=["unknown-fields"])
    pair = {e.safe: e for e in registry().values() if e.document == document}
    values = {k: str(v) for k, v in told(camera, pair[True].path)["data"].items()}
    unknown = UNKNOWN_FIELDS[document]
    assert {k: v for k, v in values.items() if k in unknown} == {k: str(v) for k, v in unknown.items()}
    assert told(camera, pair[False].path, **values)["code"] == 0
    assert told(camera, pair[True].path)["data"].items() >= unknown.items()
    known = {k: v for k, v in values.items() if k not in unknown}
    assert told(camera, pair[False].path, **known)["code"] == 0
    assert told(camera, pair[True].path)["data"].items() >= dict.fromkeys(unknown, 0).items()


def test_missing_fields(virtual: Start) -> None:
    plain, thin = virtual(), virtual(quirks=["missing-fields"])
    assert set(told(thin, "device/getInfo")["data"]) < set(told(plain, "device/getInfo")["data"])


def test_what_changes_something_is_counted(virtual: Start) -> None:
    camera = virtual()
    for endpoint in registry().values():
        if endpoint.safe and not any(p.required for p in endpoint.parameters):
            told(camera, endpoint.path)
    assert camera.state.changes == 0
    told(camera, "config/setLed", led_switch="0")
    told(camera, "config/setLed", led_switch="7")  # refused
    assert camera.state.changes == 1


def test_quirks_have_names() -> None:
    with pytest.raises(ParameterError):
        VirtualCamera(quirks=["clairvoyance"])
    assert len(QUIRKS) == len(set(QUIRKS))
